"""E-mail the chains' heads to every manager once a week, so that they are kept elsewhere.

Nobody has to read them. But whoever later cuts off the end of the chains cannot take them back out of a mailbox:
`flask audit --against` compares a saved e-mail with the database.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from coworking.accounting.emails import to_manager
from coworking.accounts import manager_queries
from coworking.core import chain, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.units import end_read, write_unit
from coworking.spaces import queries as spaces

TOPIC = "accounting.heads"
FROM_HOUR = 8
"""Local hour from which the first look of a week sends them."""


def send_due() -> int:
    """Enqueue this week's e-mail for every manager who has none yet; return how many."""
    lieu = spaces.lieu_or_none()
    if lieu is None or now().astimezone(lieu.tz).hour < FROM_HOUR:
        return 0
    heads, today = chain.heads(), spaces.today()
    year, week, _weekday = today.isocalendar()
    keys = {f"{TOPIC}:{year}-{week:02d}:{person}": person for person in manager_queries.managers()}
    written = set(db.session.scalars(select(outbox.OutboxRow.key).where(outbox.OutboxRow.key.in_(keys))))
    missing = {key: person for key, person in keys.items() if key not in written}
    if not missing or not any(head["seq"] for head in heads.values()):
        return 0
    end_read()
    with write_unit():
        return sum(
            outbox.enqueue(TOPIC, key, {"person": person, "heads": heads, "day": today.isoformat()})
            for key, person in missing.items()
        )


@outbox.handler(TOPIC)
def send(job: outbox.Job) -> None:
    """Send the heads as they were that day to one manager, if they still are one."""
    to_manager(job, "accounting/heads", block=block(job.payload["heads"]))


def block(heads: dict[str, Any]) -> str:
    """The heads as the JSON that `core.against` finds again in a saved e-mail."""
    return json.dumps({"chain_heads": heads}, indent=1, sort_keys=True)

"""Owners of packs are told twice before what is left of one is lost."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from coworking.core import mail, outbox
from coworking.core.db import db
from coworking.core.settings import settings
from coworking.core.units import end_read, write_unit
from coworking.membership import queries
from coworking.membership.models import Pack
from coworking.membership.rules import WARNED_DAYS, days_warned
from coworking.spaces import queries as spaces

ENDING = "membership.pack_ending"
"""The outbox topic of the e-mail about a pack that ends soon. Payload: ``{"pack": public id}``."""


def warn_of_ending() -> int:
    """Let the owners hear whose packs end soon and are not used up; return how many e-mails are new. Twice finds none."""
    if spaces.lieu_or_none() is None:
        return 0
    today = spaces.today()
    found = [
        (pack, days)
        for pack in queries.packs_ending(today, today + timedelta(days=max(WARNED_DAYS)))
        if (days := days_warned(pack.valid_from, pack.valid_until, today)) is not None
    ]
    end_read()
    if not found:
        return 0
    with write_unit():
        keys = [(f"{ENDING}:{pack.public_id}:{days}", pack.public_id) for pack, days in found]
        return sum(outbox.enqueue(ENDING, key, {"pack": pack}) for key, pack in keys)


@outbox.handler(ENDING, can_wait=True)
def pack_ending(job: outbox.Job) -> None:
    """E-mail what is left of a pack and until when; nothing where that is over or used up meanwhile."""
    today = spaces.today()
    pack = db.session.scalar(select(Pack).where(Pack.public_id == job.payload["pack"]).options(joinedload(Pack.person)))
    left = queries.left_of_pack(pack.id) if pack is not None else 0
    if pack is None or not left or pack.valid_until < today:
        return
    if pack.person.email is None or not pack.person.is_active:
        return
    mail.deliver(
        job.id,
        template="membership/pack_ending",
        to=pack.person.email,
        locale=pack.person.locale,
        context={
            "place": spaces.lieu().name,
            "name": pack.name,
            "unit": pack.unit,
            "left": left,
            "until": pack.valid_until,
            "url": f"{settings().base_url}/week",
        },
    )

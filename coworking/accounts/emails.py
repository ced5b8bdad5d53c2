"""Ask for an e-mail about an account. Its link is made when it is sent: the outbox holds no secret."""

from __future__ import annotations

import secrets
from datetime import date, datetime

from coworking.accounts.models import EmailChange, Organisation, OrganisationInvitation, Person
from coworking.accounts.proxy_models import BookingProxy
from coworking.core import outbox
from coworking.core.clock import now

CONFIRM, REGISTERED, RESET, INVITE = "confirm", "registered", "reset", "invitation"
SIGN_IN = "sign_in"
CHANGED = "password_changed"
NEW_ADDRESS, ADDRESS_CHANGE, ADDRESS_KEPT = "new_address", "address_change", "address_kept"
ADDRESS_MERGED, ADDRESS_ENDED = "address_merged", "address_ended"
ACCESS_CHANGED = "access_changed"
SECOND_STEP_ON, SECOND_STEP_OFF, SECOND_STEP_RESET = "second_step_on", "second_step_off", "second_step_reset"
SECOND_STEP_WANTED = "second_step_wanted"
CODES_RENEWED, CODE_USED = "codes_renewed", "code_used"
PASSKEY_ADDED, PASSKEY_REMOVED = "passkey_added", "passkey_removed"
TOKEN_MADE, NEW_BROWSER = "token_made", "new_browser"
DATA_COPIED = "data_copied"
RECORDS_MERGED = "records_merged"
LEAVING = "leaving"
TOPIC = "accounts.letter"
INVITED, ENDED = "accounts.invited", "accounts.ended"
PROXY = "accounts.proxy"
_ONCE_IN_S = {SIGN_IN: 60}
"""A link to sign in may be used at once, and another one wanted soon after."""
_USUALLY_ONCE_IN_S = 300


def enqueue(template: str, person: Person) -> bool:
    """Write it into the outbox of the open unit; False when the same one was asked for a moment ago."""
    window = int(now().timestamp()) // _ONCE_IN_S.get(template, _USUALLY_ONCE_IN_S)
    key = f"{TOPIC}:{template}:{person.public_id}:{person.session_epoch}:{window}"
    return outbox.enqueue(TOPIC, key, {"letter": template, "person": person.public_id})


def enqueue_change(template: str, person: Person, change: EmailChange) -> None:
    """Write an e-mail about a change of address into the outbox of the open unit, once for each change."""
    payload = {"letter": template, "person": person.public_id, "change": change.public_id}
    outbox.enqueue(TOPIC, f"{TOPIC}:{template}:{change.public_id}", payload)


def enqueue_invitation(row: OrganisationInvitation) -> None:
    """Write the e-mail of an invitation into the outbox of the open unit; of several within minutes one is sent."""
    window = int(now().timestamp()) // _USUALLY_ONCE_IN_S
    outbox.enqueue(INVITED, f"{INVITED}:{row.public_id}:{window}", {"invitation": row.public_id})


def enqueue_ended(organisation: Organisation, person: Person, member_id: int, last_day: date) -> None:
    """Write into the outbox of the open unit that an organisation pays nothing new for ``person`` after ``last_day``."""
    payload = {"organisation": organisation.public_id, "person": person.public_id, "last_day": last_day.isoformat()}
    outbox.enqueue(ENDED, f"{ENDED}:{member_id}:{last_day.isoformat()}", payload)


def enqueue_proxy(row: BookingProxy) -> None:
    """Write into the outbox of the open unit, for who was named to book for another, that they may."""
    outbox.enqueue(PROXY, f"{PROXY}:{row.public_id}", {"proxy": row.public_id})


def enqueue_access(
    kind: str, person: Person, *, browser: str = "", left: int | None = None, starts: datetime | None = None
) -> None:
    """Write an e-mail about a change in how the account is opened into the outbox of the open unit: each time it happens.

    ``browser``: the name of the device it was done on; ``left``: recovery codes; ``starts``: when a second step is wanted.
    """
    payload = {"letter": ACCESS_CHANGED, "person": person.public_id, "kind": kind, "at": now().isoformat()}
    payload |= {"browser": browser} if browser else {}
    payload |= {"left": left} if left is not None else {}
    payload |= {"starts": starts.isoformat()} if starts is not None else {}
    outbox.enqueue(TOPIC, f"{TOPIC}:{kind}:{person.public_id}:{secrets.token_hex(8)}", payload)

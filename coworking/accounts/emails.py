"""Ask for an e-mail about an account. Its link is made when it is sent: the outbox holds no secret."""

from __future__ import annotations

from coworking.accounts.models import EmailChange, Person
from coworking.core import outbox
from coworking.core.clock import now

CONFIRM, REGISTERED, RESET, INVITE = "confirm", "registered", "reset", "invitation"
SIGN_IN = "sign_in"
CHANGED = "password_changed"
NEW_ADDRESS, ADDRESS_CHANGE = "new_address", "address_change"
TOPIC = "accounts.letter"
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

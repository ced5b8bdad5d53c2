"""Sending a closed month to the head: the same document again and again until it is acknowledged.

The outbox owns the repetition (see `coworking.network.lieu.handlers`); a `Delivery` tells the manager how far it is.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from sqlalchemy import select

from coworking.core import chain, mail, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.i18n import _, in_language
from coworking.core.keyring import SigningKey, signing_key
from coworking.core.months import write_month
from coworking.core.sql import upsert
from coworking.core.units import end_read, locked, write_unit
from coworking.network.exchange import protocol
from coworking.network.exchange.return_messages import AckUnreadable, Stated, read_acknowledgement, return_payload
from coworking.network.lieu import posting, queries
from coworking.network.lieu.models import Delivery, HeadLink
from coworking.spaces import queries as spaces
from coworking.statistics import queries as statistics
from coworking.statistics import services as closing
from coworking.statistics.envelope import envelope, figures_table, file_name
from coworking.statistics.models import MonthlyReturn
from coworking.statistics.schema import CHAIN_HEADS, OPTIONAL

MOST_CONTINUED = 5
"""Maximum automatic restatements per month after revision conflicts; more means that the head is faulty."""
_MOST_REVISION = 10_000

UNREACHABLE, BUSY, NOT_ACKNOWLEDGED, EMAIL_STUCK = "unreachable", "busy", "not_acknowledged", "letter_stuck"
KEEPS_ASKING, EMAIL_REFUSED = "keeps_asking", "letter_refused"
"""Why a revision is not there; what the head refuses has the head's own code, then ``: `` and its words."""


class NotYet(Exception):
    """It did not arrive; trying again later may help. The text is the delivery's ``last_error``."""


class Refused(Exception):
    """The head will not have it, however often it is sent. The text is the delivery's ``last_error``."""


def send(month: date, revision: int, *, recipient: str | None = None) -> Delivery | None:
    """Send one revision to the head now and return what became of it; None while the lieu belongs to no network.

    So it is where the lieu changed to another head than the ``recipient`` for whom it was planned.

    A revision that is no longer the month's highest is not sent any more. Where the head holds a later one than this lieu
    knows of (a restored backup), the month is stated again after it, and that revision goes its own way. Raises `NotYet`
    and `Refused`, both kept in the delivery. Not to be called within a unit.
    """
    head = queries.head_link()
    row = statistics.latest(month)
    if head is None or row is None or (recipient is not None and recipient != head.recipient):
        return None
    to = head.recipient
    if row.revision != revision:
        digest = next(one.figures_sha256 for one in statistics.revisions(month) if one.revision == revision)
        return _mark(to, month, revision, digest, state="replaced")
    try:
        return _by_email(head, row) if head.way == "mail" else _by_wire(head, row)
    except NotYet as error:
        _mark(to, month, revision, row.figures_sha256, state="waiting", last_error=str(error))
        raise
    except Refused as error:
        _mark(to, month, revision, row.figures_sha256, state="failed", last_error=str(error))
        raise


def _by_wire(head: HeadLink, row: MonthlyReturn) -> Delivery:
    assert head.url is not None and head.head_id is not None and head.public_key is not None
    month, revision, digest = row.month, row.revision, row.figures_sha256
    url, head_id, public = head.url, head.head_id, protocol.decode_key(head.public_key)
    document, key = _document(row), signing_key()
    stated = Stated(row.lieu_id, write_month(month), revision, digest)
    end_read()
    try:
        answer = _post(url, document, head_id, key)
        while (unknown := _not_known(answer, document)) is not None:
            del document[unknown]
            answer = _post(url, document, head_id, key)
    except posting.Unreachable as error:
        raise NotYet(UNREACHABLE) from error
    if answer.status in (200, 201):
        try:
            ack = read_acknowledgement(answer.document, stated, head_id=head_id, public=public)
        except AckUnreadable as error:
            raise NotYet(NOT_ACKNOWLEDGED) from error
        at = now()
        return _mark(head_id, month, revision, digest, state="acknowledged", ack=ack, acknowledged_at=at, sent_at=at)
    if answer.status == 409 and answer.code == "revision_conflict":
        return _continue(head_id, row, answer.document)
    if 400 <= answer.status < 500 and answer.status not in (408, 425, 429):
        raise Refused(f"{answer.code or answer.status}")
    raise NotYet(BUSY)


def _post(url: str, document: dict[str, Any], head_id: str, key: SigningKey) -> posting.Answer:
    return posting.post(url, protocol.sign(return_payload(document, head_id=head_id, at=now()), protocol.RETURN, key))


def _not_known(answer: posting.Answer, document: dict[str, Any]) -> str | None:
    """The optional member of ``document`` that a head of an older version refuses; it is no part of the figures."""
    if answer.status != 422 or answer.code != "return_invalid" or not isinstance(answer.document, dict):
        return None
    field = str(answer.document.get("field", "")).removeprefix("return.").split(".")[0]
    return field if field in OPTIONAL and field in document else None


def _document(row: MonthlyReturn) -> dict[str, Any]:
    """The return as it leaves: with the heads of the lieu's signed chains, so that somebody else keeps them too."""
    return {**envelope(row), CHAIN_HEADS: chain.heads()}


def _continue(to: str, row: MonthlyReturn, conflict: dict[str, Any]) -> Delivery:
    """Go on after the revision the head says it holds: this lieu was restored from a backup, the head was not."""
    highest, month, revision, digest = conflict.get("highest"), row.month, row.revision, row.figures_sha256
    if type(highest) is not int or not revision <= highest < _MOST_REVISION:
        raise Refused("revision_conflict")
    with in_language("fr"):  # part of the document, whoever reads it
        reason = _("Stated again after a backup was restored: the network head held a later revision.")
    if sum(one.reason == reason for one in statistics.revisions(month)) >= MOST_CONTINUED:
        raise Refused(KEEPS_ASKING)
    closing.continue_from(month, highest, reason)
    return _mark(to, month, revision, digest, state="replaced")


def _by_email(head: HeadLink, row: MonthlyReturn) -> Delivery:
    assert head.email is not None
    lieu, month, revision, digest = spaces.lieu(), row.month, row.revision, row.figures_sha256
    content = json.dumps(_document(row), ensure_ascii=False, indent=2)
    email: dict[str, Any] = {
        "template": "network/return",
        "to": head.email,
        "locale": "fr",
        "context": {"place": lieu.name, "month": month, "revision": revision, "digest": digest, "reason": row.reason},
        "attachments": (
            mail.Attachment(file_name(row, "csv"), "text/csv", figures_table(row).encode()),
            mail.Attachment(file_name(row, "json"), "application/json", content.encode()),
        ),
    }
    to = head.recipient
    message_id = f"{lieu.uuid}.{write_month(month)}.r{revision}"
    end_read()
    try:
        mail.deliver(message_id, **email)
    except outbox.GiveUp as error:
        raise Refused(f"{EMAIL_REFUSED}: {error}") from error
    except OSError as error:
        raise NotYet(EMAIL_STUCK) from error
    return _mark(to, month, revision, digest, state="mailed", sent_at=now())


def _mark(to: str, month: date, revision: int, digest: str, *, state: str, **values: Any) -> Delivery:
    """Write down how an attempt at the head ``to`` ended.

    What was acknowledged once stays so, whatever a later attempt met. Where the lieu went over to another head meanwhile,
    nothing is written: what the one says is no word of the other.
    """
    end_read()
    with write_unit() as unit:
        first = {"month": month, "revision": revision, "digest": digest, "state": "waiting", "attempts": 0}
        first["recipient"] = to
        db.session.execute(upsert(Delivery, ["month", "revision"], first, {"digest": digest}))
        row = db.session.scalars(
            locked(select(Delivery).where(Delivery.month == month, Delivery.revision == revision))
        ).one()
        unit.result = f"{write_month(month)}:{revision}"
        if row.recipient != to:
            return row
        row.attempts += 1
        row.last_error = None
        if row.ack is None or state == "acknowledged":
            row.state = state
        for name, value in values.items():
            setattr(row, name, value)
    return row

"""Taking in a signed monthly return, at the head.

In this order: its size, its form, the algorithm, whose key, the signature, whom it is for, what it says, whose it is; and
only then, with the lieu's row locked, what is already here. Sending the same revision again is answered alike.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import rfc8785
from sqlalchemy import func, select

from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import N_, DomainError
from coworking.core.keyring import signing_key
from coworking.core.months import read_month, write_month
from coworking.core.units import locked, require_unit, write_unit
from coworking.network.exchange import protocol
from coworking.network.exchange.return_messages import Stated, acknowledgement, read_return_payload
from coworking.network.head import doubts, enrolment, queries
from coworking.network.head.filing import columns_of
from coworking.network.head.models import NetworkLieu, ReceivedReturn
from coworking.network.head.rules import Held, is_repeated
from coworking.spaces import queries as spaces
from coworking.spaces.rules import place_of


class LieuUnknown(DomainError):
    """No lieu of this network has that key, or it has left."""

    code = "lieu_unknown"
    status = 404
    message = N_("This key belongs to no place of this network: enrol again with a new link.")
    field = "kid"


class AnotherLieu(DomainError):
    """The key is one lieu's, the figures name another."""

    code = "another_lieu"
    message = N_("These are the figures of another place than the one that signed.")
    field = "return.lieu_id"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a return: ``is_new`` False where this revision was here already."""

    is_new: bool
    document: dict[str, Any]


def receive(body: bytes, *, address: str | None) -> Receipt:
    """Take in the compact JWS ``body`` and acknowledge it.

    Raises the errors of `protocol.read` and `read_return_payload`, `LieuUnknown`, `protocol.SignatureInvalid`,
    `AnotherLieu` and `RevisionConflict`; nothing is changed then, but unknown keys and bad signatures count in the
    throttle of the internet ``address``.
    """
    message = protocol.read(body, protocol.RETURN)
    lieu = queries.enrolled_by_key(message.kid)
    try:
        if lieu is None or lieu.public_key is None:
            raise LieuUnknown()
        payload = protocol.verified(message, protocol.decode_key(lieu.public_key))
    except (LieuUnknown, protocol.SignatureInvalid):
        enrolment.refused(address)
        raise
    head_id = spaces.lieu().uuid
    document = read_return_payload(payload, head_id=head_id, at=now(), zone=zone_of(lieu))
    if document["lieu_id"] != lieu.lieu_uuid:
        raise AnotherLieu()
    signing_key()  # made or read before the unit
    row, is_new = _take_in(message, document)
    return Receipt(is_new, _acknowledged(row, head_id, document["lieu_id"]))


def _take_in(message: protocol.Message, document: dict[str, Any]) -> tuple[ReceivedReturn, bool]:
    with write_unit() as unit:
        lieu = db.session.scalar(
            locked(select(NetworkLieu).where(NetworkLieu.key_id == message.kid, NetworkLieu.left_at.is_(None)))
        )
        if lieu is None or lieu.lieu_uuid != document["lieu_id"]:
            raise LieuUnknown()
        unit.result = f"{lieu.public_id}:{document['month']}:{document['revision']}"
        return keep(lieu, document, jws=message.text)


def keep(lieu: NetworkLieu, document: dict[str, Any], *, jws: str | None) -> tuple[ReceivedReturn, bool]:
    """File the checked ``document`` of ``lieu``, whose row is locked in the open unit; False where it was here already.

    ``jws`` is what the lieu signed, None for figures typed in behind a link. Raises `RevisionConflict`.
    """
    require_unit()
    month, revision = read_month(document["month"]), document["revision"]
    offered = Held(document["status"], document["figures_sha256"])
    if is_repeated(revision, offered, here=queries.held(lieu, month)):
        return stored(lieu, month, revision), False
    found = doubts.doubts(document["figures"], queries.before(lieu.id, month))
    _await_from(lieu, month)
    row = ReceivedReturn(
        network_lieu_id=lieu.id,
        month=month,
        revision=revision,
        status=offered.status,
        reason=document["reason"],
        digest=offered.digest,
        document=rfc8785.dumps(document).decode(),
        jws=jws,
        way="link" if jws is None else "software",
        received_at=now(),
        doubts=json.dumps(doubts.written(found)),
        **columns_of(document),
    )
    db.session.add(row)
    db.session.flush()
    return row, True


def zone_of(lieu: NetworkLieu) -> ZoneInfo:
    """The zone of the lieu by its postcode or commune; that of the head where neither says that it is overseas."""
    code = lieu.postcode or lieu.code_insee or ""
    return ZoneInfo(place_of(code)[1]) if code.startswith(("97", "98")) else spaces.lieu().tz


def _await_from(lieu: NetworkLieu, month: date) -> None:
    """A lieu is awaited from the first month it sent: an older one than was awaited moves that back, once."""
    if lieu.expected_from is None or month >= lieu.expected_from:
        return
    first = db.session.scalar(select(func.min(ReceivedReturn.month)).where(ReceivedReturn.network_lieu_id == lieu.id))
    if first is None or month < first:
        lieu.expected_from = month


def stored(lieu: NetworkLieu, month: date, revision: int) -> ReceivedReturn:
    """The revision of ``month`` that is here."""
    return db.session.scalars(
        select(ReceivedReturn).where(
            ReceivedReturn.network_lieu_id == lieu.id,
            ReceivedReturn.month == month,
            ReceivedReturn.revision == revision,
        )
    ).one()


def _acknowledged(row: ReceivedReturn, head_id: str, lieu_id: str) -> dict[str, Any]:
    return acknowledgement(
        Stated(lieu_id, write_month(row.month), row.revision, row.digest),
        status=row.status,
        head_id=head_id,
        received_at=row.received_at,
        key=signing_key(),
    )

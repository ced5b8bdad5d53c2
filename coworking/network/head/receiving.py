"""Receive a signed monthly return, at the head.

In this order: its size, its form, the algorithm, whose key, the signature, whom it is for, what it says, whose it is; and
only then, with the lieu's row locked, what is already here. Sending the same revision again is answered alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, insert, select

from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import N_, DomainError
from coworking.core.keyring import signing_key
from coworking.core.months import read_month
from coworking.core.sql import table_of
from coworking.core.units import for_update, require_unit, write_unit
from coworking.network.exchange import protocol
from coworking.network.exchange.return_messages import Stated, acknowledgement, read_return_payload
from coworking.network.head import doubts, enrolment, queries
from coworking.network.head.filing import columns_of
from coworking.network.head.models import NetworkLieu, ReceivedReturn
from coworking.network.head.rules import Held, is_repeated
from coworking.spaces import queries as spaces
from coworking.spaces.rules import place_of
from coworking.statistics.schema import canonical


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


@dataclass(frozen=True, slots=True)
class Filed:
    """A checked ``document``, ready to be kept. ``jws`` is what the lieu signed, None for figures typed in behind a link.

    Made before the unit that keeps it: nothing is serialised while a lock is held.
    """

    document: Mapping[str, Any]
    text: str
    beside: Mapping[str, Any]
    jws: str | None

    @classmethod
    def of(cls, document: Mapping[str, Any], *, jws: str | None = None) -> Filed:
        return cls(document, canonical(document).decode(), columns_of(document), jws)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is here of a revision: its ``status``, since when, and whether it came just now."""

    status: str
    received_at: datetime
    is_new: bool


_LOCKED = for_update(select(NetworkLieu).where(NetworkLieu.key_id == bindparam("key"), NetworkLieu.left_at.is_(None)))
_INSERT = insert(table_of(ReceivedReturn))


def receive(body: bytes, *, address: str | None) -> Receipt:
    """Take in the compact JWS ``body`` and acknowledge it.

    Raises the errors of `protocol.read` and `read_return_payload`, `LieuUnknown`, `protocol.SignatureInvalid`,
    `AnotherLieu` and `RevisionConflict`; nothing is changed then, but unknown keys and bad signatures count in the
    throttle of the internet ``address``.
    """
    message = protocol.read(body, protocol.RETURN)
    sender = queries.sender_by_key(message.kid)
    try:
        if sender is None or sender.public_key is None:
            raise LieuUnknown()
        payload = protocol.verified(message, protocol.decode_key(sender.public_key))
    except (LieuUnknown, protocol.SignatureInvalid):
        enrolment.refused(address)
        raise
    head_id = spaces.lieu().uuid
    zone = zone_of(sender.postcode, sender.code_insee)
    document = read_return_payload(payload, head_id=head_id, at=now(), zone=zone)
    if document["lieu_id"] != sender.lieu_uuid:
        raise AnotherLieu()
    key = signing_key()  # made or read before the unit
    kept = _take_in(message.kid, Filed.of(document, jws=message.text))
    stated = Stated(document["lieu_id"], document["month"], document["revision"], document["figures_sha256"])
    answer = acknowledgement(stated, status=kept.status, head_id=head_id, received_at=kept.received_at, key=key)
    return Receipt(kept.is_new, answer)


def _take_in(kid: str, filed: Filed) -> Kept:
    with write_unit() as unit:
        lieu = db.session.scalar(_LOCKED, {"key": kid})
        if lieu is None or lieu.lieu_uuid != filed.document["lieu_id"]:
            raise LieuUnknown()
        unit.result = f"{lieu.public_id}:{filed.document['month']}:{filed.document['revision']}"
        return keep(lieu, filed)


def keep(lieu: NetworkLieu, filed: Filed) -> Kept:
    """Keep what is ``filed`` of ``lieu``, whose row is locked in the open unit, unless it was here already.

    Raises `RevisionConflict`, `StatusImpossible`.
    """
    require_unit()
    document = filed.document
    month, revision = read_month(document["month"]), document["revision"]
    offered = Held(document["status"], document["figures_sha256"])
    here, before = queries.held_and_before(lieu.id, month)
    if is_repeated(revision, offered, here=here):
        row = stored(lieu, month, revision)
        return Kept(row.status, row.received_at, is_new=False)
    comparable = before if filed.beside["counted_from"] is None else []  # part of a month is less than a whole one
    found, instant = doubts.doubts(document["figures"], comparable), now()
    _await_from(lieu, month)
    values = {
        "network_lieu_id": lieu.id,
        "month": month,
        "revision": revision,
        "status": offered.status,
        "reason": document["reason"],
        "digest": offered.digest,
        "document": filed.text,
        "jws": filed.jws,
        "way": "link" if filed.jws is None else "software",
        "received_at": instant,
        "doubts": json.dumps(doubts.written(found)),
    }
    db.session.execute(_INSERT, {**values, **filed.beside})
    return Kept(offered.status, instant, is_new=True)


def zone_of(postcode: str | None, code_insee: str | None) -> ZoneInfo:
    """The zone of a lieu by its postcode or commune; that of the head where neither says that it is overseas."""
    code = postcode or code_insee or ""
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

"""Enrol a lieu: the head gives it a link, and the lieu answers with its key or with six figures.

What the lieu does with a link to join is in `coworking.network.lieu.joining`.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import exists, select, update

from coworking.accounts import throttle
from coworking.accounts.rules import TooManyAttempts
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import N_, DomainError, Gone, NotFound
from coworking.core.keyring import key_id_of, signing_key
from coworking.core.months import month_before, month_of
from coworking.core.policy import Actor
from coworking.core.settings import settings
from coworking.core.units import end_read, locked, require_unit, write_unit
from coworking.network.exchange import protocol
from coworking.network.exchange.join_messages import JOIN_PATH, check_join_request, head_answer
from coworking.network.exchange.rules import NetworkLoop
from coworking.network.head.models import FIGURES, JOIN, Enrolment, NetworkLieu, ReceivedReturn
from coworking.spaces import queries as spaces

LIFETIMES = {JOIN: timedelta(days=30), FIGURES: timedelta(days=400)}
"""A link to join waits for someone to have the time; that of the six figures lasts a year and a month."""
FIGURES_PATH = "/network/figures/"


class AlreadyEnrolled(DomainError):
    """Another lieu of this network has that identity or that key."""

    code = "already_enrolled"
    status = 409
    message = N_("This place is already in the network under another name.")


class SendsItself(DomainError):
    """A lieu that sends signed returns types none in: two hands would write the same month."""

    code = "sends_itself"
    status = 409
    message = N_("This place already sends its month automatically.")


class TooManyLinks(TooManyAttempts):
    message = N_("Too many attempts. Try again in %(minutes)s min.")


def invite(actor: Actor, lieu: str, purpose: str) -> str:
    """Give the lieu with the public id ``lieu`` a link of ``purpose`` (`JOIN`, `FIGURES`); return its token, shown once.

    It takes the place of an earlier one of that purpose. With a link for the six figures the lieu belongs to the network
    at once, and those of the last month are awaited. Raises `NotFound`, `SendsItself`.
    """
    token = secrets.token_urlsafe(32)
    with write_unit() as unit:
        row = directory_entry(lieu)
        if purpose == FIGURES:
            _reports_by_link(row)
        _revoke(row, purpose)
        db.session.add(
            Enrolment(
                network_lieu_id=row.id,
                digest=protocol.token_digest(token),
                purpose=purpose,
                created_by_id=actor.person_id,
                expires_at=now() + LIFETIMES[purpose],
            )
        )
        audit.record(actor, "network.invited", ("network_lieu", row.id), purpose=purpose)
        unit.result = row.public_id
    return token


def join_url(token: str) -> str:
    """The address that a lieu's manager pastes into « Réseau »."""
    return f"{settings().base_url}{JOIN_PATH}{token}"


def figures_url(token: str) -> str:
    """The address behind which a lieu without the software types in its six figures."""
    return f"{settings().base_url}{FIGURES_PATH}{token}"


def revoke(actor: Actor, lieu: str, purpose: str) -> None:
    """End the links of ``purpose`` that the lieu ``lieu`` has; twice is fine.

    A lieu that never sent anything behind its link stands in the directory alone again.
    """
    with write_unit():
        row = directory_entry(lieu)
        _revoke(row, purpose)
        said = exists().where(ReceivedReturn.network_lieu_id == row.id)
        if purpose == FIGURES and row.way == "link" and not db.session.scalar(select(said)):
            row.way = None
        audit.record(actor, "network.link_revoked", ("network_lieu", row.id), purpose=purpose)


def opened(token: str, purpose: str) -> tuple[Enrolment, NetworkLieu]:
    """The link of ``token`` and whose it is; raises `Gone` where there is none, or it was revoked or is too old."""
    row = db.session.execute(
        select(Enrolment, NetworkLieu)
        .join(NetworkLieu, NetworkLieu.id == Enrolment.network_lieu_id)
        .where(Enrolment.digest == protocol.token_digest(token), Enrolment.purpose == purpose)
    ).one_or_none()
    if row is None or row[0].revoked_at is not None or row[0].expires_at <= now() or not _stands(row[1]):
        raise Gone()
    return row[0], row[1]


def accept(token: str, body: bytes, *, address: str | None) -> dict[str, Any]:
    """Let in the lieu that sends ``body`` (a JWS of the type `protocol.JOIN`, signed by the key inside) to ``token``.

    Returns what the head says of itself: ``head_id``, ``name``, ``jwk``, ``returns_url``. The same lieu with the same key
    may send it again (the answer was lost on the way); anyone else finds the link used. Raises `Gone`,
    `protocol.MessageUnreadable`, `protocol.SignatureInvalid`, `AlreadyEnrolled`, `NetworkLoop`; links and signatures that
    are none of ours count in the throttle of the internet ``address``.
    """
    try:
        opened(token, JOIN)
        message = protocol.read(body, protocol.JOIN, most=protocol.MOST_JOIN_BYTES)
        public = protocol.own_key(message)
        payload = protocol.verified(message, public)
    except (Gone, protocol.SignatureInvalid):
        refused(address)
        raise
    check_join_request(payload, token=token, at=now())
    answer = _myself()
    if payload["lieu_id"] == answer["head_id"]:
        raise NetworkLoop()
    with write_unit() as unit:
        enrolment, lieu = opened_locked(token, JOIN)
        key = protocol.encode_key(public)
        if enrolment.used_at is not None and (enrolment.public_key, lieu.lieu_uuid) != (key, payload["lieu_id"]):
            raise Gone()
        if enrolment.used_at is None:
            _enrol(lieu, enrolment, payload, public)
        unit.result = lieu.public_id
    return answer


def refused(address: str | None) -> None:
    """Count an attempt with a link, key or signature that is none of ours; raises `TooManyLinks` beyond measure."""
    end_read()
    names = throttle.network_buckets(address)
    if not names:
        return
    try:
        with write_unit():
            throttle.count(names)
    except TooManyAttempts as error:
        raise TooManyLinks(minutes=error.params["minutes"], extra=error.extra) from error


def _enrol(lieu: NetworkLieu, enrolment: Enrolment, payload: dict[str, Any], public: bytes) -> None:
    key_id, instant = key_id_of(public), now()
    other = db.session.scalar(
        select(NetworkLieu.id).where(
            NetworkLieu.id != lieu.id,
            (NetworkLieu.lieu_uuid == payload["lieu_id"]) | (NetworkLieu.key_id == key_id),
        )
    )
    if other is not None:
        raise AlreadyEnrolled()
    lieu.lieu_uuid, lieu.way = payload["lieu_id"], "software"
    lieu.public_key, lieu.key_id, lieu.enrolled_at = protocol.encode_key(public), key_id, instant
    lieu.siret, lieu.code_insee = lieu.siret or payload["siret"], lieu.code_insee or payload["code_insee"]
    lieu.expected_from = lieu.expected_from or month_of(spaces.today())
    enrolment.used_at, enrolment.public_key = instant, lieu.public_key
    _revoke(lieu, FIGURES)  # what is signed from now on is not typed in as well


def _reports_by_link(lieu: NetworkLieu) -> None:
    if lieu.way == "software":
        raise SendsItself()
    last_month = month_before(spaces.today())
    lieu.way, lieu.enrolled_at = "link", lieu.enrolled_at or now()
    lieu.lieu_uuid, lieu.expected_from = lieu.lieu_uuid or str(uuid4()), lieu.expected_from or last_month


def opened_locked(token: str, purpose: str) -> tuple[Enrolment, NetworkLieu]:
    """As `opened`, in the open unit and with both rows locked: lieu, then link."""
    _, lieu = opened(token, purpose)
    db.session.scalars(locked(select(NetworkLieu).where(NetworkLieu.id == lieu.id))).one()
    db.session.scalars(locked(select(Enrolment).where(Enrolment.digest == protocol.token_digest(token)))).one()
    return opened(token, purpose)


def directory_entry(public_id: str) -> NetworkLieu:
    """The lieu, locked in the open unit; raises `NotFound` for one that left too."""
    row = db.session.scalar(locked(select(NetworkLieu).where(NetworkLieu.public_id == public_id)))
    if row is None or not _stands(row):
        raise NotFound()
    return row


def _stands(lieu: NetworkLieu) -> bool:
    """Whether the lieu did not leave, and was not found to be another entry's place."""
    return lieu.left_at is None and lieu.merged_into_id is None


def _revoke(lieu: NetworkLieu, purpose: str) -> None:
    require_unit()
    db.session.execute(
        update(Enrolment)
        .where(
            Enrolment.network_lieu_id == lieu.id,
            Enrolment.purpose == purpose,
            Enrolment.used_at.is_(None) if purpose == JOIN else Enrolment.id > 0,
            Enrolment.revoked_at.is_(None),
        )
        .values(revoked_at=now())
    )


def _myself() -> dict[str, Any]:
    lieu = spaces.lieu()
    return head_answer(head_id=lieu.uuid, name=lieu.name, public=signing_key().public, base_url=settings().base_url)

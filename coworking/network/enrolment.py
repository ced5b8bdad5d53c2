"""How a lieu gets into a network: the head gives it a link, and the lieu answers with its own key.

At the head: `invite`, `revoke`, `opened` and `accept`. At the lieu: `join`.
"""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select, update

from coworking.accounts import throttle
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import N_, DomainError, Gone, NotFound
from coworking.core.keyring import key_id_of, signing_key
from coworking.core.policy import Actor
from coworking.core.settings import settings
from coworking.core.sql import upsert
from coworking.core.units import end_read, locked, require_unit, write_unit
from coworking.network import protocol, wire
from coworking.network.models import Enrolment, HeadLink, NetworkLieu
from coworking.network.protocol import MessageUnreadable
from coworking.network.rules import NetworkLoop
from coworking.spaces import queries as spaces
from coworking.statistics.schema import is_line

JOIN, FIGURES = "join", "figures"
LIFETIMES = {JOIN: timedelta(days=30), FIGURES: timedelta(days=400)}
"""A link to join waits for someone to have the time; that of the six figures lasts a year and a month."""
JOIN_PATH, RETURNS_PATH = "/network/join/", "/api/v1/network/returns"
_SKEW = timedelta(days=1)
"""How far a lieu's clock may be off when it enrols."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,128}", re.ASCII)


class AlreadyEnrolled(DomainError):
    """Another lieu of this network has that identity or that key."""

    code = "already_enrolled"
    status = 409
    message = N_("This place is already in the network under another name.")


class LinkUnreadable(DomainError):
    code = "link_unreadable"
    message = N_(
        "This is not an enrolment link. It looks like https://head.example/network/join/… and is pasted whole."
    )
    field = "url"


class HeadRefused(DomainError):
    """The head's own words follow."""

    code = "head_refused"
    status = 409
    message = N_("The network head answered: %(answer)s")
    field = "url"


class HeadUnreachable(DomainError):
    code = "head_unreachable"
    status = 502
    message = N_("The network head cannot be reached just now. Nothing was changed: try again later.")
    field = "url"


class HeadUnclear(DomainError):
    """Whatever answers there is no network head."""

    code = "head_unclear"
    status = 502
    message = N_("What answers at this address is not a network head.")
    field = "url"


# At the head ----------------------------------------------------------------------------------------------------------


def invite(actor: Actor, lieu: str, purpose: str) -> str:
    """Give the lieu with the public id ``lieu`` a link of ``purpose`` (`JOIN`, `FIGURES`); return its token, shown once.

    It takes the place of an earlier one of that purpose. Raises `NotFound`.
    """
    token = secrets.token_urlsafe(32)
    with write_unit() as unit:
        row = _lieu(lieu)
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


def revoke(actor: Actor, lieu: str, purpose: str) -> None:
    """End the links of ``purpose`` that the lieu ``lieu`` has; twice is fine."""
    with write_unit():
        row = _lieu(lieu)
        _revoke(row, purpose)
        audit.record(actor, "network.link_revoked", ("network_lieu", row.id), purpose=purpose)


def opened(token: str, purpose: str) -> tuple[Enrolment, NetworkLieu]:
    """The link of ``token`` and whose it is; raises `Gone` where there is none, or it was revoked or is too old."""
    row = db.session.execute(
        select(Enrolment, NetworkLieu)
        .join(NetworkLieu, NetworkLieu.id == Enrolment.network_lieu_id)
        .where(Enrolment.digest == protocol.token_digest(token), Enrolment.purpose == purpose)
    ).one_or_none()
    if row is None or row[0].revoked_at is not None or row[0].expires_at <= now() or row[1].left_at is not None:
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
    _check_request(payload, token)
    answer = _myself()
    if payload["lieu_id"] == answer["head_id"]:
        raise NetworkLoop()
    with write_unit() as unit:
        enrolment, lieu = _locked(token)
        key = protocol.encode_key(public)
        if enrolment.used_at is not None and (enrolment.public_key, lieu.lieu_uuid) != (key, payload["lieu_id"]):
            raise Gone()
        if enrolment.used_at is None:
            _enrol(lieu, enrolment, payload, public)
        unit.result = lieu.public_id
    return answer


def refused(address: str | None) -> None:
    """Count an attempt with a link, key or signature that is none of ours; raises `TooManyAttempts` beyond measure."""
    end_read()
    names = throttle.network_buckets(address)
    if names:
        with write_unit():
            throttle.count(names)


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
    lieu.expected_from = lieu.expected_from or spaces.today().replace(day=1)
    enrolment.used_at, enrolment.public_key = instant, lieu.public_key


def _locked(token: str) -> tuple[Enrolment, NetworkLieu]:
    """As `opened`, both rows locked: lieu, then link."""
    _, lieu = opened(token, JOIN)
    db.session.scalars(locked(select(NetworkLieu).where(NetworkLieu.id == lieu.id))).one()
    db.session.scalars(locked(select(Enrolment).where(Enrolment.digest == protocol.token_digest(token)))).one()
    return opened(token, JOIN)


def _lieu(public_id: str) -> NetworkLieu:
    row = db.session.scalar(locked(select(NetworkLieu).where(NetworkLieu.public_id == public_id)))
    if row is None or row.left_at is not None:
        raise NotFound()
    return row


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


def _check_request(payload: dict[str, Any], token: str) -> None:
    wanted = {"lieu_id", "name", "siret", "code_insee", "jwk", "aud", "iat"}
    if payload.keys() != wanted:
        raise MessageUnreadable(reason=N_("it must say lieu_id, name, siret, code_insee, jwk, aud and iat"))
    if payload["aud"] != protocol.token_digest(token):
        raise MessageUnreadable(reason=N_("it was made for another link"))
    made = payload["iat"]
    if type(made) is not int or abs(made - int(now().timestamp())) > _SKEW.total_seconds():
        raise MessageUnreadable(reason=N_("its iat is not now: set the clock"))
    name, siret, code = payload["name"], payload["siret"], payload["code_insee"]
    good = (
        is_uuid(payload["lieu_id"])
        and isinstance(name, str)
        and is_line(name)
        and (siret is None or (isinstance(siret, str) and re.fullmatch(r"\d{14}", siret, re.ASCII)))
        and (code is None or (isinstance(code, str) and re.fullmatch(r"(\d{2}|2[AB])\d{3}", code, re.ASCII)))
    )
    if not good:
        raise MessageUnreadable(reason=N_("what it says of the place cannot be used"))


def is_uuid(value: Any) -> bool:
    """Whether ``value`` is the text of a UUID in lower case."""
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def _myself() -> dict[str, Any]:
    lieu = spaces.lieu()
    return {
        "head_id": lieu.uuid,
        "name": lieu.name,
        "jwk": protocol.jwk(signing_key().public),
        "returns_url": f"{settings().base_url}{RETURNS_PATH}",
    }


# At the lieu ----------------------------------------------------------------------------------------------------------


def join(actor: Actor, url: str) -> HeadLink:
    """Enrol this lieu with the head whose link is ``url`` and return the new link to it.

    Raises `LinkUnreadable`, `HeadUnreachable`, `HeadRefused`, `HeadUnclear`. Joining another head ends the link to the one
    before; joining the same again renews it.
    """
    url, token = _read_url(url)
    lieu, key = spaces.lieu(), signing_key()
    own = lieu.uuid
    payload = {
        "lieu_id": own,
        "name": lieu.name,
        "siret": lieu.siret,
        "code_insee": lieu.code_insee,
        "jwk": protocol.jwk(key.public),
        "aud": protocol.token_digest(token),
        "iat": int(now().timestamp()),
    }
    end_read()
    try:
        answer = wire.post(url, protocol.sign(payload, protocol.JOIN, key))
    except wire.Unreachable as error:
        raise HeadUnreachable() from error
    if answer.status >= 500:
        raise HeadUnreachable()
    if answer.status != 200:
        raise HeadRefused(answer=answer.detail) if answer.detail else HeadUnclear()
    values = _read_head(answer.document, url, own) | {
        "way": "software",
        "email": None,
        "enrolled_at": now(),
        "ended_at": None,
    }
    return keep(actor, values)


def keep(actor: Actor, values: dict[str, Any]) -> HeadLink:
    """Make ``values`` the lieu's one link to a head."""
    with write_unit() as unit:
        db.session.execute(upsert(HeadLink, ["id"], {"id": 1, **values}, values))
        audit.record(actor, "network.joined", ("head_link", 1), way=values["way"])
        unit.result = "1"
    return db.session.get_one(HeadLink, 1)


def _read_url(text: str) -> tuple[str, str]:
    """A pasted link without what people add to it, and its token."""
    text = text.strip().strip("<>«»\"' \u202f\u00a0")
    try:
        parts = urlsplit(text)
        port_is_good = parts.port is None or parts.port > 0
    except ValueError as error:
        raise LinkUnreadable() from error
    token = parts.path.rpartition("/")[2]
    good = (
        parts.scheme in _schemes(parts.hostname)
        and port_is_good
        and parts.hostname
        and not parts.username
        and parts.path.endswith(f"{JOIN_PATH}{token}")
        and _TOKEN.fullmatch(token)
        and text.isascii()
        and text.isprintable()
        and " " not in text
    )
    if not good:
        raise LinkUnreadable()
    return f"{parts.scheme}://{parts.netloc}{parts.path}", token


def _schemes(host: str | None) -> set[str]:
    """Plain http only to this very machine, or where this lieu is served without TLS itself (a trial)."""
    if host in {"localhost", "127.0.0.1", "::1"} or not settings().cookies_secure:
        return {"https", "http"}
    return {"https"}


def _read_head(document: Any, url: str, own: str) -> dict[str, Any]:
    """What the head's answer says, when it can be one; raises `HeadUnclear`, `NetworkLoop`."""
    if not isinstance(document, dict):
        raise HeadUnclear()
    head_id, name, returns = (document.get(key) for key in ("head_id", "name", "returns_url"))
    try:
        public = protocol.read_jwk(document.get("jwk"))
        same_place = isinstance(returns, str) and urlsplit(returns)[:2] == urlsplit(url)[:2]
    except (MessageUnreadable, ValueError) as error:
        raise HeadUnclear() from error
    if not is_uuid(head_id) or not isinstance(name, str) or not is_line(name) or not same_place:
        raise HeadUnclear()
    if head_id == own:
        raise NetworkLoop()
    return {"url": returns, "head_id": head_id, "name": name, "public_key": protocol.encode_key(public)}

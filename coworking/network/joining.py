"""How this lieu gets into a network: its manager pastes the head's link, and the lieu answers with its own key."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import N_, DomainError
from coworking.core.keyring import signing_key
from coworking.core.policy import Actor
from coworking.core.settings import settings
from coworking.core.sql import upsert
from coworking.core.units import end_read, write_unit
from coworking.network import protocol, wire
from coworking.network.enrolment import JOIN_PATH, is_uuid
from coworking.network.models import HeadLink
from coworking.network.protocol import MessageUnreadable
from coworking.network.rules import NetworkLoop
from coworking.spaces import queries as spaces
from coworking.statistics.schema import is_line

_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,128}", re.ASCII)


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

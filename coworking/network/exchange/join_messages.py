"""The two messages of joining: the lieu's request behind the head's link, and the head's answer.

Both are made and checked here, so that the two sides cannot drift apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from coworking.core.errors import N_
from coworking.network.exchange import protocol
from coworking.network.exchange.protocol import MessageUnreadable
from coworking.network.exchange.rules import NetworkLoop, is_uuid
from coworking.statistics.return_rules import is_line

JOIN_PATH, RETURNS_PATH = "/network/join/", "/api/v1/network/returns"
_SKEW = timedelta(days=1)
"""How far a lieu's clock may be off when it joins."""
_SIRET = re.compile(r"\d{14}", re.ASCII)
_INSEE = re.compile(r"(\d{2}|2[AB])\d{3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class HeadAnswer:
    """What a head says of itself: ``public`` are the 32 raw bytes of the key it acknowledges with."""

    head_id: str
    name: str
    public: bytes
    returns_url: str


def join_request(
    *, lieu_id: str, name: str, siret: str | None, code_insee: str | None, public: bytes, token: str, at: datetime
) -> dict[str, Any]:
    """The payload with which a lieu asks to be let in by the link of ``token``, at the instant ``at``."""
    return {
        "lieu_id": lieu_id,
        "name": name,
        "siret": siret,
        "code_insee": code_insee,
        "jwk": protocol.jwk(public),
        "aud": protocol.token_digest(token),
        "iat": int(at.timestamp()),
    }


def check_join_request(payload: dict[str, Any], *, token: str, at: datetime) -> None:
    """Raise `MessageUnreadable` unless ``payload`` is a `join_request` for the link of ``token`` made around ``at``."""
    if payload.keys() != {"lieu_id", "name", "siret", "code_insee", "jwk", "aud", "iat"}:
        raise MessageUnreadable(reason=N_("it must say lieu_id, name, siret, code_insee, jwk, aud and iat"))
    if payload["aud"] != protocol.token_digest(token):
        raise MessageUnreadable(reason=N_("it was made for another link"))
    made = payload["iat"]
    if type(made) is not int or abs(made - int(at.timestamp())) > _SKEW.total_seconds():
        raise MessageUnreadable(reason=N_("its iat is not now: set the clock"))
    good = (
        is_uuid(payload["lieu_id"])
        and _is_name(payload["name"])
        and _is_code(_SIRET, payload["siret"])
        and _is_code(_INSEE, payload["code_insee"])
    )
    if not good:
        raise MessageUnreadable(reason=N_("what it says of the place cannot be used"))


def head_answer(*, head_id: str, name: str, public: bytes, base_url: str) -> dict[str, Any]:
    """What the head at ``base_url`` answers a lieu that it lets in."""
    return {
        "head_id": head_id,
        "name": name,
        "jwk": protocol.jwk(public),
        "returns_url": f"{base_url}{RETURNS_PATH}",
    }


def read_head_answer(document: Any, *, link: str, own_id: str) -> HeadAnswer:
    """What the head behind ``link`` answered the lieu ``own_id``.

    Raises `MessageUnreadable` where it can be no head's answer, and `NetworkLoop` where the head is the lieu itself.
    """
    unclear = MessageUnreadable(reason=N_("what it says of the place cannot be used"))
    if not isinstance(document, dict):
        raise unclear
    head_id, name, returns_url = (document.get(key) for key in ("head_id", "name", "returns_url"))
    public = protocol.read_jwk(document.get("jwk"))
    if not is_uuid(head_id) or not _is_name(name) or not isinstance(returns_url, str):
        raise unclear
    try:
        same_place = urlsplit(returns_url)[:2] == urlsplit(link)[:2]
    except ValueError as error:
        raise unclear from error
    if not same_place:
        raise unclear
    if head_id == own_id:
        raise NetworkLoop()
    return HeadAnswer(head_id, name, public, returns_url)


def _is_name(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and is_line(value)


def _is_code(form: re.Pattern[str], value: Any) -> bool:
    return value is None or (isinstance(value, str) and form.fullmatch(value) is not None)

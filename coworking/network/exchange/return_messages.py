"""The two messages of a return: one revision of a month that the lieu signs, and the head's signed acknowledgement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from coworking.core.errors import N_, DomainError
from coworking.core.keyring import SigningKey
from coworking.network.exchange import protocol
from coworking.network.exchange.protocol import MessageUnreadable
from coworking.statistics.consistency import ReturnInvalid
from coworking.statistics.return_rules import check_return


class WrongAudience(DomainError):
    code = "wrong_audience"
    message = N_("This return is meant for another network head.")
    field = "aud"


class AckUnreadable(Exception):
    """Whatever was answered, it is not the head's acknowledgement of that revision."""


@dataclass(frozen=True, slots=True)
class Stated:
    """Which revision of which month, and its figures' digest: what sender and receiver must agree on."""

    lieu_id: str
    month: str
    revision: int
    digest: str


def return_payload(document: dict[str, Any], *, head_id: str, at: datetime) -> dict[str, Any]:
    """The payload in which a lieu sends ``document`` (a ``monthly-return/1``) to the head ``head_id``."""
    return {"aud": head_id, "iat": int(at.timestamp()), "return": document}


def read_return_payload(payload: dict[str, Any], *, head_id: str, at: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The return of a lieu in ``zone`` that ``payload`` brings to the head ``head_id``, when it can be true at ``at``.

    Raises `MessageUnreadable`, `WrongAudience` and `ReturnInvalid`, whose field is named from ``return`` on.
    """
    if payload.keys() != {"aud", "iat", "return"} or type(payload["iat"]) is not int:
        raise MessageUnreadable(reason=N_("it must say aud, iat and return"))
    if payload["aud"] != head_id:
        raise WrongAudience()
    try:
        return check_return(payload["return"], at=at, zone=zone)
    except ReturnInvalid as error:
        error.at_field = f"return.{error.at_field}"
        raise


def acknowledgement(
    stated: Stated, *, status: str, head_id: str, received_at: datetime, key: SigningKey
) -> dict[str, Any]:
    """The head's answer to a return it holds, with its signed ``ack``."""
    said = {"status": status, "month": stated.month, "revision": stated.revision, "digest": stated.digest}
    received = received_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    claims = {**said, "iss": head_id, "aud": stated.lieu_id, "received_at": received}
    return {**said, "ack": protocol.sign(claims, protocol.ACK, key)}


def read_acknowledgement(document: Any, stated: Stated, *, head_id: str, public: bytes) -> str:
    """The ``ack`` in the answer ``document``, when the head ``head_id`` signed it for ``stated``; raises `AckUnreadable`."""
    ack = document.get("ack") if isinstance(document, dict) else None
    if not isinstance(ack, str):
        raise AckUnreadable()
    try:
        claims = protocol.verified(protocol.read(ack.encode(), protocol.ACK), public)
    except (DomainError, UnicodeEncodeError) as error:
        raise AckUnreadable() from error
    wanted = {
        "iss": head_id,
        "aud": stated.lieu_id,
        "month": stated.month,
        "revision": stated.revision,
        "digest": stated.digest,
    }
    if {name: claims.get(name) for name in wanted} != wanted:
        raise AckUnreadable()
    return ack

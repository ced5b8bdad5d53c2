"""Failed attempts counted in the database, so that every process and machine counts together.

An attempt is counted as failed *before* the password is looked at, in a unit of its own; a success takes exactly this
attempt back. Were it counted afterwards, a hundred guesses sent at once would all be looked at.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from math import ceil

from sqlalchemy import delete, select

from coworking.accounts.models import Throttle
from coworking.accounts.rules import TooManyAttempts, decayed, wait_after
from coworking.core import security
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.settings import settings
from coworking.core.sql import inserted
from coworking.core.units import locked, require_unit


@dataclass(frozen=True, slots=True)
class Counted:
    """One attempt in one bucket: its time, and until when the bucket has to wait."""

    bucket: str
    at: datetime
    waits_until: datetime | None


_OWN = frozenset({"account_address", "device", "proof", "second"})
"""Kinds of buckets that a success empties: they count only the person who has just signed in."""

Attempt = tuple[Counted, ...]
"""What `count` returns and `succeeded` takes back."""


def sign_in_buckets(email: str, address: str | None, known: str | None = None) -> tuple[str, ...]:
    """Names of the buckets in which a try of ``email``'s password from internet ``address`` counts.

    A browser that the account knows has a bucket of its own, so that strangers cannot make its owner wait. The names are
    digests: the table tells neither who nor from where.
    """
    if known is not None:
        return (_bucket("device", f"{email} {known}"),)
    if not address:
        return (_bucket("account", email),)
    network = network_of(address)
    # In this order for everyone: attempts that share rows lock them in turn.
    return (
        _bucket("account", email),
        _bucket("account_address", f"{email} {network}"),
        _bucket("address", network),
    )


def proof_buckets(who: str) -> tuple[str, ...]:
    """Names of the buckets in which typing one's present password again counts, for someone who is signed in."""
    return (_bucket("proof", who),)


def second_step_buckets(public_id: str) -> tuple[str, ...]:
    """Names of the buckets in which a code of the second step counts: one for each person, wherever it is typed."""
    return (_bucket("second", public_id),)


def passkey_buckets(address: str | None) -> tuple[str, ...]:
    """Names of the buckets in which an answer of a passkey counts: with passwords tried from that internet ``address``."""
    return (_bucket("address", network_of(address)),) if address else ()


def change_buckets(public_id: str) -> tuple[str, ...]:
    """Names of the buckets in which asking for another address of one's own counts."""
    return (_bucket("changes", public_id),)


def copy_buckets(person_id: int | None) -> tuple[str, ...]:
    """Names of the buckets in which making a copy of what the lieu holds about somebody counts, by who makes it."""
    return (_bucket("copies", str(person_id)),)


def email_buckets(address: str | None) -> tuple[str, ...]:
    """Names of the buckets in which asking for an e-mail from internet ``address`` counts, so that nobody is flooded."""
    return (_bucket("emails", network_of(address)),) if address else ()


def verification_buckets(address: str | None) -> tuple[str, ...]:
    """Names of the buckets in which trying the code of a PDF from internet ``address`` counts."""
    return (_bucket("codes", network_of(address)),) if address else ()


def setup_buckets(address: str | None) -> tuple[str, ...]:
    """Names of the buckets in which trying the code of the setup pages from internet ``address`` counts."""
    return (_bucket("setup", network_of(address)),) if address else ()


def network_buckets(address: str | None) -> tuple[str, ...]:
    """Names of the buckets in which a link or signature that is none of ours counts, by internet ``address``."""
    return (_bucket("network", network_of(address)),) if address else ()


def count(names: Iterable[str]) -> Attempt:
    """Count one attempt in each bucket, in the open unit.

    Raises `TooManyAttempts`, and counts nothing, while one of them waits.
    """
    require_unit()
    instant = now()
    rows = [_row(name, instant) for name in names]
    until = max((row.waits_until for row in rows if row.waits_until is not None), default=instant)
    if until > instant:
        seconds = ceil((until - instant).total_seconds())
        raise TooManyAttempts(minutes=ceil(seconds / 60), extra={"retry_after": seconds})
    for row in rows:
        row.score = decayed(row.score, row.scored_at, instant) + 1
        row.scored_at = instant
        wait = wait_after(_kind(row.bucket), row.score)
        row.waits_until = instant + wait if wait else None
        if wait:
            security.record(security.WAIT, bucket=_kind(row.bucket), seconds=ceil(wait.total_seconds()))
    return tuple(Counted(row.bucket, instant, row.waits_until) for row in rows)


def succeeded(attempt: Attempt) -> None:
    """Take ``attempt`` back, in the open unit, and forget the failures of its account from its address.

    Other people's failures stay, or someone could guess passwords and sign in to their own account in between. No wait
    becomes longer.
    """
    require_unit()
    for mine in attempt:
        row = db.session.scalar(locked(select(Throttle).where(Throttle.bucket == mine.bucket)))
        if row is None:
            continue
        kind = _kind(mine.bucket)
        if kind in _OWN:
            row.score, row.waits_until = 0.0, None
            continue
        row.score = max(0.0, row.score - decayed(1.0, mine.at, row.scored_at))
        if row.waits_until is None:
            continue
        wait = wait_after(kind, row.score)
        if row.waits_until == mine.waits_until or not wait:
            row.waits_until = None  # while a bucket waits nobody else is let in: this wait was ours alone
        else:
            row.waits_until = min(row.waits_until, row.scored_at + wait)


def forget(email: str, address: str | None) -> None:
    """End the wait for ``email`` from internet ``address``, in the open unit: its owner has shown who they are."""
    require_unit()
    if address:
        name = _bucket("account_address", f"{email} {network_of(address)}")
        db.session.execute(delete(Throttle).where(Throttle.bucket == name))


def network_of(address: str) -> str:
    """An IPv4 address, or the /64 that one IPv6 subscriber has to choose from. An IPv4-mapped address is its IPv4."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{parsed.exploded[:19]}::/64"


def _row(name: str, instant: datetime) -> Throttle:
    """The bucket, locked. A purge may take it away between making and locking: then it is made anew."""
    statement = select(Throttle).where(Throttle.bucket == name)
    while (row := db.session.scalar(locked(statement))) is None:
        inserted(Throttle, bucket=name, score=0.0, scored_at=instant)
    return row


def _kind(name: str) -> str:
    return name.partition(":")[0]


def _bucket(kind: str, value: str) -> str:
    digest = hmac.new(settings().secret_key.encode(), value.encode(), hashlib.sha256)
    return f"{kind}:{digest.hexdigest()}"

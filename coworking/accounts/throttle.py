"""Attempts counted in the database, so that every process and machine counts together.

An attempt is counted as failed *before* the password is looked at, in a unit of its own; a success takes it back. Were
it counted afterwards, a hundred guesses sent at once would all be looked at.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from ipaddress import IPv6Address, ip_address
from math import ceil

from sqlalchemy import delete, select

from coworking.accounts.models import Throttle
from coworking.accounts.rules import FORGOTTEN_AFTER, TooManyAttempts, failures_now, waits_until
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.settings import settings
from coworking.core.sql import inserted
from coworking.core.units import locked, require_unit, write_unit


def sign_in_buckets(email: str, address: str | None) -> tuple[str, ...]:
    """Names of what a try of ``email``'s password from internet ``address`` counts in.

    They are digests, so that the table tells neither who nor from where.
    """
    names = [_bucket("account", email)]
    if address:
        names.append(_bucket("address", _network(address)))
    return tuple(names)  # in the order of their kinds: everyone locks accounts before addresses


def letter_buckets(address: str | None) -> tuple[str, ...]:
    """Names of what asking for a letter from internet ``address`` counts in, so that nobody's letter box is flooded."""
    return (_bucket("letters", _network(address)),) if address else ()


def verification_buckets(address: str | None) -> tuple[str, ...]:
    """Names of what trying the code of a paper from internet ``address`` counts in."""
    return (_bucket("codes", _network(address)),) if address else ()


def network_buckets(address: str | None) -> tuple[str, ...]:
    """Names of what a link or signature that is none of ours counts in, by the internet ``address`` it came from."""
    return (_bucket("network", _network(address)),) if address else ()


def count(names: Iterable[str]) -> None:
    """Count one attempt in each bucket, in the open unit.

    Raises `TooManyAttempts`, and counts nothing, while one of them waits. ``Throttle.window_started_at`` is the time of
    the latest attempt, from which the wait runs.
    """
    require_unit()
    instant = now()
    rows = [_row(name, instant) for name in names]
    waits = [waits_until(_kind(row.bucket), row.failures, row.window_started_at, instant) for row in rows]
    until = max((wait for wait in waits if wait is not None), default=None)
    if until is not None:
        seconds = ceil((until - instant).total_seconds())
        raise TooManyAttempts(minutes=ceil(seconds / 60), extra={"retry_after": seconds})
    for row in rows:
        row.failures = failures_now(row.failures, row.window_started_at, instant) + 1
        row.window_started_at = instant


def succeeded(names: Iterable[str]) -> None:
    """Forget the account's failures and take this attempt back from its internet address, in the open unit.

    Were the address forgiven everything, someone could guess other people's passwords and sign in to their own account
    in between.
    """
    require_unit()
    for name in names:
        row = db.session.scalar(locked(select(Throttle).where(Throttle.bucket == name)))
        if row is None:
            continue
        if _kind(name) == "account" or row.failures <= 1:
            db.session.execute(delete(Throttle).where(Throttle.bucket == name))
        else:
            row.failures -= 1


def purge() -> int:
    """Forget the buckets that have been quiet for so long that nothing in them counts any more; return how many."""
    old = Throttle.window_started_at < now() - 2 * FORGOTTEN_AFTER
    if db.session.scalar(select(Throttle.bucket).where(old).limit(1)) is None:
        return 0
    with write_unit():
        return db.session.execute(delete(Throttle).where(old)).rowcount  # type: ignore[attr-defined] - a cursor result


def _row(name: str, instant: datetime) -> Throttle:
    """The bucket, locked. Another attempt's success may take it away between making and locking: then it is made anew."""
    statement = select(Throttle).where(Throttle.bucket == name)
    while (row := db.session.scalar(locked(statement))) is None:
        inserted(Throttle, bucket=name, failures=0, window_started_at=instant)
    return row


def _kind(name: str) -> str:
    return name.partition(":")[0]


def _bucket(kind: str, value: str) -> str:
    digest = hmac.new(settings().secret_key.encode(), value.encode(), hashlib.sha256)
    return f"{kind}:{digest.hexdigest()}"


def _network(address: str) -> str:
    """An IPv4 address, or the /64 that one IPv6 subscriber has to choose from."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(int(parsed) >> 64) if isinstance(parsed, IPv6Address) else str(parsed)

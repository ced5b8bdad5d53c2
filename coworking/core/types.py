"""Column types that mean the same on both engines."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Protocol

from sqlalchemy import BigInteger, DateTime, Integer
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

BigInt = BigInteger().with_variant(Integer, "sqlite")
"""64-bit integers; SQLite needs the word INTEGER for a primary key to be its rowid."""

BigId = Annotated[int, mapped_column(BigInt, primary_key=True)]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(instant: datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z of an aware ``instant``, exactly (no float on the way)."""
    return (instant - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC instant of ``micros`` microseconds since 1970-01-01T00:00Z."""
    return _EPOCH + timedelta(microseconds=micros)


class _Reads(Protocol):
    def __call__(self, value: Any) -> datetime | None: ...


class UTCDateTime(TypeDecorator[datetime]):
    """An instant. Only aware datetimes go in, only UTC ones come out.

    ``timestamptz`` on PostgreSQL; integer microseconds on SQLite, where text dates would make every overlap test a
    string comparison and every duration a parse.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Integer())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database: give it a zone")
        return to_micros(value) if dialect.name == "sqlite" else value

    def result_processor(self, dialect: Dialect, coltype: object) -> _Reads:
        """Of one call: a planning reads hundreds of instants, and the decorator's own processor makes two of each."""
        return _read_micros if dialect.name == "sqlite" else _read_utc


def _read_micros(value: Any) -> datetime | None:
    return None if value is None else _EPOCH + timedelta(microseconds=value)


def _read_utc(value: Any) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no 0/o, 1/i/l: people read these aloud
_random: random.Random = secrets.SystemRandom()


def public_id() -> str:
    """A random opaque id for URLs and the API: 16 characters, 79 bits."""
    return "".join(_random.choices(_ALPHABET, k=16))


@contextmanager
def predictable_ids(source: random.Random) -> Iterator[None]:
    """Draw public ids from ``source`` inside the block: for the demo, which is the same for the same seed and date."""
    global _random
    previous, _random = _random, source
    try:
        yield
    finally:
        _random = previous

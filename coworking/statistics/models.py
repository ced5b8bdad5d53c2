"""One row of integers per day that is over, and the closed months made of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core.db import Model
from coworking.core.sealing import MONEY, sealed
from coworking.core.types import BigId, BigInt, UTCDateTime


class DayFact(Model):
    """What one local date that is over offered, and what became of it. Desks in half-days, rooms in minutes.

    ``capacity`` is frozen when the day is first counted: ``{"desk": [[resource id, seats], …], "room": …}`` of what was
    in service; a day counted again (somebody settled it later) keeps it. ``version`` is the day's version
    (`coworking.claims.models.DayVersion`) that these numbers know: another one means that they are out of date.

    ``room_paid`` and ``room_free`` are None where a use was booked without a price list, ``refused`` on days of which
    refusals were not counted. ``hours``: 24 triples of minutes at desks, booked, offered and attended, times seats, by
    local hour. ``outside_minutes``: presence outside the accessible hours.
    """

    __tablename__ = "day_fact"
    __table_args__ = (
        CheckConstraint("desk_attended <= desk_known AND desk_absent <= desk_known", name="known"),
        CheckConstraint("desk_known <= desk_booked AND desk_booked <= desk_offered", name="desks"),
        CheckConstraint("room_attended <= room_booked AND room_booked <= room_offered", name="rooms"),
        CheckConstraint("peak_seats <= seats_in_service", name="peak"),
    )

    day: Mapped[date] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInt)
    capacity: Mapped[dict[str, list[list[int]]]] = mapped_column(JSON)
    accessible_minutes: Mapped[int]
    staffed_minutes: Mapped[int]
    desk_offered: Mapped[int]
    desk_booked: Mapped[int]
    desk_attended: Mapped[int]
    desk_known: Mapped[int]
    desk_absent: Mapped[int]
    desk_late_cancelled: Mapped[int]
    desk_resident: Mapped[int]
    room_offered: Mapped[int]
    room_booked: Mapped[int]
    room_attended: Mapped[int]
    room_known: Mapped[int]
    room_paid: Mapped[int | None]
    room_free: Mapped[int | None]
    room_internal: Mapped[int]
    room_guests: Mapped[int]
    peak_seats: Mapped[int]
    seats_in_service: Mapped[int]
    peak_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    workers: Mapped[int]
    refused: Mapped[int | None]
    outside_minutes: Mapped[int]
    hours: Mapped[list[Any]] = mapped_column(JSON)


@sealed(MONEY)
class MonthlyReturn(Model):
    """One revision of a closed month, as it was sent: append-only, never made again.

    ``month`` is its first day. ``figures`` are RFC 8785 bytes as text and ``figures_sha256`` their digest; the lieu's
    ``lieu_id`` (UUID), ``siret``, ``name`` and ``code_insee`` are those of the moment of closing, so that the same
    revision is the same document for ever. A ``restatement`` has a ``reason``. ``counted_from``: the first day counted, None
    where that is the first of the month.
    """

    __tablename__ = "monthly_return"
    __table_args__ = (
        CheckConstraint("status IN ('provisional', 'final', 'restatement')", name="status"),
        CheckConstraint("revision >= 1", name="revision"),
        CheckConstraint("(status = 'restatement') = (reason IS NOT NULL)", name="reason"),
        UniqueConstraint("month", "revision"),
    )

    id: Mapped[BigId]
    month: Mapped[date]
    revision: Mapped[int]
    status: Mapped[str]
    reason: Mapped[str | None]
    generated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    software_version: Mapped[str]
    lieu_id: Mapped[str]
    siret: Mapped[str | None]
    name: Mapped[str]
    code_insee: Mapped[str | None]
    counted_from: Mapped[date | None]
    figures: Mapped[str] = mapped_column(Text)
    figures_sha256: Mapped[str]

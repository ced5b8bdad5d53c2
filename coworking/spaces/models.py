"""The lieu, its resources, and when it is open."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, inspect
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.core.clock import now
from coworking.core.db import Model, WriteOutsideUnit
from coworking.core.privacy import ANYONE, MANAGER
from coworking.core.timespan import Span
from coworking.core.types import BigId, UTCDateTime, public_id

DESK, ROOM, OFFICE = "desk", "room", "office"


class Lieu(Model):
    """The one place this instance runs (a single row, id 1).

    ``legal_status``: association, company, public or individual. ``vat_status``: ``taxable``, ``franchise`` (art. 293 B)
    or ``exempt`` (non-lucrative association, art. 261-7-1° b). ``holiday_area`` is a subdivision of the `holidays`
    library (``57`` and ``6AE`` for Moselle and Alsace, ``GP``… overseas) or None for the national list.
    ``horizon_days``: how far ahead one may book. ``free_cancel_minute``: minute of the day before until which giving
    back is free. ``pay_first_desks``, ``pay_first_rooms``: who must pay before a booking counts (``nobody``, ``no_plan``:
    whoever has no plan then, ``everyone``); ``pay_first_membership``: adhesions and a plan's first month too.
    ``latitude_e6``, ``longitude_e6``: the spot on a map, in millionths of a degree; both or neither.
    ``refusals_from``: the first day of which refused requests are counted; None: every day. The last
    group is the arrival sheet, sent only to people who are coming.
    """

    __tablename__ = "lieu"
    __table_args__ = (
        CheckConstraint("id = 1", name="single"),
        CheckConstraint("legal_status IN ('association', 'company', 'public', 'individual')", name="legal_status"),
        CheckConstraint("vat_status IN ('taxable', 'franchise', 'exempt')", name="vat_status"),
        CheckConstraint("horizon_days BETWEEN 1 AND 730", name="horizon_days"),
        CheckConstraint("free_cancel_minute BETWEEN 0 AND 1439", name="free_cancel_minute"),
        CheckConstraint("pay_first_desks IN ('nobody', 'no_plan', 'everyone')", name="pay_first_desks"),
        CheckConstraint("latitude_e6 BETWEEN -90000000 AND 90000000", name="latitude"),
        CheckConstraint("longitude_e6 BETWEEN -180000000 AND 180000000", name="longitude"),
        CheckConstraint("(latitude_e6 IS NULL) = (longitude_e6 IS NULL)", name="spot"),
        CheckConstraint("pay_first_rooms IN ('nobody', 'no_plan', 'everyone')", name="pay_first_rooms"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    uuid: Mapped[str] = mapped_column(default=lambda: str(uuid4()))
    name: Mapped[str]
    legal_status: Mapped[str] = mapped_column(default="association")
    vat_status: Mapped[str] = mapped_column(default="franchise")
    siret: Mapped[str | None]
    address: Mapped[str] = mapped_column(default="")
    postcode: Mapped[str] = mapped_column(default="")
    city: Mapped[str] = mapped_column(default="")
    code_insee: Mapped[str | None]
    timezone: Mapped[str] = mapped_column(default="Europe/Paris")
    currency: Mapped[str] = mapped_column(default="EUR")
    email: Mapped[str | None] = mapped_column(info={"seen_by": ANYONE})
    phone: Mapped[str | None] = mapped_column(info={"seen_by": ANYONE})
    website: Mapped[str | None]
    presentation: Mapped[str | None]
    directions: Mapped[str | None]
    observes_holidays: Mapped[bool] = mapped_column(default=True)
    holiday_area: Mapped[str | None]
    horizon_days: Mapped[int] = mapped_column(default=90)
    free_cancel_minute: Mapped[int] = mapped_column(default=18 * 60)
    pay_first_desks: Mapped[str] = mapped_column(default="nobody")
    pay_first_rooms: Mapped[str] = mapped_column(default="nobody")
    pay_first_membership: Mapped[bool] = mapped_column(default=False)
    is_simulation: Mapped[bool] = mapped_column(default=False)
    latitude_e6: Mapped[int | None]
    longitude_e6: Mapped[int | None]
    refusals_from: Mapped[date | None]
    arrival_door: Mapped[str | None]
    arrival_wifi: Mapped[str | None]
    arrival_parking: Mapped[str | None]
    host_phone: Mapped[str | None] = mapped_column(info={"seen_by": (MANAGER,)})
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse to change the copy that a worker keeps for reading: no session would write it."""
        if inspect(self, raiseerr=False) is not None and inspect(self).detached:
            raise WriteOutsideUnit("this copy of the lieu is for reading: lock_lieu() gives the one to change")
        super().__setattr__(name, value)


class Zone(Model):
    """A part of the lieu: a floor, an open space, the meeting rooms."""

    __tablename__ = "zone"

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    name: Mapped[str]
    position: Mapped[int] = mapped_column(default=0)

    resources: Mapped[list[Resource]] = relationship(back_populates="zone", order_by="Resource.position")


class Resource(Model):
    """A desk, room or office: one booking at a time, however many ``seats`` it has.

    In service on local dates from ``in_service_from`` to ``in_service_until`` inclusive. ``buffer_after`` (minutes) is
    guarded behind each use, for tidying up.
    """

    __tablename__ = "resource"
    __table_args__ = (
        CheckConstraint("kind IN ('desk', 'room', 'office')", name="kind"),
        CheckConstraint("seats >= 1", name="seats"),
        CheckConstraint("buffer_after BETWEEN 0 AND 240", name="buffer_after"),
        CheckConstraint("in_service_until IS NULL OR in_service_from <= in_service_until", name="service_dates"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    zone_id: Mapped[int] = mapped_column(ForeignKey("zone.id"), index=True)
    kind: Mapped[str]
    name: Mapped[str]
    seats: Mapped[int] = mapped_column(default=1)
    position: Mapped[int] = mapped_column(default=0)
    buffer_after: Mapped[int] = mapped_column(default=0)
    description: Mapped[str | None]
    in_service_from: Mapped[date]
    in_service_until: Mapped[date | None]

    zone: Mapped[Zone] = relationship(back_populates="resources")

    def in_service(self, day: date) -> bool:
        return self.in_service_from <= day and (self.in_service_until is None or day <= self.in_service_until)


class FormerSeats(Model):
    """What a resource seated on the local dates before ``until``, back to its row before or its first day.

    Its seats of today stand in `Resource.seats` alone: a row is added on the day on which they change, so that no
    resource needs one from its beginning.
    """

    __tablename__ = "former_seats"
    __table_args__ = (
        CheckConstraint("seats >= 1", name="seats"),
        UniqueConstraint("resource_id", "until"),
    )

    id: Mapped[BigId]
    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"))
    until: Mapped[date]
    seats: Mapped[int]


class Schedule(Model):
    """The weekly hours from local date ``valid_from`` until the next schedule. ``split_minute`` parts the half-days."""

    __tablename__ = "schedule"
    __table_args__ = (CheckConstraint("split_minute BETWEEN 1 AND 1439", name="split_minute"),)

    id: Mapped[BigId]
    valid_from: Mapped[date] = mapped_column(unique=True)
    split_minute: Mapped[int] = mapped_column(default=13 * 60)

    hours: Mapped[list[ScheduleHours]] = relationship(
        back_populates="schedule",
        cascade="all, delete-orphan",
        order_by="(ScheduleHours.weekday, ScheduleHours.layer, ScheduleHours.opens)",
        lazy="selectin",
    )


class ScheduleHours(Model):
    """Open from ``opens`` to ``closes`` (minutes after local midnight) on ``weekday`` (0 = Monday).

    ``layer``: ``accessible`` (members may come in) or ``staffed`` (someone is there).
    """

    __tablename__ = "schedule_hours"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("layer IN ('accessible', 'staffed')", name="layer"),
        CheckConstraint("0 <= opens AND opens < closes AND closes <= 1440", name="minutes"),
        UniqueConstraint("schedule_id", "weekday", "layer", "opens"),
    )

    id: Mapped[BigId]
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id"))
    weekday: Mapped[int]
    layer: Mapped[str]
    opens: Mapped[int]
    closes: Mapped[int]

    schedule: Mapped[Schedule] = relationship(back_populates="hours")


class Closure(Model):
    """Closed on local dates ``first_day`` to ``last_day`` inclusive, whole days or from ``opens`` to ``closes`` each day.

    ``reason`` is shown to everyone.
    """

    __tablename__ = "closure"
    __table_args__ = (
        CheckConstraint("first_day <= last_day", name="days"),
        CheckConstraint(
            "(from_minute IS NULL) = (to_minute IS NULL) AND (from_minute IS NULL OR from_minute < to_minute)",
            name="minutes",
        ),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    first_day: Mapped[date] = mapped_column(index=True)
    last_day: Mapped[date] = mapped_column(index=True)
    from_minute: Mapped[int | None]
    to_minute: Mapped[int | None]
    reason: Mapped[str]


class LieuDay(Model):
    """What one local date is in universal time: SQLite knows no zones, and yesterday must not follow today's settings.

    Made ahead of the horizon and remade when hours, closures or holidays change; ``frozen_at`` is set at the day's end
    and from then on nothing changes it. ``holiday`` names the public holiday the lieu observes, ``closure`` the reason
    of a closure that day.
    """

    __tablename__ = "lieu_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    split_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    holiday: Mapped[str | None]
    closure: Mapped[str | None]
    frozen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    open_spans: Mapped[list[OpenSpan]] = relationship(
        cascade="all, delete-orphan", order_by="OpenSpan.starts_at", lazy="selectin"
    )

    @property
    def span(self) -> Span:
        return Span(self.starts_at, self.ends_at)

    def open(self, layer: str = "accessible") -> list[Span]:
        """The open spans of ``layer``, in order."""
        return [Span(row.starts_at, row.ends_at) for row in self.open_spans if row.layer == layer]


class OpenSpan(Model):
    """One stretch of ``[starts_at, ends_at)`` on ``day`` during which the lieu is accessible or staffed."""

    __tablename__ = "open_span"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="order"),
        CheckConstraint("layer IN ('accessible', 'staffed')", name="layer"),
        Index("ix_open_span_day", "day"),
    )

    id: Mapped[BigId]
    day: Mapped[date] = mapped_column(ForeignKey("lieu_day.day"))
    layer: Mapped[str]
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)

"""At a network head: its lieux, the links to enrol them, and the returns they sent."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.privacy import LEAD
from coworking.core.types import BigId, UTCDateTime, public_id

JOIN, FIGURES = "join", "figures"
"""What a link is for: to let an instance of this software in, or to open the page of the six figures."""


class NetworkLieu(Model):
    """A lieu as its network head knows it.

    ``way``: how its figures come, ``software`` (signed returns), ``link`` (six figures typed in behind a personal link)
    or None (it only stands in the directory). ``lieu_uuid`` and ``public_key`` (32 raw bytes in base64url) are what the
    lieu itself brought when it enrolled; ``key_id`` names the key. ``external_id`` is the directory's own id of it.
    ``region`` and ``kind`` are words of `coworking.network.head.entry_rules`; ``edited`` names the fields that the lead
    changed by hand, which an import leaves alone.
    ``merged_into_id``: it was the same place as that entry, which alone is shown (see `LieuMerge`).
    ``expected_from`` is the first month whose figures are awaited; ``left_at``: it no longer belongs to the network.
    """

    __tablename__ = "network_lieu"
    __table_args__ = (
        CheckConstraint("source IN ('directory', 'enrolled', 'simulation', 'hand')", name="source"),
        CheckConstraint("way IN ('software', 'link')", name="way"),
        CheckConstraint("(public_key IS NULL) = (key_id IS NULL)", name="key"),
        CheckConstraint("public_key IS NULL OR enrolled_at IS NOT NULL", name="enrolled"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    lieu_uuid: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str]
    siret: Mapped[str | None]
    address: Mapped[str | None]
    postcode: Mapped[str | None]
    city: Mapped[str | None]
    code_insee: Mapped[str | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    website: Mapped[str | None]
    contact_email: Mapped[str | None] = mapped_column(info={"seen_by": (LEAD,)})
    phone: Mapped[str | None] = mapped_column(info={"seen_by": (LEAD,)})
    notes: Mapped[str | None] = mapped_column(Text, info={"seen_by": (LEAD,)})
    region: Mapped[str | None]
    kind: Mapped[str | None]
    edited: Mapped[list[str]] = mapped_column(JSON, default=list)
    source: Mapped[str]
    external_id: Mapped[str | None] = mapped_column(unique=True)
    way: Mapped[str | None]
    public_key: Mapped[str | None]
    key_id: Mapped[str | None] = mapped_column(unique=True)
    enrolled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    expected_from: Mapped[date | None]
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("network_lieu.id"), index=True)
    left_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


class Enrolment(Model):
    """A link given to a lieu; only the SHA-256 of its token is kept.

    ``purpose``: ``join`` lets an instance of this software in, once; ``figures`` opens the page of the six figures until
    it expires. ``public_key`` is the key that came in with a ``join`` link, so that what it signed can be checked after
    another one took its place.
    """

    __tablename__ = "enrolment"
    __table_args__ = (CheckConstraint("purpose IN ('join', 'figures')", name="purpose"),)

    id: Mapped[BigId]
    network_lieu_id: Mapped[int] = mapped_column(ForeignKey("network_lieu.id"), index=True)
    digest: Mapped[str] = mapped_column(unique=True)
    purpose: Mapped[str]
    public_key: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ReceivedReturn(Model):
    """One revision of one lieu's month, as it came: append-only.

    ``document`` are the RFC 8785 bytes of the whole ``monthly-return/1`` as text, ``digest`` its ``figures_sha256``.
    ``jws`` is what the lieu signed (compact, with the document inside); None for figures typed in behind a link.
    ``month`` is its first day; the highest revision counts. ``doubts`` is what was improbable in it when it came, as JSON
    (`coworking.network.head.doubts`). What follows stands in the document too (`coworking.network.head.filing`), beside
    it so that pages over many returns parse no documents: the sender's id, the heads of its chains as JSON, the first day
    counted of a partial month, and figures.
    """

    __tablename__ = "received_return"
    __table_args__ = (
        CheckConstraint("status IN ('provisional', 'final', 'restatement')", name="status"),
        CheckConstraint("revision >= 1", name="revision"),
        CheckConstraint("way IN ('software', 'link')", name="way"),
        CheckConstraint("way = 'link' OR jws IS NOT NULL", name="signed"),
        UniqueConstraint("network_lieu_id", "month", "revision"),
        Index(  # all that the lines over 24 months need: read without the rows, between which documents stand
            "ix_received_return_booked",
            "month",
            "network_lieu_id",
            "revision",
            "desk_booked_halfdays",
            "desk_offered_halfdays",
        ),
    )

    id: Mapped[BigId]
    network_lieu_id: Mapped[int] = mapped_column(ForeignKey("network_lieu.id"))
    month: Mapped[date]
    revision: Mapped[int]
    status: Mapped[str]
    reason: Mapped[str | None]
    digest: Mapped[str]
    document: Mapped[str] = mapped_column(Text)
    jws: Mapped[str | None] = mapped_column(Text)
    way: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    doubts: Mapped[str | None] = mapped_column(Text)
    lieu_uuid: Mapped[str | None]
    chain_heads: Mapped[str | None] = mapped_column(Text)
    counted_from: Mapped[date | None]
    open_days: Mapped[int | None] = mapped_column(BigInteger)
    desks_in_service: Mapped[int | None] = mapped_column(BigInteger)
    desk_offered_halfdays: Mapped[int | None] = mapped_column(BigInteger)
    desk_booked_halfdays: Mapped[int | None] = mapped_column(BigInteger)
    desk_attended_halfdays: Mapped[int | None] = mapped_column(BigInteger)
    desk_known_halfdays: Mapped[int | None] = mapped_column(BigInteger)
    desk_absent_halfdays: Mapped[int | None] = mapped_column(BigInteger)
    room_offered_minutes: Mapped[int | None] = mapped_column(BigInteger)
    room_booked_minutes: Mapped[int | None] = mapped_column(BigInteger)
    room_attended_minutes: Mapped[int | None] = mapped_column(BigInteger)
    distinct_people: Mapped[int | None] = mapped_column(BigInteger)
    workshop_participants: Mapped[int | None] = mapped_column(BigInteger)


class LateReminder(Model):
    """An e-mail that asks a lieu for the return of ``month``; ``day``: the head's own date, so that there is one a day."""

    __tablename__ = "late_reminder"
    __table_args__ = (UniqueConstraint("network_lieu_id", "month", "day"),)

    id: Mapped[BigId]
    network_lieu_id: Mapped[int] = mapped_column(ForeignKey("network_lieu.id"))
    month: Mapped[date] = mapped_column(index=True)
    day: Mapped[date]
    written_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    written_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class LieuMerge(Model):
    """The entry ``gone_id`` was merged into ``kept_id``; ``undone_at``: they are two again.

    ``changes`` are the fields of the kept entry that the merge changed, each with its old and new value.
    """

    __tablename__ = "lieu_merge"

    id: Mapped[BigId]
    kept_id: Mapped[int] = mapped_column(ForeignKey("network_lieu.id"), index=True)
    gone_id: Mapped[int] = mapped_column(ForeignKey("network_lieu.id"))
    changes: Mapped[dict[str, list[Any]]] = mapped_column(JSON, info={"seen_by": ()})
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    undone_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class TwoPlaces(Model):
    """The lead said that these two entries, the lower id first, are two places: they are not proposed as one again."""

    __tablename__ = "two_places"
    __table_args__ = (UniqueConstraint("first_id", "second_id"), CheckConstraint("first_id < second_id", name="order"))

    id: Mapped[BigId]
    first_id: Mapped[int] = mapped_column(ForeignKey("network_lieu.id"))
    second_id: Mapped[int] = mapped_column(ForeignKey("network_lieu.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class DirectoryImport(Model):
    """One import of the directory: how many entries it touched, and what the lead should know about lines of the file.

    ``remarks``: lists of the members of `coworking.network.head.census_rules.Remark`, by line.
    """

    __tablename__ = "directory_import"

    id: Mapped[BigId]
    file_name: Mapped[str]
    added: Mapped[int]
    changed: Mapped[int]
    same: Mapped[int]
    left_out: Mapped[int]
    remarks: Mapped[list[list[Any]]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


class ReturnSetAside(Model):
    """A return that the lead took out of what the network adds up to, for ``reason``.

    ``ended_at``: it counts again. A later revision of the same month is another return and counts.
    """

    __tablename__ = "return_set_aside"
    __table_args__ = (
        Index(
            "uq_return_set_aside_standing",
            "received_return_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[BigId]
    received_return_id: Mapped[int] = mapped_column(ForeignKey("received_return.id"))
    reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

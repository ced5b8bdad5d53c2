"""What people prove themselves with beside a password, and whether the team must."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.privacy import SELF
from coworking.core.types import BigId, BigInt, UTCDateTime, public_id


class Authenticator(Model):
    """The app that shows someone's codes (TOTP, RFC 6238). ``secret`` is encrypted with the keyring (`core.secret_box`).

    It counts once a first code was typed (``confirmed_at``). ``last_step`` is the thirty seconds of the last code that was
    accepted: none of the same or an earlier one is accepted again.
    """

    __tablename__ = "authenticator"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, autoincrement=False)
    secret: Mapped[str] = mapped_column(info={"seen_by": ()})
    begun_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_step: Mapped[int] = mapped_column(BigInt, default=0)


class RecoveryCode(Model):
    """A code for the day on which the phone is lost; it works once. Only a keyed digest is kept."""

    __tablename__ = "recovery_code"

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    digest: Mapped[str] = mapped_column(unique=True, info={"seen_by": ()})
    made_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class StaffAccess(Model):
    """From when on people with a role sign in with a second step (a single row, id 1); None: when they like."""

    __tablename__ = "staff_access"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    second_step_from: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Passkey(Model):
    """A key pair on someone's device, of which the lieu keeps the public half. ``credential_id`` is base64url.

    ``sign_count`` is how often the device says it has signed; 0 for those that are synced over devices (``backed_up``).
    """

    __tablename__ = "passkey"

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    credential_id: Mapped[str] = mapped_column(unique=True, info={"seen_by": ()})
    public_key: Mapped[bytes] = mapped_column(info={"seen_by": ()})
    sign_count: Mapped[int] = mapped_column(BigInt)
    backed_up: Mapped[bool]
    name: Mapped[str] = mapped_column(info={"seen_by": (SELF,)})
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

"""The photos of the public page."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.types import BigId, UTCDateTime, public_id

MOST_PHOTOS = 6


class LieuPhoto(Model):
    """A photo of the lieu, shown by ``position``. ``alt`` says in the lieu's words what is to be seen on it.

    ``slot``: one of six, so that there is no seventh whatever program writes.
    """

    __tablename__ = "lieu_photo"
    __table_args__ = (CheckConstraint("slot BETWEEN 1 AND 6", name="slot"),)

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    slot: Mapped[int] = mapped_column(unique=True)
    position: Mapped[int]
    alt: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    files: Mapped[list[LieuPhotoFile]] = relationship(
        back_populates="photo", cascade="all, delete-orphan", order_by="LieuPhotoFile.width"
    )

    @property
    def largest(self) -> LieuPhotoFile:
        """The widest of its files."""
        return self.files[-1]


class LieuPhotoFile(Model):
    """A photo in one width, as WebP. Its ``content`` is read only where it is served."""

    __tablename__ = "lieu_photo_file"
    __table_args__ = (
        UniqueConstraint("photo_id", "width"),
        CheckConstraint("width > 0 AND height > 0", name="size"),
    )

    id: Mapped[BigId]
    photo_id: Mapped[int] = mapped_column(ForeignKey("lieu_photo.id"))
    width: Mapped[int]
    height: Mapped[int]
    sha256: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)

    photo: Mapped[LieuPhoto] = relationship(back_populates="files")

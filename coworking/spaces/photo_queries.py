"""Reading the photos of the public page."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.spaces.photo_models import LieuPhoto, LieuPhotoFile


def photos() -> list[LieuPhoto]:
    """The photos in the order people see, with the sizes of their files (2 statements, 1 where there are none)."""
    statement = select(LieuPhoto).options(selectinload(LieuPhoto.files)).order_by(LieuPhoto.position, LieuPhoto.id)
    return list(db.session.scalars(statement))


def photo_file(public_id: str, width: int) -> tuple[str, bytes]:
    """The digest and the content of one file (1 statement); raises `NotFound`."""
    found = db.session.execute(
        select(LieuPhotoFile.sha256, LieuPhotoFile.content)
        .join(LieuPhoto)
        .where(LieuPhoto.public_id == public_id, LieuPhotoFile.width == width)
    ).first()
    if found is None:
        raise NotFound()
    return found.sha256, found.content

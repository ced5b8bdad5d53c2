"""The manager's photos of the public page: add, describe, order, remove. Each public function is one unit of work."""

from __future__ import annotations

from hashlib import sha256
from typing import IO

from sqlalchemy import func, select

from coworking.core import audit, pictures
from coworking.core.db import db
from coworking.core.errors import N_, DomainError, NotFound
from coworking.core.picture_rules import MOST_BYTES
from coworking.core.policy import Actor
from coworking.core.units import end_read, write_unit
from coworking.spaces.calendar import lock_lieu
from coworking.spaces.photo_models import MOST_PHOTOS, LieuPhoto, LieuPhotoFile


class TooManyPhotos(DomainError):
    code = "too_many_photos"
    status = 409
    message = N_("There are %(most)s photos already. Remove one first.")


def add_photo(actor: Actor, file: IO[bytes], alt: str) -> LieuPhoto:
    """Add a photo behind the others; raises `TooManyPhotos`, and what `pictures.scaled` says of the file.

    The file itself is not kept, only what was written anew of it.
    """
    if (db.session.scalar(select(func.count()).select_from(LieuPhoto)) or 0) >= MOST_PHOTOS:
        raise TooManyPhotos(most=MOST_PHOTOS)
    end_read()
    made = pictures.scaled(file.read(MOST_BYTES + 1))
    with write_unit() as unit:
        lock_lieu()
        taken = db.session.execute(select(LieuPhoto.slot, LieuPhoto.position)).all()
        free = set(range(1, MOST_PHOTOS + 1)) - {slot for slot, _ in taken}
        if not free:
            raise TooManyPhotos(most=MOST_PHOTOS)
        photo = LieuPhoto(slot=min(free), position=1 + max((at for _, at in taken), default=0), alt=alt)
        photo.files = [
            LieuPhotoFile(
                width=one.width, height=one.height, sha256=sha256(one.content).hexdigest(), content=one.content
            )
            for one in made
        ]
        db.session.add(photo)
        db.session.flush()
        audit.record(actor, "photo.added", ("lieu_photo", photo.id))
        unit.result = photo.public_id
    return photo


def describe_photo(actor: Actor, public_id: str, alt: str) -> None:
    """Say anew what is to be seen on a photo."""
    with write_unit():
        photo = _locked(public_id)
        if photo.alt != alt:
            photo.alt = alt
            audit.record(actor, "photo.described", ("lieu_photo", photo.id))


def move_photo(actor: Actor, public_id: str, *, earlier: bool) -> None:
    """Show a photo one place earlier or later; the first and the last stay where they are."""
    with write_unit():
        photo = _locked(public_id)
        rows = list(db.session.scalars(select(LieuPhoto).order_by(LieuPhoto.position, LieuPhoto.id)))
        at = rows.index(photo)
        to = at + (-1 if earlier else 1)
        if 0 <= to < len(rows):
            rows.insert(to, rows.pop(at))
            for position, row in enumerate(rows, 1):
                row.position = position
            audit.record(actor, "photo.moved", ("lieu_photo", photo.id))


def remove_photo(actor: Actor, public_id: str) -> None:
    """Remove a photo and its files for good; removing it twice is fine."""
    with write_unit():
        lock_lieu()
        photo = db.session.scalar(select(LieuPhoto).where(LieuPhoto.public_id == public_id))
        if photo is not None:
            audit.record(actor, "photo.removed", ("lieu_photo", photo.id))
            db.session.delete(photo)


def _locked(public_id: str) -> LieuPhoto:
    """The photo, behind the lieu's lock: two changes of the order run one after the other."""
    lock_lieu()
    photo = db.session.scalar(select(LieuPhoto).where(LieuPhoto.public_id == public_id))
    if photo is None:
        raise NotFound()
    return photo

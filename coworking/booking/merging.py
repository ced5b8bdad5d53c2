"""Bookings stay with the record that they were made for: none may be to come when it goes into another one."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from coworking.booking.models import Booking
from coworking.core import merging
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.erasing import Hindrance
from coworking.core.i18n import ngettext


@merging.hindered_by
def _books(gone_id: int, _kept_id: int) -> Iterator[Hindrance]:
    coming = (Booking.person_id == gone_id, Booking.status.in_(("held", "confirmed")), Booking.ends_at > now())
    if count := db.session.scalar(select(func.count()).select_from(Booking).where(*coming)) or 0:
        yield Hindrance(
            ngettext(
                "%(num)s booking is to come: cancel it and book it for the record that stays.",
                "%(num)s bookings are to come: cancel them and book them for the record that stays.",
                count,
            )
        )

"""What becomes of bookings and what was said about them when their person is erased."""

from __future__ import annotations

from sqlalchemy import and_, null, select

from coworking.booking.message_models import PhoneCall, ProblemReport
from coworking.booking.models import Booking
from coworking.core import erasing
from coworking.core.erasing import Forgets

erasing.declare(
    Forgets(
        Booking,
        lambda person: Booking.person_id == person,
        empties={"title": None, "told": null(), "moved_from": null()},
    ),
    Forgets(
        PhoneCall,
        lambda person: PhoneCall.booking_id.in_(select(Booking.id).where(Booking.person_id == person)),
        deletes=True,
    ),
    Forgets(
        ProblemReport,
        lambda person: and_(ProblemReport.person_id == person, ProblemReport.resolved_at.is_not(None)),
        deletes=True,
    ),
    Forgets(
        ProblemReport,
        lambda person: ProblemReport.person_id == person,
        keeps=dict.fromkeys(("words", "resolution"), erasing.LIEU),
    ),
)

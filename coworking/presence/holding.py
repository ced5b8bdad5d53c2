"""What the lieu holds about when somebody was there, for the copy of their data."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, select

from coworking.core import holdings
from coworking.core.errors import N_
from coworking.core.holdings import SEAL, Holds
from coworking.presence.models import Attestation, AttestationPdf, PastVisits, Presence


def _of_attestations(person_id: int) -> ColumnElement[bool]:
    return AttestationPdf.attestation_id.in_(select(Attestation.id).where(Attestation.person_id == person_id))


def _code() -> ColumnElement[str]:
    code = select(Attestation.code).where(Attestation.id == AttestationPdf.attestation_id).scalar_subquery()
    return func.coalesce(code, "").concat("-").concat(AttestationPdf.locale)


holdings.declare(
    Holds("presences", N_("When I was there"), Presence),
    Holds("past_visits", N_("When I came first and last, of what is kept no longer"), PastVisits),
    Holds("certificates", N_("My attendance certificates"), Attestation),
    Holds(
        "certificate_pdfs",
        N_("PDFs of my certificates"),
        AttestationPdf,
        rows=_of_attestations,
        leaves={"sha256": SEAL},
        paper=_code,
    ),
)

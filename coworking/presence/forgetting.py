"""What becomes of attestations when their person is erased; presences hold no words, and stay with a number for a name."""

from __future__ import annotations

from sqlalchemy import select

from coworking.core import erasing
from coworking.core.erasing import PROOF, Forgets
from coworking.presence.models import Attestation, AttestationPdf

erasing.declare(
    Forgets(
        Attestation,
        lambda person: Attestation.person_id == person,
        keeps=dict.fromkeys(("code", "payload"), PROOF),
    ),
    Forgets(
        AttestationPdf,
        lambda person: AttestationPdf.attestation_id.in_(select(Attestation.id).where(Attestation.person_id == person)),
        keeps={"content": PROOF},
    ),
)

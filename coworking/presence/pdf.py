"""The PDF of an attestation: made once in each language, stored, and never made again.

An attestation is an issued document with a code and a date of its own, and its snapshot never changes; so neither does its
PDF. When a presence is corrected, or someone's name changes, asking for the month again issues another attestation, with
a new code and a PDF of its own.
"""

from __future__ import annotations

import segno
from markupsafe import Markup

from coworking.core import pdf
from coworking.core.kept_pdfs import kept_pdf
from coworking.core.settings import settings
from coworking.presence.attestation import Statement, statement_of
from coworking.presence.models import Attestation, AttestationPdf


def pdf_of(attestation: Attestation, locale: str) -> bytes:
    """The PDF in ``locale``, drawn and kept at the first call. Not inside a write unit. Raises as `kept_pdf`."""
    said = statement_of(attestation)
    return kept_pdf(AttestationPdf, {"attestation_id": attestation.id, "locale": locale}, lambda: page(said, locale))


def page(said: Statement, locale: str) -> str:
    """The HTML that becomes the PDF, with the address and a QR code that verify it."""
    verify_at = f"{settings().base_url}/verify"
    drawing = segno.make(f"{verify_at}/{said.code}", error="m", micro=False).svg_inline(omitsize=True, border=0)
    return pdf.html(
        "presence/attestation_pdf.html",
        locale=locale,
        statement=said,
        place={"name": said.lieu},
        verify_at=verify_at.partition("//")[2],
        qr=Markup(drawing),  # noqa: S704 - drawn from our own address
    )

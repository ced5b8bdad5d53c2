"""The PDF of an attestation: made once in each language, stored, and never made again.

An attestation is an issued document with a code and a date of its own, and its snapshot never changes; so neither does its
paper. When a presence is corrected, or someone's name changes, asking for the month again issues another attestation, with
a new code and a paper of its own.
"""

from __future__ import annotations

import segno
from markupsafe import Markup

from coworking.core import papers
from coworking.core.kept_papers import kept_paper
from coworking.core.settings import settings
from coworking.presence.attestation import Paper, paper_of
from coworking.presence.models import Attestation, AttestationPaper


def paper(attestation: Attestation, locale: str) -> bytes:
    """The PDF in ``locale``, drawn and kept at the first call. Not inside a write unit. Raises as `kept_paper`."""
    said = paper_of(attestation)
    return kept_paper(
        AttestationPaper, {"attestation_id": attestation.id, "locale": locale}, lambda: page(said, locale)
    )


def page(said: Paper, locale: str) -> str:
    """The HTML that becomes the paper, with the address and a QR code that verify it."""
    verify_at = f"{settings().base_url}/verify"
    drawing = segno.make(f"{verify_at}/{said.code}", error="m", micro=False).svg_inline(omitsize=True, border=0)
    return papers.html(
        "presence/attestation_paper.html",
        locale=locale,
        paper=said,
        place={"name": said.lieu},
        verify_at=verify_at.partition("//")[2],
        qr=Markup(drawing),  # noqa: S704 - drawn from our own address
    )

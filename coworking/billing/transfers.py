"""How to pay by bank transfer: what to type, and a code to scan."""

from __future__ import annotations

import segno.helpers


def epc_qr(*, name: str, iban: str, bic: str | None, cents: int, text: str) -> str:
    """A transfer in euros to scan with a bank's app (EPC069-12), as the address of an image."""
    code = segno.helpers.make_epc_qr(
        name=name[:70], iban=iban, bic=bic, amount=cents / 100, reference=None, text=text[:140], encoding="utf-8"
    )
    return code.svg_data_uri(border=0)

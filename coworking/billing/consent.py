"""The words that a payer agrees to when they save a card or an account: shown, and kept as they were shown."""

from __future__ import annotations

from coworking.core.i18n import _


def consent(place: str, payer: str, days: int) -> str:
    """What ``payer`` lets the lieu do, in the reader's language."""
    return _(
        "I let %(place)s collect what is owed on the invoices addressed to %(payer)s from the card or account that I "
        "save. A card is charged from the day after the invoice is sent, never before the day it is due. An account is "
        "debited %(days)s days at the earliest after an e-mail that says how much and when. I can withdraw this at any "
        "time on this page.",
        place=place,
        payer=payer,
        days=days,
    )

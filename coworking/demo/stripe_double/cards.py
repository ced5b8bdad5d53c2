"""What paying with each test number does. Stripe's test mode knows the same numbers.

Nothing is kept of a number but the brand and the last four digits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from stdnum import iban, luhn


@dataclass(frozen=True, slots=True)
class TestCard:
    """How a card behaves: ``code`` and ``decline_code`` say why it is declined, an empty ``code`` that it is not.

    ``fails_once_saved``: it can be saved, and is declined when it is charged. ``always_authenticates``: it wants its owner
    at every charge, so it cannot be charged while they are away.
    """

    __test__ = False  # no test, whatever its name

    brand: str
    last4: str
    code: str = ""
    decline_code: str = ""
    wants_authentication: bool = False
    fails_once_saved: bool = False
    always_authenticates: bool = False


_CARDS = {
    "4242424242424242": TestCard("visa", "4242"),
    "5555555555554444": TestCard("mastercard", "4444"),
    "4000000000000002": TestCard("visa", "0002", "card_declined", "generic_decline"),
    "4000000000009995": TestCard("visa", "9995", "card_declined", "insufficient_funds"),
    "4000000000000069": TestCard("visa", "0069", "expired_card", "expired_card"),
    "4000000000000127": TestCard("visa", "0127", "incorrect_cvc", "incorrect_cvc"),
    "4000002500003155": TestCard("visa", "3155", wants_authentication=True),
    "4000002760003184": TestCard("visa", "3184", wants_authentication=True, always_authenticates=True),
    "4000000000000341": TestCard("visa", "0341", "card_declined", "insufficient_funds", fails_once_saved=True),
    "4000008400001629": TestCard("visa", "1629", "card_declined", "generic_decline", wants_authentication=True),
}
GOOD_CARD = "4242 4242 4242 4242"
GOOD_IBAN = "FR1420041010050500013M02606"
FAILING_IBAN = "FR8420041010050500013M02607"
FAILED_DEBIT = "insufficient_funds"


def card_numbered(number: str) -> TestCard:
    """The card of ``number``. One that is no test card is declined: nobody should type a real one here."""
    digits = re.sub(r"\D", "", number)
    if digits in _CARDS:
        return _CARDS[digits]
    return TestCard("unknown", digits[-4:].zfill(4), "card_declined", "test_mode_live_card")


def wrong_in_card(number: str, expiry: str, cvc: str, current: datetime) -> str | None:
    """The code of what was typed wrongly; None: the bank may be asked."""
    digits = re.sub(r"[ \u00a0\u202f.-]", "", number)
    if not re.fullmatch(r"[0-9]{13,19}", digits) or not luhn.is_valid(digits):
        return "incorrect_number"
    match = re.fullmatch(r"\s*([0-9]{1,2})\s*/?\s*(?:20)?([0-9]{2})\s*", expiry)
    if match is None or not 1 <= int(match[1]) <= 12:
        return "invalid_expiry"
    if (2000 + int(match[2]), int(match[1])) < (current.year, current.month):
        return "expired_card"
    return None if re.fullmatch(r"\s*[0-9]{3,4}\s*", cvc) else "invalid_cvc"


def wrong_in_debit(name: str, account: str) -> str | None:
    """The code of what was typed wrongly; None: the bank may be asked."""
    if not name.strip():
        return "name_missing"
    return None if iban.is_valid(account) else "invalid_iban"


def debit_succeeds(account: str) -> bool:
    """Whether the bank of ``account`` will pay, some days later."""
    return iban.compact(account) != FAILING_IBAN

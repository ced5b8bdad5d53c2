"""What a lieu sells beside its places: its kinds, what is refused of it, and the few that are offered as a start."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from coworking.core.errors import N_, DomainError

ArticleKind = Literal["goods", "service", "deposit"]
ARTICLE_KINDS: tuple[ArticleKind, ...] = ("goods", "service", "deposit")

USUAL_ACCOUNTS: dict[str, str] = {"goods": "707", "service": "706", "deposit": "165"}
"""The accounts of the French *plan comptable*: goods sold, services, deposits received."""

MAX_LABEL = 60


class ArticlePriceInPast(DomainError):
    code = "article_price_in_past"
    message = N_("Prices that have applied stay as they were. Choose today or a later day.")
    field = "valid_from"


class ArticleLabelInvalid(DomainError):
    code = "article_label_invalid"
    message = N_("Write what is sold, in %(most)s characters at most.")
    field = "label"


class ArticleLabelTaken(DomainError):
    code = "article_label_taken"
    status = 409
    message = N_("Something with this name is sold already.")
    field = "label"


class ArticlePriceMissing(DomainError):
    """Nothing is given away by mistake: what costs nothing is not sold."""

    code = "article_price_missing"
    message = N_("Write a price above 0.")
    field = "cents"


class AccountInvalid(DomainError):
    code = "account_invalid"
    message = N_("Write an account of income, such as 706 or 7085; of a deposit one of the class 1 or 4, such as 165.")
    field = "account"


@dataclass(frozen=True, slots=True)
class Start:
    """One that is offered as a start. The manager sees it filled in and decides."""

    label: str
    kind: ArticleKind
    cents: int
    vat_rate_bp: int


STARTS: dict[str, Start] = {
    "coffee": Start(N_("Coffee"), "goods", 100, 1000),
    "print": Start(N_("Print, one page"), "service", 20, 2000),
    "locker": Start(N_("Locker, one month"), "service", 500, 2000),
    "key": Start(N_("Key deposit"), "deposit", 2000, 0),
}


def check_article_label(text: str) -> str:
    """``text`` trimmed; raises `ArticleLabelInvalid`."""
    label = " ".join(text.split())
    if not label or len(label) > MAX_LABEL or not label.isprintable():
        raise ArticleLabelInvalid(most=MAX_LABEL)
    return label


def check_account(text: str, kind: str) -> str:
    """The account that a sale of ``kind`` is booked on, by default the usual one; raises `AccountInvalid`."""
    account = "".join(text.split()) or USUAL_ACCOUNTS[kind]
    classes = "[14]" if kind == "deposit" else "7"
    if re.fullmatch(rf"{classes}[0-9]{{2,9}}", account) is None:
        raise AccountInvalid()
    return account


def applied_rate(kind: str, rate_bp: int, vat_status: str) -> int:
    """The VAT rate of a sale: none on a deposit, which is given back, and none where the lieu charges no VAT."""
    return 0 if kind == "deposit" or vat_status != "taxable" else rate_bp

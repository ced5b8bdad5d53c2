"""The recipients of a closed month, registered by the network package above this one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Recipient:
    """A network head as the closing page names it, and what became of the month's last revision there.

    ``since``: when the place joined it; ``sent_at`` None: not sent yet; ``by_email``: it is sent as an e-mail, which nobody
    signs for. ``trouble`` says in the reader's language why it has not arrived.
    """

    name: str
    sent_at: datetime | None = None
    revision: int | None = None
    trouble: str | None = None
    by_email: bool = False
    since: datetime | None = None


_ask: Callable[[date], Recipient | None] | None = None


def provided_by(ask: Callable[[date], Recipient | None]) -> None:
    """Set the function that returns the recipient of a month's return (by its first day), or None."""
    global _ask
    _ask = ask


def recipient(month: date) -> Recipient | None:
    """Who receives the return of ``month``; None while the lieu belongs to no network."""
    return _ask(month) if _ask is not None else None

"""The state of a month before and after it is closed, for its page and its steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from coworking.statistics.models import MonthlyReturn
from coworking.statistics.recipients import Recipient
from coworking.statistics.schema import PROVISIONAL


@dataclass(frozen=True, slots=True)
class MonthState:
    """One month (its first day) and its revisions, oldest first.

    ``changed``: the figures that have moved since the last revision. ``next_status``: what closing now would make of it.
    ``counted_from``: its first day that was counted, where the lieu was not here on the first.
    """

    month: date
    is_over: bool
    revisions: list[MonthlyReturn]
    changed: list[str]
    recipient: Recipient | None
    next_status: str
    counted_from: date | None = None

    @property
    def last(self) -> MonthlyReturn | None:
        return self.revisions[-1] if self.revisions else None

    @property
    def needs_reason(self) -> bool:
        """What is closed for good is only stated again with a reason."""
        return self.last is not None and self.last.status != PROVISIONAL

    @property
    def can_close(self) -> bool:
        """Whether closing now would say anything new."""
        if not self.is_over:
            return False
        return self.last is None or bool(self.changed) or (self.last.status, self.next_status) == (PROVISIONAL, "final")

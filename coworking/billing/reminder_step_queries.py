"""Reading what the lieu chose about reminders: on or off, the steps, their days and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from coworking.billing.reminder_models import ReminderSettings
from coworking.billing.reminder_rules import ECB_RATES, STEPS, USUAL_DAYS, USUAL_GAP, StepSchedule
from coworking.billing.reminder_words import USUAL, Words
from coworking.core.db import db
from coworking.core.i18n import LANGUAGES


@dataclass(frozen=True, slots=True)
class ReminderStep:
    """A step as it is sent here: ``words`` by language; ``is_own``: the lieu changed its words."""

    number: int
    days: int
    is_used: bool
    words: Mapping[str, Words]
    is_own: bool


@dataclass(frozen=True, slots=True)
class Reminding:
    """What the lieu chose. ``was_asked``: it said yes or no; until then nothing leaves.

    ``ecb``: rates of the European Central Bank in basis points, by the first day of the half-year.
    """

    was_asked: bool
    is_on: bool
    is_on_since: date | None
    gap_days: int
    steps: Mapping[int, ReminderStep]
    ecb: Mapping[date, int]
    version: int

    @property
    def schedule(self) -> StepSchedule:
        """When its steps leave: not on the day on which it said yes, so that they stand on the list before."""
        begins_on = self.is_on_since + timedelta(days=1) if self.is_on_since is not None else None
        return StepSchedule(
            {one.number: one.days for one in self.steps.values() if one.is_used}, self.gap_days, begins_on
        )


def reminding() -> Reminding:
    """What the lieu chose, the usual where it chose nothing (1 statement)."""
    row = db.session.get(ReminderSettings, 1)
    own = row.steps if row is not None else {}
    looked_up = {date.fromisoformat(day): bp for day, bp in (row.ecb_rates if row is not None else {}).items()}
    return Reminding(
        was_asked=row is not None,
        is_on=row is not None and row.is_on,
        is_on_since=row.is_on_since if row is not None and row.is_on else None,
        gap_days=row.gap_days if row is not None else USUAL_GAP,
        steps={number: _step(number, own.get(str(number), {})) for number in STEPS},
        ecb=ECB_RATES | looked_up,
        version=row.version if row is not None else 0,
    )


def _step(number: int, own: Mapping[str, Any]) -> ReminderStep:
    words = {
        language: Words(
            own.get(f"subject_{language}") or USUAL[number, language].subject,
            own.get(f"text_{language}") or USUAL[number, language].text,
        )
        for language in LANGUAGES
    }
    is_own = any(words[language] != USUAL[number, language] for language in LANGUAGES)
    return ReminderStep(number, own.get("days", USUAL_DAYS[number]), own.get("is_used", True), words, is_own)

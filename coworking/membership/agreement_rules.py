"""What an organisation agreed to pay for its people, and how much of it is left. Plain decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from coworking.core.errors import N_, DomainError
from coworking.core.money import divide_half_up
from coworking.core.months import month_of
from coworking.membership.allowance_rules import PlannedUse, within
from coworking.pricing.rules import Prices, room_amount

Beyond = Literal["refuse", "person"]
BEYOND: tuple[Beyond, ...] = ("refuse", "person")
CapOf = Literal["person", "organisation"]
CAP_OF: tuple[CapOf, ...] = ("person", "organisation")
Limit = Literal["halfdays", "week", "cap"]
"""Which limit of an agreement is reached: its half-days of the month, its days of the week, or its euros of the month."""

WHOLE_BP = 10_000
"""All of a price, in basis points."""


class AgreementExhausted(DomainError):
    """The employer's half-days of the month are used up and its agreement ends there."""

    code = "agreement_exhausted"
    status = 422
    message = N_(
        "%(name)s pays for %(limit)s half-days a month and they are all taken. You can pay for this one yourself."
    )
    field = "payer"


class AgreementWeekFull(AgreementExhausted):
    """The employer's days of that week are taken."""

    code = "agreement_week_full"
    message = N_("%(name)s pays for %(limit)s days a week and they are all taken. You can pay for this one yourself.")


class AgreementCapReached(AgreementExhausted):
    """What the employer agreed to pay in that month is used up, or does not hold its part of this."""

    code = "agreement_cap_reached"
    message = N_("%(name)s pays no more this month: its limit is reached. You can pay for this one yourself.")


class NoAgreement(DomainError):
    """Asked for the employer to pay where no agreement applies."""

    code = "no_agreement"
    status = 422
    message = N_("No employer pays for this. You can pay for it yourself.")
    field = "payer"


@dataclass(frozen=True, slots=True)
class AgreementTerms:
    """An agreement and the dates of one person's membership of its organisation. See `membership.models.Agreement`."""

    id: int
    organisation_id: int
    name: str
    valid_from: date
    valid_until: date | None
    weekdays: int | None
    halfdays_per_month: int | None
    beyond: Beyond
    halfday_cents: int | None
    member_from: date
    member_until: date | None
    days_per_week: int | None = None
    cap_cents: int | None = None
    cap_of: CapOf | None = None
    share_bp: int | None = None
    pays_rooms: bool | None = None

    @property
    def is_counted_by_day(self) -> bool:
        """Whether what is left of it depends on days and amounts, not on half-days alone."""
        return self.days_per_week is not None or self.cap_cents is not None

    def applies(self, use: PlannedUse) -> bool:
        """Whether it pays for such a use on that day: agreed, a member, on an agreed weekday. Its limits are another
        matter."""
        return (
            (use.half is not None or bool(self.pays_rooms))
            and within(use.day, self.valid_from, self.valid_until)
            and within(use.day, self.member_from, self.member_until)
            and (self.weekdays is None or bool(self.weekdays >> use.day.weekday() & 1))
        )

    def priced(self, use: PlannedUse, prices: Prices) -> tuple[int, int]:
        """The unit price and what the whole ``use`` comes to, whoever pays which part of it: as agreed, else by the
        tariff, in cents."""
        cents = prices.price_of(use.kind, use.resource_id)
        if use.half is None:
            return cents, room_amount(cents, use.span.minutes)
        if self.halfday_cents is not None:
            cents = self.halfday_cents
        return cents, cents

    @property
    def pays_tariff(self) -> bool:
        """Whether it pays all of what the tariff asks for a half-day: no share, no cap, no price of its own."""
        return self.share_bp is None and self.cap_cents is None and self.halfday_cents is None

    def share_of(self, cents: int) -> int:
        """What the organisation pays of ``cents`` before its cap, halves of a cent up."""
        return cents if self.share_bp is None else divide_half_up(cents * self.share_bp, WHOLE_BP)


@dataclass(frozen=True, slots=True)
class AgreementUse:
    """What one ``day`` took of an agreement and was not given back: so many ``places`` and ``cents`` of the employer's.

    ``mine``: of the person whose booking is decided; otherwise of all its other people together.
    """

    agreement_id: int
    day: date
    mine: bool
    places: int
    cents: int


class EmployersLeft:
    """What agreements still pay while several uses are decided one after the other.

    ``halfdays``: those used, by (agreement id, month). ``uses``: of agreements that are counted by day.
    """

    def __init__(self, halfdays: Mapping[tuple[int, date], int] | None, uses: Iterable[AgreementUse]) -> None:
        self._halfdays = dict(halfdays or {})
        self._places: dict[tuple[int, date], int] = {}
        self._cents: dict[tuple[int, date, bool], int] = {}
        for one in uses:
            self._add(one)

    def _add(self, one: AgreementUse) -> None:
        if one.mine:
            self._places[one.agreement_id, one.day] = self._places.get((one.agreement_id, one.day), 0) + one.places
        key = (one.agreement_id, month_of(one.day), one.mine)
        self._cents[key] = self._cents.get(key, 0) + one.cents

    def part(self, agreement: AgreementTerms, use: PlannedUse, cents: int) -> int | Limit:
        """What the organisation pays of ``cents`` for ``use``, or the limit that keeps it from paying anything.

        An agreement that refuses what goes beyond it pays all of its share or nothing.
        """
        if (full := self._full(agreement, use.day, is_halfday=use.half is not None)) is not None:
            return full
        share, left = agreement.share_of(cents), self.left_of_cap(agreement, use.month)
        if left is None or share <= left:
            return share
        return left if left and agreement.beyond == "person" else "cap"

    def take(self, agreement: AgreementTerms, use: PlannedUse, cents: int) -> int | None:
        """Count ``use`` and what the organisation pays of it; the half-days that are left then (None: not counted)."""
        self._count(agreement, use.day, is_halfday=use.half is not None, cents=cents)
        return None if use.half is None else self.halfdays_left(agreement, use.month)

    def take_again(self, agreement: AgreementTerms, day: date, *, is_halfday: bool, cents: int) -> bool:
        """Count what was given back, at what the organisation paid of it; False, and nothing is counted, where its limits
        no longer hold all of that."""
        left = self.left_of_cap(agreement, month_of(day))
        if self._full(agreement, day, is_halfday=is_halfday) is not None or (left is not None and left < cents):
            return False
        self._count(agreement, day, is_halfday=is_halfday, cents=cents)
        return True

    def left_of_cap(self, agreement: AgreementTerms, month: date) -> int | None:
        """The cents that are left of its cap in ``month``; None: it has none."""
        return None if agreement.cap_cents is None else max(0, agreement.cap_cents - self.spent(agreement, month))

    def spent(self, agreement: AgreementTerms, month: date) -> int:
        """What counts against its cap in ``month``, in cents."""
        everyone = agreement.cap_of == "organisation"
        others = self._cents.get((agreement.id, month, False), 0) if everyone else 0
        return others + self._cents.get((agreement.id, month, True), 0)

    def days_used(self, agreement: AgreementTerms, day: date) -> set[date]:
        """The person's days that it pays in the week of ``day``, from Monday to Sunday."""
        monday = day - timedelta(days=day.weekday())
        week = (monday + timedelta(days=count) for count in range(7))
        return {one for one in week if self._places.get((agreement.id, one), 0) > 0}

    def _count(self, agreement: AgreementTerms, day: date, *, is_halfday: bool, cents: int) -> None:
        self._add(AgreementUse(agreement.id, day, mine=True, places=1, cents=cents))
        if is_halfday:
            key = (agreement.id, month_of(day))
            self._halfdays[key] = self._halfdays.get(key, 0) + 1

    def _full(self, agreement: AgreementTerms, day: date, *, is_halfday: bool) -> Limit | None:
        """Which limit keeps it from paying anything on ``day``, whatever it costs."""
        if is_halfday and self.halfdays_left(agreement, month_of(day)) == 0:
            return "halfdays"
        if agreement.days_per_week is not None:
            days = self.days_used(agreement, day)
            if day not in days and len(days) >= agreement.days_per_week:
                return "week"
        return None

    def halfdays_left(self, agreement: AgreementTerms, month: date) -> int | None:
        """The half-days that are left of it in ``month``; None: without limit."""
        if agreement.halfdays_per_month is None:
            return None
        return max(0, agreement.halfdays_per_month - self._halfdays.get((agreement.id, month), 0))


def exhausted_by(agreement: AgreementTerms, limit: Limit) -> AgreementExhausted:
    """Why ``agreement`` pays no more."""
    match limit:
        case "week":
            return AgreementWeekFull(name=agreement.name, limit=agreement.days_per_week)
        case "cap":
            return AgreementCapReached(name=agreement.name)
        case "halfdays":
            return AgreementExhausted(name=agreement.name, limit=agreement.halfdays_per_month)

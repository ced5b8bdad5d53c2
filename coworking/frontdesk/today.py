"""The host's page: who is here, who is coming, what is to be done. It never shows money."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from coworking.accounting import bank_queries, money_queries, nightly
from coworking.accounting import queries as accounting
from coworking.accounting.models import AuditRun
from coworking.accounts import papers
from coworking.billing.online import NOTIFIED
from coworking.billing.online_entries import LOOK
from coworking.billing.online_models import OnlineDispute
from coworking.billing.online_queries import Surplus, open_disputes, surplus_state, surpluses
from coworking.billing.online_refunds import REFUND
from coworking.billing.queries import Standing, refund_state, to_refund
from coworking.billing.reminder_pages import Outlook, outlook
from coworking.billing.reminder_queries import reminder_state
from coworking.booking import calls, problems, queries
from coworking.booking.message_models import PhoneCall
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.rules import bookable_halves
from coworking.claims import queries as claims
from coworking.claims.models import DayVersion
from coworking.core import outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.formats import hour
from coworking.core.i18n import _, language, ngettext
from coworking.core.timespan import Span
from coworking.membership import trials
from coworking.membership.pack_request_models import PackRequest
from coworking.membership.pack_request_queries import open_requests, request_state
from coworking.presence import queries as presence_queries
from coworking.presence.models import Presence
from coworking.presence.rules import CONFIRMABLE
from coworking.residents.queries import ResidentSeat, seats_of
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, LieuDay, Zone

LATE = timedelta(minutes=15)


OF_MANAGERS = frozenset({"network.send", "return.closed", nightly.TOPIC, NOTIFIED, LOOK})
"""Outbox topics whose failure only a manager may dismiss."""


@dataclass(frozen=True, slots=True)
class Here:
    """Someone who is in the lieu: their presence, the units they sit at now or next, and whether they try it today.

    ``seats``: where a resident without a booking sits.
    """

    presence: Presence
    units: list[BookingUnit]
    until: datetime | None
    tries: bool = False
    seats: Sequence[ResidentSeat] = ()

    @property
    def room(self) -> BookingUnit | None:
        """The room they are in, which the host can set free before its time."""
        return next((unit for unit in self.units if unit.half is None and unit.starts_at <= now()), None)


@dataclass(frozen=True, slots=True)
class Coming:
    """A booking whose person is not here yet. ``at``: when it begins, or when it was booked if it had begun by then.
    ``tries``: it is their first half-day, to try."""

    booking: Booking
    at: datetime
    late: bool
    first_visit: bool
    tries: bool


@dataclass(frozen=True, slots=True)
class Yesterday:
    """The last open day before today: who came, and the units without an outcome."""

    day: date
    came: int
    waiting: list[BookingUnit]


@dataclass(frozen=True, slots=True)
class Today:
    """The page's whole content."""

    day: date
    sentence: str
    here: list[tuple[str, list[Here]]]
    here_count: int
    lingering: list[Here]
    coming: list[Coming]
    yesterday: Yesterday | None
    older: list[BookingUnit]
    failed: list[outbox.OutboxRow]
    audit: AuditRun | None
    morning: bool
    is_over: bool
    calls: list[calls.CallToMake]
    problems: list[problems.ReportedPlace]
    surpluses: list[Surplus]
    disputes: list[OnlineDispute]
    to_refund: list[Standing]
    pack_requests: list[PackRequest]
    bank_lines: int
    late_payers: int
    reminders: Outlook | None
    to_print: int
    closed_since: datetime | None
    free: list[str] = field(default_factory=list[str])

    @staticmethod
    def may_dismiss(row: outbox.OutboxRow, *, is_manager: bool) -> bool:
        """Whether the reader may stop showing a row that failed."""
        return is_manager or row.topic not in OF_MANAGERS

    @staticmethod
    def is_payment(row: outbox.OutboxRow) -> bool:
        """Whether the row that failed was about money paid online, and not an e-mail."""
        return row.topic in {NOTIFIED, LOOK, REFUND}

    @property
    def reminders_count(self) -> int:
        """How many lines are about reminders: whether they shall leave, those that leave, those to be printed."""
        one = self.reminders
        return 0 if one is None else sum(map(bool, (one.asks, one.leaving, one.letters)))

    @property
    def before(self) -> date:
        return self.day - timedelta(days=1)

    @property
    def needs_count(self) -> int:
        many = (
            self.failed,
            self.calls,
            self.problems,
            self.surpluses,
            self.disputes,
            self.to_refund,
            self.pack_requests,
        )
        one = (self.audit, self.older, self.bank_lines, self.late_payers, self.to_print)
        return sum(map(bool, one)) + sum(map(len, many)) + self.reminders_count


def version(day: date) -> str:
    """What the page of ``day`` depends on, in one statement: it changes whenever the page would.

    The five minutes are in it because people grow late without anyone doing anything.
    """
    counter, failed, audit, waiting, *others = db.session.execute(
        select(
            select(DayVersion.version).where(DayVersion.day == day).scalar_subquery(),
            select(func.count()).where(outbox.OutboxRow.state == "failed").scalar_subquery(),
            select(func.max(AuditRun.id)).scalar_subquery(),
            select(func.count()).where(PhoneCall.done_at.is_(None)).scalar_subquery(),
            papers.waiting_state(),
            *problems.open_state(),
            *surplus_state(),
            *refund_state(),
            *money_queries.money_state(),
            *reminder_state(),
            *request_state(),
        )
    ).one()
    changes = (counter or 0, failed, audit or 0, waiting, *(value or 0 for value in others))
    return f"{day:%Y%m%d}-{'-'.join(map(str, changes))}-{int(now().timestamp()) // 300}-{language()}"


def today(*, is_manager: bool) -> Today:
    """Read everything for the page of the current local date, in a fixed number of statements.

    What the nightly check found is for a manager alone.
    """
    instant, day = now(), spaces.today()
    row = spaces.days(day, day).get(day)
    bookings = queries.day_bookings(day)
    presences = presence_queries.presences_on(day)
    is_over = row is not None and bool(row.open()) and not any(span.end > instant for span in row.open())
    since: list[Presence] = []
    if row is not None and any(span.start == row.starts_at for span in row.open()):
        since = presence_queries.there_since_yesterday(instant)
    in_use = {booking.person_id for booking in bookings if booking.starts_at <= instant < booking.ends_at}
    staying = [one for one in since if one.person_id in in_use]
    trying = trials.trying_on(day)
    here, lingering = _here([*staying, *presences], bookings, trying, day, is_over=is_over)
    if row is not None:
        had = {booking.person_id: booking.ends_at for booking in bookings if booking.ends_at <= instant}
        gone = [one for one in since if one.person_id not in in_use]
        lingering += [Here(one, [], had.get(one.person_id, row.starts_at)) for one in gone]
    inside = {presence.person_id for presence in [*staying, *presences] if presence.left_at is None}
    pending = [
        booking
        for booking in bookings
        if booking.person_id not in inside
        and booking.ends_at > instant
        and all(unit.outcome == "pending" for unit in booking.units if unit.ends_at > instant)
    ]
    newcomers = presence_queries.first_visit([booking.person_id for booking in pending], day)
    coming = [
        Coming(
            booking,
            at,
            late=at + LATE < instant,
            first_visit=booking.person_id in newcomers,
            tries=booking.person_id in trying,
        )
        for booking in pending
        for begins in [min(unit.starts_at for unit in booking.units if unit.ends_at > instant)]
        for at in [max(begins, booking.created_at)]  # nobody is late for what they had not booked yet
    ]
    late_payers = money_queries.late_payers(day) if is_manager else 0
    unsettled = presence_queries.unsettled(day - CONFIRMABLE, day - timedelta(days=1), instant)
    yesterday = _yesterday(unsettled, day)
    return Today(
        day=day,
        sentence=_over(row, presences) if row is not None and is_over else _sentence(row, here, coming, instant),
        here=here,
        here_count=sum(len(group) for _, group in here),
        lingering=lingering,
        pack_requests=open_requests() if is_manager else [],
        coming=coming,
        yesterday=yesterday,
        older=[unit for unit in unsettled if yesterday is None or unit.day != yesterday.day],
        failed=outbox.failed(),
        audit=_found_at_night() if is_manager else None,
        morning=row is None or instant < row.split_at,
        is_over=is_over,
        calls=calls.to_make(),
        problems=problems.open_places(),
        surpluses=surpluses() if is_manager else [],
        disputes=open_disputes() if is_manager else [],
        to_refund=to_refund() if is_manager else [],
        bank_lines=bank_queries.waiting_count()[0] if is_manager else 0,
        late_payers=late_payers,
        reminders=outlook(day, is_overdue=late_payers > 0) if is_manager else None,
        to_print=papers.how_many_wait(is_manager=is_manager),
        closed_since=max(span.end for span in row.open()) if row is not None and is_over else None,
        free=_free_now(row, instant),
    )


def _found_at_night() -> AuditRun | None:
    """The last nightly check, if it found something that managers got an e-mail about."""
    last = accounting.last_audit_run()
    return last if last is not None and last.told_at is not None else None


def _here(
    presences: Sequence[Presence],
    bookings: Sequence[Booking],
    trying: Collection[int],
    day: date,
    *,
    is_over: bool,
) -> tuple[list[tuple[str, list[Here]]], list[Here]]:
    """Open presences by zone, in the lieu's order, people without a place last; and those whose place is over.

    Nobody saw the latter leave. Once the lieu has closed they are who was not checked out, with the places they had.
    """
    instant = now()
    had = {booking.person_id: max(unit.ends_at for unit in booking.units) for booking in bookings}
    units: dict[int, list[BookingUnit]] = {}
    places: dict[int, list[BookingUnit]] = {}
    for booking in bookings:
        places.setdefault(booking.person_id, []).extend(booking.units)
        units.setdefault(booking.person_id, []).extend(unit for unit in booking.units if unit.ends_at > instant)
    seats = seats_of({one.person_id for one in presences if one.left_at is None and not units.get(one.person_id)}, day)
    groups: dict[tuple[int, int, str], list[Here]] = {}
    lingering: list[Here] = []
    for presence in presences:
        if presence.left_at is not None:
            continue
        own, own_seats = units.get(presence.person_id, []), seats.get(presence.person_id, [])
        if not own and (is_over or (presence.person_id in had and not own_seats)):
            lingering.append(Here(presence, places.get(presence.person_id, []), had.get(presence.person_id)))
            continue
        zone: Zone | None = own[0].resource.zone if own else None
        if zone is not None:
            key = (zone.position, zone.id, zone.name)
        elif own_seats:
            key = (10**6, 0, _("Residents"))
        else:
            key = (10**6, 1, _("Without a place"))
        until = max((unit.ends_at for unit in own), default=None)
        groups.setdefault(key, []).append(Here(presence, own, until, presence.person_id in trying, own_seats))
    by_zone = [(key[2], group) for key, group in sorted(groups.items(), key=lambda item: item[0])]
    return by_zone, lingering


def _yesterday(unsettled: Sequence[BookingUnit], day: date) -> Yesterday | None:
    """The latest day before ``day`` with something to settle, with how many people came that day."""
    if not unsettled:
        return None
    last = unsettled[-1].day
    came = db.session.scalar(select(func.count(func.distinct(Presence.person_id))).where(Presence.day == last))
    return Yesterday(last, came or 0, [unit for unit in unsettled if unit.day == last])


def _sentence(
    row: LieuDay | None,
    here: list[tuple[str, list[Here]]],
    coming: list[Coming],
    instant: datetime,
) -> str:
    """One sentence about the day: who is here, who is coming, what is taken or full."""
    if row is None or not row.open():
        reason = (row.holiday or row.closure) if row is not None else None
        return _("The lieu is closed today: %(reason)s.", reason=reason) if reason else _("The lieu is closed today.")
    count = sum(len(group) for _, group in here)
    people = len({one.booking.person_id for one in coming})
    said = [
        ngettext("%(num)s person is here", "%(num)s people are here", count) if count else _("Nobody is here yet"),
        ngettext("%(num)s is still to come", "%(num)s are still to come", people)
        if people
        else _("nobody else is due"),
    ]
    sentence = ", ".join(said) + "."
    return " ".join([sentence, *_full_halves(row, instant)])


def _over(row: LieuDay, presences: Sequence[Presence]) -> str:
    """The day when it is over: since when the lieu is closed and how many came."""
    closed = max(span.end for span in row.open())
    came = len({presence.person_id for presence in presences})
    said = [
        _("The lieu has been closed since %(hour)s.", hour=hour(closed)),
        ngettext("%(num)s person came today.", "%(num)s people came today.", came) if came else _("Nobody came today."),
    ]
    return " ".join(said)


def _full_halves(row: LieuDay, instant: datetime) -> list[str]:
    """« L’après-midi est complet. » for each half still to come that has no free desk."""
    words = {"am": _("The morning is full."), "pm": _("The afternoon is full.")}
    desks = [desk.id for desk in spaces.resources(kind=DESK, day=row.day)]
    if not desks:
        return []
    taken = claims.taken(desks, row.span, instant)
    return [
        words[name]
        for name, half in bookable_halves(row.day, row).items()
        if half.span.end > instant and {r for r, span, _, _ in taken if span.overlaps(half.span)} >= set(desks)
    ]


def _free_now(row: LieuDay | None, instant: datetime) -> list[str]:
    """Rooms and the number of desks that are free at this moment."""
    if row is None or not any(span.contains(instant) for span in row.open()):
        return []
    resources = spaces.resources(day=row.day)
    busy = {r for r, _, _, _ in claims.taken([x.id for x in resources], Span(instant, instant + LATE), instant)}
    desks = sum(1 for x in resources if x.kind == DESK and x.id not in busy)
    rooms = [x.name for x in resources if x.kind == "room" and x.id not in busy]
    return [ngettext("%(num)s desk", "%(num)s desks", desks), *rooms]

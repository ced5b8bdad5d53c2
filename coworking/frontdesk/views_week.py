"""My week: a tap on a cell books, « Comme la semaine dernière », « Je suis là »."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts.models import Person
from coworking.booking import offers, queries, repeating, services, weeks
from coworking.booking.colleagues import desks_of_colleagues
from coworking.booking.forms import monday_of, read_agreed, read_day, read_halves, read_payer
from coworking.booking.pages import costs, names, on_to_pay, refused, said, say_booked, to_week, vary_by_htmx
from coworking.booking.rules import Half, NothingFree, bookable_halves
from coworking.booking.with_packs import WantedDesk
from coworking.claims.rules import ClaimConflict
from coworking.core.clock import now
from coworking.core.errors import DomainError
from coworking.core.formats import day_long, minutes_range
from coworking.core.i18n import _
from coworking.core.login import visitor
from coworking.core.months import month_of
from coworking.core.policy import Actor, current_actor, signed_in
from coworking.core.settings import settings
from coworking.core.timespan import Span
from coworking.core.web import load_whole, refusal, say
from coworking.frontdesk import first_week
from coworking.membership import entitlement_queries, paying_first
from coworking.membership import queries as memberships
from coworking.membership import services as membership
from coworking.membership.agreement_rules import AgreementExhausted
from coworking.membership.entitlement import Payer, PriceChanged
from coworking.membership.rules import expiry_state
from coworking.presence import queries as presences
from coworking.presence import services as presence
from coworking.presence.rules import EARLY
from coworking.residents import queries as residents
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, LieuDay

WEEK = timedelta(weeks=1)

blueprint = Blueprint("week", __name__)
blueprint.after_request(vary_by_htmx)


@blueprint.get("/week")
@signed_in
def show() -> ResponseReturnValue:
    today = spaces.today()
    monday = monday_of(read_day(request.args.get("from"), default=today))
    if request.args.get("week") == "next":
        monday = monday_of(today) + WEEK
    return _page(monday, go_on=not {"from", "week"} & set(request.args))


def _page(monday: date, *, go_on: bool = False) -> str:
    """The week of ``monday``, or the next one where nothing is left of it and one may ``go_on``."""
    actor = current_actor()
    lieu = spaces.lieu()
    today = spaces.today()
    # This week too, whichever is shown: for « Je suis là », and for knowing when it is over.
    calendar = spaces.days(min(today, monday), max(today, monday) + WEEK)
    if go_on and not _anything_left(calendar, today, monday):
        monday += WEEK
    days = weeks.week(_person(actor), _seven(monday), calendar)
    opening = calendar.get(today)
    left = _remaining(_person(actor), max(today, monday), monday + timedelta(days=6))
    ahead = [day for day in days if day.day >= today]
    behind = [day for day in days if day.day < today] if ahead else []
    last = today + timedelta(days=lieu.horizon_days)
    return render_template(
        "frontdesk/week.html",
        days=ahead or days,
        behind=behind,
        used=_used(behind),
        monday=monday,
        first=days[0].day if days else monday,
        last=days[-1].day if days else monday + timedelta(days=5),
        hours=_hours([calendar[day.day] for day in days], lieu.tz),
        previous=monday - WEEK,
        following=monday + WEEK if monday + WEEK <= last else None,
        horizon=last,
        here=presences.still_there(_person(actor), now()),
        open_now=opening is not None and _open_now(opening),
        actor=actor,
        can_repeat=monday <= last and monday + WEEK > today,
        remaining=left,
        first_week=_first_week(actor, left, today),
        own_places=residents.own_places(_person(actor), today),
        adhesion=_adhesion_ends(_person(actor), today),
    )


@blueprint.post("/bookings")
@signed_in
def book() -> ResponseReturnValue:
    """A tap on a cell, on a day's name, or on a desk of the list; or the sheet that said the price.

    A tap books at once what costs nothing and can be cancelled; of anything else the sheet says first what it comes to.
    """
    day = read_day(request.form.get("day"))
    half = request.form.get("half")
    payer, agreed = read_payer(request.form.get("payer")), read_agreed(request.form.get("agreed"))
    resource = request.form.get("resource") or None
    try:
        halves = read_halves(half)
        if agreed is None and offers.is_late(day, halves):
            found = offers.desk_offer(current_actor(), day, halves, resource=resource, payer=payer)
            if found.asks:
                return refused(_offer(found, half), 200)
        booking = services.book_half_days(
            current_actor(), day, halves, resource=resource, payer=payer, agreed_cents=agreed or 0
        )
    except (ClaimConflict, NothingFree) as conflict:
        return refused(_desk_list(day, half or "day", error=say(conflict)), 409)
    except (PriceChanged, AgreementExhausted) as asks:
        return _ask(day, half, resource, payer, error=say(asks) if agreed is not None else None)
    except DomainError as error:
        return refusal(error, lambda: _page(monday_of(day)))
    if (to_pay := on_to_pay(booking)) is not None:
        return to_pay
    say_booked(booking)
    return to_week(day)


@blueprint.post("/bookings/with-pack")
@signed_in
def book_with_pack() -> ResponseReturnValue:
    """Buy a pack and book on it: what the sheet offers beside paying once. Paid first, its payment books the desk."""
    day, half = read_day(request.form.get("day")), request.form.get("half")
    resource, pack = request.form.get("resource") or None, request.form.get("pack", "")
    price = read_agreed(request.form.get("agreed"))
    try:
        halves = read_halves(half)
        if paying_first.is_asked(memberships.pack_cents(pack, memberships.groups_now(current_actor().person_id or 0))):
            wanted = WantedDesk(day, halves, resource).written()
            sale = paying_first.sell_pack(current_actor(), pack, agreed_cents=price, wanted=wanted)
            return load_whole(url_for("pay_first.sale", sale_id=sale.public_id))
        membership.buy_pack(current_actor(), pack, agreed_cents=price)
    except DomainError as error:
        return _ask(day, half, resource, "me", error=say(error))
    try:
        booking = services.book_half_days(current_actor(), day, halves, resource=resource, payer="me", agreed_cents=0)
    except (ClaimConflict, NothingFree) as conflict:
        return refused(_desk_list(day, half or "day", error=say(conflict)), 409)
    except DomainError as error:
        return _ask(day, half, resource, "me", error=say(error))
    say_booked(booking)
    return to_week(day)


@blueprint.get("/bookings/offer")
@signed_in
def offer() -> ResponseReturnValue:
    """What a desk would cost, for another desk or payer than the sheet showed."""
    day, half = read_day(request.args.get("day")), request.args.get("half")
    payer = read_payer(request.args.get("payer"))
    found = offers.desk_offer(
        current_actor(), day, read_halves(half), resource=request.args.get("resource") or None, payer=payer
    )
    return _offer(found, half)


@blueprint.get("/desks")
@signed_in
def desks() -> ResponseReturnValue:
    """The free desks of a half-day or day, to choose one by its name."""
    return _desk_list(read_day(request.args.get("day")), request.args.get("half") or "day")


@blueprint.post("/week/repeat")
@signed_in
def repeat() -> ResponseReturnValue:
    """Like last week: the same half-days, where they are free; asks about what costs, says what could not be."""
    actor = current_actor()
    monday = monday_of(read_day(request.form.get("from"), default=spaces.today()))
    agreed = read_agreed(request.form.get("agreed"))
    no_use = _halves(actor, monday, lambda cell: cell.mine is not None or cell.state == "over")
    last_week = _halves(actor, monday - WEEK, lambda cell: cell.mine is not None)
    wanted = {day + WEEK: halves - no_use.get(day + WEEK, frozenset[Half]()) for day, halves in last_week.items()}
    found = repeating.repeat(actor, {day: halves for day, halves in wanted.items() if halves}, agreed_cents=agreed)
    troubles = [day_long(day) + _(": ") + say(trouble) for day, trouble in found.troubles]
    if found.asked:
        changed = _("Prices have changed in the meantime: look again.") if agreed is not None else None
        sheet = render_template("frontdesk/repeat.html", found=found, monday=monday, error=changed, troubles=troubles)
        return refused(sheet, 409 if changed else 200)
    for words in troubles:
        flash(words, "error")
    if found.booked:
        flash(_repeated(found))
    elif not found.troubles:
        flash(_("There was nothing to repeat."))
    return to_week(monday)


@blueprint.post("/week/first/close")
@signed_in
def close_first_week() -> ResponseReturnValue:
    answer = redirect(url_for("week.show"), 303)
    answer.set_cookie(
        first_week.CLOSED,
        "1",
        max_age=first_week.LASTS,
        secure=settings().cookies_secure,
        httponly=True,
        samesite="Lax",
    )
    return answer


@blueprint.post("/here")
@signed_in
def here() -> ResponseReturnValue:
    """« Je suis là »; where that takes a desk which costs something, the sheet says it first."""
    agreed = read_agreed(request.form.get("agreed"))
    try:
        if agreed is None and (asked := _arrival_asked()) is not None:
            return asked
        arrival = presence.arrive(current_actor(), agreed_cents=agreed or 0)
    except PriceChanged as changed:
        if (asked := _arrival_asked(None if agreed is None else say(changed))) is not None:
            return asked
        return refusal(changed, lambda: _page(monday_of(spaces.today())))
    except DomainError as error:
        return refusal(error, lambda: _page(monday_of(spaces.today())))
    flash(_arrived(arrival))
    return redirect(url_for("week.show"), 303)


@blueprint.post("/leave")
@signed_in
def leave() -> ResponseReturnValue:
    left = presence.leave(current_actor())
    counted = left.counted if left is not None else ()
    more = [_("Counted as well: %(what)s", what=said(booking)) for booking in counted]
    flash(" ".join([_("Goodbye, and see you soon."), *more]))
    return redirect(url_for("week.show"), 303)


def _person(actor: Actor) -> int:
    return actor.person_id or 0  # only the system has none, and it looks at no pages


def _seven(monday: date) -> list[date]:
    return [monday + timedelta(days=n) for n in range(7)]


def _halves(actor: Actor, monday: date, which: Callable[[weeks.HalfOfWeek], bool]) -> dict[date, frozenset[Half]]:
    """The half-days of ``actor``'s week of ``monday`` for which ``which`` holds, by day."""
    days = _seven(monday)
    rows = weeks.week(_person(actor), days, spaces.days(days[0], days[-1]))
    return {row.day: found for row in rows if (found := frozenset[Half](c.half for c in row.cells if which(c)))}


def _remaining(person_id: int, first: date, last: date) -> list[entitlement_queries.Remaining]:
    """What is left from ``first`` to ``last``: of both months if the week lies in two, of a pack once."""
    months = [first] if month_of(first) == month_of(last) else [first, month_of(last)]
    return list(dict.fromkeys(left for day in months for left in entitlement_queries.remaining(person_id, day)))


def _first_week(
    actor: Actor, left: Sequence[entitlement_queries.Remaining], today: date
) -> first_week.FirstWeek | None:
    """The card of the first week, unless it was closed in this browser."""
    person = visitor()
    if first_week.CLOSED in request.cookies or not isinstance(person, Person):
        return None
    return first_week.first_week(actor, person, spaces.lieu(), left, today, now())


def _adhesion_ends(person_id: int, today: date) -> tuple[str, date] | None:
    """How an adhesion stands and its last day, when that is worth a line: it ends soon, or has ended."""
    last = memberships.last_adhesion_day(person_id)
    state = expiry_state(last, today) if last is not None else "current"
    return (state, last) if last is not None and state != "current" else None


def _anything_left(calendar: Mapping[date, LieuDay], today: date, monday: date) -> bool:
    """Whether this week still has an open half-day to come: on a Saturday evening people look at the next one."""
    instant = now()
    days = (row for day, row in calendar.items() if today <= day < monday + WEEK)
    return any(span.end > instant for row in days for span in row.open())


def _used(days: Sequence[weeks.WeekDay]) -> list[tuple[str, int]]:
    """What one used on ``days``: each desk or room and how often, in order."""
    return list(Counter(name for day in days for name in day.used).items())


def _open_now(day: LieuDay) -> bool:
    instant = now()
    return any(span.start - EARLY <= instant < span.end for span in day.open())


def _hours(days: Sequence[LieuDay], zone: ZoneInfo) -> dict[Half, str]:
    """« 9–13 h » and « 13–18 h »: the widest hours of each half among ``days``, for the head of the table."""
    found: dict[Half, list[tuple[int, int]]] = {"am": [], "pm": []}
    for row in days:
        for name, half in bookable_halves(row.day, row).items():
            start, end = half.span.start.astimezone(zone), half.span.end.astimezone(zone)
            found[name].append((start.hour * 60 + start.minute, end.hour * 60 + end.minute or 1440))
    return {
        name: minutes_range(min(a for a, _ in hours), max(b for _, b in hours)) if hours else ""
        for name, hours in found.items()
    }


def _repeated(found: repeating.Repeated) -> str:
    """« 3 demi-journées réservées comme la semaine dernière. 2 demi-journées payées par Durand. 9,00 € en tout, … »."""
    bills = [bill for booking in found.made if (bill := offers.bill_of(booking)) is not None]
    employers = Counter[str]()
    for bill in bills:
        if bill.employer is not None:
            employers[bill.employer] += bill.by_employer
    return render_template("frontdesk/_repeated.txt", found=found, bills=bills, employers=employers).strip()


def _arrival_asked(error: str | None = None) -> ResponseReturnValue | None:
    """The sheet that says what the desk costs or takes of a plan or pack that arriving now would take; None where none."""
    half = presence.half_to_take(_person(current_actor()))
    if half is None:
        return None
    try:
        found = offers.desk_offer(current_actor(), half.day, frozenset({half.half}))
    except (ClaimConflict, NothingFree):
        return None  # nobody is turned away at the door, and nothing is owed
    if not (found.terms.cents or found.terms.taken):
        return None
    found = replace(found, terms=replace(found.terms, pay_now=0))  # who is there pays later
    return refused(
        render_template("frontdesk/arrive.html", offer=found, half=half.half, error=error), 409 if error else 200
    )


def _arrived(arrival: presence.Arrival) -> str:
    if arrival.booking is None and (own := residents.own_places(arrival.presence.person_id, arrival.presence.day)):
        return _("Welcome. %(desk)s is yours.", desk=own[0].name)
    if arrival.booking is None:
        return _("Welcome. Every desk is taken just now: the host will find you a place.")
    if arrival.walked_in:
        welcome = _("Welcome. %(desk)s is yours for now.", desk=names(arrival.booking))
        return f"{welcome} {costs(arrival.booking)}".rstrip()
    return _("Welcome. %(desk)s is waiting for you.", desk=names(arrival.booking))


def _ask(
    day: date, half: str | None, resource: str | None, payer: Payer | None, *, error: str | None
) -> ResponseReturnValue:
    """The sheet with the price; the list of desks if that desk was taken meanwhile."""
    try:
        found = offers.desk_offer(current_actor(), day, read_halves(half), resource=resource, payer=payer)
    except (ClaimConflict, NothingFree) as conflict:
        return refused(_desk_list(day, half or "day", error=say(conflict)), 409)
    return refused(_offer(found, half, error), 409 if error else 200)


def _offer(found: offers.Offer, half: str | None, error: str | None = None) -> str:
    takes = 2 if half == "day" else 1
    packs = [
        one
        for one in (memberships.pack_offers() if found.terms.cents and found.terms.payer == "me" else ())
        if one.unit == "half_day" and one.units >= takes
    ]
    groups = memberships.groups_now(current_actor().person_id or 0) if packs else []
    priced = [(one, memberships.pack_cents(one, groups)) for one in packs]
    return render_template("frontdesk/offer.html", offer=found, half=half, error=error, packs=priced)


def _desk_list(day: date, half: str, error: str | None = None) -> str:
    """The free desks of those half-days, or where none is, the half-days near them that have one."""
    halves = read_halves(half)
    found = [known for name, known in queries.open_halves(day).items() if name in halves]
    span = Span(found[0].span.start, found[-1].span.end) if found else None
    me = _person(current_actor())
    free = queries.free_resources(span, DESK, person_id=me) if span is not None else []
    near = [] if free else weeks.free_near(me, day, halves)
    there = [seen for seen in desks_of_colleagues(me, span) if seen.half in halves] if span is not None else []
    return render_template(
        "frontdesk/desks.html", day=day, half=half, free=free, near=near, colleagues=there, error=error
    )

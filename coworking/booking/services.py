"""Booking, cancelling, undoing, moving. Each public function is one unit of work.

The order is always: lock the person (and so their allowances), lock the resources, look, decide, write, count the day up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from coworking.booking import day_rates, emails, paying_first, queries, refusals
from coworking.booking.access import for_whom, own_booking, record_change
from coworking.booking.cancelling import cancel_in_unit, restore_in_unit
from coworking.booking.models import Booking
from coworking.booking.moving import TOLD_NOTHING, Agreed, move_in_unit, undo_move_in_unit
from coworking.booking.outcomes import follow_again
from coworking.booking.placing import Request, RequestedItem, check_still_there, choose, units_of, uses_of
from coworking.booking.rules import (
    AlreadyOver,
    AlreadyStarted,
    Half,
    NoHalfDay,
    NothingFree,
    UndoTooLate,
    check_window,
)
from coworking.claims import services as claims
from coworking.claims.rules import ClaimConflict, Wanted
from coworking.core.clock import now
from coworking.core.errors import NotFound
from coworking.core.policy import Actor
from coworking.core.sql import insert_now
from coworking.core.timespan import Span, local_date
from coworking.core.units import end_read, require_unit, write_unit
from coworking.membership import coverage
from coworking.membership.entitlement import Payer, check_agreed
from coworking.pricing.sales import GRACE
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK
from coworking.spaces.rules import check_half_open

Newcomer = Callable[[], str]
"""Adds a person inside the open unit and gives their public id."""


def book(actor: Actor, request: Request, *, newcomer: Newcomer | None = None) -> Booking:
    """Book for the actor, or as staff for anyone; ``newcomer`` adds the person in the same unit, so that both are made
    or neither.

    Desks take every half-day that the span touches; rooms take the span itself. Raises `ClaimConflict` or `NothingFree`
    (with what is free instead), or the rule that forbids it.
    """
    try:
        with write_unit() as unit:
            booking = book_in_unit(actor, request if newcomer is None else replace(request, person=newcomer()))
            unit.result = booking.public_id
    except (ClaimConflict, NothingFree) as conflict:
        wanted = conflict.params.get("item")
        conflict.extra["free"] = _free_instead(request, wanted)
        if not conflict.extra["free"]:
            day, kind = local_date(request.span.start, spaces.lieu().tz), _kind_of(request, wanted)
            refusals.note(actor, request.person, day, kind)
        raise
    return booking


def book_half_days(
    actor: Actor,
    day: date,
    halves: frozenset[Half],
    *,
    person: str | None = None,
    resource: str | None = None,
    zone: str | None = None,
    source: str = "web",
    payer: Payer | None = None,
    agreed_cents: int | None = None,
    several_places: bool = False,
    pay_first: bool | None = None,
    ask_how: bool = False,
    newcomer: Newcomer | None = None,
) -> Booking:
    """Book a desk on ``day``: a given one, or any free one by the lieu's rule. Both halves are one claim across lunch."""
    if not halves:
        raise NoHalfDay()
    open_halves = queries.open_halves(day)
    wanted = [open_halves[half] for half in open_halves if half in halves]
    if len(wanted) < len(halves):
        check_half_open(spaces.day(day), None)
    end_read()
    span = Span(wanted[0].span.start, wanted[-1].span.end)
    item = RequestedItem(resource=resource, kind=DESK, zone=zone)
    asked = Request(
        span=span,
        items=(item,),
        person=person,
        source=source,
        payer=payer,
        agreed_cents=agreed_cents,
        several_places=several_places,
        pay_first=pay_first,
        ask_how=ask_how,
    )
    return book(actor, asked, newcomer=newcomer)


def cancel(actor: Actor, public_id: str, *, mistake: bool = False) -> Booking:
    """Cancel a booking; twice is fine. The place is kept two minutes for an undo.

    Free of charge until `coworking.booking.rules.cancel_free_until`, afterwards it counts as used. ``mistake``: staff
    cancel what they booked wrongly, and nobody owes anything.
    """
    with write_unit() as unit:
        booking = own_booking(actor, public_id, by_proxy=True)
        unit.result = booking.public_id
        if booking.is_cancelled:
            return booking
        instant = now()
        if booking.ends_at <= instant and not booking.is_held:
            raise AlreadyOver()
        if booking.starts_at <= instant and not actor.is_staff and not booking.is_held:
            raise AlreadyStarted()
        cancel_in_unit(actor, booking, "mistake" if mistake and actor.is_staff else "asked")
    return booking


def undo_cancel(actor: Actor, public_id: str) -> Booking:
    """Take a cancellation back while the place is still kept; raises `UndoTooLate` afterwards.

    It costs what it cost before and is paid by whom it was; `UndoChangesPrice` when that can no longer be. What has
    become of the place, the day and the person meanwhile refuses it as it would refuse booking anew.
    """
    with write_unit() as unit:
        booking = own_booking(actor, public_id, by_proxy=True)
        unit.result = booking.public_id
        if not booking.is_cancelled:
            return booking
        if not booking.person.is_active:
            raise NotFound()
        if booking.day < spaces.today() and booking.ends_at <= now():  # a day that is over is charged as it ended
            raise UndoTooLate()
        resources = claims.lock_resources({unit.resource_id for unit in booking.units})
        kept = queries.live_claims(booking.id)  # behind the locks: a place that went is not among them
        if {claim.resource_id for claim in kept} != resources.keys() or not claims.restore(kept):
            raise UndoTooLate()
        check_still_there(booking, resources, booking.units)
        if quotes := queries.quotes_of(booking.id):
            units = sorted(booking.units, key=lambda unit: (unit.starts_at, unit.id))  # as the quotes stand
            again = coverage.restore(quotes)
            for unit, quote in zip(units, again, strict=True):
                unit.quote = quote
            day_rates.pair_again(again)
        restore_in_unit(booking)
        follow_again(booking)
        record_change(actor, "booking.restored", booking)
    return booking


def move(
    actor: Actor,
    public_id: str,
    *,
    span: Span | None = None,
    resource: str | None = None,
    agreed: Agreed = TOLD_NOTHING,
) -> Booking:
    """Move a booking of one resource to another span of the same kind of day, another resource, or both.

    Keeps its identity, its payer and what was said about it; either the new place is taken or the old one is kept.
    What it costs is decided anew: `PriceChanged`, and nothing is done, where that is not what was ``agreed``. Raises
    `LateMove` where moving would cancel what is too late to be cancelled, `SeveralPlaces` for a booking of several
    resources.
    """
    try:
        with write_unit() as unit:
            booking = own_booking(actor, public_id, by_proxy=True)
            unit.result = booking.public_id
            booking = move_in_unit(actor, booking, span or booking.span, resource, agreed)
    except (ClaimConflict, NothingFree) as conflict:
        if span is not None:
            asked = Request(span=span, items=(RequestedItem(resource=resource, kind=DESK),))
            conflict.extra["free"] = _free_instead(asked, None)
        raise
    return booking


def undo_move(actor: Actor, public_id: str) -> Booking:
    """Undo a booking's last move, within ten minutes; twice is fine. It costs what it cost before; nothing is owed twice.

    Raises `FormerPlaceTaken` where someone else has the place by now, `MoveUndoTooLate`, `UndoChangesPrice` where what
    covered it has gone; then the booking stays where it is.
    """
    with write_unit() as unit:
        booking = own_booking(actor, public_id, by_proxy=True)
        unit.result = booking.public_id
        return undo_move_in_unit(actor, booking)


# Within the unit ------------------------------------------------------------------------------------------------------


def book_in_unit(actor: Actor, request: Request, *, even_if_over: bool = False) -> Booking:
    """Book in the open unit. ``even_if_over``: what was used may be written down afterwards."""
    require_unit()
    instant = now()
    person, lieu = for_whom(actor, request.person, by_proxy=True), spaces.lieu()
    at = min(instant, request.span.start) if even_if_over else instant
    day = check_window(request.span, at=at, horizon_days=lieu.horizon_days, zone=lieu.tz)
    by_staff = actor.is_staff and actor.person_id != person.id
    source = "staff" if request.source == "web" and by_staff else request.source
    untold_since = emails.window_of(person, source)  # first: the resources are locked as briefly as can be
    chosen = choose(
        request, person, lieu, day, instant, several=request.several_places and actor.is_staff, clear_way=True
    )
    uses = [use for _, use, _ in chosen]
    booking = Booking(
        person_id=person.id,
        person=person,
        created_by_id=actor.person_id,
        day=day,
        starts_at=min(use.start for use in uses),
        ends_at=max(use.end for use in uses),
        title=request.title,
        guests=request.guests,
        source=source,
        created_at=instant,
        untold_since=untold_since,
    )
    booking.units = [unit for resource, use, halves in chosen for unit in units_of(resource, use, halves, day)]
    decided = coverage.decisions(person.id, request.payer, uses_of(booking.units))
    check_agreed(decided, request.agreed_cents)
    for unit, quote in zip(booking.units, coverage.write(person.id, decided), strict=True):
        unit.quote = quote
    is_held = paying_first.is_asked(actor, request, person, lieu, decided)
    if is_held:
        paying_first.hold(actor, booking)
    insert_now(booking, *booking.units)
    claims.take(
        [Wanted(resource.id, use, resource.buffer_after) for resource, use, _ in chosen],
        holder=("booking", booking.id),
        expires_at=booking.held_until and booking.held_until + GRACE,
        none_expired=True,  # `choose` has released what was in the way
    )
    if is_held:
        paying_first.sell(actor, booking)
    further = {"several_places": True} if request.several_places and actor.is_staff else {}
    record_change(actor, "booking.made", booking, **further)
    return booking


def _free_instead(request: Request, failed: object) -> list[dict[str, str]]:
    """Up to five free resources of the kind that could not be had, over the same span, for the loser's answer.

    ``failed``: the item that was refused; the first one where only the database noticed. What the request names
    otherwise is not offered instead.
    """
    kind = _kind_of(request, failed)
    named = {item.resource for item in request.items}
    rows = queries.free_resources(request.span, kind, guests=request.guests)
    free = [row for row in rows if row.public_id not in named]
    return [{"resource_id": row.public_id, "name": row.name} for row in free[:5]]


def _kind_of(request: Request, failed: object) -> str:
    """What kind of resource could not be had: that of the item that ``failed``, else of the first one."""
    wanted = failed if isinstance(failed, RequestedItem) else request.items[0]
    return spaces.resource_by_public_id(wanted.resource).kind if wanted.resource is not None else wanted.kind or DESK

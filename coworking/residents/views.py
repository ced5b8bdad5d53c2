"""Assigned desks and offices: whose they are, assigning one, moving and ending it, and the resident's own page."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import queries as accounts
from coworking.accounts.models import Organisation, Person
from coworking.accounts.session import require_proof
from coworking.core import exports
from coworking.core.errors import N_, NotFound
from coworking.core.formats import day_year
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires, signed_in
from coworking.residents import forms, pages, queries, services
from coworking.residents.list_pages import RESIDENCIES
from coworking.residents.models import Residency
from coworking.residents.pages import blueprint
from coworking.residents.rules import PlaceNotFree, can_go_on, check_end, residency_state
from coworking.spaces import queries as spaces

T = TypeVar("T")

__all__ = ["blueprint"]


@blueprint.get("/residents")
@requires(Role.MANAGER)
def index() -> ResponseReturnValue:
    today, over = spaces.today(), "ended" in request.args
    if kind := exports.asked():
        require_proof()
        return exports.list_answer(kind, N_("Assigned places"), RESIDENCIES, queries.every_residency(today, over=over))

    def url(wanted: int) -> str:
        return url_for("residents.index", ended=1 if over else None, page=wanted)

    number = min(request.args.get("page", 1, type=int), 1_000_000)
    found = queries.list_residencies(number, today, over=over)
    return render_template("residents/index.html", found=found, ended=over, url=url, today=today)


@blueprint.get("/residents/new")
@requires(Role.MANAGER)
def new() -> ResponseReturnValue:
    """The form, filled with the place and the resident from whose page one came."""
    typed = {"first_day": spaces.today().isoformat(), "parts": "days", "notice_months": "1", "vat_rate": "20"}
    typed |= {"place": request.args.get("place", ""), "basis": "ttc"}
    who: Person | Organisation | None = None
    with suppress(NotFound):
        if public_id := request.args.get("person"):
            who = accounts.person_by_public_id(public_id)
        elif public_id := request.args.get("organisation"):
            who = accounts.organisation_by_public_id(public_id)
    if who is not None:
        typed |= {"who": who.name, "chosen": forms.chosen_of(who)}
    return _new_page(Form(typed))


@blueprint.post("/residents/new")
@requires(Role.MANAGER)
def look() -> ResponseReturnValue:
    """What it comes to, and who is in the way, before it is done."""
    form = Form(request.form)
    wanted, who = forms.read_assigning(form, taxable=_is_taxable())
    if "back" in form:
        form.errors = {}
        return _new_page(form)
    if who is None or not form.is_good:
        return _new_page(form)
    resource, conflict = _tried(form, "place", lambda: services.check_assignable(wanted))
    if resource is None:
        return _new_page(form, conflict)
    return render_template(
        "residents/sure.html",
        terms=wanted.terms,
        resource=resource,
        who=who,
        people=pages.people_of(who),
        written_to=pages.written_to(who),
        months=pages.first_months(wanted.terms),
        typed={name: form[name] for name in forms.FIELDS} | {"who": who.name, "chosen": forms.chosen_of(who)},
        taxable=_is_taxable(),
    )


@blueprint.post("/residents")
@requires(Role.MANAGER)
def assign() -> ResponseReturnValue:
    form = Form(request.form)
    wanted, who = forms.read_assigning(form, taxable=_is_taxable())
    if who is None or not form.is_good:
        return _new_page(form)
    made, conflict = _tried(form, "place", lambda: services.assign(current_actor(), wanted))
    if made is None:
        return _new_page(form, conflict)
    flash(_("%(place)s is assigned to %(who)s.", place=made.places[0].resource.name, who=who.name))
    return _to(made.public_id)


@blueprint.get("/residents/<public_id>")
@requires(Role.MANAGER)
def page(public_id: str) -> ResponseReturnValue:
    return _page(queries.residency_by_public_id(public_id))


@blueprint.post("/residents/<public_id>/move")
@requires(Role.MANAGER)
def move(public_id: str) -> ResponseReturnValue:
    """First what it means, then, ``sure``, the move."""
    held, form = queries.residency_by_public_id(public_id), Form(request.form)
    place, first_day = form.text("place", most=40), form.day("first_day")
    if not form.is_good:
        return _page(held, moved=form)
    if "sure" in form:
        moved, conflict = _tried(form, "first_day", lambda: services.move(current_actor(), public_id, place, first_day))
        if moved is not None:
            flash(_("The resident has another place from %(day)s on.", day=day_year(first_day)))
            return _to(public_id)
        return _page(queries.residency_by_public_id(public_id), moved=form, conflict=conflict)
    to, conflict = _tried(form, "first_day", lambda: services.check_move(held, place, first_day))
    if to is None:
        return _page(held, moved=form, conflict=conflict)
    return render_template(
        "residents/sure_move.html",
        held=held,
        former=held.places[-1].resource,
        to=to,
        first_day=first_day,
        written_to=pages.written_to(held.organisation or held.person),
        taxable=_is_taxable(),
    )


@blueprint.post("/residents/<public_id>/end")
@requires(Role.MANAGER)
def end(public_id: str) -> ResponseReturnValue:
    """First what it means and what is still to pay, then, ``sure``, the end."""
    held, form = queries.residency_by_public_id(public_id), Form(request.form)
    last_day, let_off = form.day("last_day"), form.checked("let_off")
    if not form.is_good:
        return _page(held, ended=form)
    with form.trying(at="last_day"):
        if "sure" in form:
            services.end(current_actor(), public_id, last_day, let_off=let_off)
            flash(_("It ends on %(day)s. The place can be booked from the day after.", day=day_year(last_day)))
            return _to(public_id)
        check_end(spaces.today(), held.terms, last_day, let_off=let_off)
        return render_template(
            "residents/sure_end.html",
            held=held,
            resource=held.place_on(last_day),
            last_day=last_day,
            following=pages.day_after(last_day),
            let_off=let_off,
            months=pages.months_to_pay(held.terms, max(spaces.today(), held.first_day), last_day),
            written_to=pages.written_to(held.organisation or held.person),
            taxable=_is_taxable(),
        )
    return _page(queries.residency_by_public_id(public_id), ended=form)


@blueprint.post("/residents/<public_id>/keep")
@requires(Role.MANAGER)
def keep(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    kept, conflict = _tried(form, "keep", lambda: services.keep(current_actor(), public_id))
    if kept is None:
        return _page(queries.residency_by_public_id(public_id), kept=form, conflict=conflict)
    flash(_("It goes on from month to month."))
    return _to(public_id)


@blueprint.post("/residents/<public_id>/take-back")
@requires(Role.MANAGER)
def take_back(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    taken_back, _conflict = _tried(form, "keep", lambda: services.take_back(current_actor(), public_id))
    if taken_back is None:
        return _page(queries.residency_by_public_id(public_id), kept=form)
    flash(_("It is taken back. Nothing is invoiced, and the place can be booked."))
    return _to(public_id)


@blueprint.get("/me/place")
@signed_in
def mine() -> ResponseReturnValue:
    """Where one sits as a resident; what was agreed, for who pays it."""
    actor, today = current_actor(), spaces.today()
    return render_template(
        "residents/mine.html",
        places=queries.own_places(actor.person_id, today),
        held=[row for row in queries.residencies_of(actor.person_id) if row.withdrawn_at is None],
        today=today,
        residency_state=residency_state,
        taxable=_is_taxable(),
    )


# Pages ----------------------------------------------------------------------------------------------------------------


def _new_page(form: Form, conflict: PlaceNotFree | None = None) -> ResponseReturnValue:
    options = [(row.public_id, f"{row.name} ({row.zone.name})") for row in queries.assignable(spaces.today())]
    return form_page(
        "residents/new.html",
        form,
        places=options,
        taxable=_is_taxable(),
        conflict=conflict,
    )


def _page(
    found: Residency,
    *,
    moved: Form | None = None,
    ended: Form | None = None,
    kept: Form | None = None,
    conflict: PlaceNotFree | None = None,
) -> ResponseReturnValue:
    today = spaces.today()
    state = residency_state(found.terms, today, taken_back=found.withdrawn_at is not None)
    last = found.places[-1]
    return form_page(
        "residents/page.html",
        moved or ended or kept or Form(),
        held=found,
        state=state,
        resource=found.place_on(max(today, found.first_day)),
        today=today,
        people=pages.people_of(found.organisation or found.person),
        moved=moved or Form({"first_day": max(today, last.first_day).isoformat()}),
        ended=ended or Form(),
        kept=kept,
        places=[
            (row.public_id, f"{row.name} ({row.zone.name})")
            for row in queries.assignable(today)
            if row.id != last.resource_id
        ],
        ends=pages.ends_offered(found) if found.last_day is None else [],
        goes_on=can_go_on(today, found.terms) and found.withdrawn_at is None,
        conflict=conflict,
        taxable=_is_taxable(),
    )


def _tried(form: Form, at: str, action: Callable[[], T]) -> tuple[T | None, PlaceNotFree | None]:
    """What ``action`` gives; None where it is refused, which the form says at its input or ``at``; who has the place."""
    conflict: PlaceNotFree | None = None
    with form.trying(at=at):
        try:
            return action(), None
        except PlaceNotFree as error:
            conflict = error
            raise
    return None, conflict


def _to(public_id: str) -> ResponseReturnValue:
    return redirect(url_for("residents.page", public_id=public_id), 303)


def _is_taxable() -> bool:
    return spaces.lieu().vat_status == "taxable"

"""The manager's settings of the lieu: who it is, when it opens, what is in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from coworking.core import exports
from coworking.core.displaced import WouldDisplace
from coworking.core.errors import N_
from coworking.core.formats import weekday_names
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _, ngettext
from coworking.core.policy import Role, current_actor, requires
from coworking.spaces import forms, inventory, queries, services
from coworking.spaces.list_pages import CLOSURES, RESOURCES
from coworking.spaces.pages import beside
from coworking.spaces.rules import weekly

blueprint = Blueprint("spaces", __name__, url_prefix="/settings")


@blueprint.record
def _globals(state: BlueprintSetupState) -> None:
    """Every page may name the lieu: ``lieu()`` is it, or None before it is set up."""
    app: Flask = state.app  # type: ignore[assignment] - blueprints here are registered on the application itself
    app.jinja_env.globals["lieu"] = queries.lieu_or_none


@blueprint.get("")
@requires(Role.MANAGER)
def index() -> ResponseReturnValue:
    return render_template("spaces/index.html", place=queries.lieu())


@blueprint.get("/lieu")
@requires(Role.MANAGER)
def lieu() -> ResponseReturnValue:
    return _lieu_page(Form(forms.lieu_fields(queries.lieu())))


@blueprint.post("/lieu")
@requires(Role.MANAGER)
def save_lieu() -> ResponseReturnValue:
    form = Form(request.form)
    values = forms.read_lieu(form)
    if _done(form, lambda: services.update_lieu(current_actor(), agreed=form.agreed, **values), _("Saved.")):
        return redirect(url_for("spaces.lieu"), 303)
    return _lieu_page(form)


@blueprint.get("/hours")
@requires(Role.MANAGER)
def hours() -> ResponseReturnValue:
    today = queries.today()
    current = queries.schedule_on(today)
    fields = {"valid_from": (today + timedelta(days=1)).isoformat()}
    if current is not None:
        fields |= forms.week_fields(queries.openings(current)) | {"split": forms.clock(current.split_minute)}
    return _hours_page(Form(fields))


@blueprint.post("/hours")
@requires(Role.MANAGER)
def save_hours() -> ResponseReturnValue:
    form = Form(request.form)
    openings, split, valid_from = forms.read_week(form), forms.read_split(form), form.day("valid_from")
    if _done(
        form,
        lambda: services.set_schedule(
            current_actor(), valid_from=valid_from, split_minute=split, openings=openings, agreed=form.agreed
        ),
        _("These hours apply from the day you chose."),
        field="valid_from",
    ):
        return redirect(url_for("spaces.hours"), 303)
    return _hours_page(form)


@blueprint.post("/hours/remove")
@requires(Role.MANAGER)
def remove_hours() -> ResponseReturnValue:
    form = Form(request.form)
    valid_from = form.day("valid_from")
    if _done(
        form,
        lambda: services.remove_schedule(current_actor(), valid_from, agreed=form.agreed),
        _("These hours will not apply."),
        field="valid_from",
    ):
        return redirect(url_for("spaces.hours"), 303)
    return _hours_page(form)


@blueprint.get("/closures")
@requires(Role.MANAGER)
def closures() -> ResponseReturnValue:
    if kind := exports.asked():
        rows = queries.closures_between(queries.today(), date.max)
        return exports.list_answer(kind, N_("Closures"), CLOSURES, rows)
    return _closures_page(Form())


@blueprint.post("/closures")
@requires(Role.MANAGER)
def add_closure() -> ResponseReturnValue:
    form = Form(request.form)
    closing = forms.read_closing(form)
    if _done(
        form,
        lambda: services.add_closure(current_actor(), closing, agreed=form.agreed),
        _("The closure is announced."),
        field="first_day",
    ):
        return redirect(url_for("spaces.closures"), 303)
    return _closures_page(form)


@blueprint.post("/closures/<public_id>/remove")
@requires(Role.MANAGER)
def remove_closure(public_id: str) -> ResponseReturnValue:
    said = _("The closure is cancelled. Bookings that it cancelled or shortened stay so: their people have been told.")
    _say_changed(said, services.remove_closure(current_actor(), public_id))
    return redirect(url_for("spaces.closures"), 303)


@blueprint.get("/spaces")
@requires(Role.MANAGER)
def spaces() -> ResponseReturnValue:
    if kind := exports.asked():
        rows = [
            row for row in queries.resources() if not row.in_service_until or row.in_service_until >= queries.today()
        ]
        return exports.list_answer(kind, N_("Desks and rooms"), RESOURCES, rows)
    return _spaces_page(Form())


@blueprint.post("/zones")
@requires(Role.MANAGER)
def add_zone() -> ResponseReturnValue:
    form = Form(request.form)
    name = form.text("zone", most=80)
    if _done(form, lambda: inventory.add_zone(current_actor(), name), _("Added."), field="zone"):
        return redirect(url_for("spaces.spaces"), 303)
    return _spaces_page(form)


@blueprint.get("/zones/<public_id>")
@requires(Role.MANAGER)
def zone(public_id: str) -> ResponseReturnValue:
    found = queries.zone_by_public_id(public_id)
    return form_page("spaces/zone.html", Form({"name": found.name}), zone=found)


@blueprint.post("/zones/<public_id>")
@requires(Role.MANAGER)
def save_zone(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    name = form.text("name", most=80)
    if _done(form, lambda: inventory.rename_zone(current_actor(), public_id, name), _("Saved."), field="name"):
        return redirect(url_for("spaces.spaces"), 303)
    return form_page("spaces/zone.html", form, zone=queries.zone_by_public_id(public_id))


@blueprint.post("/resources")
@requires(Role.MANAGER)
def add_resources() -> ResponseReturnValue:
    form = Form(request.form)
    added = forms.read_resources(form)
    if _done(form, lambda: inventory.add_resources(current_actor(), **added), _("Added."), field="names"):
        return redirect(url_for("spaces.spaces"), 303)
    return _spaces_page(form)


@blueprint.get("/resources/<public_id>")
@requires(Role.MANAGER)
def resource(public_id: str) -> ResponseReturnValue:
    return _resource_page(public_id)


@blueprint.post("/resources/<public_id>")
@requires(Role.MANAGER)
def save_resource(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    values = forms.read_resource(form)
    if _done(
        form,
        lambda: inventory.update_resource(current_actor(), public_id, **values),
        _("Saved."),
        field="name",
    ):
        return redirect(url_for("spaces.spaces"), 303)
    return _resource_page(public_id, form)


@blueprint.post("/resources/<public_id>/retire")
@requires(Role.MANAGER)
def retire_resource(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    last_day = form.day("last_day")
    if _done(
        form,
        lambda: inventory.retire_resource(current_actor(), public_id, last_day, agreed=form.agreed),
        _("It stays in service until that day."),
        field="last_day",
    ):
        return redirect(url_for("spaces.spaces"), 303)
    return _resource_page(public_id, retire=form)


def _done(form: Form, action: Callable[[], object], said: str, *, field: str = "name") -> bool:
    """Run ``action`` unless something typed is wrong, and say so; a refusal lands at its ``field``."""
    if form.is_good:
        with form.trying(at=field):
            try:
                _say_changed(said, action())
                return True
            except WouldDisplace as error:
                form.toll = error.toll  # the page says it in words and asks to press once more
                form.refuse("agreed", error.toll.text)
    return False


def _say_changed(said: str, result: object) -> None:
    """Tell the manager how many days open differently now (services that touch days return them, alone or last)."""
    result = result[-1] if isinstance(result, tuple) else result
    changed = [part for part in result if isinstance(part, date)] if isinstance(result, list) else []
    if changed:
        said += " " + ngettext(
            "%(num)s day opens differently.",
            "%(num)s days open differently.",
            len(changed),
        )
    flash(said)


def _lieu_page(form: Form) -> ResponseReturnValue:
    return form_page(
        "spaces/lieu.html",
        form,
        place=queries.lieu(),
    )


def _hours_page(form: Form) -> ResponseReturnValue:
    today, dated = queries.today(), queries.schedules()
    current = queries.in_force(dated, today)
    shown = [s for s in dated if s is current or s.valid_from > today]
    return form_page(
        "spaces/hours.html",
        form,
        schedules=[(s, weekly(queries.openings(s))) for s in shown],
        current=current,
        weekdays=weekday_names(),
        today=today,
    )


def _closures_page(form: Form) -> ResponseReturnValue:
    today = queries.today()
    known = queries.days(today, today + timedelta(days=365))
    return form_page(
        "spaces/closures.html",
        form,
        place=queries.lieu(),
        closures=queries.closures_between(today, date.max),
        holidays=[row for row in known.values() if row.holiday],
        today=today,
    )


def _spaces_page(form: Form) -> ResponseReturnValue:
    return form_page(
        "spaces/spaces.html",
        form,
        zones=(zones := queries.zones()),
        zone_options=[(zone.public_id, zone.name) for zone in zones],
        today=queries.today(),
    )


def _resource_page(public_id: str, form: Form | None = None, *, retire: Form | None = None) -> ResponseReturnValue:
    found, today = queries.resource_by_public_id(public_id), queries.today()
    retire = retire or Form({"last_day": today.isoformat()})
    return form_page(
        "spaces/resource.html",
        form or retire,
        form=form or Form(forms.resource_fields(found)),
        retire=retire,
        resource=found,
        zone_options=[(zone.public_id, zone.name) for zone in queries.zones()],
        today=today,
        beside=[part(found) for part in beside],
    )

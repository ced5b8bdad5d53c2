"""« Moi »: what people decide about themselves."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import booking_proxies, invitations, queries, services
from coworking.accounts.forms import postal_form, postal_form_of, profile_form
from coworking.accounts.labels import status_choices
from coworking.accounts.models import Person
from coworking.accounts.pages import blueprint, page
from coworking.core import place
from coworking.core.clock import now
from coworking.core.forms import Form
from coworking.core.i18n import _, choose_again
from coworking.core.policy import current_actor, signed_in
from coworking.core.timespan import local_date


@blueprint.get("/me")
@signed_in
def me() -> ResponseReturnValue:
    return _page()


@blueprint.post("/me")
@signed_in
def save_profile() -> ResponseReturnValue:
    form = profile_form(request.form)
    if form.is_good:
        with form.trying():
            services.update_profile(
                current_actor(),
                first_name=form["first_name"],
                last_name=form["last_name"],
                phone=form["phone"],
                locale=form["locale"],
                reminder=form["reminder"],
                visible_to_colleagues="visible_to_colleagues" in form,
                preferred_zone=form["preferred_zone"],
                status=form["status"],
                commune=form["commune"],
            )
            choose_again()  # the language may be the one just chosen
            flash(_("Saved."))
            return redirect(url_for("accounts.me"), 303)
    return _page(profile=form)


@blueprint.post("/me/address")
@signed_in
def save_address() -> ResponseReturnValue:
    form = postal_form(request.form)
    if form.is_good:
        with form.trying():
            services.set_postal_address(
                current_actor(), address=form["address"], postcode=form["postcode"], city=form["city"]
            )
            flash(_("Saved."))
            return redirect(url_for("accounts.me"), 303)
    return _page(postal=form)


@blueprint.post("/me/confirmation")
@signed_in
def ask_confirmation() -> ResponseReturnValue:
    services.ask_confirmation(current_actor())
    flash(_("We have sent an e-mail to your address."))
    return redirect(url_for("accounts.me"), 303)


def _page(*, profile: Form | None = None, postal: Form | None = None) -> ResponseReturnValue:
    """The whole page around whichever form was just sent."""
    person = queries.person_by_id(current_actor().person_id)
    zones = place.zones()
    return page(
        "me",
        profile or postal or Form(),
        person=person,
        profile=profile or _profile_of(person, zones),
        postal=postal or postal_form_of(person),
        memberships=queries.memberships_of(person.id),
        proxies=booking_proxies.all_of(person.id),
        may_join=invitations.may_join(person),
        today=local_date(now(), place.clock()),
        statuses=status_choices(),
        zone_choices=[("", _("Anywhere")), *((zone.public_id, zone.name) for zone in zones)],
    )


def _profile_of(person: Person, zones: list[place.ZoneName]) -> Form:
    preferred = next((zone.public_id for zone in zones if zone.id == person.preferred_zone_id), "")
    values = {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "phone": person.phone or "",
        "locale": person.locale,
        "reminder": person.reminder,
        "preferred_zone": preferred,
        "status": person.status or "",
        "commune": person.commune or "",
    }
    return Form(values | ({"visible_to_colleagues": "1"} if person.visible_to_colleagues else {}))

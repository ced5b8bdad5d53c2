"""« Moi »: what people decide about themselves."""

from __future__ import annotations

from flask import flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import refresh

from coworking.accounts import api_tokens, queries, rules, services
from coworking.accounts.forms import postal_form, postal_form_of, profile_form
from coworking.accounts.models import Person
from coworking.accounts.pages import blueprint, page
from coworking.accounts.session import begin, end
from coworking.core import place
from coworking.core.forms import Form
from coworking.core.i18n import _
from coworking.core.policy import current_actor, signed_in


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
            )
            refresh()  # the language may be the one just chosen
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


@blueprint.post("/me/password")
@signed_in
def change_password() -> ResponseReturnValue:
    form = Form(request.form)
    with form.trying():
        person = services.change_password(current_actor(), current=form["current_password"], new=form["password"])
        begin(person, remember="lieu_phone" in request.cookies)
        flash(_("Your password is changed. Your other devices are signed out."))
        return redirect(url_for("accounts.me"), 303)
    return _page(password=form)


@blueprint.post("/me/confirmation")
@signed_in
def ask_confirmation() -> ResponseReturnValue:
    services.ask_confirmation(current_actor())
    flash(_("A letter is on its way to your address."))
    return redirect(url_for("accounts.me"), 303)


@blueprint.post("/me/sign-out-everywhere")
@signed_in
def sign_out_everywhere() -> ResponseReturnValue:
    services.sign_out_everywhere(current_actor())
    end()
    flash(_("You are signed out on every device."))
    return redirect(url_for("accounts.sign_in"), 303)


@blueprint.post("/me/tokens")
@signed_in
def issue_token() -> ResponseReturnValue:
    form = Form(request.form)
    form.check("name", rules.token_name_of)
    scopes = frozenset(request.form.getlist("scopes"))
    if form.is_good:
        with form.trying():
            text = api_tokens.issue(current_actor(), name=form["name"], scopes=scopes)
            response = make_response(_page(new_token=text))  # on this page only: a redirect would have to keep it
            response.headers["Cache-Control"] = "no-store"
            return response
    return _page(token=form, scopes=scopes)


@blueprint.post("/me/tokens/<public_id>/revoke")
@signed_in
def revoke_token(public_id: str) -> ResponseReturnValue:
    api_tokens.revoke(current_actor(), public_id)
    flash(_("This token opens nothing any more."))
    return redirect(url_for("accounts.me"), 303)


def _page(
    *,
    profile: Form | None = None,
    postal: Form | None = None,
    password: Form | None = None,
    token: Form | None = None,
    scopes: frozenset[str] = frozenset(),
    new_token: str | None = None,
) -> ResponseReturnValue:
    """The whole page around whichever form was just sent."""
    person = queries.person_by_id(current_actor().person_id)
    zones = place.zones()
    sent = profile or postal or password or token or Form()
    return page(
        "me",
        sent,
        person=person,
        profile=profile or _profile_of(person, zones),
        postal=postal or postal_form_of(person),
        password=password or Form(),
        token=token or Form(),
        scopes=scopes,
        zone_choices=[("", _("Anywhere")), *((zone.public_id, zone.name) for zone in zones)],
        tokens=queries.tokens_of(person.id),
        new_token=new_token,
        all_scopes=rules.SCOPES,
        least=rules.MIN_PASSWORD,
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
    }
    return Form(values | ({"visible_to_colleagues": "1"} if person.visible_to_colleagues else {}))

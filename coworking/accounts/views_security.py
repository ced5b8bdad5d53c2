"""« Moi → Me connecter »: one's password, the devices one is signed in on, and tokens for programs."""

from __future__ import annotations

from flask import flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import (
    api_tokens,
    devices,
    email_changes,
    factors,
    labels,
    passkey_answers,
    passkeys,
    password_rules,
    queries,
    rules,
    services,
)
from coworking.accounts.pages import blueprint, page, visitor_address
from coworking.accounts.session import device, is_proved, prove, prove_code, prove_passkey, require_proof
from coworking.core import place
from coworking.core.clock import now
from coworking.core.errors import Gone
from coworking.core.forms import Form
from coworking.core.i18n import _
from coworking.core.policy import current_actor, signed_in
from coworking.core.reading import email_of


@blueprint.get("/me/security")
@signed_in
def security() -> ResponseReturnValue:
    return _page()


@blueprint.post("/me/password")
@signed_in
def change_password() -> ResponseReturnValue:
    form = Form(request.form)
    with form.trying():
        if _oneself().password_hash is None:
            require_proof()
            services.set_password(current_actor(), device(), form["password"])
        else:
            services.change_password(current_actor(), device(), current=form["current_password"], new=form["password"])
        return _back(_("Your password is changed. Your other devices are signed out."))
    return _page(password=form)


@blueprint.post("/me/email")
@signed_in
def change_email() -> ResponseReturnValue:
    form = Form(request.form)
    form.check("email", email_of)
    if form.is_good:
        with form.trying():
            prove(form["current_password"])
            email_changes.ask(current_actor(), email=form["email"], address=visitor_address())
            return _back(
                _("We have sent an e-mail to the new address. Until it is confirmed, the present one stays in use.")
            )
    return _page(email=form)


@blueprint.post("/me/email/withdraw")
@signed_in
def withdraw_email() -> ResponseReturnValue:
    email_changes.withdraw(current_actor())
    return _back(_("Your address stays as it was."))


@blueprint.post("/me/devices/<public_id>/end")
@signed_in
def end_device(public_id: str) -> ResponseReturnValue:
    devices.end(current_actor(), public_id)
    return _back(_("This device is signed out."))


@blueprint.post("/me/devices/end-others")
@signed_in
def end_other_devices() -> ResponseReturnValue:
    present = device()
    devices.end_others(current_actor(), present.id if present else None)
    return _back(_("Every other device is signed out."))


@blueprint.post("/me/tokens")
@signed_in
def issue_token() -> ResponseReturnValue:
    form = Form(request.form)
    form.check("name", rules.token_name_of)
    form.check("days", rules.token_days_of)
    scopes = frozenset(request.form.getlist("scopes"))
    if form.is_good:
        with form.trying():
            rules.check_scopes(scopes)
            prove(form["current_password"])
            days = rules.token_days_of(form["days"])
            text = api_tokens.issue(
                current_actor(), name=form["name"], scopes=scopes, days=days, browser=_browser_name(), tell=True
            )
            response = make_response(_page(new_token=text))  # on this page only: a redirect would have to keep it
            response.headers["Cache-Control"] = "no-store"
            return response
    return _page(token=form, scopes=scopes)


@blueprint.post("/me/tokens/<public_id>/revoke")
@signed_in
def revoke_token(public_id: str) -> ResponseReturnValue:
    api_tokens.revoke(current_actor(), public_id)
    return _back(_("This token is revoked."))


@blueprint.get("/me/proof")
@signed_in
def proof() -> ResponseReturnValue:
    """Where one shows that it is oneself before something delicate, and goes on from there."""
    return _proof(Form(request.args))


@blueprint.post("/me/proof")
@signed_in
def do_proof() -> ResponseReturnValue:
    form = Form(request.form)
    with form.trying():
        if form["answer"]:
            _prove_by_passkey(form["answer"])
        elif form["code"] or form["recovery"]:
            prove_code(code=form["code"], recovery=form["recovery"])
        else:
            prove(form["current_password"])
        return redirect(rules.local_path(form["next"]) or url_for("accounts.security"), 303)
    return _proof(form)


def _prove_by_passkey(answer: str) -> None:
    try:
        prove_passkey(answer)
    except Gone:
        raise rules.PasskeyLate() from None


def _proof(form: Form) -> ResponseReturnValue:
    person = _oneself()
    possible = passkey_answers.site() is not None
    return page("proof", form, person=person, factors=factors.of(person.id), passkeys_possible=possible)


def _browser_name() -> str:
    present = device()
    return present.name if present is not None else ""


def _back(text: str) -> ResponseReturnValue:
    flash(text)
    return redirect(url_for("accounts.security"), 303)


def _oneself() -> queries.Person:
    return queries.person_by_id(current_actor().person_id)


def _page(
    *,
    email: Form | None = None,
    password: Form | None = None,
    token: Form | None = None,
    scopes: frozenset[str] = frozenset(),
    new_token: str | None = None,
) -> ResponseReturnValue:
    """The whole page around whichever form was just sent."""
    person, present = _oneself(), device()
    return page(
        "security",
        email or password or token or Form(),
        person=person,
        email=email or Form(),
        change=email_changes.waiting(person.id),
        password=password or Form(),
        token=token or Form({"days": str(rules.TOKEN_DAYS)}),
        proved=is_proved(),
        factors=factors.of(person.id),
        of_team=factors.has_role(person),
        passkeys=passkeys.of(person.id),
        passkeys_possible=passkey_answers.site() is not None,
        scopes=scopes,
        devices=sorted(devices.in_force(person.id), key=lambda held: present is None or held.id != present.id),
        present=present,
        tokens=queries.tokens_of(person.id),
        new_token=new_token,
        all_scopes=rules.scopes_for(current_actor()),
        most_days=rules.MAX_TOKEN_DAYS,
        least=password_rules.MIN_PASSWORD,
        device_words=labels.device_words,
        today=now().astimezone(place.clock()).date(),
    )

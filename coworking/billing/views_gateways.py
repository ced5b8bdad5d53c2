"""Settings → Online payment: the keys of each provider, whether they work, and what payers see of it."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts.session import is_proved, require_proof
from coworking.billing import online_queries
from coworking.billing.gateways import accounts, key_rules, trying
from coworking.billing.gateways.registry import GatewayStanding, standings
from coworking.core.errors import N_, DomainError, NotFound
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires
from coworking.core.settings import settings
from coworking.core.web import say
from coworking.spaces import queries as spaces
from coworking.spaces.services import update_lieu

blueprint = Blueprint("gateways", __name__, url_prefix="/settings/payments")

TITLES = {key_rules.STRIPE: "Stripe", key_rules.HELLOASSO: "HelloAsso"}
KEY_WORDS = {
    "secret_key": N_("Secret or restricted key"),
    "webhook_secret": N_("Signing secret"),
    "client_id": N_("Client ID"),
    "client_secret": N_("Client secret"),
    "organisation": N_("Association"),
}
MEANS_WORDS = {"card": N_("card"), "debit": N_("direct debit")}


FIRST = {"pay_first_desks": N_("Desks"), "pay_first_rooms": N_("Rooms and offices")}
WHO_FIRST = {"nobody": N_("nobody"), "no_plan": N_("people without a plan that month"), "everyone": N_("everyone")}


@blueprint.get("")
@requires(Role.MANAGER)
def index() -> ResponseReturnValue:
    return _page()


def _page(failed: tuple[str, str] | None = None) -> str:
    """Every provider; ``failed``: the one whose keys were just tried in vain, and why."""
    return render_template(
        "billing/gateways.html",
        shown=_shown(),
        failed=failed,
        titles=TITLES,
        key_words=KEY_WORDS,
        is_simulation=spaces.lieu().is_simulation,
        notified_at=f"{settings().base_url}/pay/notifications/",
        rules=[(name, _(words), getattr(spaces.lieu(), name)) for name, words in FIRST.items()],
        choices=[(who, _(words)) for who, words in WHO_FIRST.items()],
        membership_first=spaces.lieu().pay_first_membership,
        can_be_paid=bool(online_queries.offered()),
    )


@blueprint.post("/first")
@requires(Role.MANAGER)
def set_first() -> ResponseReturnValue:
    """Who must pay before a booking counts, and whether an adhesion and a plan's first month are paid before they begin."""
    desks, rooms = (request.form.get(name, "") for name in FIRST)
    if desks not in WHO_FIRST or rooms not in WHO_FIRST:
        raise NotFound()
    membership = "pay_first_membership" in request.form
    update_lieu(current_actor(), pay_first_desks=desks, pay_first_rooms=rooms, pay_first_membership=membership)
    flash(_("Saved. It applies from now on."))
    return redirect(url_for("gateways.index"), 303)


@blueprint.get("/<name>")
@requires(Role.MANAGER)
def edit(name: str) -> ResponseReturnValue:
    standing = _one(name)
    require_proof()
    return _keys_page(standing, Form())


@blueprint.post("/<name>")
@requires(Role.MANAGER)
def save(name: str) -> ResponseReturnValue:
    standing = _one(name)
    if not is_proved():
        return redirect(url_for("accounts.proof", next=url_for("gateways.edit", name=name)), 303)
    form = Form(request.form)
    for field in key_rules.FIELDS[name]:
        form.maybe(field, lambda text, field=field: key_rules.read_key(field, text))
    if form.is_good:
        with form.trying():
            typed = {field: form[field] for field in key_rules.FIELDS[name] if form.raw(field)}
            accounts.save_keys(current_actor(), name, typed)
            flash(_("The keys are kept. Try them now."))
            return redirect(url_for("gateways.index"), 303)
    return _keys_page(standing, form)


@blueprint.post("/<name>/try")
@requires(Role.MANAGER)
def try_out(name: str) -> ResponseReturnValue:
    try:
        found = trying.try_keys(current_actor(), _one(name).name)
    except DomainError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            raise
        return _page((name, say(error))), error.status
    enabled = ", ".join(_(MEANS_WORDS[means]) for means in found.means)
    mode = _("real money moves") if found.is_live else _("test, no real money moves")
    if enabled:
        flash(
            _("The keys open %(account)s: %(mode)s. Enabled: %(means)s.", account=found.name, mode=mode, means=enabled)
        )
    else:
        flash(_("The keys open %(account)s: %(mode)s. Nothing is enabled there yet.", account=found.name, mode=mode))
    return redirect(url_for("gateways.index"), 303)


@blueprint.get("/<name>/forget")
@requires(Role.MANAGER)
def ask_forget(name: str) -> ResponseReturnValue:
    standing = _one(name)
    require_proof()
    return form_page("billing/gateway_forget.html", Form(), standing=standing, title=TITLES[name])


@blueprint.post("/<name>/forget")
@requires(Role.MANAGER)
def forget(name: str) -> ResponseReturnValue:
    key_rules.check_gateway(name)
    if not is_proved():
        return redirect(url_for("accounts.proof", next=url_for("gateways.ask_forget", name=name)), 303)
    accounts.forget_keys(current_actor(), name)
    flash(_("The keys are forgotten."))
    return redirect(url_for("gateways.index"), 303)


def _shown() -> list[GatewayStanding]:
    """HelloAsso is offered to associations; keys that were typed before stay visible."""
    is_association = spaces.lieu().legal_status == "association"
    return [one for one in standings() if one.name != key_rules.HELLOASSO or is_association or one.source is not None]


def _one(name: str) -> GatewayStanding:
    found = next((one for one in _shown() if one.name == name), None)
    if found is None:
        raise NotFound()
    return found


def _keys_page(standing: GatewayStanding, form: Form) -> ResponseReturnValue:
    return form_page(
        "billing/gateway_keys.html",
        form,
        standing=standing,
        title=TITLES[standing.name],
        fields=[(name, KEY_WORDS[name]) for name in key_rules.FIELDS[standing.name]],
    )

"""How one pays: a card or an account saved, replaced, withdrawn; and for managers who pays by themselves."""

from __future__ import annotations

from threading import BoundedSemaphore

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts.session import require_proof
from coworking.billing import means, means_queries, means_rules, services
from coworking.billing.consent import consent
from coworking.billing.gateways.port import GatewayRefused, GatewayUnavailable
from coworking.billing.list_pages import MEANS
from coworking.billing.means_models import SavedMeans
from coworking.billing.online_rules import FactDisagrees, GatewayAway
from coworking.core import exports
from coworking.core.errors import N_, NotFound
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _, language
from coworking.core.policy import Role, current_actor, requires, signed_in
from coworking.core.web import let_forms_reach, refusal
from coworking.spaces import queries as spaces

MOST_ASKING = 3
"""How many threads of a web process may wait for a gateway because somebody came back from its page."""
_asking = BoundedSemaphore(MOST_ASKING)

blueprint = Blueprint("means", __name__)


@blueprint.get("/means")
@signed_in
def page() -> ResponseReturnValue:
    return _page(request.args.get("payer", means.ME), Form())


@blueprint.post("/means")
@signed_in
def save() -> ResponseReturnValue:
    form, payer = Form(request.form), request.form.get("payer", means.ME)
    try:
        with form.trying():
            opened = means.begin(
                current_actor(),
                payer,
                agrees=form.checked("agrees"),
                agreed_to=_consent(payer),
                locale=language(),
            )
            return redirect(opened.checkout_url or url_for("means.page", payer=payer), 303)
    except GatewayAway as away:
        return refusal(away, lambda: _page(payer, form))
    return _page(payer, form)


def _page(payer: str, form: Form) -> ResponseReturnValue:
    actor = current_actor()
    payers = means_queries.payers_for(actor)
    if payer not in {value for value, _name in payers}:
        raise NotFound()
    gateway = means_queries.saving_gateway()
    if gateway is not None:
        let_forms_reach(gateway.pages)
    saved = next((row for row in means_queries.own_means(actor) if _is_of(row.payer_organisation, payer)), None)
    return form_page(
        "billing/means.html",
        form,
        payers=payers,
        payer=payer,
        saved=saved,
        coming=means_queries.planned_from(saved) if saved is not None else [],
        may_save=gateway is not None,
        words=_consent(payer),
        is_simulation=spaces.lieu().is_simulation,
    )


def _is_of(organisation: object, payer: str) -> bool:
    return getattr(organisation, "public_id", means.ME) == payer


def _consent(payer: str) -> str:
    """The words that ``payer`` agrees to, as they are shown now."""
    name = means_queries.payer_name(current_actor(), payer)
    return consent(spaces.lieu().name, name, means_queries.notice_days())


@blueprint.get("/means/back")
@signed_in
def back() -> ResponseReturnValue:
    """The payer comes back from the gateway, mostly before any notification: ask what was saved, and say it."""
    saved = means_queries.means_for(current_actor(), request.args.get("means", ""))
    public_id, payer = saved.public_id, means_queries.payer_value(saved)
    state = saved.state
    if _asking.acquire(blocking=False):
        try:
            state = means.finish(public_id).state
        except (GatewayUnavailable, GatewayRefused, FactDisagrees):
            state = "asked"  # the page says that it is not known yet
        finally:
            _asking.release()
    if state == "active":
        flash(_("It is saved. From now on you have nothing to do."))
    elif state == "asked":
        flash(_("Nothing is saved yet. If you have just finished, wait a moment and reload this page."))
    return redirect(url_for("means.page", payer=payer), 303)


@blueprint.get("/means/<public_id>/withdraw")
@signed_in
def ask_withdraw(public_id: str) -> ResponseReturnValue:
    saved = means_queries.means_for(current_actor(), public_id)
    is_own = means_queries.is_own(current_actor(), saved)
    return render_template("billing/means_withdraw.html", saved=saved, is_own=is_own, back=_list_of(saved, is_own))


def _list_of(saved: SavedMeans, is_own: bool) -> str:
    """The page that a means stands on: its owner's, or the one of those who pay by themselves."""
    return url_for("means.page", payer=means_queries.payer_value(saved)) if is_own else url_for("means.everyone")


@blueprint.post("/means/<public_id>/withdraw")
@signed_in
def withdraw(public_id: str) -> ResponseReturnValue:
    actor = current_actor()
    saved = means.withdraw(actor, public_id)
    flash(_("It is withdrawn. Nothing is collected from it any more."))
    return redirect(_list_of(saved, means_queries.is_own(actor, saved)), 303)


# For managers ---------------------------------------------------------------------------------------------------------


@blueprint.get("/settings/payments/saved")
@requires(Role.MANAGER)
def everyone() -> ResponseReturnValue:
    if kind := exports.asked():
        require_proof()
        return exports.list_answer(kind, N_("Saved cards and accounts"), MEANS, means_queries.all_means())
    return _everyone(Form({"notice_days": str(means_queries.notice_days())}))


@blueprint.post("/settings/payments/saved")
@requires(Role.MANAGER)
def save_notice() -> ResponseReturnValue:
    form = Form(request.form)
    days = form.check("notice_days", means_rules.read_notice_days)
    if days is not None:
        with form.trying():
            services.update_settings(current_actor(), debit_notice_days=days)
            flash(_("Saved. It counts for whoever saves an account from now on."))
            return redirect(url_for("means.everyone"), 303)
    return _everyone(form)


def _everyone(form: Form) -> ResponseReturnValue:
    return form_page(
        "billing/means_everyone.html",
        form,
        rows=means_queries.all_means(),
        may_save=means_queries.saving_gateway() is not None,
    )

"""The settings of invoices: the lieu's numbers and bank details, and the legal mentions."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.billing import drafts, forms, queries, services
from coworking.billing.mentions import CGI_UNTIL, CIBS_SINCE, MENTIONS
from coworking.billing.pages import blueprint
from coworking.core.errors import NotFound
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires
from coworking.core.reading import words_of
from coworking.spaces import queries as spaces


@blueprint.get("/settings")
@requires(Role.MANAGER)
def settings() -> ResponseReturnValue:
    row = queries.settings_row()
    typed = {name: getattr(row, name) or "" for name in ("vat_number", "legal_mention", "iban", "bic")}
    return _settings_page(Form(typed | ({"vat_on_debits": "1"} if row.vat_on_debits else {})))


def _settings_page(form: Form) -> ResponseReturnValue:
    terms = drafts.terms()
    return form_page(
        "billing/settings.html",
        form,
        taxable=terms.vat_status == "taxable",
        missing=[_(name) for name in drafts.missing()],
        replaced=sum(MENTIONS[key].concerns(terms.vat_status) for key in terms.replaced if key in MENTIONS),
    )


@blueprint.post("/settings")
@requires(Role.MANAGER)
def save_settings() -> ResponseReturnValue:
    form = forms.settings_form(request.form)
    if form.is_good:
        services.update_settings(current_actor(), **forms.settings_values(form))
        flash(_("Saved."))
        return redirect(url_for("billing.settings"), 303)
    return _settings_page(form)


@blueprint.get("/settings/mentions")
@requires(Role.MANAGER)
def mentions() -> ResponseReturnValue:
    terms = drafts.terms()
    return render_template(
        "billing/mentions.html",
        mentions=[mention for mention in MENTIONS.values() if mention.concerns(terms.vat_status)],
        replaced=terms.replaced,
        today=spaces.today(),
        cibs_since=CIBS_SINCE,
        cgi_until=CGI_UNTIL,
    )


@blueprint.get("/settings/mentions/<key>")
@requires(Role.MANAGER)
def mention(key: str) -> ResponseReturnValue:
    return _mention_page(key, Form())


def _mention_page(key: str, form: Form) -> ResponseReturnValue:
    if key not in MENTIONS:
        raise NotFound()
    today, own = spaces.today(), drafts.terms().replaced.get(key)
    usual = MENTIONS[key].usual(today)
    return form_page(
        "billing/mention.html", form.over({"words": own or usual}), mention=MENTIONS[key], usual=usual, own=own
    )


@blueprint.post("/settings/mentions/<key>")
@requires(Role.MANAGER)
def save_mention(key: str) -> ResponseReturnValue:
    """The lieu's own words, or with ``ours`` the usual ones again."""
    if "ours" in request.form:
        services.replace_mention(current_actor(), key, None)
        flash(_("The usual words are printed again."))
        return redirect(url_for("billing.mentions"), 303)
    form = forms.mention_form(request.form)
    if form.is_good:
        services.replace_mention(current_actor(), key, words_of(form["words"], most=forms.MOST_MENTION))
        flash(_("Your own words are printed from now on."))
        return redirect(url_for("billing.mentions"), 303)
    return _mention_page(key, form)

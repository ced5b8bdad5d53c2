"""The manager's articles: what is offered and at which price, one more, a new price from a day on."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.core.errors import DomainError, NotFound
from coworking.core.formats import decimal
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.policy import Actor, Role, current_actor, requires
from coworking.core.web import refusal
from coworking.pricing import article_queries, article_services, forms
from coworking.pricing.article_rules import ARTICLE_KINDS, STARTS, USUAL_ACCOUNTS, check_account, check_article_label
from coworking.pricing.models import Article
from coworking.pricing.pages import ARTICLE_WORDS, blueprint
from coworking.spaces import queries as spaces


@blueprint.get("/articles")
@requires(Role.MANAGER)
def articles() -> ResponseReturnValue:
    offered, former = article_queries.articles(), article_queries.articles(archived=True)
    taken = {article.label for article in offered}
    starts = [(name, _(start.label)) for name, start in STARTS.items() if _(start.label) not in taken]
    return render_template(
        "pricing/articles.html",
        offered=offered,
        former=former,
        starts=starts,
        kinds=ARTICLE_WORDS,
        today=spaces.today(),
        taxable=_is_taxable(),
    )


@blueprint.get("/articles/new")
@requires(Role.MANAGER)
def new_article() -> ResponseReturnValue:
    """An empty form, or with ``start`` one of those that are offered."""
    start = STARTS.get(request.args.get("start", ""))
    if start is None:
        return _new_page(Form({"kind": "goods", "vat_rate": "20"}))
    typed = {"label": _(start.label), "kind": start.kind, "cents": decimal(start.cents)}
    return _new_page(Form(typed | {"vat_rate": decimal(start.vat_rate_bp), "account": USUAL_ACCOUNTS[start.kind]}))


def _new_page(form: Form) -> ResponseReturnValue:
    kinds = [(kind, _(words)) for kind, words in ARTICLE_WORDS.items()]
    return form_page("pricing/article_new.html", form, kinds=kinds, taxable=_is_taxable(), usual=USUAL_ACCOUNTS)


@blueprint.post("/articles")
@requires(Role.MANAGER)
def add_article() -> ResponseReturnValue:
    form = Form(request.form)
    label, kind = form.check("label", check_article_label), form.choice("kind", ARTICLE_KINDS)
    cents = forms.cents(form, "cents", required=True)
    account = form.check("account", check_account, kind)
    rate = 0 if kind == "deposit" else forms.vat_rate(form, taxable=_is_taxable())
    if form.is_good:
        with form.trying():
            article_services.add_article(
                current_actor(),
                label or "",
                "goods" if kind == "goods" else "service" if kind == "service" else "deposit",
                cents=cents or 0,
                vat_rate_bp=rate,
                account=account or "",
            )
            flash(_("It can be sold at the door from now on."))
            return redirect(url_for("pricing.articles"), 303)
    return _new_page(form)


@blueprint.get("/articles/<public_id>")
@requires(Role.MANAGER)
def article(public_id: str) -> ResponseReturnValue:
    found = article_queries.article(public_id)
    price = found.price_on(spaces.today()) or found.prices[0]
    typed = {"cents": decimal(price.cents), "vat_rate": decimal(price.vat_rate_bp), "account": price.account}
    return _article_page(found, Form(typed | {"valid_from": spaces.today().isoformat()}))


def _article_page(found: Article, form: Form) -> ResponseReturnValue:
    return form_page(
        "pricing/article.html",
        form,
        article=found,
        words=_(ARTICLE_WORDS[found.kind]),
        today=spaces.today(),
        taxable=_is_taxable(),
    )


@blueprint.post("/articles/<public_id>")
@requires(Role.MANAGER)
def price_article(public_id: str) -> ResponseReturnValue:
    found, form = article_queries.article(public_id), Form(request.form)
    valid_from, cents = form.day("valid_from"), forms.cents(form, "cents", required=True)
    account = form.check("account", check_account, found.kind)
    rate = 0 if found.kind == "deposit" else forms.vat_rate(form, taxable=_is_taxable())
    if form.is_good:
        with form.trying(at="valid_from"):
            article_services.set_article_price(
                current_actor(),
                public_id,
                valid_from=valid_from,
                cents=cents or 0,
                vat_rate_bp=rate,
                account=account or "",
            )
            flash(_("The price applies from the day you chose. What was sold keeps its price."))
            return redirect(url_for("pricing.articles"), 303)
    return _article_page(article_queries.article(public_id), form)


@blueprint.post("/articles/<public_id>/archive")
@requires(Role.MANAGER)
def archive_article(public_id: str) -> ResponseReturnValue:
    return _offered(article_services.archive_article, public_id, _("It is no longer offered."))


@blueprint.post("/articles/<public_id>/restore")
@requires(Role.MANAGER)
def restore_article(public_id: str) -> ResponseReturnValue:
    return _offered(article_services.restore_article, public_id, _("It is offered again."))


def _offered(change: Callable[[Actor, str], Article], public_id: str, words: str) -> ResponseReturnValue:
    try:
        change(current_actor(), public_id)
    except NotFound:
        raise
    except DomainError as error:
        return refusal(error, articles)
    flash(words)
    return redirect(url_for("pricing.articles"), 303)


def _is_taxable() -> bool:
    return spaces.lieu().vat_status == "taxable"

"""Terms and house rules: read by everyone, accepted by members, written by managers; what people agree to besides."""

from __future__ import annotations

from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import consents, rules, terms, terms_queries
from coworking.accounts.pages import blueprint, page
from coworking.accounts.queries import person_by_id, person_by_public_id
from coworking.accounts.terms_queries import TextHead
from coworking.accounts.terms_rules import KINDS, MOST_CHARACTERS, NotAccepted, TextMissing, TextTooEarly, blocks_of
from coworking.core import place
from coworking.core.clock import now
from coworking.core.forms import Form
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, public, requires, signed_in
from coworking.core.timespan import local_date

blueprint.add_app_template_global(blocks_of, "text_blocks")


@blueprint.app_template_global()
def texts_in_force() -> list[TextHead]:
    """The versions in force, for pages that lead to them."""
    return terms_queries.heads_in_force()


@blueprint.app_template_global()
def texts_to_accept() -> list[TextHead]:
    """What whoever reads this page has not accepted yet."""
    return terms_queries.waiting_for(current_actor().person_id or 0)


@blueprint.get("/terms")
@public
def texts() -> ResponseReturnValue:
    """What holds today."""
    return render_template("accounts/house_texts.html", texts=terms_queries.texts_in_force())


@blueprint.get("/terms/<public_id>")
@public
def text(public_id: str) -> ResponseReturnValue:
    """One version, former ones too: who accepted it can read it again."""
    found = terms_queries.text_by_public_id(public_id)
    held = any(head.id == found.id for head in terms_queries.heads_in_force())
    return render_template("accounts/house_text.html", text=found, held=held, today=_today())


@blueprint.get("/me/terms")
@signed_in
def ask_terms() -> ResponseReturnValue:
    """What waits for one's acceptance, with what is new."""
    return _ask(Form(request.args))


@blueprint.post("/me/terms")
@signed_in
def accept_terms() -> ResponseReturnValue:
    form = Form(request.form)
    if not form.checked("accepts"):
        form.refuse("accepts", NotAccepted())
        return _ask(form)
    with form.trying():
        terms.accept(current_actor(), form.several("text"))
        flash(_("Thank you. You find it again under “What I accepted”."))
        return redirect(rules.local_path(form["next"]) or url_for("accounts.agreements"), 303)
    return _ask(form)


@blueprint.get("/me/agreements")
@signed_in
def agreements() -> ResponseReturnValue:
    """What one accepted and when, and what one agrees to of one's own accord."""
    me = person_by_id(current_actor().person_id)
    changes = terms_queries.consent_changes_of(me.id)
    return render_template(
        "accounts/agreements.html",
        person=me,
        accepted=terms_queries.accepted_by(me.id),
        consents=terms_queries.consents_of(me, changes),
        changes=changes,
    )


@blueprint.post("/me/consents")
@signed_in
def set_consent() -> ResponseReturnValue:
    consents.show_to_colleagues(current_actor(), shown=request.form.get("given") == "1")
    flash(_("Saved."))
    return redirect(url_for("accounts.agreements"), 303)


@blueprint.get("/settings/terms")
@requires(Role.MANAGER)
def edit_texts() -> ResponseReturnValue:
    kind = request.args.get("kind", "")
    former = next((one for one in terms_queries.texts_in_force() if one.kind == kind), None)
    typed = {"from_day": _today().isoformat(), "kind": kind if kind in KINDS else KINDS[0]}
    return _edit(Form(typed | ({"text": former.text} if former is not None else {})))


@blueprint.post("/settings/terms")
@requires(Role.MANAGER)
def publish_text() -> ResponseReturnValue:
    """Show a version as members will read it, then publish it: from then on it never changes."""
    form = Form(request.form)
    kind, from_day = form.choice("kind", KINDS), form.day("from_day")
    words, news = form.lines("text", most=MOST_CHARACTERS), form.lines("news")
    if words is None and "text" not in form.errors:
        form.refuse("text", TextMissing())
    if form.is_good and from_day < _today():
        form.refuse("from_day", TextTooEarly())
    act = form["act"]
    if form.is_good and act == "publish":
        with form.trying():
            terms.publish(current_actor(), kind, text=words or "", news=news, from_day=from_day)
            flash(_("Published. Members are asked to accept it on their next visit from that day on."))
            return redirect(url_for("accounts.edit_texts"), 303)
    if form.is_good and act != "change":
        return page("text_preview", form, form=form, kind=kind, from_day=from_day, words=words, news=news)
    return _edit(form)


@blueprint.get("/people/<public_id>/agreements")
@requires(Role.HOST)
def agreements_of(public_id: str) -> ResponseReturnValue:
    return _of(public_id, Form({"signed_on": _today().isoformat()}))


@blueprint.post("/people/<public_id>/agreements")
@requires(Role.HOST)
def accepted_on_paper(public_id: str) -> ResponseReturnValue:
    """Write down that somebody signed on paper what is in force."""
    form = Form(request.form)
    signed_on = form.day("signed_on")
    if form.is_good:
        with form.trying():
            terms.accepted_on_paper(current_actor(), public_id, signed_on=signed_on)
            flash(_("Saved."))
            return redirect(url_for("accounts.agreements_of", public_id=public_id), 303)
    return _of(public_id, form)


@blueprint.post("/people/<public_id>/agreements/taken-back")
@requires(Role.HOST)
def take_back_paper(public_id: str) -> ResponseReturnValue:
    terms.take_back_paper(current_actor(), public_id, request.form.get("text", ""))
    flash(_("Taken back."))
    return redirect(url_for("accounts.agreements_of", public_id=public_id), 303)


@blueprint.post("/people/<public_id>/consents")
@requires(Role.HOST)
def set_consent_of(public_id: str) -> ResponseReturnValue:
    """Write down what somebody said."""
    consents.show_to_colleagues(current_actor(), shown=request.form.get("given") == "1", public_id=public_id)
    flash(_("Saved."))
    return redirect(url_for("accounts.agreements_of", public_id=public_id), 303)


@blueprint.get("/people/<public_id>/agreements/paper")
@requires(Role.HOST)
def text_to_sign(public_id: str) -> ResponseReturnValue:
    """What somebody without an e-mail address reads and signs, to print."""
    person = person_by_public_id(public_id)
    texts = [one.text for one in terms_queries.standings_of(person.id) if one.accepted is None]
    return render_template("accounts/text_to_sign.html", person=person, texts=texts)


def _of(public_id: str, form: Form) -> ResponseReturnValue:
    person = person_by_public_id(public_id)
    changes = terms_queries.consent_changes_of(person.id)
    return page(
        "agreements_of",
        form,
        form=form,
        person=person,
        standings=terms_queries.standings_of(person.id),
        accepted=terms_queries.accepted_by(person.id),
        consents=terms_queries.consents_of(person, changes),
        changes=changes,
    )


def _ask(form: Form) -> ResponseReturnValue:
    standings = terms_queries.standings_of(current_actor().person_id or 0)
    waiting, next_one = [one for one in standings if one.accepted is None], rules.local_path(form["next"])
    if not waiting:
        return redirect(next_one or url_for("accounts.agreements"), 303)
    return page("ask_terms", form, form=form, standings=waiting, later=next_one or url_for("accounts.me"))


def _edit(form: Form) -> ResponseReturnValue:
    return page(
        "edit_texts",
        form,
        form=form,
        texts=terms_queries.every_text(),
        in_force={head.id for head in terms_queries.heads_in_force()},
        counts=terms_queries.accepted_counts(),
        everybody=terms_queries.how_many_may_come(),
        today=_today(),
    )


def _today() -> date:
    return local_date(now(), place.clock())

"""Records that may be one person: a manager compares two, makes them one, or says that they are two people."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import merging, queries, twin_queries
from coworking.accounts.labels import STATUS_WORDS
from coworking.accounts.models import Person
from coworking.accounts.session import require_proof
from coworking.accounts.twin_rules import FIELDS, AlreadyMerged, CannotMerge, RecordChanged
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires
from coworking.core.web import say
from coworking.frontdesk.twins import facts_of
from coworking.spaces import queries as spaces

blueprint = Blueprint("twins", __name__)


@blueprint.get("/duplicates")
@requires(Role.MANAGER)
def index() -> ResponseReturnValue:
    pairs, total = twin_queries.twins()
    return render_template("frontdesk/twins.html", pairs=pairs, total=total)


@blueprint.get("/people/<public_id>/same-person")
@requires(Role.MANAGER)
def other_record(public_id: str) -> ResponseReturnValue:
    """Look for the other record of somebody: two that neither a name nor a number gives away."""
    person, text = queries.person_by_public_id(public_id), request.args.get("q", "").strip()[:200]
    found = queries.other_records(person, text) if text else []
    return render_template("frontdesk/twins_other.html", person=person, q=text, found=found)


@blueprint.get("/duplicates/<one>/<other>")
@requires(Role.MANAGER)
def compare(one: str, other: str) -> ResponseReturnValue:
    """Both side by side; ``keep`` says which stays, else the one that can, and on which more hangs."""
    return _page(one, other, request.args.get("keep"))


@blueprint.post("/duplicates/<one>/<other>/merge")
@requires(Role.MANAGER)
def merge(one: str, other: str) -> ResponseReturnValue:
    require_proof()
    form = request.form
    kept = form.get("keep", "")
    gone = other if kept == one else one
    chosen = [name for name in FIELDS if form.get(name) == "gone"]
    try:
        person = merging.merge(current_actor(), kept, gone, chosen, seen=form.get("seen", ""))
    except (CannotMerge, RecordChanged) as error:
        return _page(one, other, kept, say(error), error.status)
    except AlreadyMerged as error:
        flash(say(error))
        return redirect(url_for("twins.index"), 303)
    flash(_("Both records are one now: %(name)s.", name=person.name))
    return redirect(url_for("frontdesk.story", public_id=person.public_id), 303)


@blueprint.post("/duplicates/<one>/<other>/two")
@requires(Role.MANAGER)
def two_people(one: str, other: str) -> ResponseReturnValue:
    merging.say_two(current_actor(), one, other)
    flash(_("They stay two people and are not proposed again."))
    return redirect(url_for("twins.index"), 303)


def _page(one: str, other: str, keep: str | None, wrong: str | None = None, status: int = 200) -> ResponseReturnValue:
    people = twin_queries.two_records(one, other)
    if any(person.merged_into_person_id is not None for person in people):
        flash(say(AlreadyMerged()))
        return redirect(url_for("twins.index"), 303)
    facts = [facts_of(person) for person in people]
    hinders = {facts[at].person.public_id: merging.hindrances(gone=people[1 - at], kept=people[at]) for at in (0, 1)}
    order = sorted(facts, key=lambda each: (bool(hinders[each.person.public_id]), -each.weight, each.person.id))
    if keep in hinders:
        order.sort(key=lambda each: each.person.public_id != keep)
    kept, gone = (each.person for each in order)
    words = render_template(
        "frontdesk/twins_compare.html",
        one=one,
        other=other,
        facts=order,
        kept=kept,
        gone=gone,
        hindered=hinders[kept.public_id],
        other_way=not hinders[gone.public_id],
        fields=_fields(kept, gone),
        seen=twin_queries.pair_digest(kept, gone),
        wrong=wrong,
        currency=spaces.lieu().currency,
    )
    return words, status


def _fields(kept: Person, gone: Person) -> list[tuple[str, str, str, bool]]:
    """(name, what the record that stays says, what the other says, whether one may choose) where they differ."""
    old, new = twin_queries.record_fields(kept), twin_queries.record_fields(gone)
    for values in (old, new):
        word = STATUS_WORDS.get(values["status"])
        values["status"] = _(word) if word else ""
    may = merging.may_take_email(gone, kept)
    return [
        (name, old[name], new[name], bool(old[name]) and (name != "email" or may))
        for name in FIELDS
        if new[name] and new[name] != old[name]
    ]

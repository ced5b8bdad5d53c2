"""Entries that may be one place: the lead compares two, merges them, or says that they are two."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.core.errors import NotFound
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires
from coworking.core.web import say
from coworking.network.head import duplicate_queries, merging, queries
from coworking.network.head.entry_rules import FIELDS, KINDS, REGIONS, EntryChanged
from coworking.network.head.import_labels import FIELD_WORDS
from coworking.network.head.merging import MergedFurther, TwoSenders
from coworking.network.head.pages import blueprint

WORDS = FIELD_WORDS | {"siret": "SIRET number", "contact_email": "E-mail", "phone": "Telephone", "notes": "Notes"}


@blueprint.get("/directory/duplicates")
@requires(Role.LEAD)
def duplicates() -> ResponseReturnValue:
    return render_template("network/head/duplicates.html", pairs=duplicate_queries.possible_duplicates())


@blueprint.get("/directory/duplicates/<one>/<other>")
@requires(Role.LEAD)
def compare(one: str, other: str) -> ResponseReturnValue:
    """Both side by side: which remains, and which words of each."""
    return _page(one, other)


@blueprint.post("/directory/duplicates/<one>/<other>/merge")
@requires(Role.LEAD)
def merge_duplicates(one: str, other: str) -> ResponseReturnValue:
    taken = [name for name in FIELDS if request.form.get(name) == "gone"]
    try:
        done = merging.merge(current_actor(), one, other, taken, seen=request.form.get("seen", ""))
    except (EntryChanged, TwoSenders) as error:
        return _page(one, other, wrong=say(error)), error.status
    kept = queries.lieu_by_id(done.kept_id)
    undo = url_for("network_head.undo_merge", public_id=kept.public_id, merge_id=done.id)
    flash(_("Both entries are merged into one: %(name)s.", name=kept.name), f"undo:{undo}")
    return redirect(url_for("network_head.lieu", public_id=kept.public_id), 303)


@blueprint.post("/directory/duplicates/<one>/<other>/two")
@requires(Role.LEAD)
def two_places(one: str, other: str) -> ResponseReturnValue:
    merging.say_two(current_actor(), one, other)
    flash(_("They stay two places and are not proposed again."))
    return redirect(url_for("network_head.duplicates"), 303)


@blueprint.post("/lieux/<public_id>/merges/<int:merge_id>/undo")
@requires(Role.LEAD)
def undo_merge(public_id: str, merge_id: int) -> ResponseReturnValue:
    try:
        since = merging.undo(current_actor(), public_id, merge_id)
    except MergedFurther as error:
        flash(say(error))
        return redirect(url_for("network_head.directory"), 303)
    if since:
        names = ", ".join(_(WORDS[name]) for name in since)
        flash(_("They are two entries again. Edited since the merge and left as they are: %(names)s.", names=names))
    else:
        flash(_("They are two entries again, as they were."))
    return redirect(url_for("network_head.lieu", public_id=public_id), 303)


def _page(one: str, other: str, *, wrong: str | None = None) -> str:
    first, second = sorted((queries.lieu(one), queries.lieu(other)), key=lambda row: row.id)
    if first.id == second.id or first.merged_into_id is not None or second.merged_into_id is not None:
        raise NotFound()
    tied = duplicate_queries.ties((first.id, second.id))
    refused = None
    try:
        kept, gone = merging.order(first, second, tied)
    except TwoSenders as error:
        refused, kept, gone = say(error), first, second
    return render_template(
        "network/head/compare.html",
        kept=kept,
        gone=gone,
        tied=tied,
        refused=refused,
        wrong=wrong if wrong != refused else None,
        seen=merging.pair_fingerprint(kept, gone),
        fields=FIELDS,
        words=WORDS,
        kinds=KINDS,
        regions=REGIONS,
    )

"""Giving back what is left of a pack, on a sheet that says first what it comes to."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.billing import pack_refunds
from coworking.billing.pages import blueprint
from coworking.core.errors import DomainError, NotFound
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires
from coworking.core.reading import row_of
from coworking.core.web import say
from coworking.membership import queries as memberships
from coworking.membership.pack_rules import PackNothingLeft


@blueprint.get("/packs/<public_id>/give-back")
@requires(Role.MANAGER)
def ask_pack_back(public_id: str) -> ResponseReturnValue:
    return _sheet(public_id)


@blueprint.post("/packs/<public_id>/give-back")
@requires(Role.MANAGER)
def take_pack_back(public_id: str) -> ResponseReturnValue:
    cents, units = (row_of(request.form.get(name, "")) for name in ("agreed", "units"))
    owner = memberships.pack_by_public_id(public_id).person.public_id
    try:
        note = pack_refunds.give_back(
            current_actor(), public_id, agreed_cents=-1 if cents is None else cents, agreed_units=units or 0
        )
    except NotFound:
        raise
    except DomainError as error:
        return _sheet(public_id, say(error)), error.status
    if note is not None:
        flash(
            _(
                "The pack is given back by credit note %(number)s. What was paid of it is refunded there.",
                number=note.number,
            )
        )
        original = note.corrects
        return redirect(url_for("billing.invoice", public_id=(original or note).public_id), 303)
    flash(_("The pack is given back. It will not be invoiced beyond what was used."))
    return redirect(url_for("membership.person", public_id=owner), 303)


def _sheet(public_id: str, error: str | None = None) -> str:
    pack = memberships.pack_by_public_id(public_id)
    try:
        found = pack_refunds.look(public_id)
    except PackNothingLeft as nothing:
        found, error = None, error or say(nothing)
    return render_template("billing/pack_back.html", pack=pack, found=found, error=error)

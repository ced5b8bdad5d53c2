"""The page on which a lead changes what the directory says of one place."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires
from coworking.core.reading import email_of, phone_of, postcode_of, siret_of
from coworking.network.head import entries, queries
from coworking.network.head.entry_rules import (
    FIELDS,
    KINDS,
    REGIONS,
    EntryChanged,
    fields_touched,
    fingerprint,
    insee_of,
    stated,
    website_typed,
)
from coworking.network.head.pages import blueprint


@blueprint.get("/lieux/<public_id>/edit")
@requires(Role.LEAD)
def edit_entry(public_id: str) -> ResponseReturnValue:
    values = stated(queries.lieu(public_id))
    return _page(public_id, Form(_shown(values)), fingerprint(values))


@blueprint.post("/lieux/<public_id>/edit")
@requires(Role.LEAD)
def save_entry(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    values, seen = _read(form), form["seen"][:400]
    if form.is_good:
        with form.trying(at="name"):
            try:
                entries.edit(current_actor(), public_id, values, seen=seen)
            except EntryChanged as error:
                return _compared(public_id, form, values, seen, error)
            flash(_("The entry of %(name)s is saved.", name=values["name"]))
            return redirect(url_for("network_head.lieu", public_id=public_id), 303)
    return _page(public_id, form, seen)


def _read(form: Form) -> dict[str, Any]:
    """The values by field; what is wrong with them is said on ``form``."""
    return {
        "name": form.text("name"),
        "address": form.optional("address", most=300),
        "postcode": form.maybe("postcode", postcode_of),
        "city": form.optional("city"),
        "code_insee": form.maybe("code_insee", insee_of),
        "region": form.choice("region", ("", *REGIONS)) or None,
        "kind": form.choice("kind", ("", *KINDS)) or None,
        "website": form.maybe("website", website_typed),
        "siret": form.maybe("siret", siret_of),
        "contact_email": form.maybe("contact_email", email_of),
        "phone": form.maybe("phone", phone_of),
        "notes": form.lines("notes"),
    }


def _shown(values: dict[str, Any]) -> dict[str, str]:
    return {name: values[name] or "" for name in FIELDS}


def _compared(
    public_id: str, form: Form, values: dict[str, Any], seen: str, error: EntryChanged
) -> ResponseReturnValue:
    """The page again: what I touched as I typed it, beside what stands there now; the rest as it stands now."""
    now = stated(queries.lieu(public_id))
    mine = fields_touched(values, seen)
    form.refuse("form", error)
    form.typed |= {name: text for name, text in _shown(now).items() if name not in mine}
    theirs = fields_touched(now, seen)
    beside = {name: now[name] for name in FIELDS if name in mine & theirs and now[name] != values[name]}
    return _page(public_id, form, fingerprint(now), beside)


def _page(public_id: str, form: Form, seen: str, beside: dict[str, Any] | None = None) -> ResponseReturnValue:
    return form_page(
        "network/head/edit_entry.html",
        form,
        lieu=queries.lieu(public_id),
        seen=seen,
        beside=beside or {},
        kinds=[("", _("Not known")), *((key, _(words)) for key, words in KINDS.items())],
        regions=[("", _("Not known")), *REGIONS.items()],
    )

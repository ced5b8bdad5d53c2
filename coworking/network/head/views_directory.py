"""The directory: every place the head knows, whether it belongs to the network or not."""

from __future__ import annotations

from dataclasses import replace

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.core import exports
from coworking.core.errors import N_
from coworking.core.formats import instant_day
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.months import write_month
from coworking.core.policy import Role, current_actor, requires
from coworking.core.reading import email_of, postcode_of, siret_of
from coworking.network.head import directory_queries, lieux
from coworking.network.head.directory_queries import STATES, ListedLieu, Narrowing
from coworking.network.head.entry_rules import KINDS, REGIONS
from coworking.network.head.pages import blueprint
from coworking.statistics.return_rules import is_line

STATE_LABELS = {
    "all": N_("All"),
    "enrolled": N_("Sending automatically"),
    "invited": N_("Invited"),
    "link": N_("By link"),
    "left": N_("Left"),
}
COLUMNS = (
    N_("Name"),
    N_("Address"),
    N_("Postcode"),
    N_("Town"),
    N_("INSEE code"),
    N_("Region"),
    N_("Type"),
    N_("SIRET number"),
    N_("Website"),
    N_("E-mail"),
    N_("Telephone"),
    N_("Latitude"),
    N_("Longitude"),
    N_("How its figures arrive"),
    N_("Invited"),
    N_("Figures expected from"),
    N_("Left on"),
)
WAYS = {"software": N_("sends automatically"), "link": N_("by link")}


@blueprint.get("/directory")
@requires(Role.LEAD)
def directory() -> ResponseReturnValue:
    asked = _asked()
    number = request.args.get("page", 1, type=int)
    found = directory_queries.list_lieux(asked, min(number, 1_000_000))

    def url(wanted: int) -> str:
        return _url(asked, wanted)

    return render_template(
        "network/head/directory.html",
        found=found,
        asked=asked,
        export=_url(asked, endpoint="directory_table"),
        tabs=[
            {"url": _url(replace(asked, state=name)), "label": _(label), "count": found.counts[name]}
            | {"current": name == asked.state}
            for name, label in STATE_LABELS.items()
        ],
        url=url,
        kinds=KINDS,
        regions=REGIONS,
    )


@blueprint.get("/directory.csv")
@requires(Role.LEAD)
def directory_table() -> ResponseReturnValue:
    """The filtered list, whole; without the notes, which leave the head in no way."""
    rows = [_cells(entry) for entry in directory_queries.every_lieu(_asked())]
    return exports.list_answer(exports.asked() or "csv", N_("Directory"), exports.numbered(COLUMNS), rows)


@blueprint.get("/directory/new")
@requires(Role.LEAD)
def new_lieu() -> ResponseReturnValue:
    return form_page("network/head/new_lieu.html", Form({"name": request.args.get("name", "")[:200]}))


@blueprint.post("/directory/new")
@requires(Role.LEAD)
def add_lieu() -> ResponseReturnValue:
    form = Form(request.form)
    name, city, postcode = form.text("name"), form.text("city"), form.check("postcode", postcode_of) or ""
    siret, email = form.maybe("siret", siret_of), form.maybe("email", email_of)
    for field, value in (("name", name), ("city", city)):
        if value and not is_line(value):
            form.refuse(field, _("One line of text."))
    if form.is_good:
        with form.trying(at="name"):
            row = lieux.add(current_actor(), name=name, postcode=postcode, city=city, siret=siret, email=email)
            flash(_("%(name)s is in the directory.", name=row.name))
            return redirect(url_for("network_head.lieu", public_id=row.public_id), 303)
    return form_page("network/head/new_lieu.html", form)


def _asked() -> Narrowing:
    asked = request.args
    state, kind, region = asked.get("state", ""), asked.get("kind", ""), asked.get("region", "")
    return Narrowing(
        asked.get("q", "")[:100].strip(),
        state if state in STATES else "all",
        kind if kind in KINDS else "",
        region if region in REGIONS else "",
    )


def _url(asked: Narrowing, number: int = 1, *, endpoint: str = "directory") -> str:
    return url_for(
        f"network_head.{endpoint}",
        q=asked.text or None,
        state=asked.state if asked.state != "all" else None,
        kind=asked.kind or None,
        region=asked.region or None,
        page=number if number > 1 else None,
    )


def _cells(entry: ListedLieu) -> tuple[object, ...]:
    row = entry.lieu
    return (
        row.name,
        row.address or "",
        row.postcode or "",
        row.city or "",
        row.code_insee or "",
        REGIONS.get(row.region or "", ""),
        _(KINDS[row.kind]) if row.kind in KINDS else "",
        row.siret or "",
        row.website or "",
        row.contact_email or "",
        row.phone or "",
        "" if row.latitude is None else row.latitude,
        "" if row.longitude is None else row.longitude,
        _(WAYS[row.way]) if row.way else "",
        _("Yes") if entry.invited else "",
        write_month(row.expected_from) if row.expected_from else "",
        instant_day(row.left_at) if row.left_at else "",
    )

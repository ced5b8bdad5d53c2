"""The pages of a network head's lead: a month of everyone, and one lieu's page."""

from __future__ import annotations

import csv
import io
import json

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from coworking.core.policy import Role, requires
from coworking.network import head_queries
from coworking.network.overview import SORTS, Overview, last_month, month_before, overview
from coworking.network.rules import pair
from coworking.statistics.labels import LABELS, REASON_WORDS, STATUS_WORDS, worded
from coworking.statistics.schema import EIGHT, SIX, read_month, write_month

blueprint = Blueprint("network_head", __name__, url_prefix="/network")


@blueprint.get("")
@requires(Role.LEAD)
def month() -> ResponseReturnValue:
    """The network's month: by default the last one that is over."""
    search, sort = request.args.get("q", "")[:100], request.args.get("sort", "name")
    found = _asked(search, sort if sort in SORTS else "name")
    return render_template(
        "network/month.html",
        page=found,
        search=search,
        sort=sort,
        sorts=SORTS,
        write_month=write_month,
        status_words=STATUS_WORDS,
    )


@blueprint.get("/returns.csv")
@requires(Role.LEAD)
def table() -> ResponseReturnValue:
    """The month's table as CSV: numerators and denominators, not rates."""
    found = _asked("", "name")
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ("lieu", "city", "month", "state", "booked", "offered", "attended", "offered_where_known", "people")
    )
    for row in found.rows:
        booked, attended = row.booked or ("", ""), row.attended or ("", "")
        people = "" if row.people is None else row.people
        writer.writerow(
            [_plain(row.name), _plain(row.city or ""), write_month(found.month), row.state, *booked, *attended, people]
        )
    name = f"network-{write_month(found.month)}.csv"
    return Response(
        out.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@blueprint.get("/lieux/<public_id>")
@requires(Role.LEAD)
def lieu(public_id: str) -> ResponseReturnValue:
    """One lieu, as a letter: its figures, its trend, what it sent."""
    one = head_queries.member(public_id)
    revisions = head_queries.revisions(one.id)
    asked = read_month(request.args["month"]) if request.args.get("month") else None
    shown = asked or (revisions[0].month if revisions else last_month())
    page = overview(shown)
    said = next((row for row in revisions if row.month == shown), None)
    figures = json.loads(said.document)["figures"] if said is not None else None
    return render_template(
        "network/lieu.html",
        lieu=one,
        month=shown,
        row=next((row for row in page.rows if row.public_id == public_id), None),
        said=said,
        figures=figures,
        labels=LABELS,
        reasons=REASON_WORDS,
        worded=worded,
        names=SIX if said is not None and said.way == "link" else EIGHT,
        attended=pair(figures, "desk_attended") if figures is not None else None,
        revisions=revisions,
        previous=month_before(shown),
        write_month=write_month,
        status_words=STATUS_WORDS,
    )


def _asked(search: str, sort: str) -> Overview:
    text = request.args.get("month")
    return overview(read_month(text) if text else last_month(), search=search, sort=sort)


def _plain(text: str) -> str:
    """``text`` as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t" else text

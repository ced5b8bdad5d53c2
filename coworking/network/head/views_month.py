"""A network head's month of everyone, for its lead."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from coworking.core import exports
from coworking.core.errors import N_
from coworking.core.i18n import _
from coworking.core.months import read_month, write_month
from coworking.core.policy import Role, requires
from coworking.network.head.labels import doubt_words
from coworking.network.head.overview import SORTS, Overview, last_month, overview
from coworking.network.head.pages import blueprint
from coworking.statistics.labels import STATUS_WORDS

COLUMNS = (
    N_("Place"),
    N_("Town"),
    N_("Month"),
    N_("State"),
    N_("Half-days booked"),
    N_("Half-days offered"),
    N_("Half-days attended"),
    N_("Half-days offered where the outcome is known"),
    N_("Different people"),
    N_("Set aside because"),
    N_("Worth a second look"),
)
STATES = {**STATUS_WORDS, "late": N_("not received"), "waiting": N_("not due yet")}


@blueprint.get("")
@requires(Role.LEAD)
def month() -> ResponseReturnValue:
    """The network's month: by default the last one that is over."""
    search, sort = request.args.get("q", "")[:100], request.args.get("sort", "name")
    found = _asked(search, sort if sort in SORTS else "name")
    return render_template(
        "network/head/month.html",
        page=found,
        search=search,
        sort=sort,
        sorts=SORTS,
        status_words=STATUS_WORDS,
        doubt_words=doubt_words,
    )


@blueprint.get("/returns.csv")
@requires(Role.LEAD)
def table() -> ResponseReturnValue:
    """The month's table as a file: numerators and denominators, not rates. What is set aside is in it, with its reason."""
    found = _asked("", "name")
    rows = [
        (
            row.name,
            row.city or "",
            write_month(found.month),
            _(STATES[row.state]),
            *(row.booked or ("", "")),
            *(row.attended or ("", "")),
            "" if row.people is None else row.people,
            row.set_aside or "",
            " ".join(doubt_words(doubt) for doubt in row.doubts),
        )
        for row in found.rows
    ]
    return exports.list_answer(exports.asked() or "csv", N_("Network"), exports.numbered(COLUMNS), rows)


def _asked(search: str, sort: str) -> Overview:
    text = request.args.get("month")
    return overview(read_month(text) if text else last_month(), search=search, sort=sort)

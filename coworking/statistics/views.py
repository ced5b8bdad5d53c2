"""A month, for managers and accountants: read, close and download it."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.core.errors import DomainError, NotFound
from coworking.core.formats import month_year, raised
from coworking.core.i18n import _
from coworking.core.months import MonthUnreadable, month_before, month_of, read_month, write_month
from coworking.core.policy import Role, current_actor, requires
from coworking.core.web import say
from coworking.spaces import queries as spaces
from coworking.statistics import queries, services
from coworking.statistics.envelope import envelope, figures_table, file_name
from coworking.statistics.labels import REASON_WORDS, STATUS_WORDS
from coworking.statistics.models import MonthlyReturn
from coworking.statistics.page import month_page

READERS = (Role.MANAGER, Role.ACCOUNTANT, Role.LEAD)

blueprint = Blueprint("statistics", __name__, url_prefix="/month")


@blueprint.get("")
@requires(*READERS)
def index() -> ResponseReturnValue:
    """The month to close: the last one that is over, or the first one there is."""
    today = spaces.today()
    last = month_before(today)
    shown = last if queries.is_known(last) else month_of(today)
    return redirect(url_for("statistics.month", month=write_month(shown)), 303)


@blueprint.get("/<month>")
@requires(*READERS)
def month(month: str) -> ResponseReturnValue:
    return _page(_month(month))


@blueprint.post("/<month>/close")
@requires(Role.MANAGER)
def close(month: str) -> ResponseReturnValue:
    first = _month(month)
    reason = request.form.get("reason")
    try:
        row = services.close(current_actor(), first, reason=reason)
    except (services.ReasonRequired, services.ReasonUnusable) as error:
        return _page(first, error, reason or ""), 422
    flash(
        _(
            "%(month)s is closed: revision %(revision)s, %(status)s.",
            month=raised(month_year(first)),
            revision=row.revision,
            status=_(STATUS_WORDS[row.status]),
        )
    )
    return redirect(url_for("statistics.month", month=month), 303)


@blueprint.get("/<month>/r<int:revision>.json")
@requires(*READERS)
def document(month: str, revision: int) -> ResponseReturnValue:
    row = _revision(month, revision)
    return _attached(jsonify(envelope(row)), row, "json")


@blueprint.get("/<month>/r<int:revision>.csv")
@requires(*READERS)
def table(month: str, revision: int) -> ResponseReturnValue:
    row = _revision(month, revision)
    return _attached(Response(figures_table(row), content_type="text/csv; charset=utf-8"), row, "csv")


def _page(first: date, error: DomainError | None = None, reason: str = "") -> str:
    actor = current_actor()
    page = month_page(first, money=actor.has(Role.MANAGER) or actor.has(Role.ACCOUNTANT))
    return render_template(
        "statistics/month.html",
        page=page,
        place=spaces.lieu(),
        may_close=actor.has(Role.MANAGER),
        error=say(error) if error is not None else None,
        reason=reason,
        status_words=STATUS_WORDS,
        reason_words=REASON_WORDS,
    )


def _month(text: str) -> date:
    try:
        return read_month(text)
    except MonthUnreadable as error:
        raise NotFound() from error


def _revision(month: str, revision: int) -> MonthlyReturn:
    for row in queries.revisions(_month(month)):
        if row.revision == revision:
            return row
    raise NotFound()


def _attached(response: Response, row: MonthlyReturn, kind: str) -> Response:
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name(row, kind)}"'
    return response

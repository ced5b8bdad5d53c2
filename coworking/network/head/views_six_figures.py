"""The page of the six figures, for a lieu without the software: opened by its link, without an account."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask import Blueprint, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from coworking.core.i18n import _
from coworking.core.months import month_before, read_month, write_month
from coworking.core.policy import public
from coworking.core.web import say
from coworking.network.head import six_figures, six_figures_rules
from coworking.network.head.models import Enrolment, NetworkLieu
from coworking.spaces import queries as spaces
from coworking.spaces.inputs import Reader
from coworking.statistics.labels import LABELS, REASON_WORDS, worded
from coworking.statistics.schema import LONGEST_REASON, SIX, is_line

blueprint = Blueprint("network_figures", __name__, url_prefix="/network/figures")
blueprint.csrf_exempt = True  # type: ignore[attr-defined] - no cookie opens it: the link's token does
"""And with ``no-referrer`` there is nothing left that a check of the referring page could look at."""


@blueprint.get("/<token>")
@public
def page(token: str) -> ResponseReturnValue:
    """The form of a month, by default the last that is over; ``sent`` thanks for it."""
    link, lieu = six_figures.opened(token, request.remote_addr)
    text = request.args.get("month")
    month = six_figures.check_month(read_month(text)) if text else six_figures.reach()[0]
    return _page(link, lieu, month, None, {}, thanks="sent" in request.args)


@blueprint.post("/<token>")
@public
def send(token: str) -> ResponseReturnValue:
    link, lieu = six_figures.opened(token, request.remote_addr)
    month = six_figures.check_month(read_month(request.form.get("month", "")))
    six, reason, errors = _read(request.form, month)
    if not errors:
        try:
            six_figures.send(token, month, six, reason)
        except six_figures.CorrectionReasonMissing as error:
            errors = {"reason": say(error)}
            link, lieu = six_figures.opened(token, request.remote_addr)
    if errors:
        return _page(link, lieu, month, request.form, errors), 422
    return redirect(f"?month={write_month(month)}&sent=1", 303)  # relative: the token stays out of what is written here


@blueprint.after_request
def keep_the_link(response: Response) -> Response:
    """The address is the key: it goes to no other site, into no cache and no search engine."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _read(form: Mapping[str, str], month: date) -> tuple[dict[str, int | None], str | None, dict[str, str]]:
    """The six figures, the reason and what is wrong with them, by the name of the input."""
    typed = {name: "".join(form.get(name, "").split()) for name in SIX}  # « 1 234 » is a number
    reader = Reader(typed | {"reason": " ".join(form.get("reason", "").split())})
    six: dict[str, int | None] = {}
    for name in SIX:
        if reader.raw(name):
            six[name] = _number(reader, name, month)
        else:
            six[name] = None
            if name not in six_figures_rules.MAY_BE_UNKNOWN:
                reader.refuse(name, _("Fill this in: a whole number, 0 if there was none."))
    if not reader.errors:
        for name, words in six_figures_rules.contradictions(six).items():
            reader.refuse(name, _(words))
    reason = reader.optional("reason", most=LONGEST_REASON)
    if reason is not None and not is_line(reason, LONGEST_REASON):
        reader.refuse("reason", _("One line of text."))
    return six, reason, reader.errors


def _number(reader: Reader, name: str, month: date) -> int:
    if name == "open_days":
        return reader.integer(name, 0, six_figures_rules.most_days(month))
    value = reader.raw(name)
    if value.isdecimal() and len(value) <= six_figures_rules.MOST_DIGITS:
        return int(value)
    reader.refuse(name, _("A whole number, such as 42."))
    return 0


def _page(
    link: Enrolment,
    lieu: NetworkLieu,
    month: date,
    typed: Mapping[str, str] | None,
    errors: dict[str, str],
    *,
    thanks: bool = False,
) -> str:
    months = six_figures.reach()
    sent = six_figures.sent(lieu)
    revisions = [one for one in sent if one.month == month]
    known = {one.month for one in sent}
    awaited = [one for one in months if one in known or (lieu.expected_from and one >= lieu.expected_from)]
    return render_template(
        "network/head/six_figures.html",
        head=spaces.lieu(),
        lieu=lieu,
        link=link,
        month=month,
        earlier=month_before(month) if month > months[-1] else None,
        later=month_before(month, -1) if month < months[0] else None,
        awaited=awaited,
        latest={one.month: one for one in reversed(sent)},
        missing=[one for one in awaited if one not in known],
        revisions=revisions,
        typed=typed if typed is not None else revisions[0].figures if revisions else {},
        errors=errors,
        thanks=thanks and bool(revisions),
        names=SIX,
        labels=LABELS,
        reasons=REASON_WORDS,
        worded=worded,
        may_be_unknown=six_figures_rules.MAY_BE_UNKNOWN,
    )

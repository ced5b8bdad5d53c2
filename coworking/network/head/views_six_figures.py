"""The page of the six figures, for a lieu without the software: opened by its link, without an account."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.months import month_after, month_before, read_month, write_month
from coworking.core.policy import public
from coworking.core.reading import count_of, number_of
from coworking.network.head import six_figures, six_figures_rules
from coworking.network.head.models import Enrolment, NetworkLieu
from coworking.spaces import queries as spaces
from coworking.statistics.labels import LABELS, REASON_WORDS, worded
from coworking.statistics.return_rules import LONGEST_REASON, is_line
from coworking.statistics.schema import SIX

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
    return _page(link, lieu, month, thanks="sent" in request.args)


@blueprint.post("/<token>")
@public
def send(token: str) -> ResponseReturnValue:
    link, lieu = six_figures.opened(token, request.remote_addr)
    month = six_figures.check_month(read_month(request.form.get("month", "")))
    form = Form(request.form)
    six, reason = _read(form, month)
    if form.is_good:
        try:
            six_figures.send(token, month, six, reason)
            return redirect(f"?month={write_month(month)}&sent=1", 303)  # relative: the token is not written here
        except six_figures.CorrectionReasonMissing as error:
            form.refuse("reason", error)
            link, lieu = six_figures.opened(token, request.remote_addr)
    return _page(link, lieu, month, form)


@blueprint.after_request
def keep_the_link(response: Response) -> Response:
    """The address is the key: it goes to no other site, into no cache and no search engine."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _read(form: Form, month: date) -> tuple[dict[str, int | None], str | None]:
    """The six figures and the reason; what is wrong with them is said on ``form``."""
    six: dict[str, int | None] = {}
    for name in SIX:
        most = six_figures_rules.most_days(month)
        six[name] = form.maybe(name, number_of, 0, most) if name == "open_days" else form.maybe(name, count_of)
        if not form.raw(name) and name not in six_figures_rules.MAY_BE_UNKNOWN:
            form.refuse(name, _("Fill this in: a whole number, 0 if there was none."))
    if form.is_good:
        for name, words in six_figures_rules.contradictions(six).items():
            form.refuse(name, _(words))
    reason = form.optional("reason", most=LONGEST_REASON)
    if reason is not None and not is_line(reason, LONGEST_REASON):
        form.refuse("reason", _("One line of text."))
    return six, reason


def _page(
    link: Enrolment, lieu: NetworkLieu, month: date, form: Form | None = None, *, thanks: bool = False
) -> ResponseReturnValue:
    months = six_figures.reach()
    sent = six_figures.sent(lieu)
    revisions = [one for one in sent if one.month == month]
    known = {one.month for one in sent}
    awaited = [one for one in months if one in known or (lieu.expected_from and one >= lieu.expected_from)]
    before = revisions[0].figures if revisions else {}
    shown = Form({name: str(before[name]) for name in SIX if before.get(name) is not None})
    return form_page(
        "network/head/six_figures.html",
        form or shown,
        head=spaces.lieu(),
        lieu=lieu,
        link=link,
        month=month,
        earlier=month_before(month) if month > months[-1] else None,
        later=month_after(month) if month < months[0] else None,
        awaited=awaited,
        latest={one.month: one for one in reversed(sent)},
        missing=[one for one in awaited if one not in known],
        revisions=revisions,
        thanks=thanks and bool(revisions),
        names=SIX,
        labels=LABELS,
        reasons=REASON_WORDS,
        worded=worded,
        may_be_unknown=six_figures_rules.MAY_BE_UNKNOWN,
    )

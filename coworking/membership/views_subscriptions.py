"""Who has which plan, for managers."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts.session import require_proof
from coworking.core import exports
from coworking.core.errors import N_
from coworking.core.months import month_of
from coworking.core.policy import Role, requires
from coworking.membership import pausing
from coworking.membership.list_pages import SUBSCRIPTIONS
from coworking.membership.pages import blueprint
from coworking.membership.subscription_queries import every_subscription, list_subscriptions
from coworking.spaces import queries as spaces


@blueprint.get("/subscriptions")
@requires(Role.MANAGER)
def subscriptions() -> ResponseReturnValue:
    text, ended = request.args.get("q", "")[:200].replace("\x00", ""), "ended" in request.args
    today = spaces.today()
    if kind := exports.asked():
        require_proof()
        rows = every_subscription(text, today, ended=ended)
        return exports.list_answer(kind, N_("Subscriptions"), SUBSCRIPTIONS, rows)

    def url(wanted: int) -> str:
        return url_for("membership.subscriptions", q=text or None, ended=1 if ended else None, page=wanted)

    found = list_subscriptions(text, min(request.args.get("page", 1, type=int), 1_000_000), today, ended=ended)
    rows, pauses = pausing.with_pauses(found.rows, found.rows)
    return render_template(
        "membership/subscriptions.html",
        found=found,
        rows=rows,
        pauses=pauses,
        q=text,
        ended=ended,
        url=url,
        this_month=month_of(today),
    )

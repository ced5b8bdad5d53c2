"""One lieu's page: its figures, its links, and whether it belongs to the network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from urllib.parse import quote

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.core.errors import NotFound
from coworking.core.formats import month_year
from coworking.core.i18n import _
from coworking.core.months import MonthUnreadable, month_before, month_of, read_month, write_month
from coworking.core.policy import Role, current_actor, requires
from coworking.core.web import refusal, say
from coworking.network.head import directory_queries, duplicate_queries, enrolment, lieux, queries, setting_aside
from coworking.network.head.chain_heads import shortened
from coworking.network.head.entry_rules import KINDS, REGIONS
from coworking.network.head.labels import doubt_words
from coworking.network.head.models import FIGURES, JOIN, NetworkLieu
from coworking.network.head.overview import last_month, lieu_month
from coworking.network.head.pages import blueprint
from coworking.network.head.rules import pair
from coworking.spaces import queries as spaces
from coworking.statistics.labels import LABELS, REASON_WORDS, STATUS_WORDS, worded
from coworking.statistics.schema import EIGHT, SIX

PURPOSES = (JOIN, FIGURES)
MONTHS_BACK, MONTHS_AHEAD = 12, 3
"""Around this month: from when figures may be expected."""


@blueprint.get("/lieux/<public_id>")
@requires(Role.LEAD)
def lieu(public_id: str) -> ResponseReturnValue:
    """One lieu: its figures, its trend, what it sent, and how it belongs to the network."""
    return _page(public_id)


@blueprint.post("/lieux/<public_id>/links")
@requires(Role.LEAD)
def give_link(public_id: str) -> ResponseReturnValue:
    """A new link, shown on this answer only: a redirect would have to keep it."""
    purpose = _purpose()
    try:
        token = enrolment.invite(current_actor(), public_id, purpose)
    except enrolment.SendsItself as error:
        return refusal(error, lambda: _page(public_id))
    url = enrolment.join_url(token) if purpose == JOIN else enrolment.figures_url(token)
    response = _page(public_id, purpose=purpose, link=url)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/lieux/<public_id>/links/revoke")
@requires(Role.LEAD)
def revoke_link(public_id: str) -> ResponseReturnValue:
    enrolment.revoke(current_actor(), public_id, _purpose())
    flash(_("This link no longer works."))
    return _back(public_id)


@blueprint.post("/lieux/<public_id>/expected-from")
@requires(Role.LEAD)
def expect_from(public_id: str) -> ResponseReturnValue:
    lieux.expect_from(current_actor(), public_id, _month(request.form.get("month", "")))
    flash(_("Saved: its figures are expected from that month on."))
    return _back(public_id)


@blueprint.post("/lieux/<public_id>/depart")
@requires(Role.LEAD)
def depart(public_id: str) -> ResponseReturnValue:
    row = lieux.depart(current_actor(), public_id)
    flash(
        _("%(name)s left the network.", name=row.name),
        f"undo:{url_for('network_head.come_back', public_id=row.public_id)}",
    )
    return _back(public_id)


@blueprint.post("/lieux/<public_id>/come-back")
@requires(Role.LEAD)
def come_back(public_id: str) -> ResponseReturnValue:
    row = lieux.come_back(current_actor(), public_id)
    flash(_("%(name)s is back in the network, as before.", name=row.name))
    return _back(public_id)


@blueprint.post("/lieux/<public_id>/returns/<month>/<int(max=10000):revision>/set-aside")
@requires(Role.LEAD)
def set_aside(public_id: str, month: str, revision: int) -> ResponseReturnValue:
    """Leave this return out of the network's figures, with a reason."""
    first, reason = _month(month), request.form.get("reason", "")
    try:
        setting_aside.set_aside(current_actor(), public_id, first, revision, reason)
    except setting_aside.SetAsideReasonUnusable as error:
        return _page(public_id, month=first, typed={"reason": reason}, errors={"reason": say(error)}), error.status
    undo = url_for("network_head.count_again", public_id=public_id, month=month, revision=revision)
    flash(_("Set aside: the network’s figures leave it out and say so."), f"undo:{undo}")
    return _back(public_id, first)


@blueprint.post("/lieux/<public_id>/returns/<month>/<int(max=10000):revision>/count-again")
@requires(Role.LEAD)
def count_again(public_id: str, month: str, revision: int) -> ResponseReturnValue:
    first = _month(month)
    setting_aside.count_again(current_actor(), public_id, first, revision)
    flash(_("It counts again in the network’s figures."))
    return _back(public_id, first)


def _month(text: str) -> date:
    try:
        return read_month(text)
    except MonthUnreadable as error:
        raise NotFound() from error


def _purpose() -> str:
    purpose = request.form.get("purpose", "")
    if purpose not in PURPOSES:
        raise NotFound()
    return purpose


def _back(public_id: str, month: date | None = None) -> ResponseReturnValue:
    shown = write_month(month) if month is not None else None
    return redirect(url_for("network_head.lieu", public_id=public_id, month=shown), 303)


def _page(
    public_id: str,
    *,
    purpose: str | None = None,
    link: str | None = None,
    month: date | None = None,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    one, has_merges = duplicate_queries.lieu_and_merges(public_id)
    if one.merged_into_id is not None:
        return make_response(_back(queries.lieu_by_id(one.merged_into_id).public_id))
    revisions, asides = queries.revisions(one.id)
    text = request.args.get("month", "")
    shown = month or (read_month(text) if text else revisions[0].month if revisions else last_month())
    said = next((row for row in revisions if row.month == shown), None)
    figures = queries.figures_of(said) if said is not None else None
    page = render_template(
        "network/head/lieu.html",
        lieu=one,
        kinds=KINDS,
        regions=REGIONS,
        reachable=_reachable(one),
        month=shown,
        row=lieu_month(one, shown) if revisions or one.way is not None else None,
        said=said,
        figures=figures,
        labels=LABELS,
        reasons=REASON_WORDS,
        worded=worded,
        names=SIX if said is not None and said.way == "link" else EIGHT,
        attended=pair(figures, "desk_attended") if figures is not None else None,
        revisions=revisions,
        set_aside=asides,
        doubts={row.id: [doubt_words(doubt) for doubt in queries.doubts_of(row)] for row in revisions},
        doubt_words=doubt_words,
        shortened=shortened(
            (row, json.loads(row.chain_heads) if row.chain_heads else None)
            for row in sorted(revisions, key=lambda row: row.id)
        ),
        merges=duplicate_queries.merged_into(one.id) if has_merges else [],
        typed=typed or {},
        errors=errors or {},
        status_words=STATUS_WORDS,
        links=directory_queries.open_links(one.id),
        purpose=purpose,
        link=link,
        mailto=_mailto(one, purpose, link) if link and one.contact_email else None,
        month_choices=_months_around(one.expected_from),
    )
    return make_response(page)


def _mailto(lieu: NetworkLieu, purpose: str | None, link: str) -> str:
    """A ``mailto:`` for the lead's own mail program: the link itself is kept nowhere here."""
    head = spaces.lieu().name
    subject = _("%(head)s: your link", head=head)
    if purpose == JOIN:
        body = _(
            "Hello,\n\n%(head)s invites %(name)s into its network. In your software, open Settings, Network, and paste "
            "this link there whole; it works once:\n\n%(link)s\n",
            head=head,
            name=lieu.name,
            link=link,
        )
    else:
        body = _(
            "Hello,\n\n%(head)s needs six figures of %(name)s once a month. This link is yours alone and opens the page "
            "where you give them:\n\n%(link)s\n",
            head=head,
            name=lieu.name,
            link=link,
        )
    address = quote(lieu.contact_email or "", safe="@")
    return f"mailto:{address}?subject={quote(subject)}&body={quote(body)}"


def _reachable(lieu: NetworkLieu) -> list[tuple[str, str]]:
    """How to reach the lieu: the address of each link and its words."""
    links = []
    if lieu.website:
        links.append((lieu.website, lieu.website.removeprefix("https://").removeprefix("http://")))
    if lieu.contact_email:
        links.append((f"mailto:{quote(lieu.contact_email, safe='@')}", lieu.contact_email))
    if lieu.phone:
        links.append((f"tel:{lieu.phone.replace(' ', '')}", lieu.phone))
    return links


def _months_around(chosen: date | None) -> list[tuple[str, str]]:
    """The months from which figures may be expected, the latest first, with their names."""
    first = month_of(spaces.today())
    months = {month_before(first, back) for back in range(-MONTHS_AHEAD, MONTHS_BACK + 1)}
    return [
        (write_month(month), month_year(month))
        for month in sorted(months | ({chosen} if chosen is not None else set()), reverse=True)
    ]

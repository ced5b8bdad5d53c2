"""What anyone may see of the lieu: whether it is open, what is there, how to come."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

from flask import Blueprint, current_app, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from coworking.core import legal
from coworking.core.clock import now
from coworking.core.errors import NotFound
from coworking.core.formats import NARROW, day_long, hour, weekday_names
from coworking.core.i18n import _, language
from coworking.core.policy import actor_or_none, public
from coworking.core.statics import asset
from coworking.core.timespan import Span, local_date
from coworking.frontdesk import register_pages, visitors
from coworking.membership import employer_queries as employers
from coworking.membership import queries as memberships
from coworking.pricing.queries import public_prices
from coworking.spaces import photo_queries, queries
from coworking.spaces.models import DESK, LieuDay, Schedule
from coworking.spaces.rules import weekly

blueprint = Blueprint("public", __name__)

AHEAD = timedelta(weeks=12)
HOLIDAYS_AHEAD = timedelta(weeks=6)
DAYS_TO_TRY, WEEKS_TO_TRY = 5, timedelta(weeks=3)


@blueprint.get("/")
@public
def home() -> ResponseReturnValue:
    """The public page; people who are signed in are redirected to their own first page."""
    queries.lieu()
    actor = actor_or_none()
    if actor is not None:
        own = (
            "frontdesk.today"
            if actor.is_staff
            else "employer.index"
            if employers.is_only_contact(actor)
            else "week.show"
        )
        if own in current_app.view_functions:
            return redirect(url_for(own))
    return lieu()


@blueprint.get("/manifest.webmanifest")
@public
def manifest() -> ResponseReturnValue:
    """The W3C Web App Manifest, with which a phone can install the site."""
    place = queries.lieu_or_none()
    name = place.name if place is not None else "Coworking"
    icons = [("icon-192", "192x192", "any"), ("icon-512", "512x512", "any"), ("maskable-512", "512x512", "maskable")]
    answer = jsonify(
        name=name,
        short_name=name,
        lang=language(),
        id="/",
        start_url=url_for("public.home"),
        scope=url_for("public.home"),
        display="standalone",
        background_color="#faf7f1",
        theme_color="#faf7f1",
        icons=[
            {"src": asset(f"img/{file}.png"), "sizes": sizes, "type": "image/png", "purpose": purpose}
            for file, sizes, purpose in icons
        ],
    )
    answer.mimetype = "application/manifest+json"
    return answer


@blueprint.get("/lieu")
@public
def lieu() -> ResponseReturnValue:
    place, visitor = queries.lieu(), actor_or_none() is None
    instant = now()
    today = local_date(instant, place.tz)
    days = queries.days(today, today + AHEAD)
    dated = queries.schedules()
    current = queries.in_force(dated, today)
    every, prices = queries.resources(), public_prices(today)
    resources = [row for row in every if row.in_service(today)]
    desks = [row for row in every if row.kind == DESK]
    following = next((s for s in dated if today < s.valid_from <= today + AHEAD), None)
    return render_template(
        "frontdesk/public.html",
        place=place,
        visitor=visitor,
        sign_in_url=_address("accounts.sign_in") if visitor else None,
        sign_up_url=_address("accounts.sign_up") if visitor else None,
        today=today,
        sentence=opening_sentence(days, today, instant),
        open_now=any(span.contains(instant) for span in days[today].open()) if today in days else False,
        weekdays=weekday_names(),
        week=weekly(queries.openings(current)) if current else None,
        following=following,
        following_week=weekly(queries.openings(following)) if following else None,
        closures=queries.closures_between(today, today + AHEAD),
        holidays=[row for row in days.values() if row.holiday and _missed(row, dated, today)],
        count=Counter(resource.kind for resource in resources),
        prices=prices,
        own_prices=[(row, prices.by_resource[row.id]) for row in resources if row.id in prices.by_resource]
        if prices is not None
        else [],
        plans=memberships.public_plans(),
        packs=memberships.pack_offers(),
        adhesion_cents=memberships.settings().adhesion_cents,
        photos=photo_queries.photos(),
        next_day=next(iter(visitors.free_days(days, desks, today, instant, 1)), None),
        trial=visitors.trial_price(prices),
        map_link=visitors.map_link(place),
    )


@blueprint.get("/try")
@public
def try_out() -> ResponseReturnValue:
    """How to have a first half-day to try, and when there is room for it."""
    place, instant = queries.lieu(), now()
    today = local_date(instant, place.tz)
    prices = public_prices(today)
    trial = visitors.trial_price(prices)
    if trial is None:
        raise NotFound()
    days = queries.days(today, today + WEEKS_TO_TRY)
    return render_template(
        "frontdesk/try.html",
        place=place,
        trial=trial,
        prices=prices,
        days=visitors.free_days(days, queries.resources(kind=DESK), today, instant, DAYS_TO_TRY),
        visitor=actor_or_none() is None,
    )


def _missed(row: LieuDay, dated: list[Schedule], today: date) -> bool:
    """Whether a holiday is near and falls on a day on which the lieu would open."""
    schedule = queries.in_force(dated, row.day)
    usual = weekly(queries.openings(schedule))[row.day.weekday()] if schedule else ()
    return bool(usual) and row.day <= today + HOLIDAYS_AHEAD


def _address(endpoint: str) -> str | None:
    return url_for(endpoint) if endpoint in current_app.view_functions else None


@blueprint.get("/accessibility")
@public
def accessibility() -> ResponseReturnValue:
    """The accessibility statement that art. 47 of law 2005-102 requires of public authorities; other lieux have none."""
    place = queries.lieu()
    if place.legal_status != "public":
        raise NotFound()
    return render_template("frontdesk/accessibility.html", place=place)


@blueprint.get("/legal-notice")
@public
def legal_notice() -> ResponseReturnValue:
    """Who publishes and hosts the site: article 1-1 of the LCEN (law 2004-575)."""
    return render_template("frontdesk/legal_notice.html", place=queries.lieu(), legal=legal.legal_settings())


@blueprint.get("/your-data")
@public
def your_data() -> ResponseReturnValue:
    """What becomes of people's data, as the packages declare it (RGPD, articles 13 and 14)."""
    return render_template(
        "frontdesk/your_data.html",
        place=queries.lieu(),
        legal=legal.legal_settings(),
        lines=register_pages.lines(),
    )


def opening_sentence(days: dict[date, LieuDay], today: date, instant: datetime) -> str:
    """« Ouvert aujourd’hui de 9 h à 18 h. », or why not and from when again."""
    row = days.get(today)
    spans = row.open() if row else []
    if spans and instant < spans[-1].end:
        return _("Open today %(hours)s.", hours=_from_to(spans))
    if spans:
        first = _("Closed since %(hour)s.", hour=hour(spans[-1].end))
    elif row is not None and (why := row.holiday or row.closure):
        first = _("Closed today: %(reason)s.", reason=why)
    else:
        first = _("Closed today.")
    return " ".join(filter(None, (first, _again(days, today))))


def _again(days: dict[date, LieuDay], today: date) -> str | None:
    for on in sorted(days):
        spans = days[on].open()
        if on > today and spans:
            when = _("tomorrow") if on == today + timedelta(days=1) else day_long(on)
            return _("Opens again %(day)s at %(hour)s.", day=when, hour=hour(spans[0].start))
    return None


def _from_to(spans: list[Span]) -> str:
    said = [_("from %(start)s to %(end)s", start=hour(s.start), end=_closing(s.end)) for s in spans]
    return _(" and ").join(said)


def _closing(instant: datetime) -> str:
    """Midnight ends the day: « 24 h »."""
    said = hour(instant)
    midnight = {"fr": f"0{NARROW}h", "en": "0:00"}[language()]
    return _("midnight") if said == midnight else said

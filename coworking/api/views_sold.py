"""What the lieu sells beside its tariff, for managers: plans, packs and articles, offered and no longer offered."""

from __future__ import annotations

from typing import Any

from coworking.api import render_sold
from coworking.api.idempotency import idempotent
from coworking.api.pages import blueprint
from coworking.api.render import Json
from coworking.api.schemas.sold import (
    EverythingSold,
    NewArticle,
    NewArticlePrice,
    NewPackOffer,
    NewPlan,
    SoldArticle,
    SoldPack,
    SoldPlan,
)
from coworking.api.views_tariffs import taxed
from coworking.core.policy import Actor, Role, current_actor, requires
from coworking.membership import queries as membership
from coworking.membership import services
from coworking.pricing import article_queries, article_services

_PLAN = {"name": "Ten half-days", "monthly_cents": 6000, "halfdays_per_month": 10, "vat_rate_bp": 2000}
_PACK = {
    "name": "Ten half-days",
    "unit": "half_day",
    "units": 10,
    "cents": 8000,
    "valid_months": 6,
    "vat_rate_bp": 2000,
}
_ARTICLE = {"label": "Coffee", "kind": "goods", "cents": 100, "vat_rate_bp": 1000}


def _plan(_actor: Actor, public_id: str) -> Json:
    found = membership.plan_by_public_id(public_id)
    return render_sold.plan(found, membership.plan_holders().get(found.id, 0))


def _pack(_actor: Actor, public_id: str) -> Json:
    found = membership.pack_offer_by_public_id(public_id)
    return render_sold.pack(found, membership.pack_holders().get(found.id, 0))


def _article(_actor: Actor, public_id: str) -> Json:
    return render_sold.article(article_queries.article(public_id))


@blueprint.post("/plans")
@requires(Role.MANAGER, scope="lieu:write")
@blueprint.input(NewPlan(), example=_PLAN)
@blueprint.output(SoldPlan(), status_code=201)
@idempotent(_plan)
def add_plan(json_data: dict[str, Any]) -> Json:
    """Offer a plan (managers)

    It never changes: a new price is a new plan, and those who have the old one keep its terms.
    """
    actor = current_actor()
    group, halfdays = json_data.pop("group_id", None), json_data.pop("halfdays_per_month", None)
    made = services.add_plan(actor, **taxed(json_data), halfdays_per_month=halfdays, group=group)
    return _plan(actor, made.public_id)


@blueprint.post("/plans/<plan_id>/close")
@requires(Role.MANAGER, scope="lieu:write")
@blueprint.output(SoldPlan())
@idempotent(_plan, of="plan_id")
def close_plan(plan_id: str) -> Json:
    """Offer a plan no longer (managers); those who have it keep it; twice is fine"""
    actor = current_actor()
    services.set_plan_open(actor, plan_id, False)
    return _plan(actor, plan_id)


@blueprint.post("/plans/<plan_id>/open")
@requires(Role.MANAGER, scope="lieu:write")
@blueprint.output(SoldPlan())
@idempotent(_plan, of="plan_id")
def open_plan(plan_id: str) -> Json:
    """Offer a plan again (managers); twice is fine"""
    actor = current_actor()
    services.set_plan_open(actor, plan_id, True)
    return _plan(actor, plan_id)


@blueprint.post("/pack-offers")
@requires(Role.MANAGER, scope="lieu:write")
@blueprint.input(NewPackOffer(), example=_PACK)
@blueprint.output(SoldPack(), status_code=201)
@idempotent(_pack)
def add_pack_offer(json_data: dict[str, Any]) -> Json:
    """Offer a pack (managers)

    It never changes: a new price is a new pack.
    """
    actor = current_actor()
    return _pack(actor, services.add_pack_offer(actor, **taxed(json_data)).public_id)


@blueprint.post("/pack-offers/<offer_id>/close")
@requires(Role.MANAGER, scope="lieu:write")
@blueprint.output(SoldPack())
@idempotent(_pack, of="offer_id")
def close_pack_offer(offer_id: str) -> Json:
    """Offer a pack no longer (managers); those who have it keep it; twice is fine"""
    actor = current_actor()
    services.set_pack_offer_open(actor, offer_id, False)
    return _pack(actor, offer_id)


@blueprint.post("/pack-offers/<offer_id>/open")
@requires(Role.MANAGER, scope="lieu:write")
@blueprint.output(SoldPack())
@idempotent(_pack, of="offer_id")
def open_pack_offer(offer_id: str) -> Json:
    """Offer a pack again (managers); twice is fine"""
    actor = current_actor()
    services.set_pack_offer_open(actor, offer_id, True)
    return _pack(actor, offer_id)


@blueprint.post("/articles")
@requires(Role.MANAGER, scope="lieu:write")
@blueprint.input(NewArticle(), example=_ARTICLE)
@blueprint.output(SoldArticle(), status_code=201)
@idempotent(_article)
def add_article(json_data: dict[str, Any]) -> Json:
    """Sell something at the door from today on (managers)

    409 `article_label_taken` where something of that name is offered.
    """
    actor = current_actor()
    label, kind = json_data.pop("label"), json_data.pop("kind")
    return _article(actor, article_services.add_article(actor, label, kind, **taxed(json_data, basis=False)).public_id)


@blueprint.post("/articles/<article_id>/prices")
@requires(Role.MANAGER, scope="lieu:write")
@blueprint.input(NewArticlePrice(), example={"valid_from": "2026-12-01", "cents": 120, "vat_rate_bp": 1000})
@blueprint.output(SoldArticle(), status_code=201)
@idempotent(_article, of="article_id")
def set_article_price(article_id: str, json_data: dict[str, Any]) -> Json:
    """Let an article cost this from a day on (managers); what was sold keeps its price"""
    actor = current_actor()
    article_services.set_article_price(actor, article_id, **taxed(json_data, basis=False))
    return _article(actor, article_id)


@blueprint.post("/articles/<article_id>/close")
@requires(Role.MANAGER, scope="lieu:write")
@blueprint.output(SoldArticle())
@idempotent(_article, of="article_id")
def close_article(article_id: str) -> Json:
    """Sell an article no longer (managers); twice is fine"""
    actor = current_actor()
    article_services.archive_article(actor, article_id)
    return _article(actor, article_id)


@blueprint.post("/articles/<article_id>/open")
@requires(Role.MANAGER, scope="lieu:write")
@blueprint.output(SoldArticle())
@idempotent(_article, of="article_id")
def open_article(article_id: str) -> Json:
    """Sell an article again (managers); twice is fine"""
    actor = current_actor()
    article_services.restore_article(actor, article_id)
    return _article(actor, article_id)


@blueprint.get("/sold")
@requires(Role.MANAGER, scope="lieu:read")
@blueprint.output(EverythingSold())
def everything_sold() -> Json:
    """Plans, packs and articles with what they cost and who has them (managers)

    Those that are offered first, then those that no longer are.
    """
    holders, pack_holders = membership.plan_holders(), membership.pack_holders()
    articles = [*article_queries.articles(), *article_queries.articles(archived=True)]
    return {
        "plans": [render_sold.plan(row, holders.get(row.id, 0)) for row in membership.plans(closed=True)],
        "packs": [render_sold.pack(row, pack_holders.get(row.id, 0)) for row in membership.pack_offers(closed=True)],
        "articles": [render_sold.article(row) for row in articles],
    }

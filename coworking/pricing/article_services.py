"""What a lieu sells beside its places: added, priced anew from a day on, no longer offered. Managers only."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.policy import Actor, Role
from coworking.core.units import locked, write_unit
from coworking.pricing.article_rules import (
    ArticleKind,
    ArticleLabelTaken,
    ArticlePriceInPast,
    ArticlePriceMissing,
    check_account,
    check_article_label,
)
from coworking.pricing.models import Article, ArticlePrice
from coworking.spaces import queries as spaces
from coworking.spaces.calendar import lock_lieu


def add_article(actor: Actor, label: str, kind: ArticleKind, *, cents: int, vat_rate_bp: int, account: str) -> Article:
    """Offer something from today on; raises `ArticleLabelTaken` where the same name is offered already."""
    _check_manager(actor)
    name = check_article_label(label)
    with write_unit() as unit:
        lock_lieu()
        if db.session.scalar(select(Article.id).where(Article.label == name, Article.archived_at.is_(None))):
            raise ArticleLabelTaken()
        article = Article(label=name, kind=kind)
        db.session.add(article)
        db.session.flush()
        _price(actor, article, spaces.today(), cents, vat_rate_bp, account)
        unit.result = article.public_id
    return article


def set_article_price(
    actor: Actor, public_id: str, *, valid_from: date, cents: int, vat_rate_bp: int, account: str
) -> Article:
    """Let it cost this from ``valid_from`` (today at the earliest) on. What was sold keeps its price."""
    _check_manager(actor)
    with write_unit():
        article = _locked(public_id)
        if valid_from < spaces.today():
            raise ArticlePriceInPast()
        _price(actor, article, valid_from, cents, vat_rate_bp, account)
    return article


def archive_article(actor: Actor, public_id: str) -> Article:
    """Offer it no longer. Twice is fine."""
    return _offer(actor, public_id, archived=True)


def restore_article(actor: Actor, public_id: str) -> Article:
    """Offer it again, unless the same name is offered by now."""
    return _offer(actor, public_id, archived=False)


def _offer(actor: Actor, public_id: str, *, archived: bool) -> Article:
    _check_manager(actor)
    with write_unit():
        lock_lieu()
        article = _locked(public_id)
        if archived == (article.archived_at is not None):
            return article
        others = select(Article.id).where(Article.label == article.label, Article.archived_at.is_(None))
        if not archived and db.session.scalar(others):
            raise ArticleLabelTaken()
        article.archived_at = now() if archived else None
        audit.record(actor, "article.archived" if archived else "article.restored", ("article", article.id))
    return article


def _price(actor: Actor, article: Article, day: date, cents: int, vat_rate_bp: int, account: str) -> None:
    if cents <= 0:
        raise ArticlePriceMissing()
    price = db.session.scalar(
        select(ArticlePrice).where(ArticlePrice.article_id == article.id, ArticlePrice.valid_from == day)
    )
    if price is None:
        price = ArticlePrice(article_id=article.id, valid_from=day)
        db.session.add(price)
    price.cents, price.vat_rate_bp = cents, 0 if article.kind == "deposit" else vat_rate_bp
    price.account = check_account(account, article.kind)
    audit.record(actor, "article.priced", ("article", article.id), valid_from=day.isoformat(), cents=cents)


def _locked(public_id: str) -> Article:
    article = db.session.scalar(locked(select(Article).where(Article.public_id == public_id)))
    if article is None:
        raise NotFound()
    return article


def _check_manager(actor: Actor) -> None:
    if not actor.has(Role.MANAGER):
        raise Forbidden()

"""Reading what a lieu sells beside its places."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.search import folded
from coworking.pricing.models import Article


def articles(*, archived: bool = False) -> list[Article]:
    """What is offered, or with ``archived`` what no longer is, by name and with every price (2 statements)."""
    gone = Article.archived_at.is_not(None) if archived else Article.archived_at.is_(None)
    return list(
        db.session.scalars(
            select(Article)
            .where(gone)
            .options(selectinload(Article.prices))
            .order_by(folded(Article.label), Article.id)
        )
    )


def article(public_id: str) -> Article:
    """One article with its prices; raises `NotFound`."""
    found = db.session.scalar(
        select(Article).where(Article.public_id == public_id).options(selectinload(Article.prices))
    )
    if found is None:
        raise NotFound()
    return found

"""What members ask to have given back of their packs: what waits, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import contains_eager

from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.membership.allowance_queries import LEFT_OF_PACK
from coworking.membership.models import Pack, PackReturn
from coworking.membership.pack_request_models import PackRequest
from coworking.spaces import queries as spaces


def open_requests() -> list[PackRequest]:
    """What waits for a manager, with the packs and their people, the oldest first (1 statement)."""
    return list(db.session.scalars(_with_pack().where(_is_open()).order_by(PackRequest.id)).unique())


def request_state() -> tuple[ColumnElement[int], ...]:
    """What changes when a request comes or is closed, to be selected with other things."""
    return tuple(
        select(value).select_from(PackRequest).join(PackRequest.pack).where(_is_open()).scalar_subquery()
        for value in (func.count(), func.coalesce(func.sum(PackRequest.id), 0))
    )


def latest_requests(packs: Iterable[Pack]) -> dict[int, PackRequest]:
    """What was asked for last of each of ``packs``, by its id, unless it is over or was taken back (1 statement)."""
    counts = or_(PackRequest.outcome.is_not(None), _is_open())
    asked = _with_pack().where(PackRequest.pack_id.in_([pack.id for pack in packs]), counts).order_by(PackRequest.id)
    latest = {one.pack_id: one for one in db.session.scalars(asked).unique()}
    return {pack: one for pack, one in latest.items() if one.outcome != "taken_back"}


def find_request(public_id: str) -> PackRequest | None:
    """The request with its pack and person, if there is one."""
    return db.session.scalars(_with_pack().where(PackRequest.public_id == public_id)).unique().one_or_none()


def request_by_public_id(public_id: str) -> PackRequest:
    """The request with its pack and person; raises `NotFound`."""
    if (found := find_request(public_id)) is None:
        raise NotFound()
    return found


def request_granted_by(pack_return: str) -> PackRequest:
    """The request that was granted by what was given back under that public id; raises `NotFound`."""
    granted = _with_pack().join(PackRequest.pack_return).where(PackReturn.public_id == pack_return)
    if (found := db.session.scalars(granted).unique().one_or_none()) is None:
        raise NotFound()
    return found


def unanswered_request(pack_id: int) -> PackRequest | None:
    """The request of a pack that nobody has closed, also where the pack is over (1 statement)."""
    unanswered = (PackRequest.pack_id == pack_id, PackRequest.outcome.is_(None))
    return db.session.scalars(select(PackRequest).where(*unanswered)).one_or_none()


def last_request(pack_id: int) -> PackRequest | None:
    """What was asked for last of a pack (1 statement)."""
    asked = select(PackRequest).where(PackRequest.pack_id == pack_id).order_by(PackRequest.id.desc())
    return db.session.scalars(asked.limit(1)).one_or_none()


def _with_pack() -> Select[PackRequest]:
    return select(PackRequest).join(PackRequest.pack).options(contains_eager(PackRequest.pack).joinedload(Pack.person))


def _is_open() -> ColumnElement[bool]:
    return and_(PackRequest.outcome.is_(None), Pack.valid_until >= spaces.today(), LEFT_OF_PACK > 0)

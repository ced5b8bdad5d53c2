"""People are told before a pack, a plan, an adhesion or a reduced price ends, and before a plan that rests goes on."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from coworking.accounts import letters
from coworking.accounts.models import Person
from coworking.core import outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.months import month_after, month_end, month_of
from coworking.core.settings import settings
from coworking.core.units import end_read, write_unit
from coworking.membership import news, queries
from coworking.membership.models import Adhesion, Pack
from coworking.membership.rules import EXPIRES_SOON_DAYS, WARNED_DAYS, days_warned
from coworking.pricing import group_queries
from coworking.spaces import queries as spaces

ENDING = "membership.pack_ending"
"""The outbox topic of the e-mail about a pack that ends soon. Payload: ``{"pack": public id}``."""
ADHESION = "membership.adhesion_ending"
"""The outbox topic of the e-mail about an adhesion that ends soon. Payload: ``{"adhesion": public id}``."""
REDUCED = "membership.reduced_price_ending"
"""The outbox topic of the e-mail about a reduced price that ends soon. Payload: ``{"given": public id}``."""
TOLD_BEFORE = timedelta(days=7)
"""How long before the end of its month the end of a plan is told, and that one goes on."""


def warn_of_ending() -> int:
    """Let people hear what ends or goes on soon; return how many e-mails are new. Twice finds none."""
    if spaces.lieu_or_none() is None:
        return 0
    return _warn_of_packs() + _warn_of_plans() + _warn_of_adhesions() + _warn_of_reduced()


def _warn_of_packs() -> int:
    today = spaces.today()
    found = [
        (pack, days)
        for pack in queries.packs_ending(today, today + timedelta(days=max(WARNED_DAYS)))
        if (days := days_warned(pack.valid_from, pack.valid_until, today)) is not None
    ]
    end_read()
    if not found:
        return 0
    with write_unit():
        keys = [(f"{ENDING}:{pack.public_id}:{days}", pack.public_id) for pack, days in found]
        return sum(outbox.enqueue(ENDING, key, {"pack": pack}) for key, pack in keys)


def _warn_of_plans() -> int:
    """Plans that end with this month or go on with the next after a pause, in its last days.

    Who ended theirs in these days has just been told.
    """
    today = spaces.today()
    if today < month_end(today) - TOLD_BEFORE:
        return 0
    ending, resuming = queries.plans_ending(month_of(today)), queries.plans_resuming(month_after(today))
    ending = [one for one in ending if one.ended_at is not None and now() - one.ended_at > TOLD_BEFORE]
    end_read()
    if not ending and not resuming:
        return 0
    with write_unit():
        return sum(news.tell("ends_soon", one) for one in ending) + sum(
            news.tell("goes_on_soon", one) for one in resuming
        )


def _warn_of_adhesions() -> int:
    today = spaces.today()
    found = queries.adhesions_ending(today, today + timedelta(days=EXPIRES_SOON_DAYS))
    end_read()
    if not found:
        return 0
    with write_unit():
        return sum(outbox.enqueue(ADHESION, f"{ADHESION}:{one}", {"adhesion": one}) for one in found)


def _warn_of_reduced() -> int:
    today = spaces.today()
    found = [
        (one.public_id, days)
        for one in group_queries.ending(today, today + timedelta(days=max(WARNED_DAYS)))
        if (days := days_warned(one.valid_from, one.valid_until, today)) is not None
    ]
    end_read()
    if not found:
        return 0
    with write_unit():
        return sum(outbox.enqueue(REDUCED, f"{REDUCED}:{one}:{days}", {"given": one}) for one, days in found)


@outbox.handler(REDUCED, can_wait=True)
def reduced_price_ending(job: outbox.Job) -> None:
    """E-mail until when a reduced price holds; nothing where it goes on or was ended meanwhile."""
    held = group_queries.belonging_by_public_id(job.payload["given"])
    if held is None or not group_queries.ending(spaces.today(), held.valid_until, only=held.public_id):
        return
    letters.write_to(
        job,
        held.person,
        about="membership",
        template="membership/reduced_price_ending",
        context={
            "place": spaces.lieu().name,
            "group": held.group.name,
            "until": held.valid_until,
            "url": f"{settings().base_url}/me/plan#reduced",
        },
    )


@outbox.handler(ADHESION, can_wait=True)
def adhesion_ending(job: outbox.Job) -> None:
    """E-mail until when an adhesion holds and what a year costs; nothing where it was renewed meanwhile."""
    held = db.session.scalar(select(Adhesion).where(Adhesion.public_id == job.payload["adhesion"]))
    if (
        held is None
        or held.valid_until < spaces.today()
        or queries.last_adhesion_day(held.person_id) != held.valid_until
    ):
        return
    person, year = db.session.get_one(Person, held.person_id), queries.adhesion_price_of(held.person_id)
    letters.write_to(
        job,
        person,
        about="membership",
        template="membership/adhesion_ending",
        context={
            "place": spaces.lieu().name,
            "until": held.valid_until,
            "cents": year.cents if year is not None else None,
            "url": f"{settings().base_url}/me/plan",
        },
    )


@outbox.handler(ENDING, can_wait=True)
def pack_ending(job: outbox.Job) -> None:
    """E-mail what is left of a pack and until when; nothing where that is over or used up meanwhile."""
    today = spaces.today()
    pack = db.session.scalar(select(Pack).where(Pack.public_id == job.payload["pack"]).options(joinedload(Pack.person)))
    left = queries.left_of_pack(pack.id) if pack is not None else 0
    if pack is None or not left or pack.valid_until < today:
        return
    letters.write_to(
        job,
        pack.person,
        about="membership",
        template="membership/pack_ending",
        context={
            "place": spaces.lieu().name,
            "name": pack.name,
            "unit": pack.unit,
            "left": left,
            "until": pack.valid_until,
            "url": f"{settings().base_url}/week",
        },
    )

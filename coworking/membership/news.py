"""E-mails about a person's plan (taken, changed, paused, ended, kept, taken back, about to end or to go on) and packs."""

from __future__ import annotations

from datetime import date
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from coworking.accounts import letters, manager_queries
from coworking.core import outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.months import month_end
from coworking.core.settings import settings
from coworking.membership import pack_request_queries, queries, withdrawal_queries
from coworking.membership.models import STANDS, Pack, Subscription
from coworking.membership.pack_request_models import PackRequest
from coworking.spaces import queries as spaces

PlanNews = Literal[
    "begun",
    "changed",
    "paused",
    "pause_lifted",
    "ended",
    "taken_back",
    "withdrawn",
    "kept",
    "ends_soon",
    "goes_on_soon",
]
TOPIC = "membership.plan_news"
"""The outbox topic of these e-mails. Payload: ``{"subscription": public id, "news": a `PlanNews`}``."""
PackNews = Literal["bought", "withdrawn"]
OF_PACK = "membership.pack_news"
"""The outbox topic of e-mails about a pack. Payload: ``{"pack": public id, "news": a `PackNews`}``."""
ASKED_BACK = "membership.pack_request"
"""The outbox topic of e-mails to managers about a request. Payload: ``{"request": public id, "manager": public id}``."""
ANSWERED = "membership.pack_answer"
"""The outbox topic of e-mails about what became of a request. Payload: ``{"request": public id}``."""


def tell(news: PlanNews, subscription: Subscription) -> bool:
    """Let the person hear of it by e-mail, once for each change, in the open unit; whether the e-mail is new."""
    when = now() if news == "kept" else subscription.ended_at
    key = f"{TOPIC}:{news}:{subscription.public_id}" + (f":{when:%Y%m%d%H%M%S}" if when is not None else "")
    return outbox.enqueue(TOPIC, key, {"subscription": subscription.public_id, "news": news})


def tell_of_pack(news: PackNews, pack: Pack) -> bool:
    """Let a pack's person hear of it by e-mail, once, in the open unit; whether the e-mail is new."""
    return outbox.enqueue(OF_PACK, f"{OF_PACK}:{news}:{pack.public_id}", {"pack": pack.public_id, "news": news})


def tell_managers_of(request: PackRequest) -> None:
    """Let each manager hear by e-mail what a member asks for, in the open unit."""
    for manager in manager_queries.managers():
        payload = {"request": request.public_id, "manager": manager}
        outbox.enqueue(ASKED_BACK, f"{ASKED_BACK}:{request.public_id}:{manager}", payload)


def tell_of_request(request: PackRequest) -> None:
    """Let a pack's person hear by e-mail what became of their request, in the open unit."""
    outbox.enqueue(ANSWERED, f"{ANSWERED}:{request.public_id}", {"request": request.public_id})


@outbox.handler(TOPIC)
def plan_news(job: outbox.Job) -> None:
    """Send it, unless it is not so any more."""
    held = db.session.scalar(
        select(Subscription)
        .where(Subscription.public_id == job.payload["subscription"])
        .options(joinedload(Subscription.person))
    )
    news: PlanNews = job.payload["news"]
    if held is None or not _is_still_so(news, held):
        return
    former = db.session.get(Subscription, held.replaces_id) if held.replaces_id is not None else None
    added = _added_with(held)
    letters.write_to(
        job,
        held.person,
        about="membership",
        template="membership/plan_news",
        context={
            "place": spaces.lieu().name,
            "news": news,
            "held": held,
            "former": former,
            "added": added,
            "last_day": _last_day(held),
            "former_until": _last_day(former),
            "added_until": _last_day(added),
            "is_taxable": spaces.lieu().vat_status == "taxable",
            "url": f"{settings().base_url}/me/plan",
            **_of_withdrawal(held),
        },
    )


@outbox.handler(OF_PACK)
def pack_news(job: outbox.Job) -> None:
    """Send it: what was bought and until when one can withdraw, or what withdrawing came to."""
    statement = select(Pack).where(Pack.public_id == job.payload["pack"])
    pack = db.session.scalar(statement.options(joinedload(Pack.person)))
    if pack is None:
        return
    letters.write_to(
        job,
        pack.person,
        about="membership",
        template="membership/pack_news",
        context={
            "place": spaces.lieu().name,
            "news": job.payload["news"],
            "pack": pack,
            "is_taxable": spaces.lieu().vat_status == "taxable",
            "url": f"{settings().base_url}/me/plan#packs",
            **_of_withdrawal(pack),
        },
    )


@outbox.handler(ASKED_BACK)
def pack_request(job: outbox.Job) -> None:
    """Tell one manager what is asked for, if they still are one and it is still open."""
    request = pack_request_queries.find_request(job.payload["request"])
    person = manager_queries.manager(job.payload["manager"])
    if person is None or request is None or request.outcome is not None:
        return
    letters.write_to(
        job,
        person,
        about="membership",
        template="membership/pack_request",
        context={
            "place": spaces.lieu().name,
            "request": request,
            "pack": request.pack,
            "left": queries.left_of_pack(request.pack_id),
            "url": f"{settings().base_url}/people/{request.pack.person.public_id}/membership#packs",
        },
    )


@outbox.handler(ANSWERED)
def pack_answer(job: outbox.Job) -> None:
    """Tell a pack's person that the rest is given back, with the amount, or why it is not."""
    request = pack_request_queries.find_request(job.payload["request"])
    if request is None:
        return
    letters.write_to(
        job,
        request.pack.person,
        about="membership",
        template="membership/pack_answer",
        context={
            "place": spaces.lieu().name,
            "request": request,
            "pack": request.pack,
            "is_taxable": spaces.lieu().vat_status == "taxable",
            "url": f"{settings().base_url}/me/plan#packs",
        },
    )


def _of_withdrawal(row: Subscription | Pack) -> dict[str, object]:
    """Until when its person can withdraw, and what it came to where they did."""
    return {
        "withdraw_until": withdrawal_queries.last_day_of_right(row),
        "withdrawal": withdrawal_queries.withdrawal_from(row),
    }


def _last_day(held: Subscription | None) -> date | None:
    return month_end(held.last_month) if held is not None and held.last_month is not None else None


def _is_still_so(news: PlanNews, held: Subscription) -> bool:
    if news in ("taken_back", "pause_lifted", "withdrawn"):
        return True
    ends = news in ("ended", "ends_soon")
    return held.withdrawn_at is None and (held.last_month is not None) == ends


def _added_with(held: Subscription) -> Subscription | None:
    """What a change added to the month before ``held``."""
    if held.replaces_id is None:
        return None
    added = (Subscription.replaces_id == held.replaces_id, Subscription.from_day.is_not(None), STANDS)
    return db.session.scalar(select(Subscription).where(*added))

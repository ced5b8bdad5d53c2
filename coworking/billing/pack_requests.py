"""Members ask the team to give the rest of a pack back, and managers answer. Granting is giving back (`pack_refunds`).

One request of a pack waits at a time. It is over by itself when nothing is left of the pack or its days are.
"""

from __future__ import annotations

from sqlalchemy import select

from coworking.billing import rules
from coworking.billing.charges import check_manager
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor
from coworking.core.units import locked, write_unit
from coworking.membership import news, pack_request_queries, withdrawal_queries
from coworking.membership import queries as memberships
from coworking.membership.access import subject
from coworking.membership.models import Pack, PackReturn
from coworking.membership.pack_request_models import PackRequest
from coworking.membership.pack_rules import PackRequestClosed, check_may_ask
from coworking.spaces import queries as spaces


def own_pack(actor: Actor, public_id: str) -> Pack:
    """The pack where it is one's own; raises `NotFound`, for a manager too: they give back without asking."""
    pack = memberships.pack_by_public_id(public_id)
    if pack.person_id != actor.person_id:
        raise NotFound()
    return pack


def check_open(pack: Pack) -> int:
    """How many units of ``pack`` can be asked back; raises `PackNothingLeft`, `PackStillToWithdraw`."""
    left = memberships.left_of_pack(pack.id)
    check_may_ask(left, pack.valid_until, spaces.today(), withdrawal_queries.to_withdraw([pack]).get(pack.public_id))
    return left


def ask(actor: Actor, public_id: str, reason: str = "") -> PackRequest:
    """Ask for what is left of one's own pack to be given back; the managers hear of it. Twice is fine.

    Raises `NotFound`, `PackNothingLeft`, `PackStillToWithdraw`, `ReasonMissing` for one that is too long.
    """
    why = rules.check_reason(reason) if reason.strip() else None
    with write_unit() as unit:
        subject(actor, None)
        pack = _locked(own_pack(actor, public_id).id)
        check_open(pack)
        request = pack_request_queries.unanswered_request(pack.id)
        if request is None:
            request = PackRequest(pack_id=pack.id, reason=why)
            db.session.add(request)
            db.session.flush()
            news.tell_managers_of(request)
        unit.result = request.public_id
    return request


def take_back(actor: Actor, public_id: str) -> PackRequest:
    """Take back what one asked for of one's own pack; twice is fine. Raises `NotFound`, `PackRequestClosed`."""
    with write_unit() as unit:
        subject(actor, None)
        pack = _locked(own_pack(actor, public_id).id)
        request = pack_request_queries.last_request(pack.id)
        if request is None:
            raise NotFound()
        if request.outcome is None:
            _close(actor, request, "taken_back")
        elif request.outcome != "taken_back":
            raise PackRequestClosed()
        unit.result = request.public_id
    return request


def decline(actor: Actor, public_id: str, answer: str) -> PackRequest:
    """Say no to a request, for a reason that its person reads; audited. Managers only; twice is fine.

    Raises `NotFound`, `ReasonMissing`, `PackRequestClosed`.
    """
    check_manager(actor)
    why, asked = rules.check_reason(answer), pack_request_queries.request_by_public_id(public_id).pack
    with write_unit() as unit:
        pack = _locked(asked.id)
        request = pack_request_queries.request_by_public_id(public_id)
        if request.outcome is None and memberships.left_of_pack(pack.id) > 0 and pack.valid_until >= spaces.today():
            request.answer = why
            _close(actor, request, "declined")
            audit.record(actor, "pack.request_declined", ("pack", pack.id), person_id=pack.person_id, reason=why)
            news.tell_of_request(request)
        elif request.outcome != "declined":
            raise PackRequestClosed()
        unit.result = request.public_id
    return request


# Within the unit ------------------------------------------------------------------------------------------------------


def grant_in_unit(actor: Actor, given: PackReturn) -> None:
    """Close what was asked for of the pack of ``given``, in the open unit, which holds the pack's lock."""
    request = pack_request_queries.unanswered_request(given.pack_id)
    if request is not None:
        request.pack_return_id = given.id
        _close(actor, request, "granted")
        news.tell_of_request(request)


def drop_in_unit(actor: Actor, pack: Pack) -> None:
    """Close what was asked for of a pack from which its person withdraws, in the same way."""
    request = pack_request_queries.unanswered_request(pack.id)
    if request is not None:
        _close(actor, request, "taken_back")


def _close(actor: Actor, request: PackRequest, outcome: str) -> None:
    request.outcome, request.closed_at, request.closed_by_id = outcome, now(), actor.person_id
    db.session.flush()


def _locked(pack_id: int) -> Pack:
    return db.session.scalars(locked(select(Pack).where(Pack.id == pack_id))).one()

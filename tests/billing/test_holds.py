"""A draft that is held back is issued by no run and no button until it is let go."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from coworking.billing import charges, drafts, holds, rules, services
from coworking.billing.models import DraftHold, Invoice
from coworking.core.audit import AuditEntry
from coworking.core.errors import Forbidden
from tests.support.billing import NOVEMBER, OCTOBER


def lise(billing_lieu) -> str:
    return f"p:{billing_lieu.cast.stranger.public_id}"


def test_a_run_leaves_what_is_held_back_and_says_so(billing_lieu, session):
    assert holds.hold(billing_lieu.manager, lise(billing_lieu), "Elle conteste le 12")
    assert not holds.hold(billing_lieu.manager, lise(billing_lieu), "Deux fois")
    done = services.run(billing_lieu.manager, OCTOBER)
    assert done.held == [billing_lieu.cast.stranger.name]
    assert billing_lieu.cast.stranger.id not in {row.payer_person_id for row in done.issued}
    with pytest.raises(rules.DraftHeld):
        services.issue_one(billing_lieu.manager, lise(billing_lieu), NOVEMBER, 6600)
    assert holds.let_go(billing_lieu.manager, lise(billing_lieu))
    assert not holds.let_go(billing_lieu.manager, lise(billing_lieu))
    assert services.issue_one(billing_lieu.manager, lise(billing_lieu), NOVEMBER, 6600).payable_cents == 6600
    told = session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("billing.draft%"))).all()
    assert sorted(told) == ["billing.draft_held", "billing.draft_let_go"]


def test_a_hold_that_comes_while_a_run_works_is_respected(billing_lieu, session, monkeypatch):
    charges.gather(OCTOBER)
    prepare = drafts.prepare

    def and_then_held(month):
        found = prepare(month)
        holds.hold(billing_lieu.manager, lise(billing_lieu), "Attendre")
        return found

    monkeypatch.setattr(drafts, "prepare", and_then_held)
    monkeypatch.setattr(services.hold_queries, "held_back", dict)  # what the run read before
    done = services.run(billing_lieu.manager, OCTOBER)
    assert len(done.held) == 1
    owed = select(func.count(Invoice.id)).where(Invoice.payer_person_id == billing_lieu.cast.stranger.id)
    assert session.scalar(owed) == 0


def test_organisations_are_held_back_too(billing_lieu, session):
    payer = f"o:{billing_lieu.employer.public_id}"
    holds.hold(billing_lieu.manager, payer, "Bon de commande attendu")
    assert services.run(billing_lieu.manager, OCTOBER).held == [billing_lieu.employer.name]
    assert session.scalars(select(DraftHold.reason)).all() == ["Bon de commande attendu"]


def test_a_reason_is_asked_and_only_managers_hold(billing_lieu, inside):
    with pytest.raises(rules.ReasonMissing):
        holds.hold(billing_lieu.manager, lise(billing_lieu), "  ")
    with pytest.raises(rules.PayerUnknown):
        holds.hold(billing_lieu.manager, "p:nobody", "Attendre")
    for act in (
        lambda who: holds.hold(who, lise(billing_lieu), "x"),
        lambda who: holds.let_go(who, lise(billing_lieu)),
    ):
        with pytest.raises(Forbidden):
            act(billing_lieu.cast.host.actor())

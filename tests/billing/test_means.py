"""Saving a card or an account: by whom, for whom, with whose consent; replaced, withdrawn, about to expire."""

from __future__ import annotations

from datetime import date
from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from coworking.accounts.models import Organisation, Person
from coworking.billing import collecting, means, means_queries, services
from coworking.billing.gateways.port import SavingFact
from coworking.billing.means_models import SavedMeans
from coworking.billing.means_rules import ConsentMissing, MeansMissing
from coworking.billing.online_rules import FactDisagrees, GatewayAway
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.units import end_read, write_unit
from tests.support import emails as golden
from tests.support.billing import OCTOBER, TODAY

WORDS = "I agree."


@pytest.fixture
def saves(gateway, inside):
    return gateway.saved_means


@pytest.fixture
def lise(billing_lieu):
    return billing_lieu.cast.stranger.actor()


def begin(actor, payer: str = "me", **values) -> SavedMeans:
    return means.begin(actor, payer, **{"agrees": True, "agreed_to": WORDS, "locale": "fr"} | values)


def save(saves, actor, kind: str = "card", payer: str = "me", **values) -> SavedMeans:
    row = begin(actor, payer)
    saves.save(row.checkout_id, kind, **values)
    return means.finish(row.public_id)


def states() -> list[tuple[str, str | None]]:
    end_read()
    db.session.expire_all()
    rows = db.session.scalars(select(SavedMeans).order_by(SavedMeans.id))
    return [(row.state, row.end_reason) for row in rows]


# Saving ---------------------------------------------------------------------------------------------------------------


def test_a_card_is_saved_with_the_consent_of_its_owner(saves, lise, billing_lieu):
    row = begin(lise)
    assert (row.state, row.checkout_url) == ("asked", f"http://pay.test/cs_{row.public_id}")
    (wanted,) = saves.wanted
    assert (wanted.name, wanted.email) == ("Lise Vidal", "stranger@demo.example")
    saves.save(row.checkout_id)
    row = means.finish(row.public_id)
    assert (row.state, row.kind, row.brand, row.last4, row.expires_on) == (
        "active",
        "card",
        "visa",
        "4242",
        date(2034, 12, 31),
    )
    assert (row.agreed_to, row.agreed_by_id, row.notice_days) == (WORDS, billing_lieu.cast.stranger.id, 5)
    assert row.agreed_at is not None and row.saved_at is not None
    means.finish(row.public_id)
    assert states() == [("active", None)]
    actions = db.session.scalars(select(AuditEntry.action).where(AuditEntry.subject_kind == "saved_means")).all()
    assert actions == ["billing.means_saved"]


def test_nothing_is_saved_without_consent(saves, lise):
    with pytest.raises(ConsentMissing):
        begin(lise, agrees=False)
    assert (states(), saves.wanted) == ([], [])


def test_without_a_gateway_that_can_it_says_so(saves, gateway, lise):
    gateway.saved_means = None
    with pytest.raises(MeansMissing):
        begin(lise)


def test_asked_twice_it_is_one_page_and_one_consent(saves, lise):
    assert begin(lise).public_id == begin(lise).public_id
    assert len(saves.wanted) == 1
    assert begin(lise, agreed_to="Other words.").public_id != begin(lise).public_id


def test_an_organisation_s_contact_saves_for_it_and_no_one_else(saves, billing_lieu, lise):
    employer = billing_lieu.employer.public_id
    row = save(saves, billing_lieu.cast.colleague.actor(), "debit", employer)
    assert (row.payer_person_id, row.payer_organisation_id) == (None, billing_lieu.employer.id)
    assert saves.wanted[0].name == "Coutellerie Durand SA"
    for other in (lise, billing_lieu.cast.member.actor(), billing_lieu.manager):
        with pytest.raises(NotFound):
            begin(other, employer)


def test_a_page_that_was_left_is_not_finished(saves, lise):
    row = begin(lise)
    assert means.finish(row.public_id).state == "asked"
    saves.savings[row.checkout_id] = SavingFact(row.checkout_id, "expired")
    means.finish(row.public_id)
    assert states() == [("ended", "not_finished")]


def test_nobody_came_back_and_nothing_was_told_our_look_finds_it(saves, lise, clock, run_outbox):
    row = begin(lise)
    saves.save(row.checkout_id)
    clock.advance(minutes=31)
    run_outbox()
    assert states() == [("active", None)]


def test_a_notification_finds_it(saves, lise, run_outbox):
    row = begin(lise)
    saves.save(row.checkout_id)
    assert means.told_of("stripe", "evt_1", saving_id=row.checkout_id, means_id=None)
    assert not means.told_of("stripe", "evt_2", saving_id="cs_of_another_program", means_id=None)
    run_outbox()
    assert states() == [("active", None)]


def test_a_gateway_that_is_away_keeps_the_consent_for_another_try(saves, gateway, lise):
    gateway.away = True
    with pytest.raises(GatewayAway):
        begin(lise)
    gateway.away = False
    assert begin(lise).checkout_url
    assert states() == [("asked", None)]


def test_a_refusal_ends_the_attempt(saves, gateway, lise):
    gateway.refuses = "account_invalid"
    with pytest.raises(GatewayAway):
        begin(lise)
    assert states() == [("ended", "not_finished")]


def test_real_money_behind_a_test_page_is_for_a_person(saves, lise):
    row = begin(lise)
    saves.save(row.checkout_id, is_live=True)
    with pytest.raises(FactDisagrees):
        means.finish(row.public_id)
    assert states() == [("asked", None)]


# Replacing and withdrawing --------------------------------------------------------------------------------------------


def test_another_one_replaces_it(saves, lise, run_outbox):
    first = save(saves, lise)
    second = save(saves, lise, "debit")
    assert states() == [("ended", "replaced"), ("active", None)]
    run_outbox()
    assert saves.forgotten == [f"pm_cs_{first.public_id}"]
    assert means_queries.own_means(lise)[0].public_id == second.public_id


def test_two_pages_at_once_leave_one(saves, lise, app):
    rows = [begin(lise, agreed_to=f"Words {number}.") for number in range(2)]
    names = [row.public_id for row in rows]
    for row in rows:
        saves.save(row.checkout_id)
    end_read()
    start, refused = Barrier(2), []

    def come_back(public_id: str) -> None:
        try:
            with app.app_context():
                start.wait()
                means.finish(public_id)
        except BaseException as error:
            refused.append(error)

    threads = [Thread(target=come_back, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == []
    assert sorted(state for state, _reason in states()) == ["active", "ended"]


def test_withdrawn_while_its_page_is_open_it_is_forgotten_as_soon_as_it_is_saved(saves, lise, run_outbox):
    row = begin(lise)
    means.withdraw(lise, row.public_id)
    saves.save(row.checkout_id)
    means.finish(row.public_id)
    assert states() == [("ended", "withdrawn")]
    run_outbox()
    assert saves.forgotten == [f"pm_cs_{row.public_id}"]


def test_a_gateway_that_is_away_forgets_it_later(saves, gateway, lise, clock, run_outbox):
    row = save(saves, lise)
    means.withdraw(lise, row.public_id)
    gateway.away = True
    run_outbox()
    gateway.away = False
    clock.advance(minutes=1)
    run_outbox()
    assert saves.forgotten == [f"pm_cs_{row.public_id}"]


def test_nobody_else_withdraws_it_but_a_manager_who_was_asked_to(saves, lise, billing_lieu):
    row = save(saves, lise)
    for name in ("member", "host", "accountant"):
        with pytest.raises(NotFound):
            means.withdraw(getattr(billing_lieu.cast, name).actor(), row.public_id)
    means.withdraw(billing_lieu.manager, row.public_id)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "billing.means_withdrawn")).one()
    assert entry.actor_id == billing_lieu.cast.manager.id


# What payers are told -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_emails_in_both_languages(saves, lise, billing_lieu, invoice, clock, run_outbox, mailbox, language):
    with write_unit():
        db.session.get_one(Person, billing_lieu.cast.stranger.id).locale = language
        db.session.scalars(select(Organisation)).one().email = None

    def last(name: str) -> None:
        run_outbox()
        golden.check(mailbox()[-1], name)

    def day_by_day(until: int) -> None:
        end_read()
        for _day in range(until):
            collecting.collect_due()
            clock.advance(days=1)
            collecting.collect_due()

    save(saves, lise, "debit")
    run_outbox()
    collecting.collect_due()
    last("billing/debit_announced")
    saves.declines = "insufficient_funds"
    day_by_day(2)
    last("billing/not_collected-account")
    day_by_day(1)
    last("billing/debit_announced-again")
    save(saves, lise, expires_on=date(2027, 1, 31))
    saves.declines = "generic"
    collecting.collect_due()
    last("billing/not_collected-card")
    for wait in (3, 7):
        clock.advance(days=wait)
        collecting.collect_due()
    last("billing/not_collected-stopped")
    means.warn_expiring()
    last("billing/card_expiring")
    save(saves, lise)
    saves.declines = "authentication_required"
    collecting.collect_due()
    last("billing/not_collected-confirm")


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize(
    ("kind", "name"), [("card", "billing/issued-collected-card"), ("debit", "billing/issued-collected-debit")]
)
def test_the_invoice_says_that_there_is_nothing_to_do(
    saves, lise, billing_lieu, run_outbox, mailbox, language, kind, name
):
    with write_unit():
        db.session.get_one(Person, billing_lieu.cast.stranger.id).locale = language
    save(saves, lise, kind)
    services.run(billing_lieu.manager, OCTOBER)
    run_outbox()
    (email,) = [one for one in mailbox() if one["To"] == "stranger@demo.example"]
    golden.check(email, name)


def test_a_card_that_ends_is_told_once_the_month_before(saves, lise, clock, run_outbox, mailbox):
    save(saves, lise, expires_on=date(2026, 12, 31))
    end_read()
    assert TODAY.month == 11
    for _day in range(30):
        means.warn_expiring()
        clock.advance(days=1)
    run_outbox()
    assert len(mailbox()) == 1


def test_a_card_that_ends_later_is_not_told_yet(saves, lise, run_outbox, mailbox):
    save(saves, lise, expires_on=date(2027, 1, 31))
    end_read()
    assert means.warn_expiring() == 0


def test_a_card_that_was_replaced_is_not_told(saves, lise, run_outbox, mailbox):
    save(saves, lise, expires_on=date(2026, 12, 31))
    end_read()
    means.warn_expiring()
    save(saves, lise)
    run_outbox()
    assert mailbox() == []


def test_a_debit_said_to_come_keeps_its_words_and_days(saves, lise, billing_lieu):
    services.update_settings(billing_lieu.manager, debit_notice_days=9)
    assert save(saves, lise, "debit").notice_days == 9
    assert means_queries.notice_days() == 9

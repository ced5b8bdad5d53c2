"""Collecting from saved means: announced, charged once, mended after a kill, stopped by a word of its payer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select, text

from coworking.billing import (
    checks,
    collecting,
    means,
    means_queries,
    online,
    online_opening,
    paying,
    queries,
    services,
)
from coworking.billing.means_models import DebitNotice, SavedMeans
from coworking.billing.models import Payment
from coworking.billing.online_models import OnlinePayment
from coworking.billing.online_rules import PaymentPending
from coworking.core import checks as audit
from coworking.core.db import db
from coworking.core.units import end_read, snapshot, write_unit
from tests.support.billing import OCTOBER, TODAY
from tests.support.gateway import KilledProcess
from tests.support.statements import counted

WORDS = "I agree."


@pytest.fixture
def saves(gateway):
    return gateway.saved_means


def save(saves, actor, kind="card", payer="me", **values) -> SavedMeans:
    """A means that was saved on the gateway's page."""
    row = means.begin(actor, payer, agrees=True, agreed_to=WORDS, locale="fr")
    saves.save(row.checkout_id, kind, **values)
    return means.finish(row.public_id)


@pytest.fixture
def lise(billing_lieu):
    return billing_lieu.cast.stranger.actor()


@pytest.fixture
def card(saves, lise, invoice):
    """Lise owes 66 € since today, and has saved a card."""
    return save(saves, lise)


@pytest.fixture
def account(saves, lise, invoice):
    """Lise owes 66 € since today, and has given a mandate."""
    return save(saves, lise, "debit")


def days_later(clock, days: int) -> None:
    end_read()
    clock.advance(days=days)


def received() -> list[int]:
    end_read()
    return list(db.session.scalars(select(Payment.cents).order_by(Payment.id)))


def attempts() -> list[tuple[str, str | None]]:
    end_read()
    db.session.expire_all()
    return [(row.state, row.reason) for row in db.session.scalars(select(OnlinePayment).order_by(OnlinePayment.id))]


def owed(invoice) -> int:
    end_read()
    (row,) = queries.standings_of([invoice.public_id])
    return row.open_cents


def nothing_is_wrong() -> None:
    end_read()
    with snapshot():
        assert [*checks.charged(), *checks.paid_online()] == []


def again(row: SavedMeans) -> SavedMeans:
    end_read()
    db.session.expire_all()
    return means_queries.means_named(row.public_id)


# Cards ----------------------------------------------------------------------------------------------------------------


def test_a_card_is_charged_on_the_day_after_the_invoice(saves, card, invoice, clock):
    assert collecting.collect_due() == 0, "whoever sees a mistake has the day"
    days_later(clock, 1)
    assert collecting.collect_due() == 1
    assert (received(), owed(invoice), attempts()) == ([6600], 0, [("paid", None)])
    (call,) = saves.calls
    assert (call.cents, call.currency, call.debited_on) == (6600, "EUR", None)
    assert (call.customer_id, call.means_id) == (f"cus_{card.public_id}", f"pm_cs_{card.public_id}")
    paid = db.session.scalars(select(Payment)).one()
    assert (paid.method, paid.reference, paid.received_on) == ("card", f"pi_{call.key}", TODAY + timedelta(days=1))
    assert collecting.collect_due() == 0
    nothing_is_wrong()


def test_who_has_agreed_to_nothing_is_charged_nothing(saves, invoice, clock):
    days_later(clock, 40)
    assert (collecting.collect_due(), saves.calls) == (0, [])


def test_an_organisation_is_charged_when_its_invoice_is_due(saves, billing_lieu, invoice, clock):
    contact = billing_lieu.cast.colleague.actor()
    save(saves, contact, payer=billing_lieu.employer.public_id)
    days_later(clock, 29)
    assert collecting.collect_due() == 0
    days_later(clock, 1)
    assert collecting.collect_due() == 1
    payment = db.session.scalars(select(OnlinePayment)).one()
    assert payment.payer_organisation_id == billing_lieu.employer.id


def test_only_what_is_owed_now_is_charged(saves, card, invoice, billing_lieu, clock):
    paying.record_payment(billing_lieu.manager, invoice.public_id, 600, TODAY, "cash")
    days_later(clock, 1)
    collecting.collect_due()
    assert [call.cents for call in saves.calls] == [6000]
    assert owed(invoice) == 0


def test_nothing_is_charged_for_what_was_credited_or_too_small(saves, card, invoice, billing_lieu, clock):
    paying.record_payment(billing_lieu.manager, invoice.public_id, 6551, TODAY, "cash")
    days_later(clock, 1)
    assert collecting.collect_due() == 0
    services.credit(billing_lieu.manager, invoice.public_id, "Erreur")
    assert (collecting.collect_due(), saves.calls) == (0, [])


def test_a_declined_card_is_tried_again_after_three_and_seven_days_then_left(saves, card, invoice, clock):
    saves.declines = "insufficient_funds"
    tried = []
    for day in range(1, 30):
        days_later(clock, 1)
        if collecting.collect_due():
            tried.append(day)
    assert tried == [1, 4, 11]
    assert attempts() == [("failed", "insufficient_funds")] * 3
    assert len({call.key for call in saves.calls}) == 3
    assert (received(), owed(invoice)) == ([], 6600)


def test_a_second_attempt_that_works_pays(saves, card, invoice, clock):
    saves.declines = "card_declined"
    days_later(clock, 1)
    collecting.collect_due()
    saves.declines = None
    days_later(clock, 3)
    collecting.collect_due()
    assert (received(), owed(invoice)) == ([6600], 0)
    nothing_is_wrong()


def test_a_card_that_wants_its_owner_is_not_tried_again(saves, card, invoice, clock, run_outbox, mailbox):
    saves.declines = "authentication_required"
    for _day in range(12):
        days_later(clock, 1)
        collecting.collect_due()
    assert len(saves.calls) == 1
    run_outbox()
    (email,) = [one for one in mailbox() if "Confirmez" in str(one["Subject"])]
    assert "/pay/" in email.get_body(("plain",)).get_content()


def test_a_new_card_is_tried_at_once(saves, card, lise, invoice, clock):
    saves.declines = "expired_card"
    days_later(clock, 1)
    collecting.collect_due()
    saves.declines = None
    save(saves, lise)
    assert collecting.collect_due() == 1
    assert owed(invoice) == 0


@pytest.mark.parametrize("by", ["collection", "page"])
def test_what_was_paid_and_taken_back_is_not_collected_again(saves, gateway, card, invoice, clock, by):
    if by == "page":
        page = online_opening.open_payment([invoice.public_id], "stripe", pay_url="http://x", locale="fr")
        gateway.become(page.checkout_id, "paid")
        online.settle("stripe", page.checkout_id)
    days_later(clock, 1)
    assert collecting.collect_due() == (by == "collection")
    (paid,) = db.session.execute(select(Payment.id, Payment.method))
    with write_unit():  # as a lost dispute does
        db.session.add(
            Payment(invoice_id=invoice.id, cents=-6600, received_on=TODAY, method=paid.method, reverses_id=paid.id)
        )
    assert owed(invoice) == 6600
    calls = len(saves.calls)
    for _day in range(12):
        days_later(clock, 1)
        collecting.collect_due()
    assert len(saves.calls) == calls


def test_several_invoices_are_collected_apart(saves, card, invoice, billing_lieu, clock):
    for day in (2, 3):
        billing_lieu.use(billing_lieu.cast.stranger, OCTOBER.replace(day=20 + day))
    services.run(billing_lieu.manager, OCTOBER)
    days_later(clock, 1)
    assert collecting.collect_due() == 2
    assert sorted(received()) == [1800, 6600]


# Debits ---------------------------------------------------------------------------------------------------------------


def test_a_debit_is_announced_then_collected_with_its_day(saves, account, invoice, clock, run_outbox, mailbox):
    assert collecting.collect_due() == 0
    (notice,) = db.session.scalars(select(DebitNotice))
    day = TODAY + timedelta(days=5)
    assert (notice.cents, notice.debited_on, notice.attempt) == (6600, day, 1)
    run_outbox()
    (email,) = [one for one in mailbox() if "CWK-1" in one.get_body(("plain",)).get_content()]
    assert email["To"] == "stranger@demo.example"
    collecting.collect_due()
    days_later(clock, 1)
    assert collecting.collect_due() == 0, "a day to object"
    days_later(clock, 1)
    assert collecting.collect_due() == 1
    (call,) = saves.calls
    assert (call.debited_on, call.mandate_id) == (day, "mandate_1")
    assert (attempts(), received()) == ([("pending", None)], [])
    assert collecting.collect_due() == 0
    saves_paid(saves, call.key)
    assert (attempts(), received(), owed(invoice)) == ([("paid", None)], [6600], 0)
    assert db.session.scalars(select(Payment.method)).all() == ["debit"]
    assert len(db.session.scalars(select(DebitNotice)).all()) == 1
    nothing_is_wrong()


def saves_paid(saves, key: str, state="paid", **values) -> None:
    """The bank has answered, and somebody told."""
    saves._gateway.become(f"pi_{key}", state, **({"means": "debit"} | values))
    end_read()
    online.settle("stripe", f"pi_{key}")


def test_the_notice_that_was_agreed_to_is_kept(saves, billing_lieu, lise, invoice, clock):
    services.update_settings(billing_lieu.manager, debit_notice_days=10)
    row = save(saves, lise, "debit")
    services.update_settings(billing_lieu.manager, debit_notice_days=2)
    assert row.notice_days == 10
    collecting.collect_due()
    assert db.session.scalars(select(DebitNotice.debited_on)).all() == [TODAY + timedelta(days=10)]


def test_no_debit_without_an_announcement(saves, account, invoice, clock, monkeypatch):
    monkeypatch.setattr(collecting, "announce", lambda invoice_id: False)
    for _day in range(20):
        days_later(clock, 1)
        collecting.collect_due()
    assert saves.calls == []


def test_a_refused_debit_is_announced_again_before_it_is_tried_again(saves, account, invoice, clock):
    day, calls = TODAY, []
    for number in range(40):
        if number:
            days_later(clock, 1)
            day += timedelta(days=1)
        if collecting.collect_due():
            calls.append(number)
            saves_paid(saves, saves.calls[-1].key, "failed", reason="insufficient_funds")
    end_read()
    told = db.session.execute(select(DebitNotice.attempt, DebitNotice.debited_on).order_by(DebitNotice.id)).all()
    assert [attempt for attempt, _day in told] == [1, 2, 3]
    assert len(calls) == 3
    for (_attempt, debited_on), number in zip(told, calls, strict=True):
        assert TODAY + timedelta(days=number) == debited_on - timedelta(days=3)
    assert (told[1][1] - TODAY).days - calls[0] >= 3 and (told[2][1] - TODAY).days - calls[1] >= 7
    assert received() == []


def test_a_debit_whose_day_passed_is_announced_anew(saves, gateway, account, invoice, clock):
    collecting.collect_due()
    days_later(clock, 20)
    assert collecting.collect_due() == 0
    assert len(db.session.scalars(select(DebitNotice)).all()) == 2


def test_a_debit_a_little_late_is_made_as_soon_as_the_bank_can(saves, account, invoice, clock):
    collecting.collect_due()
    days_later(clock, 4)
    assert collecting.collect_due() == 1
    assert saves.calls[0].debited_on is None


def test_no_more_is_debited_than_was_announced(saves, account, invoice, billing_lieu, clock):
    paid = paying.record_payment(billing_lieu.manager, invoice.public_id, 600, TODAY, "cash")
    collecting.collect_due()
    paying.correct_payment(billing_lieu.manager, invoice.public_id, paid.public_id)
    days_later(clock, 2)
    collecting.collect_due()
    assert [call.cents for call in saves.calls] == [6000]


# Beside other payments ------------------------------------------------------------------------------------------------


def test_an_open_page_is_closed_before_the_card_is_charged(saves, gateway, card, invoice, clock):
    page = online_opening.open_payment([invoice.public_id], "stripe", pay_url="http://x", locale="fr")
    days_later(clock, 1)
    assert collecting.collect_due() == 1
    assert gateway.expired == [page.checkout_id]
    assert received() == [6600]


def test_what_is_being_paid_is_not_collected(saves, gateway, card, invoice, clock):
    page = online_opening.open_payment([invoice.public_id], "stripe", pay_url="http://x", locale="fr")
    gateway.become(page.checkout_id, "pending", means="debit")
    days_later(clock, 1)
    assert collecting.collect_due() == 0
    online.settle("stripe", page.checkout_id)
    assert (collecting.collect_due(), saves.calls) == (0, [])
    gateway.become(page.checkout_id, "paid", means="debit")
    online.settle("stripe", page.checkout_id)
    assert (collecting.collect_due(), saves.calls, received()) == (0, [], [6600])


def test_a_page_that_cannot_be_closed_keeps_the_card_from_being_charged(
    saves, gateway, card, invoice, clock, monkeypatch
):
    from coworking.billing.gateways.port import NotExpirable

    online_opening.open_payment([invoice.public_id], "stripe", pay_url="http://x", locale="fr")

    def stays(_checkout_id):
        raise NotExpirable("no such call")

    monkeypatch.setattr(gateway, "expire_checkout", stays)
    days_later(clock, 1)
    assert (collecting.collect_due(), saves.calls) == (0, [])


def test_nobody_can_pay_while_the_card_is_being_charged(saves, card, invoice, clock):
    days_later(clock, 1)
    saves.dies = "after"
    with pytest.raises(KilledProcess):
        collecting.collect(invoice.id, saves._gateway)
    end_read()
    with pytest.raises(PaymentPending):
        online_opening.open_payment([invoice.public_id], "stripe", pay_url="http://x", locale="fr")


# Killed, away, at once ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["before", "after"])
def test_killed_around_the_call_it_is_charged_once(saves, card, invoice, clock, where):
    days_later(clock, 1)
    saves.dies = where
    with pytest.raises(KilledProcess):
        collecting.collect(invoice.id, saves._gateway)
    db.session.rollback()
    assert attempts() == [("opening", None)]
    assert collecting.collect_due() == 0, "it may still be running"
    clock.advance(minutes=3)
    collecting.collect_due()
    collecting.collect_due()
    (key,) = saves.charged
    assert saves.asked_for == [key]
    assert len(saves.calls) == 1
    assert (attempts(), received(), owed(invoice)) == ([("paid", None)], [6600], 0)
    nothing_is_wrong()


def test_killed_before_the_outcome_was_written_our_look_finds_it_too(saves, card, invoice, clock, run_outbox):
    days_later(clock, 1)
    saves.dies = "after"
    with pytest.raises(KilledProcess):
        collecting.collect(invoice.id, saves._gateway)
    db.session.rollback()
    clock.advance(minutes=31)
    run_outbox()
    assert (attempts(), received(), len(saves.calls)) == ([("paid", None)], [6600], 1)


def test_killed_then_withdrawn_nothing_is_charged(saves, card, lise, invoice, clock):
    days_later(clock, 1)
    saves.dies = "before"
    with pytest.raises(KilledProcess):
        collecting.collect(invoice.id, saves._gateway)
    db.session.rollback()
    means.withdraw(lise, card.public_id)
    clock.advance(minutes=3)
    collecting.collect_due()
    assert (saves.charged, attempts()) == ({}, [("failed", "not_sent")])


def test_killed_then_paid_in_cash_nothing_is_charged(saves, card, invoice, billing_lieu, clock):
    days_later(clock, 1)
    saves.dies = "before"
    with pytest.raises(KilledProcess):
        collecting.collect(invoice.id, saves._gateway)
    db.session.rollback()
    paying.record_payment(billing_lieu.manager, invoice.public_id, 6600, TODAY, "cash")
    clock.advance(minutes=3)
    collecting.collect_due()
    assert (saves.charged, owed(invoice)) == ({}, 0)


def test_a_gateway_that_is_away_for_a_day_loses_and_doubles_nothing(saves, gateway, card, invoice, clock):
    days_later(clock, 1)
    gateway.away = True
    for _hour in range(30):
        collecting.collect_due()
        clock.advance(hours=1)
    gateway.away = False
    collecting.collect_due()
    clock.advance(minutes=3)
    collecting.collect_due()
    assert (received(), len(saves.charged), owed(invoice)) == ([6600], 1, 0)
    nothing_is_wrong()


def test_keys_that_are_refused_fail_no_payer(saves, gateway, card, invoice, clock, run_outbox, mailbox):
    days_later(clock, 1)
    gateway.refuses = "401"
    collecting.collect_due()
    assert attempts() == [("opening", None)]
    for _day in range(3):
        clock.advance(days=1, minutes=40)
        run_outbox()
        collecting.collect_due()
    assert attempts() == [("opening", None)]
    gateway.refuses = None
    clock.advance(days=1, minutes=40)
    collecting.collect_due()
    assert owed(invoice) == 0


@pytest.mark.parametrize("runs", [2, 8])
def test_runs_at_once_charge_each_invoice_once(saves, card, invoice, app, clock, runs):
    days_later(clock, 1)
    start, refused = Barrier(runs), []

    def run() -> None:
        try:
            with app.app_context():
                start.wait()
                collecting.collect_due()
        except BaseException as error:
            refused.append(error)

    threads = [Thread(target=run) for _ in range(runs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (refused, received(), len(saves.charged)) == ([], [6600], 1)


def test_runs_at_once_announce_once(saves, account, invoice, app, clock):
    start = Barrier(4)

    def run() -> None:
        with app.app_context():
            start.wait()
            collecting.collect_due()

    threads = [Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    end_read()
    assert len(db.session.scalars(select(DebitNotice)).all()) == 1


def test_withdrawn_while_it_is_charged_one_of_the_two_comes_first(saves, card, lise, invoice, app, clock):
    days_later(clock, 1)
    public_id, start = card.public_id, Barrier(2)

    def take_back() -> None:
        with app.app_context():
            start.wait()
            means.withdraw(lise, public_id)

    thread = Thread(target=take_back)
    thread.start()
    end_read()
    start.wait()
    collecting.collect_due()
    thread.join()
    assert received() == [6600] * len(saves.charged)
    assert collecting.collect_due() == 0


# Ended ----------------------------------------------------------------------------------------------------------------


def test_a_withdrawn_means_is_never_charged_again(saves, card, lise, invoice, clock, run_outbox):
    means.withdraw(lise, card.public_id)
    means.withdraw(lise, card.public_id)
    for _day in range(10):
        days_later(clock, 1)
        collecting.collect_due()
    assert saves.calls == []
    run_outbox()
    assert saves.forgotten == [f"pm_cs_{card.public_id}"]
    assert again(card).forgotten_at is not None


def test_an_announced_debit_that_was_withdrawn_does_not_come(saves, account, lise, invoice, clock):
    collecting.collect_due()
    means.withdraw(lise, account.public_id)
    days_later(clock, 3)
    assert (collecting.collect_due(), saves.calls) == (0, [])


def test_what_the_bank_or_provider_ended_ends_here(saves, account, invoice, clock, run_outbox):
    saves.means[account.means_id] = replace(saves.means[account.means_id], is_usable=False)
    assert means.told_of("stripe", "evt_1", saving_id=None, means_id=account.means_id)
    run_outbox()
    assert (again(account).state, again(account).end_reason) == ("ended", "removed_there")
    assert not means.told_of("stripe", "evt_2", saving_id=None, means_id=account.means_id)


def test_a_means_that_turns_out_to_be_gone_fails_and_ends(saves, card, invoice, clock):
    saves.means[card.means_id] = replace(saves.means[card.means_id], is_usable=False)
    days_later(clock, 1)
    collecting.collect_due()
    assert attempts() == [("failed", "means_ended")]
    assert again(card).state == "ended"
    days_later(clock, 10)
    assert collecting.collect_due() == 0


def test_test_money_collects_nothing_at_a_real_lieu(saves, gateway, card, invoice, clock):
    gateway.is_live = True
    from coworking.spaces.calendar import lock_lieu

    end_read()
    with write_unit():
        lock_lieu().is_simulation = False
    days_later(clock, 1)
    assert (collecting.collect_due(), saves.calls) == (0, [])


# By SQL ---------------------------------------------------------------------------------------------------------------

COPY = (
    "INSERT INTO online_payment (public_id, gateway, is_live, payer_person_id, cents, currency, state, locale,"
    " saved_means_id, created_at, changed_at)"
    " SELECT 'sql', gateway, is_live, {payer}, 100, 'EUR', 'opening', 'fr', id, agreed_at, agreed_at FROM saved_means"
)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE saved_means SET state = 'active', ended_at = NULL",
        "DELETE FROM saved_means",
        COPY.format(payer="payer_person_id"),
    ],
)
def test_the_database_collects_from_no_means_that_ended(saves, card, lise, statement):
    means.withdraw(lise, card.public_id)
    end_read()
    with pytest.raises(Exception, match=r"saved_means_ended|collection_agreed"), db.engine.begin() as connection:
        connection.execute(text(statement))


def test_the_database_collects_from_nobody_elses_means(saves, card, billing_lieu):
    other = billing_lieu.cast.member.id
    end_read()
    with pytest.raises(Exception, match="collection_agreed"), db.engine.begin() as connection:
        connection.execute(text(COPY.format(payer=other)))


def test_the_database_knows_one_active_means_of_a_payer(saves, card):
    end_read()
    values = {column.name: getattr(card, column.name) for column in SavedMeans.__table__.columns}
    values |= {"id": 999, "public_id": "another", "checkout_id": "cs_another"}
    with (
        pytest.raises(Exception, match=r"uq_saved_means_active_person|payer_person_id"),
        db.engine.begin() as connection,
    ):
        connection.execute(SavedMeans.__table__.insert().values(**values))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE debit_notice SET cents = 1",
        "DELETE FROM debit_notice",
    ],
)
def test_what_was_announced_cannot_be_rewritten(saves, account, statement):
    collecting.collect_due()
    end_read()
    with pytest.raises(Exception, match="append_only"), db.engine.begin() as connection:
        connection.execute(text(statement))


def test_what_sql_changes_the_audit_finds(saves, card):
    end_read()
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE saved_means SET last4 = '0000'"))
    assert [found for one, found in audit.run() if one.promise == 3 and found]


# How much it asks the database ----------------------------------------------------------------------------------------


PER_COLLECTION = 38
"""Statements of one collection: its intent and its outcome, each signed."""


def test_a_collection_costs_the_same_statements_however_many_there_are(saves, card, invoice, billing_lieu, clock):
    def run() -> int:
        with counted(db.engine) as statements:
            collecting.collect_due()
        return len(statements)

    days_later(clock, 1)
    one = run()
    for day in range(21, 29):
        billing_lieu.use(billing_lieu.cast.stranger, OCTOBER.replace(day=day))
        services.run(billing_lieu.manager, OCTOBER)
    days_later(clock, 1)
    eight = run()
    assert len(saves.charged) == 9
    assert eight - one <= 7 * PER_COLLECTION and one <= PER_COLLECTION + 8
    assert run() <= 6, "without anything to collect, a look is cheap"

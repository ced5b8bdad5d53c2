"""Members ask for the rest of a pack to be given back: one request at a time, which a manager grants or declines."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import partial
from html import unescape

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from coworking.accounts.models import Person
from coworking.billing import pack_refunds, pack_requests, withdrawals
from coworking.booking import services as booking
from coworking.booking.rules import Half
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.units import write_unit
from coworking.membership import pack_request_queries
from coworking.membership import services as membership
from coworking.membership.pack_request_models import PackRequest
from coworking.membership.pack_rules import PackNothingLeft, PackRequestClosed, PackStillToWithdraw
from tests import factories
from tests.support import emails as golden
from tests.support.billing import TODAY, make_billing_lieu, settled
from tests.support.threads import at_once

MORNING: frozenset[Half] = frozenset({"am"})


@pytest.fixture
def lieu(app):
    with app.app_context():
        made = make_billing_lieu(vat_status="exempt")
        factories.make_tariff()
        yield made


@pytest.fixture
def lise(lieu):
    return lieu.cast.stranger.actor()


@pytest.fixture
def pack(lieu):
    """Lise's ten half-days for 80 €, sold to her on the spot."""
    return factories.make_pack(lieu.cast.stranger, cents=8000, valid_from=TODAY)


@pytest.fixture
def sold(app):
    """The same for what opens contexts of its own: the lieu, and the public id of Lise's pack."""
    with app.app_context():
        made = make_billing_lieu(vat_status="exempt")
        pack = factories.make_pack(made.cast.stranger, cents=8000, valid_from=TODAY).public_id
        settled(made)
        return made, pack


def give_back(manager, pack):
    found = pack_refunds.look(pack.public_id)
    pack_refunds.give_back(manager, pack.public_id, agreed_cents=found.cents, agreed_units=found.left)


def outcomes() -> list[str | None]:
    db.session.rollback()
    return list(db.session.scalars(select(PackRequest.outcome).order_by(PackRequest.id)))


def test_giving_back_grants_what_was_asked_for(lieu, lise, pack):
    asked = pack_requests.ask(lise, pack.public_id, "I move away")
    assert (asked.reason, pack_request_queries.open_requests()) == ("I move away", [asked])
    give_back(lieu.manager, pack)
    assert outcomes() == ["granted"]
    assert asked.pack_return is not None
    assert (asked.pack_return.cents, asked.closed_by_id) == (8000, lieu.cast.manager.id)
    assert pack_request_queries.open_requests() == []


def test_a_second_tap_finds_the_first_request(lise, pack):
    first = pack_requests.ask(lise, pack.public_id)
    assert pack_requests.ask(lise, pack.public_id, "once more").id == first.id
    assert outcomes() == [None]


def test_several_at_once_leave_one(app, sold):
    made, pack = sold
    lise = made.cast.stranger.actor()

    def tap(number: int) -> str:
        with app.app_context():
            return pack_requests.ask(lise, pack, f"Reason {number}").public_id

    assert len(set(at_once([partial(tap, number) for number in range(16)]))) == 1
    with app.app_context():
        assert outcomes() == [None]


def test_the_database_keeps_one_open_request_of_a_pack(lise, pack):
    pack_requests.ask(lise, pack.public_id)
    again = (
        "INSERT INTO pack_request (public_id, pack_id, asked_at) SELECT 'twice', pack_id, asked_at FROM pack_request"
    )
    with pytest.raises(IntegrityError), write_unit():
        db.session.execute(text(again))
    pack_requests.take_back(lise, pack.public_id)
    pack_requests.ask(lise, pack.public_id)
    assert outcomes() == ["taken_back", None]


def test_one_takes_it_back_while_it_is_open(lieu, lise, pack):
    with pytest.raises(NotFound):
        pack_requests.take_back(lise, pack.public_id)
    asked = pack_requests.ask(lise, pack.public_id)
    for _ in range(2):
        assert pack_requests.take_back(lise, pack.public_id).outcome == "taken_back"
    with pytest.raises(PackRequestClosed):
        pack_requests.decline(lieu.manager, asked.public_id, "Too late")
    again = pack_requests.ask(lise, pack.public_id)
    pack_requests.decline(lieu.manager, again.public_id, "No")
    with pytest.raises(PackRequestClosed):
        pack_requests.take_back(lise, pack.public_id)
    assert outcomes() == ["taken_back", "declined"]


def test_a_manager_declines_with_a_reason_and_one_can_ask_again(lieu, lise, pack):
    asked = pack_requests.ask(lise, pack.public_id)
    for _ in range(2):
        pack_requests.decline(lieu.manager, asked.public_id, "You came last week")
    assert (asked.outcome, asked.answer) == ("declined", "You came last week")
    trail = select(AuditEntry.person_id).where(AuditEntry.action == "pack.request_declined")
    assert db.session.scalars(trail).all() == [lieu.cast.stranger.id]
    assert pack_request_queries.latest_requests([pack]) == {pack.id: asked}
    assert pack_requests.ask(lise, pack.public_id).id != asked.id
    give_back(lieu.manager, pack)
    assert outcomes() == ["declined", "granted"]


def test_only_the_pack_s_person_asks_and_only_managers_answer(lieu, lise, pack):
    for other in (lieu.cast.member.actor(), lieu.cast.host.actor(), lieu.manager):
        with pytest.raises(NotFound):
            pack_requests.ask(other, pack.public_id)
    asked = pack_requests.ask(lise, pack.public_id)
    for other in (lieu.cast.member.actor(), lieu.cast.host.actor(), lieu.manager):
        with pytest.raises(NotFound):
            pack_requests.take_back(other, pack.public_id)
    for other in (lise, lieu.cast.host.actor()):
        with pytest.raises(Forbidden):
            pack_requests.decline(other, asked.public_id, "No")
    assert outcomes() == [None]


def test_who_can_still_withdraw_need_not_ask(lise, clock):
    bought = membership.buy_pack(lise, factories.make_pack_offer(cents=8000).public_id)
    with pytest.raises(PackStillToWithdraw) as refused:
        pack_requests.ask(lise, bought.public_id)
    assert refused.value.params == {"day": date(2026, 12, 8)}
    clock.set(clock.now + timedelta(days=15))
    pack_requests.ask(lise, bought.public_id)
    assert outcomes() == [None]


def test_a_letter_that_comes_meanwhile_closes_it(lieu, lise, clock):
    bought = membership.buy_pack(lise, factories.make_pack_offer(cents=8000).public_id)
    clock.set(clock.now + timedelta(days=15))
    pack_requests.ask(lise, bought.public_id)
    sent = TODAY + timedelta(days=2)
    found = withdrawals.look(bought, sent)
    withdrawals.withdraw(lieu.manager, "pack", bought.public_id, agreed_cents=found.returned_cents, sent_on=sent)
    assert outcomes() == ["taken_back"]


def test_it_is_over_when_nothing_is_left_or_the_pack_is(lieu, lise, clock):
    pack = factories.make_pack(lieu.cast.stranger, units=1, cents=800, valid_from=TODAY)
    asked = pack_requests.ask(lise, pack.public_id)
    made = booking.book_half_days(lise, TODAY + timedelta(days=2), MORNING)
    assert pack_request_queries.open_requests() == []
    assert pack_request_queries.latest_requests([pack]) == {}
    with pytest.raises(PackRequestClosed):
        pack_requests.decline(lieu.manager, asked.public_id, "No")
    with pytest.raises(PackNothingLeft):
        pack_requests.ask(lise, pack.public_id)
    booking.cancel(lise, made.public_id)
    assert pack_request_queries.open_requests() == [asked], "it is there again"
    clock.set(clock.now + timedelta(days=400))
    db.session.rollback()
    assert pack_request_queries.open_requests() == []
    with pytest.raises(PackNothingLeft):
        pack_requests.ask(lise, pack.public_id)


# E-mails --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_managers_and_then_the_member_are_told(lieu, lise, pack, run_outbox, mailbox, language):
    with write_unit():
        for person in (lieu.cast.stranger, lieu.cast.manager):
            db.session.get_one(Person, person.id).locale = language

    def told(name: str, to: Person) -> None:
        run_outbox()
        sent = mailbox()[-1]
        assert sent["To"] == to.email
        golden.check(sent, name)

    asked = pack_requests.ask(lise, pack.public_id, "Je déménage à Lyon")
    told("membership/pack_request", lieu.cast.manager)
    pack_requests.decline(lieu.manager, asked.public_id, "Le carnet était en promotion")
    told("membership/pack_answer-declined", lieu.cast.stranger)
    pack_requests.ask(lise, pack.public_id)
    run_outbox()
    give_back(lieu.manager, pack)
    told("membership/pack_answer-granted", lieu.cast.stranger)


def test_what_is_taken_back_at_once_is_told_to_nobody(lise, pack, run_outbox, mailbox):
    pack_requests.ask(lise, pack.public_id)
    pack_requests.take_back(lise, pack.public_id)
    run_outbox()
    assert mailbox() == []


# Pages ----------------------------------------------------------------------------------------------------------------


def words(answer) -> str:
    """What the page says, its tags and line breaks left out."""
    bare = re.sub(r"<[^>]+>", " ", unescape(answer.get_data(as_text=True)))
    return " ".join(bare.split())


def asked_for(app) -> str:
    with app.app_context():
        found = db.session.scalars(select(PackRequest.public_id).order_by(PackRequest.id.desc())).first()
        db.session.rollback()
        assert found is not None
        return found


def test_a_member_asks_reads_that_the_team_decides_and_takes_it_back(app, sold, sign_in):
    made, pack = sold
    lise = sign_in(made.cast.stranger)
    assert "Demander le remboursement du reste" in words(lise.get("/me/plan"))
    sheet = words(lise.get(f"/invoices/packs/{pack}/ask-back"))
    assert "Il en reste 10 demi-journées sur 10 Ce serait, maintenant 80,00 €" in sheet
    assert "L’équipe décide." in sheet
    assert "compte comme utilisé" in sheet
    answer = lise.post(f"/invoices/packs/{pack}/ask-back", data={"reason": "x" * 900})
    assert answer.status_code == 422
    assert "x" * 900 in words(answer), "what was typed is still there"
    answer = lise.post(f"/invoices/packs/{pack}/ask-back", data={"reason": "Je déménage"})
    assert (answer.status_code, answer.location) == (303, "/me/plan#packs")
    mine = words(lise.get("/me/plan"))
    assert (
        "Vous avez demandé le 24 novembre 2026 le remboursement du reste. L’équipe décide. Motif : Je déménage" in mine
    )
    assert "Demander le remboursement du reste" not in mine
    assert lise.post(f"/invoices/packs/{pack}/ask-back/take-back").status_code == 303
    assert "Demander le remboursement du reste" in words(lise.get("/me/plan"))
    with app.app_context():
        assert outcomes() == ["taken_back"]


def test_a_manager_finds_it_on_today_and_beside_the_pack_and_declines(app, sold, sign_in):
    made, pack = sold
    sign_in(made.cast.stranger).post(f"/invoices/packs/{pack}/ask-back", data={"reason": "Je déménage"})
    manager, host = sign_in(made.cast.manager), sign_in(made.cast.host)
    asks = "demande le remboursement du reste d’un carnet"
    assert asks in words(manager.get("/today"))
    assert asks not in words(host.get("/today"))
    page = manager.get(f"/people/{made.cast.stranger.public_id}/membership")
    assert "A demandé le 24 novembre 2026 le remboursement du reste. Motif : Je déménage" in words(page)
    assert f"/invoices/packs/{pack}/give-back" in page.get_data(as_text=True)
    decline = f"/invoices/pack-requests/{asked_for(app)}/decline"
    assert decline in page.get_data(as_text=True)
    assert host.get(decline).status_code == 403
    assert host.post(decline, data={"reason": "Non"}).status_code == 403
    assert "Je déménage" in words(manager.get(decline))
    assert manager.post(decline, data={"reason": " "}).status_code == 422
    assert manager.post(decline, data={"reason": "Le carnet était en promotion"}).status_code == 303
    assert asks not in words(manager.get("/today"))
    mine = words(sign_in(made.cast.stranger).get("/me/plan"))
    assert "refusé : Le carnet était en promotion" in mine
    assert "Demander le remboursement du reste" in mine
    assert manager.post(decline, data={"reason": "Autre"}).status_code == 303, "twice is fine"


def test_nobody_sees_the_sheet_of_another_s_pack(sold, sign_in):
    made, pack = sold
    for other in (made.cast.member, made.cast.manager):
        client = sign_in(other)
        for answer in (client.get(f"/invoices/packs/{pack}/ask-back"), client.post(f"/invoices/packs/{pack}/ask-back")):
            assert answer.status_code == 404


def test_what_cannot_be_asked_says_why(app, sold, sign_in, clock):
    made, pack = sold
    clock.set(clock.now + timedelta(days=400))
    lise = sign_in(made.cast.stranger)
    answer = lise.get(f"/invoices/packs/{pack}/ask-back")
    assert answer.status_code == 200
    assert "Il ne reste rien de ce carnet" in words(answer)
    assert lise.post(f"/invoices/packs/{pack}/ask-back").status_code == 409
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(PackRequest)) == 0

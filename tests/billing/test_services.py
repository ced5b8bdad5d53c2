"""A month of invoices: gathered once, numbered without gaps, chained, paid and undone."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from datetime import date

import pytest
from sqlalchemy import func, select

from coworking.accounting import journal
from coworking.accounts.models import Organisation, Person
from coworking.billing import charges, manual_charges, paying, queries, rules, services
from coworking.billing import checks as billing_checks
from coworking.billing.models import BillingSettings, Charge, Invoice, Payment
from coworking.billing.rules import AdhesionWithoutVat
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.keyring import public_keys
from coworking.core.outbox import OutboxRow
from coworking.core.units import snapshot, write_unit
from coworking.membership import services as membership
from coworking.membership.models import Adhesion, MembershipSettings
from coworking.membership.rules import AdhesionVatUnknown
from tests import factories
from tests.billing.conftest import NOVEMBER, OCTOBER, TODAY

# Gathering


def test_what_was_used_becomes_charges_once(house, session):
    assert charges.gather(OCTOBER) == 9
    assert charges.gather(OCTOBER) == 0
    assert session.scalar(select(func.sum(Charge.amount_cents))) == 4 * 900 + 3000 + 3 * 900 + 900


def test_only_days_that_are_over_and_owed_are_charged(house, session):
    stranger = house.cast.stranger
    house.use(stranger, date(2026, 11, 23))
    house.use(stranger, date(2026, 11, 24))  # today
    house.use(stranger, date(2026, 11, 20), state="kept")
    house.use(stranger, date(2026, 11, 20), state="released")
    house.use(stranger, date(2026, 11, 20), cents=0)
    assert charges.gather(NOVEMBER) == 2


def test_a_subscription_is_charged_its_first_month_then_in_advance(house, session, clock):
    row = factories.make_subscription(house.cast.stranger, first_month=NOVEMBER)
    charges.gather(NOVEMBER)
    found = select(Charge.month, Charge.due_month).where(Charge.source == "subscription").order_by(Charge.month)
    assert session.execute(found).all() == [(NOVEMBER, NOVEMBER)]
    clock.advance(days=10)
    charges.gather(NOVEMBER)
    assert session.execute(found).all() == [(NOVEMBER, NOVEMBER), (date(2026, 12, 1), NOVEMBER)]
    charges.gather(date(2026, 12, 1))
    assert len(session.execute(found).all()) == 2
    assert row.monthly_cents == 6000


def test_a_subscription_that_ended_is_not_charged_in_advance(house, session, clock):
    factories.make_subscription(house.cast.stranger, first_month=NOVEMBER, last_month=NOVEMBER)
    clock.advance(days=10)
    charges.gather(NOVEMBER)
    assert session.scalars(select(Charge.month).where(Charge.source == "subscription")).all() == [NOVEMBER]


def adhesion(house, **values) -> None:
    year = {"valid_from": NOVEMBER, "valid_until": date(2027, 10, 31)}
    with write_unit():
        db.session.add(Adhesion(**({"person_id": house.cast.stranger.id, "cents": 1200} | year | values)))


@pytest.mark.parametrize(("first", "month"), [(date(2026, 11, 3), NOVEMBER), (date(2026, 9, 1), NOVEMBER)])
def test_an_adhesion_is_charged_in_its_month_as_it_was_taxed(house, session, first, month):
    adhesion(house, valid_from=first, vat_rate_bp=0)
    charges.gather(OCTOBER)
    charges.gather(NOVEMBER)
    charge = session.scalars(select(Charge).where(Charge.source == "adhesion")).one()
    assert (charge.due_month, charge.amount_cents, charge.vat_rate_bp) == (month, 1200, 0)


def test_an_adhesion_of_a_taxable_place_waits_until_it_is_said_how_it_is_taxed(house, session):
    """It was recorded before this was asked."""
    adhesion(house)
    charges.gather(NOVEMBER)
    assert charges.adhesions_without_vat() == 1
    assert session.scalar(select(func.count(Charge.id)).where(Charge.source == "adhesion")) == 0
    membership.set_adhesion_price(house.manager, 1200, vat="taxable", vat_rate_bp=2000)
    charges.gather(NOVEMBER)
    assert charges.adhesions_without_vat() == 0
    (issued,) = (row for row in services.run(house.manager, NOVEMBER).issued if row.payable_cents == 1200 + 6600)
    content = queries.content(issued)
    line = content["lines"][-1]
    assert (line["family"], line["amount_cents"], line["net_cents"], line["vat_rate_bp"]) == (
        "adhesion",
        1200,
        1000,
        2000,
    )
    assert not any("Cotisation" in note for note in content["notes"])
    assert sum(entry.credit for entry in journal.of_document(content) if entry.account == "756") == 1000


@pytest.mark.parametrize(
    ("vat", "words"), [("out_of_scope", "hors du champ"), ("exempt", "exonérée"), ("taxable", None), (None, None)]
)
def test_an_adhesion_charged_without_vat_is_invoiced_only_where_that_is_how_it_is_taxed(house, session, vat, words):
    adhesion(house, vat_rate_bp=0)
    with write_unit():
        session.add(MembershipSettings(id=1, adhesion_cents=1200, adhesion_vat=vat))
    done = services.run(house.manager, NOVEMBER)
    lise = [row for row in done.issued if row.payer_person_id == house.cast.stranger.id]
    if words is None:
        assert lise == [] and [name for name, _why in done.problems] == ["Lise Vidal"]
        assert isinstance(done.problems[0][1], AdhesionWithoutVat if vat else AdhesionVatUnknown)
    else:
        assert any("Cotisation" in note and words in note for note in queries.content(lise[0])["notes"])


def test_labels_say_what_for_when_and_in_the_payers_language(house, session):
    adhesion(house, vat_rate_bp=0, valid_from=date(2026, 11, 3), valid_until=date(2027, 11, 2))
    factories.make_subscription(house.cast.stranger, first_month=NOVEMBER)
    house.use(house.cast.stranger, date(2026, 11, 14), cents=1500, hours=2)
    house.use(house.cast.stranger, date(2026, 11, 14))
    labels_of = select(Charge.label).order_by(Charge.label)
    charges.gather(NOVEMBER)
    assert session.scalars(labels_of).all() == [
        "Abonnement Dix demi-journées, novembre 2026\u202f: 10 demi-journées de poste",
        "Adhésion annuelle, du 3 novembre 2026 au 2 novembre 2027",
        "Poste de travail, demi-journée",
        "Salle Durolle, à l’heure",
    ]


def test_an_english_reader_gets_english_labels_and_an_employer_french_ones(house, session):
    with write_unit():
        for person in session.scalars(select(Person)).unique():
            person.locale = "en"
    charges.gather(OCTOBER)
    found = session.execute(select(Charge.payer_organisation_id.is_(None), Charge.label).distinct()).all()
    assert {label for own, label in found if own} == {"Desk, half-day", "Room Durolle, by the hour"}
    assert {label for own, label in found if not own} == {"Poste de travail, demi-journée"}


def test_a_month_to_come_is_refused(house, inside):
    with pytest.raises(rules.InvoicedMonthToCome):
        charges.gather(date(2026, 12, 1))
    with pytest.raises(rules.InvoicedMonthToCome):
        services.run(house.manager, date(2026, 12, 1))


# Issuing


def test_each_payer_gets_one_invoice(house, session):
    done = services.run(house.manager, OCTOBER)
    assert (len(done.issued), done.problems, done.carried) == (3, [], [])
    by_name = {queries.content(row)["buyer"]["name"]: row for row in done.issued}
    assert {name: row.payable_cents for name, row in by_name.items()} == {
        "Lise Vidal": 6600,
        "Anne Marchand": 900,
        "Coutellerie Durand SA": 2700,
    }
    assert sorted(row.number for row in done.issued) == ["F2026-0001", "F2026-0002", "F2026-0003"]
    assert session.scalar(select(func.count()).where(OutboxRow.topic == queries.ISSUED)) == 3


def test_the_employer_reads_counts_and_nothing_else(house, inside):
    done = services.run(house.manager, OCTOBER)
    content = next(c for c in map(queries.content, done.issued) if c["buyer"]["kind"] == "organisation")
    (line,) = content["lines"]
    assert line["quantity"] == 3 and line["days"] == []
    assert line["people"] == [{"name": "Anne Marchand", "quantity": 2}, {"name": "Karim Benali", "quantity": 1}]
    assert "2026-10-20" not in json.dumps(content)  # Anne's own day
    assert any("40\u00a0€" in note for note in content["notes"])
    assert content["due_on"] == "2026-12-24"


def test_a_consumer_never_reads_of_the_forty_euros(house, inside):
    for invoice in services.run(house.manager, OCTOBER).issued:
        content = queries.content(invoice)
        if content["buyer"]["kind"] == "person":
            assert "40\u00a0€" not in invoice.payload and "Pénalités" not in invoice.payload
            assert content["due_on"] == content["issued_on"]


def test_vat_is_taken_from_the_sum_once(house, inside):
    done = services.run(house.manager, OCTOBER)
    lise = next(row for row in done.issued if row.payable_cents == 6600)
    assert (lise.net_cents, lise.vat_cents, lise.gross_cents, lise.rounding_cents) == (5500, 1100, 6600, 0)


def test_a_cent_no_net_can_express_is_the_rounding_amount(house, inside):
    house.use(house.cast.lead, date(2026, 10, 2), cents=303)
    done = services.run(house.manager, OCTOBER)
    row = next(row for row in done.issued if row.payable_cents == 303)
    assert row.net_cents + row.vat_cents + row.rounding_cents == 303
    assert row.rounding_cents in (1, -1) and row.vat_cents == (row.net_cents * 2000 + 5000) // 10000


def test_a_second_run_bills_nothing_again(house, session):
    services.run(house.manager, OCTOBER)
    again = services.run(house.manager, OCTOBER)
    assert again.issued == [] and session.scalar(select(func.count(Invoice.id))) == 3


def test_an_organisation_without_address_is_named_and_others_are_invoiced(house, session):
    with write_unit():
        session.scalars(select(Organisation)).one().address = None
    done = services.run(house.manager, OCTOBER)
    assert len(done.issued) == 2
    ((name, problem),) = done.problems
    assert name == "Coutellerie Durand SA" and isinstance(problem, rules.BuyerIncomplete)
    assert sorted(session.scalars(select(Invoice.seq))) == [1, 2]


def test_a_lieu_without_siret_issues_nothing(house, session):
    from coworking.spaces.models import Lieu

    with write_unit():
        session.get(Lieu, 1).siret = None
    done = services.run(house.manager, OCTOBER)
    assert done.issued == [] and all(isinstance(why, rules.SellerIncomplete) for _, why in done.problems)


def test_prices_with_and_without_vat_make_one_invoice(house, inside):
    house.use(house.cast.stranger, date(2026, 10, 16), cents=1000, basis="ht")
    done = services.run(house.manager, OCTOBER)
    assert sorted(row.payable_cents for row in done.issued) == [900, 2700, 6600 + 1200]
    with snapshot():
        assert list(billing_checks.charged()) == []


def test_an_employer_reads_unit_prices_without_vat_and_a_person_with_it(house, inside):
    unit = {
        content["buyer"]["name"]: content["lines"][0]["unit_micros"]
        for content in map(queries.content, services.run(house.manager, OCTOBER).issued)
    }
    assert unit["Coutellerie Durand SA"] == 7_500_000
    assert unit["Anne Marchand"] == 9_000_000


def test_what_was_waived_is_not_invoiced(house, session):
    charges.gather(OCTOBER)
    own = session.scalars(select(Charge).where(Charge.payer_person_id == house.cast.member.id)).one()
    waiver = manual_charges.waive(house.manager, own.public_id, "Le chauffage était en panne")
    assert (waiver.source, waiver.amount_cents) == ("waiver", -900)
    with pytest.raises(rules.AlreadyWaived):
        manual_charges.waive(house.manager, own.public_id, "Encore")
    done = services.run(house.manager, OCTOBER)
    assert len(done.issued) == 2
    assert (
        session.scalars(select(AuditEntry).where(AuditEntry.action == "billing.waived")).one().details["cents"] == 900
    )


def test_lines_by_hand_are_added_once_and_taken_away_until_invoiced(house, session):
    line = {
        "quantity": 4,
        "unit_cents": 250,
        "vat_rate_bp": 2000,
        "basis": "ttc",
        "month": OCTOBER,
    }
    payer = f"p:{house.cast.member.public_id}"
    assert manual_charges.add_line(house.manager, payer, "Café d’accueil", nonce=7, **line)
    assert not manual_charges.add_line(house.manager, payer, "Café d’accueil", nonce=7, **line)
    manual_charges.add_line(house.manager, payer, "Clé perdue", nonce=8, **line)
    lost = session.scalars(select(Charge).where(Charge.label == "Clé perdue")).one()
    manual_charges.remove_line(house.manager, lost.public_id)
    done = services.run(house.manager, OCTOBER)
    anne = next(row for row in done.issued if row.payer_person_id == house.cast.member.id)
    assert anne.payable_cents == 900 + 1000
    kept = session.scalars(select(Charge).where(Charge.label == "Café d’accueil")).one()
    with pytest.raises(rules.AlreadyInvoiced):
        manual_charges.remove_line(house.manager, kept.public_id)
    with pytest.raises(rules.AlreadyInvoiced):
        manual_charges.waive(house.manager, kept.public_id, "Trop tard")


def test_what_comes_to_nothing_is_carried_over(house, session):
    line = {"quantity": 1, "vat_rate_bp": 0, "basis": "ttc", "month": OCTOBER}
    manual_charges.add_line(house.manager, f"p:{house.cast.lead.public_id}", "Offert", nonce=1, unit_cents=0, **line)
    done = services.run(house.manager, OCTOBER)
    assert done.carried == ["Solène Vernet"]
    assert session.scalars(select(Charge.invoice_id).where(Charge.label == "Offert")).one() is None


@pytest.mark.parametrize("who", ["host", "accountant", "member"])
def test_only_a_manager_writes_money(house, inside, who):
    actor = getattr(house.cast, who).actor()
    for attempt in (
        lambda: services.run(actor, OCTOBER),
        lambda: services.credit(actor, "x", "y"),
        lambda: paying.record_payment(actor, "x", 1, OCTOBER, "cash"),
        lambda: manual_charges.waive(actor, "x", "y"),
        lambda: manual_charges.remove_line(actor, "x"),
        lambda: services.update_settings(actor, iban="x"),
        lambda: services.replace_mention(actor, "penalty", "x"),
    ):
        with pytest.raises(Forbidden):
            attempt()


# What the lieu says in its own words


def test_own_words_are_printed_until_ours_are_wanted_again(house, session):
    services.replace_mention(house.manager, "penalty", "Pénalités\u00a0: 12\u00a0%.")
    first = services.run(house.manager, OCTOBER).issued
    employer = next(row for row in first if row.payer_organisation_id)
    assert "Pénalités\u00a0: 12\u00a0%." in queries.content(employer)["notes"]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "billing.mention")).one()
    assert entry.details["changed"] == {"penalty": [None, "Pénalités\u00a0: 12\u00a0%."]}
    services.replace_mention(house.manager, "penalty", None)
    services.credit(house.manager, employer.public_id, "Facturé par erreur", again=True)
    (again,) = services.run(house.manager, NOVEMBER).issued
    assert any("10 points" in note for note in queries.content(again)["notes"])
    assert "Pénalités\u00a0: 12\u00a0%." in queries.content(employer)["notes"], "what is issued keeps its words"
    assert queries.settings_row().mentions is None
    with pytest.raises(NotFound):
        services.replace_mention(house.manager, "nonesuch", "x")


def test_words_from_before_mentions_were_kept_apart_still_count(house, session):
    with write_unit():
        row = session.get(BillingSettings, 1)
        row.exemption, row.penalty = "Mes mots", "Mes pénalités"
    assert queries.replaced_mentions("exempt") == {"exempt": "Mes mots", "penalty": "Mes pénalités"}
    assert queries.replaced_mentions("taxable") == {"penalty": "Mes pénalités"}
    services.replace_mention(house.manager, "penalty", None)
    assert queries.replaced_mentions("taxable") == {}


# The chain


def test_the_chain_holds_and_numbers_follow_each_other(house, session):
    issued = services.run(house.manager, OCTOBER).issued
    services.credit(house.manager, issued[0].public_id, "Adresse erronée", again=True)
    services.run(house.manager, NOVEMBER)
    rows = session.scalars(select(Invoice).order_by(Invoice.seq)).all()
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5]
    assert [row.number for row in rows] == [*(f"F2026-000{n}" for n in (1, 2, 3)), "A2026-0001", "F2026-0004"]
    assert services.chain_problems(public_keys()) == []
    entries = [(services.link_of(row), row.payload) for row in rows]
    from coworking.core import links

    keys = public_keys()
    assert links.problems([entries[0], *entries[2:]], keys.get)
    assert links.problems([(entries[0][0], entries[0][1] + " "), *entries[1:]], keys.get) == [
        "1: its content was altered"
    ]
    assert links.problems([entries[1], entries[0], *entries[2:]], keys.get)
    assert links.problems(entries, {}.get)


def test_a_new_year_counts_from_one(house, inside, clock):
    services.run(house.manager, OCTOBER)
    clock.advance(days=60)
    house.use(house.cast.stranger, date(2026, 11, 30))
    (invoice,) = services.run(house.manager, NOVEMBER).issued
    assert (invoice.number, invoice.seq) == ("F2027-0001", 4)


def test_what_fails_gives_its_number_back(house, session, monkeypatch):
    charges.gather(OCTOBER)
    ids = session.scalars(select(Charge.id).where(Charge.payer_person_id == house.cast.stranger.id)).all()

    def broken(*_args, **_options):
        raise RuntimeError("the power went out")

    with monkeypatch.context() as patch:
        patch.setattr("coworking.core.audit.record", broken)
        with pytest.raises(RuntimeError):
            services._issue(house.manager, OCTOBER, services.signing_key(), ids)
    assert [row.seq for row in services.run(house.manager, OCTOBER).issued] == [1, 2, 3]


def test_runs_at_once_bill_everything_once(house, app):
    """Four managers press the button together."""
    for n in range(8):
        with app.app_context():
            person = factories.make_person(f"Voisin{n}", "Essai", f"voisin{n}@demo.example")
            house.use(person, date(2026, 10, 21))
    barrier, issued, failures = threading.Barrier(4), [], []

    def press() -> None:
        with app.app_context():
            barrier.wait()
            try:
                issued.extend(row.number for row in services.run(house.manager, OCTOBER).issued)
            except Exception as error:
                failures.append(error)
            db.session.remove()

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with app.app_context():
        assert sorted(issued) == [f"F2026-{n:04d}" for n in range(1, 12)]
        assert sorted(db.session.scalars(select(Invoice.seq))) == list(range(1, 12))
        billed = db.session.scalar(select(func.sum(Charge.amount_cents)))
        assert billed == db.session.scalar(select(func.sum(Invoice.payable_cents)))
        assert services.chain_problems(public_keys()) == []


def test_payers_billed_at_once_are_numbered_one_after_the_other(house, app):
    """Each thread bills a payer of its own, so nothing but the counters makes them wait."""
    count = 6
    with app.app_context():
        people = [factories.make_person(f"V{n}", "Essai", f"v{n}@demo.example") for n in range(count)]
        for person in people:
            house.use(person, date(2026, 10, 21))
        charges.gather(OCTOBER)
        ids = dict(
            db.session.execute(select(Charge.payer_person_id, Charge.id).where(Charge.day == date(2026, 10, 21))).all()
        )
        key = services.signing_key()
    barrier, failures = threading.Barrier(count), []

    def bill(charge_id: int) -> None:
        with app.app_context():
            barrier.wait()
            try:
                services._issue(house.manager, OCTOBER, key, [charge_id])
            except Exception as error:
                failures.append(error)
            db.session.remove()

    threads = [threading.Thread(target=bill, args=(charge_id,)) for charge_id in ids.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with app.app_context():
        rows = db.session.execute(select(Invoice.seq, Invoice.number).order_by(Invoice.seq)).all()
        assert [tuple(row) for row in rows] == [(n, f"F2026-{n:04d}") for n in range(1, count + 1)]
        assert services.chain_problems(public_keys()) == []


# Payments and credit notes


@pytest.fixture
def invoice(house, inside) -> Invoice:
    return next(row for row in services.run(house.manager, OCTOBER).issued if row.payable_cents == 6600)


def standing(house, invoice):
    return queries.standing_for(house.manager, invoice.public_id)


def test_payments_add_up_and_cannot_exceed(house, invoice, session):
    paying.record_payment(house.manager, invoice.public_id, 2600, TODAY, "transfer", "VIR 12")
    assert standing(house, invoice).open_cents == 4000
    with pytest.raises(rules.PaidTooMuch) as refused:
        paying.record_payment(house.manager, invoice.public_id, 4001, TODAY, "cash")
    assert "40,00" in str(refused.value)
    paying.record_payment(house.manager, invoice.public_id, 4000, TODAY, "cheque")
    assert standing(house, invoice).state == "paid"


def test_a_wrong_payment_is_cancelled_once(house, invoice, session):
    paid = paying.record_payment(house.manager, invoice.public_id, 6600, TODAY, "card")
    paying.correct_payment(house.manager, invoice.public_id, paid.public_id)
    assert standing(house, invoice).open_cents == 6600
    with pytest.raises(rules.AlreadyCorrected):
        paying.correct_payment(house.manager, invoice.public_id, paid.public_id)
    assert session.scalars(select(Payment.cents).order_by(Payment.id)).all() == [6600, -6600]


@pytest.mark.parametrize(
    ("cents", "day", "method", "error"),
    [
        (0, TODAY, "cash", rules.PaymentInvalid),
        (-5, TODAY, "cash", rules.PaymentInvalid),
        (100, TODAY, "shells", rules.PaymentInvalid),
        (100, date(2026, 11, 23), "cash", rules.ReceivedBeforeIssue),
        (100, date(2026, 11, 25), "cash", rules.ReceivedInFuture),
    ],
)
def test_a_payment_must_make_sense(house, invoice, cents, day, method, error):
    with pytest.raises(error):
        paying.record_payment(house.manager, invoice.public_id, cents, day, method)


def test_money_that_came_before_the_invoice_is_meant(house, invoice):
    yesterday = date(2026, 11, 23)
    paid = paying.record_payment(house.manager, invoice.public_id, 100, yesterday, "cash", before_issue=True)
    assert (paid.received_on, standing(house, invoice).open_cents) == (yesterday, 6500)


def test_a_reversal_is_dated_when_it_is_made(house, invoice, clock):
    paid = paying.record_payment(house.manager, invoice.public_id, 6600, TODAY, "card")
    clock.advance(days=3)
    reversal = paying.correct_payment(house.manager, invoice.public_id, paid.public_id)
    assert (reversal.received_on, reversal.cents) == (date(2026, 11, 27), -6600)


def test_two_payments_at_once_do_not_overpay(house, invoice, app, monkeypatch):
    """Each waits for the other once it has read what was paid, as long as one of them could be kept out by a lock."""
    start, read, refused = threading.Barrier(2), threading.Barrier(2), []

    def paid_and_wait(invoice, *, paid=paying._paid) -> int:
        found = paid(invoice)
        with suppress(threading.BrokenBarrierError):
            read.wait(1)
        return found

    monkeypatch.setattr(paying, "_paid", paid_and_wait)

    def pay() -> None:
        with app.app_context():
            start.wait()
            try:
                paying.record_payment(house.manager, invoice.public_id, 6600, TODAY, "cash")
            except rules.PaidTooMuch as error:
                refused.append(error)
            db.session.remove()

    threads = [threading.Thread(target=pay) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1


def test_a_credit_note_undoes_an_invoice_to_the_cent_once(house, invoice, session):
    note = services.credit(house.manager, invoice.public_id, "Facturé par erreur")
    for name in ("net_cents", "vat_cents", "gross_cents", "rounding_cents", "payable_cents"):
        assert getattr(note, name) == -getattr(invoice, name)
    content = queries.content(note)
    assert content["corrects"] == {"number": invoice.number, "issued_on": "2026-11-24"}
    assert (note.number, note.corrects_id) == ("A2026-0001", invoice.id)
    assert standing(house, invoice).state == "credited"
    with pytest.raises(rules.AlreadyCredited):
        services.credit(house.manager, invoice.public_id, "Encore")
    with pytest.raises(rules.NotAnInvoice):
        services.credit(house.manager, note.public_id, "Un avoir d’avoir")
    assert services.run(house.manager, NOVEMBER).issued == []


def test_what_was_credited_is_billed_again_only_when_asked(house, invoice, session):
    services.credit(house.manager, invoice.public_id, "Adresse erronée", again=True)
    (again,) = services.run(house.manager, NOVEMBER).issued
    assert again.payable_cents == invoice.payable_cents
    assert queries.content(again)["lines"] == queries.content(invoice)["lines"]


def test_what_was_paid_on_a_credited_invoice_is_to_be_refunded(house, invoice, session):
    paid = paying.record_payment(house.manager, invoice.public_id, 6600, TODAY, "transfer")
    services.credit(house.manager, invoice.public_id, "Facturé par erreur")
    assert standing(house, invoice).open_cents == -6600
    with pytest.raises(rules.PaidTooMuch):
        paying.record_payment(house.manager, invoice.public_id, 1, TODAY, "cash")
    paying.correct_payment(house.manager, invoice.public_id, paid.public_id)
    assert standing(house, invoice).open_cents == 0


@pytest.mark.parametrize("text", ["", "   ", "x" * 201])
def test_a_credit_note_says_why(house, invoice, text):
    with pytest.raises(rules.ReasonMissing):
        services.credit(house.manager, invoice.public_id, text)


# Who reads what


def test_everyone_reads_only_what_is_theirs(house, invoice, inside):
    employer = next(
        row
        for row, _ in [(s.invoice, s) for s in queries.documents(house.manager, queries.Filters())[0]]
        if row.payer_organisation_id
    )
    cast = house.cast

    def reads(person, document) -> bool:
        try:
            queries.standing_for(person.actor(), document.public_id)
        except NotFound:
            return False
        return True

    assert [reads(p, invoice) for p in (cast.stranger, cast.member, cast.host, cast.accountant, cast.manager)] == [
        True,
        False,
        False,
        True,
        True,
    ]
    assert [reads(p, employer) for p in (cast.member, cast.colleague, cast.stranger)] == [False, True, False]

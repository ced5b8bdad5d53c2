"""The two chains: what a unit does to money is signed in that unit; their heads can be kept elsewhere."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import func, insert, select, text, update

from coworking.billing import charges, paying, services
from coworking.billing.models import Charge, Payment
from coworking.core import chain, chain_checks, guards, links
from coworking.core.chain import ChainEntry, ChainHead, Seal
from coworking.core.db import db
from coworking.core.keyring import public_keys
from coworking.core.sealing import MONEY, SEALED, NotNoted, row_digest, rows_digest
from coworking.core.units import snapshot, write_unit
from coworking.membership.models import Plan
from coworking.pricing import services as pricing
from coworking.pricing.models import Tariff, TariffPrice
from tests import factories
from tests.support.billing import OCTOBER, TODAY
from tests.support.threads import at_once


def entries() -> list[ChainEntry]:
    return list(db.session.scalars(select(ChainEntry).where(ChainEntry.chain == MONEY).order_by(ChainEntry.seq)))


def seals_of(entry: ChainEntry) -> list[tuple[str, int, str]]:
    rows = db.session.scalars(select(Seal).where(Seal.entry_id == entry.id).order_by(Seal.id))
    return [(row.subject, row.first_id, row.act) for row in rows]


def test_nothing_was_signed_yet(inside):
    assert chain.heads() == {name: {"seq": 0, "digest": "0" * 64} for name in ("money", "trail")}


def test_a_unit_that_touches_money_signs_one_entry_over_every_row(billing_lieu, inside):
    before = chain.heads()["money"]["seq"]
    (first, *_rest) = services.run(billing_lieu.manager, OCTOBER).issued
    payment = paying.record_payment(billing_lieu.manager, first.public_id, 100, TODAY, "card")
    last = entries()[-1]
    assert seals_of(last) == [("payment", payment.id, "made")]
    assert chain.heads()["money"] == {"seq": last.seq, "digest": last.link.digest}
    issued = next(entry for entry in entries() if ("invoice", first.id, "made") in seals_of(entry))
    charged = db.session.scalars(select(Charge.id).where(Charge.invoice_id == first.id)).all()
    assert {row for row in seals_of(issued) if row[0] == "charge"} == {("charge", one, "changed") for one in charged}
    assert last.seq > before
    assert links.problems(((row.link, row.payload) for row in entries()), public_keys().get) == []


def test_a_seal_is_over_every_column_as_the_database_holds_it(billing_lieu, inside):
    first = services.run(billing_lieu.manager, OCTOBER).issued[0]
    payment = paying.record_payment(billing_lieu.manager, first.public_id, 100, TODAY, "card")
    kind = SEALED["payment"]
    (row,) = db.session.execute(select(Payment.__table__)).mappings()
    sealed = db.session.scalar(select(Seal.digest).where(Seal.subject == "payment", Seal.first_id == payment.id))
    assert sealed == rows_digest([row_digest(kind, row)])
    for name in kind.columns:
        if row[name] is not None:
            assert row_digest(kind, dict(row) | {name: "another"}) != row_digest(kind, row), name


def test_a_unit_that_fails_signs_nothing(billing_lieu, inside):
    before = chain.heads()

    def half() -> None:
        with write_unit():
            db.session.add(Plan(name="Mi-temps", monthly_cents=9000, halfdays_per_month=10))
            db.session.flush()
            raise RuntimeError("the power went out")

    with pytest.raises(RuntimeError):
        half()
    assert chain.heads() == before and db.session.scalars(select(Plan)).all() == []


def test_an_entry_says_what_a_setting_was_and_is(billing_lieu, inside):
    services.update_settings(billing_lieu.manager, iban="FR7630006000011234567890189")
    services.update_settings(billing_lieu.manager, iban="FR7610107001011234567890129")
    (pairs,) = json.loads(entries()[-1].payload)["settings"].values()
    assert pairs == {"iban": ["FR7630006000011234567890189", "FR7610107001011234567890129"]}
    before = len(entries())
    services.update_settings(billing_lieu.manager, iban="FR7610107001011234567890129")
    assert len(entries()) == before, "nothing changed, nothing is signed"


def test_an_entry_says_which_words_of_a_mention_were_replaced(billing_lieu, inside):
    services.replace_mention(billing_lieu.manager, "penalty", "Nos mots")
    services.replace_mention(billing_lieu.manager, "penalty", None)
    said = [json.loads(entry.payload)["settings"] for entry in entries()[-2:]]
    assert [next(iter(pairs.values())) for pairs in said] == [
        {"mentions": [None, {"penalty": "Nos mots"}]},
        {"mentions": [{"penalty": "Nos mots"}, None]},
    ]
    assert found() == []


def test_a_tariff_set_twice_and_removed_leaves_its_removal(place, cast, inside):
    manager = cast.manager.actor()
    prices = {"basis": "ttc", "vat_rate_bp": 0, "by_resource": {}}
    tariff = pricing.set_tariff(manager, valid_from=date(2027, 1, 1), by_kind={"desk": 900}, **prices)
    pricing.set_tariff(manager, valid_from=date(2027, 1, 1), by_kind={"desk": 1000}, **prices)
    row = db.session.execute(select(TariffPrice.__table__)).mappings().one()
    pricing.remove_tariff(manager, tariff.public_id)
    acts = {(subject, one): act for subject, one, act in seals_of(entries()[-1])}
    assert acts == {("tariff", tariff.id): "removed", ("tariff_price", row["id"]): "removed"}
    last = db.session.scalars(
        select(Seal.digest).where(Seal.subject == "tariff_price").order_by(Seal.id.desc())
    ).first()
    assert last == rows_digest([row_digest(SEALED["tariff_price"], row)]), "what was removed can still be shown"


@pytest.mark.parametrize(
    "statement",
    [update(Tariff).values(vat_rate_bp=1), insert(Tariff.__table__).values(valid_from=date(2027, 1, 1))],
    ids=["update", "insert"],
)
def test_a_statement_past_the_mapper_must_be_noted(inside, statement):
    with pytest.raises(NotNoted), write_unit():
        db.session.execute(statement)


def test_payments_at_once_follow_each_other_in_the_chain(billing_lieu, app):
    """Each is for an invoice of its own, so nothing but the chain's head makes them wait."""
    with app.app_context():
        for n in range(8):
            person = factories.make_person(f"Voisine{n}", "Essai", f"voisine{n}@demo.example")
            billing_lieu.use(person, date(2026, 10, 21))
        issued = [row.public_id for row in services.run(billing_lieu.manager, OCTOBER).issued]
        before = chain.heads()["money"]["seq"]

    def pay(public: str) -> None:
        with app.app_context():
            paying.record_payment(billing_lieu.manager, public, 100, TODAY, "card")
            db.session.remove()

    at_once([lambda public=public: pay(public) for public in issued])
    with app.app_context():
        assert chain.heads()["money"]["seq"] == before + len(issued)
        assert links.problems(((row.link, row.payload) for row in entries()), public_keys().get) == []


def test_rows_of_before_enter_as_one_marked_entry(billing_lieu, inside):
    """An older database has money and no chain: the first unit that touches money opens it."""
    first = services.run(billing_lieu.manager, OCTOBER).issued[0]
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            guards.remove(connection)
        for model in (Seal, ChainEntry, ChainHead):
            connection.execute(text(f"DELETE FROM {model.__tablename__}"))
        if connection.dialect.name == "sqlite":
            guards.install(connection)
    payment = paying.record_payment(billing_lieu.manager, first.public_id, 100, TODAY, "card")
    opening, own = entries()
    assert json.loads(opening.payload)["opening"] is True
    acts = {act for _subject, _row, act in seals_of(opening)}
    kinds = {subject for subject, _row, _act in seals_of(opening)}
    assert acts == {"opening"} and {"invoice", "charge"} <= kinds and "payment" not in kinds
    assert seals_of(own) == [("payment", payment.id, "made")]
    count = db.session.scalar(select(func.count()).select_from(Charge))
    assert sum(subject == "charge" for subject, _row, _act in seals_of(opening)) == count


# What was rewritten by hand before the software wrote it again ---------------------------------------------------------


def by_hand(statement: str) -> None:
    """As somebody would who has the database's own password."""
    db.session.rollback()
    with db.engine.begin() as connection:
        guards.remove(connection)
        connection.execute(text(statement))
        guards.install(connection)


def found() -> list[str]:
    with snapshot():
        return [sentence for look in (chain_checks.money_links, chain_checks.money_rows) for sentence in look()]


def test_a_rewritten_setting_is_reported_after_later_changes(billing_lieu, inside):
    """The next change signs the whole row as it is."""
    services.update_settings(billing_lieu.manager, iban="FR7630006000011234567890189")
    by_hand("UPDATE billing_settings SET iban = 'FR7610107001011234567890129'")
    services.update_settings(billing_lieu.manager, bic="AGRIFRPP")
    services.update_settings(billing_lieu.manager, bic="BNPAFRPP")
    (sentence,) = found()
    assert sentence.startswith("billing_settings 1: it was not what money entry")


def test_a_charge_rewritten_before_it_is_invoiced_is_reported(billing_lieu, inside):
    charges.gather(OCTOBER)
    by_hand("UPDATE charge SET amount_cents = amount_cents / 2, unit_cents = unit_cents / 2")
    services.run(billing_lieu.manager, OCTOBER)
    sentences = found()
    assert sentences and all(sentence.startswith("charge ") for sentence in sentences)


def test_a_row_rewritten_before_it_is_removed_is_reported(place, cast, inside):
    prices = {"basis": "ttc", "vat_rate_bp": 0, "by_resource": {}}
    tariff = pricing.set_tariff(cast.manager.actor(), valid_from=date(2027, 1, 1), by_kind={"desk": 900}, **prices)
    assert found() == []
    by_hand("UPDATE tariff_price SET cents = 1")
    pricing.remove_tariff(cast.manager.actor(), tariff.public_id)
    (sentence,) = found()
    assert sentence.startswith("tariff_price ")


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_payment_whose_id_was_used_again_is_reported(billing_lieu, inside):
    """SQLite gives the highest id again once its row is gone."""
    first = services.run(billing_lieu.manager, OCTOBER).issued[0]
    paid = paying.record_payment(billing_lieu.manager, first.public_id, 100, TODAY, "card").id
    by_hand(f"DELETE FROM payment WHERE id = {paid}")
    assert paying.record_payment(billing_lieu.manager, first.public_id, 100, TODAY, "card").id == paid
    (sentence,) = found()
    assert sentence.startswith(f"payment {paid}: money entry") and sentence.endswith("is gone")


def test_what_the_software_changes_and_removes_by_itself_is_no_break(place, cast, inside):
    manager = cast.manager.actor()
    prices = {"basis": "ttc", "vat_rate_bp": 0, "by_resource": {}}
    for cents in (900, 1000, 900):
        tariff = pricing.set_tariff(manager, valid_from=date(2027, 1, 1), by_kind={"desk": cents}, **prices)
    pricing.remove_tariff(manager, tariff.public_id)
    pricing.set_tariff(manager, valid_from=date(2027, 1, 1), by_kind={"desk": 800}, **prices)
    assert found() == []

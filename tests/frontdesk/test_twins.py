"""Two records of one person made one: what is said before, what moves, what stays signed, and what is read afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar
from zipfile import ZipFile

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from coworking.accounts import booking_proxies, cards, erasing, leaving, merging, my_data, staff, terms, twin_queries
from coworking.accounts.card_models import PersonCard
from coworking.accounts.card_rules import new_token
from coworking.accounts.models import Device, OrganisationMember, Person
from coworking.accounts.terms_models import TextAcceptance
from coworking.accounts.twin_models import TwoPeople
from coworking.accounts.twin_rules import AlreadyMerged, CannotMerge, RecordChanged
from coworking.billing import paying
from coworking.billing.account_queries import account_for
from coworking.billing.models import Invoice, Payment
from coworking.booking import services as booking
from coworking.booking.queries import past_bookings
from coworking.core import checks
from coworking.core.audit import AuditEntry
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import Busy, DomainError, Forbidden, NotFound
from coworking.core.policy import Role
from coworking.core.units import write_unit
from coworking.frontdesk.story import story_of
from coworking.presence import attestation
from coworking.presence import services as presence
from tests import factories
from tests.support.billing import OCTOBER, TODAY
from tests.support.threads import at_once
from tests.support.twins import again, make_one, seen_of

AM = frozenset({"am"})
Result = TypeVar("Result")


def _patiently(act: Callable[[], Result]) -> Result:
    """What ``act`` gives; where the database was too busy nothing was changed, and it is tried again."""
    for _ in range(20):
        try:
            return act()
        except Busy:
            db.session.rollback()
    raise AssertionError("always busy")


def _broken() -> dict[str, list[str]]:
    """What the nightly checks find; the fixture's half-days were written past the services, so that some find something."""
    db.session.rollback()
    return {one.claim: found for one, found in checks.run() if found}


def _invoices() -> list[tuple[int | None, str]]:
    return [(row.payer_person_id, row.sha256) for row in db.session.scalars(select(Invoice).order_by(Invoice.id))]


def _compare(old: Person, new: Person) -> str:
    return f"/duplicates/{old.public_id}/{new.public_id}"


def test_a_manager_finds_compares_and_merges(app, records, billing_lieu, sign_in):
    old, new = records
    browser = sign_in(billing_lieu.cast.manager)
    listed = browser.get("/duplicates").text
    assert _compare(old, new) in listed and "même nom" in listed
    page = browser.get(_compare(old, new)).text
    assert "Cela ne peut pas être annulé." in page and "odette@demo.example est repris" in page
    seen = re.search(r'name="seen" value="(\w+)"', page)[1]
    keep = re.search(r'name="keep" value="(\w+)"', page)[1]
    assert keep == old.public_id, "more hangs on the record that was here and paid"
    merged = browser.post(f"{_compare(old, new)}/merge", data={"keep": keep, "seen": seen})
    assert merged.status_code == 303 and merged.location == f"/people/{old.public_id}/story"
    assert "odette@demo.example" in browser.get(merged.location).text
    gone = browser.get(f"/people/{new.public_id}/story").text
    assert old.public_id in gone and "Imprimer une carte" not in gone and "/membership" not in gone
    theirs = f"/people/{new.public_id}"
    for path in (
        theirs,
        *(f"{theirs}/{one}" for one in ("membership", "reduced-price", "erase")),
        f"/sell?person={new.public_id}",
    ):
        assert browser.get(path).location == f"{theirs}/story", path
    assert _compare(old, new) not in browser.get("/duplicates").text
    for answer in (browser.get(_compare(old, new)), browser.get(f"{_compare(new, old)}")):
        assert answer.status_code == 302 or answer.status_code == 303


def test_a_manager_names_a_pair_that_nothing_gives_away(app, records, billing_lieu, sign_in):
    old, new = records
    with app.app_context():
        married = factories.make_person("Odile", "Chambon", "ochambon@demo.example", deactivated_at=now())
    browser = sign_in(billing_lieu.cast.manager)
    assert f"/people/{old.public_id}/same-person" in browser.get(f"/people/{old.public_id}").text
    page = browser.get(f"/people/{old.public_id}/same-person?q=chambon").text
    assert _compare(old, married) in page and "fermé" in page
    assert browser.get(_compare(old, married)).status_code == 200
    page = browser.get(f"/people/{old.public_id}/same-person?q=odette").text
    assert _compare(old, new) in page and _compare(old, old) not in page
    with app.app_context():
        make_one(billing_lieu, old, new)
    assert "Personne" in browser.get(f"/people/{old.public_id}/same-person?q=odette").text
    assert sign_in(billing_lieu.cast.host).get(f"/people/{old.public_id}/same-person").status_code == 403


def test_only_managers_see_and_do_it(app, records, billing_lieu, sign_in):
    old, new = records
    for who in (billing_lieu.cast.host, billing_lieu.cast.accountant, billing_lieu.cast.member):
        browser = sign_in(who)
        for address in ("/duplicates", _compare(old, new)):
            assert browser.get(address).status_code == 403
        for act in ("merge", "two"):
            assert browser.post(f"{_compare(old, new)}/{act}").status_code == 403
    assert sign_in(billing_lieu.cast.manager).get(f"/duplicates/{old.public_id}/{old.public_id}").status_code == 404
    with app.app_context():
        for act in (lambda: _merge_as_host(billing_lieu, old, new), lambda: _two_as_host(billing_lieu, old, new)):
            with pytest.raises(Forbidden):
                act()


def _merge_as_host(lieu, old, new):
    return merging.merge(lieu.cast.host.actor(), old.public_id, new.public_id, (), seen=seen_of(old, new))


def _two_as_host(lieu, old, new):
    return merging.say_two(lieu.cast.host.actor(), old.public_id, new.public_id)


def test_she_signs_in_with_her_address_and_finds_her_past(app, records, billing_lieu, client):
    old, new = records
    with app.app_context():
        make_one(billing_lieu, old, new)
        number = db.session.scalars(select(Invoice.number).where(Invoice.payer_person_id == old.id)).one()
    sent = {"email": "odette@demo.example", "password": factories.PASSWORD}
    assert client.post("/sign-in", data=sent).status_code == 303
    assert number in client.get("/invoices/mine").text
    with app.app_context():
        kept, gone = again(old), again(new)
        assert (kept.email, kept.password_hash is not None, kept.staff_note) == (
            sent["email"],
            True,
            "Préfère la fenêtre",
        )
        assert (gone.email, gone.password_hash, gone.is_active, gone.merged_into_person_id) == (
            None,
            None,
            False,
            kept.id,
        )


def test_the_past_of_the_record_that_went_is_read_and_unchanged(app, records, billing_lieu, sign_in):
    """The other way round: the record that was here goes into the one that signs in."""
    old, new = records
    with app.app_context():
        before, well = _invoices(), _broken()
        make_one(billing_lieu, new, old, "phone")
        assert _invoices() == before
        assert _broken() == well, "what is signed still holds"

        kept = again(new)
        actor = kept.actor()
        (invoice,) = db.session.scalars(select(Invoice).where(Invoice.payer_person_id == old.id))
        assert kept.phone == "06 12 34 56 78"
        assert len(past_bookings(kept.id, 1, 8)[0]) == 1
        account = account_for(actor, kept.public_id)
        assert account.lines[0].entry.number == invoice.number and account.credit_cents == 0
        assert attestation.months_of(kept.id) == [OCTOBER]
        assert attestation.issue(actor, OCTOBER).person_id == kept.id
        assert len(story_of(billing_lieu.manager, kept.public_id).past) == 1
        copy = ZipFile(my_data.copy_of(actor, kept.public_id)).read("data.json").decode()
        assert invoice.number in copy
        public_id = invoice.public_id
    browser = sign_in(kept)
    assert browser.get(f"/invoices/{public_id}").status_code == 200
    assert sign_in(billing_lieu.cast.stranger).get(f"/invoices/{public_id}").status_code == 404


def test_what_still_runs_is_said_first_and_refused(app, records, billing_lieu, sign_in):
    old, new = records
    with app.app_context():
        factories.make_subscription(old)
        booking.book_half_days(billing_lieu.cast.host.actor(), TODAY + timedelta(days=1), AM, person=old.public_id)
        factories.make_pack(old)
        presence.arrive(billing_lieu.cast.host.actor(), person=old.public_id)
        words = [one.words for one in merging.hindrances(again(old), again(new))]
        assert len(words) >= 4
        with pytest.raises(CannotMerge) as refused:
            make_one(billing_lieu, new, old)
        assert refused.value.extra["first"] == words
        assert again(old).merged_into_person_id is None and again(old).is_active
    browser = sign_in(billing_lieu.cast.manager)
    page = browser.get(f"{_compare(old, new)}?keep={new.public_id}").text
    assert "Dans l’autre sens, rien ne s’y oppose" in page and "/merge" not in page
    with app.app_context():
        seen = seen_of(new, old)
    sent = browser.post(f"{_compare(old, new)}/merge", data={"keep": new.public_id, "seen": seen})
    assert sent.status_code == 409 and "D’abord" in sent.text


def test_a_role_hinders_and_never_changes_hands(app, records, billing_lieu):
    old, new = records
    with app.app_context():
        staff.set_roles(billing_lieu.manager, new.public_id, frozenset({Role.HOST}))
        with pytest.raises(CannotMerge):
            make_one(billing_lieu, old, new)
        other = factories.make_person("Odette", "Faure", "autre@demo.example")
        kept = make_one(billing_lieu, new, other, "email", "name")
        assert kept.email == "odette@demo.example", "or whoever knows the other password would be of the team"
        assert kept.first_name == "Odette"


def test_nobody_is_left_with_a_closed_record(app, records, billing_lieu):
    old, new = records
    with app.app_context():
        staff.deactivate(billing_lieu.manager, old.public_id)
        with pytest.raises(CannotMerge):
            make_one(billing_lieu, old, new)
        assert [(pair.one.id, pair.other.id) for pair in twin_queries.twins()[0]] == [(old.id, new.id)]
        staff.deactivate(billing_lieu.manager, new.public_id)
        assert twin_queries.twins() == ([], 0), "two closed records are in nobody's way"


def test_an_address_that_nobody_confirmed_replaces_none(app, records, billing_lieu):
    _old, new = records
    with app.app_context():
        other = factories.make_person("Odette", "Faure", "autre@demo.example", email_confirmed_at=None)
        assert make_one(billing_lieu, new, other, "email").email == "odette@demo.example"


def test_taking_the_address_signs_everybody_out(app, records, billing_lieu, sign_in):
    _old, new = records
    with app.app_context():
        other = factories.make_person("Odette", "Faure", "autre@demo.example")
    here, there = sign_in(new), sign_in(other)
    with app.app_context():
        assert make_one(billing_lieu, new, other, "email").email == "autre@demo.example"
        assert list(db.session.scalars(select(Device).where(Device.ended_at.is_(None)))) == []
    for browser in (here, there):
        assert browser.get("/me").status_code == 302 or browser.get("/me").status_code == 303


def test_what_goes_on_goes_on_under_the_record_that_stays(app, records, billing_lieu):
    old, new = records
    host = billing_lieu.cast.host.actor()
    with app.app_context():
        terms.publish(billing_lieu.manager, "rules", text="Calme", news=None, from_day=TODAY)
        terms.accepted_on_paper(host, old.public_id, signed_on=TODAY)
        cards.give(host, old.public_id, new_token())
        booking_proxies.name(host, old.public_id, email="odette@demo.example", agreed_on=TODAY, gets_emails=True)
        with write_unit():
            db.session.add(
                OrganisationMember(organisation_id=billing_lieu.employer.id, person_id=old.id, since=OCTOBER)
            )
        make_one(billing_lieu, new, old)
        said = select(TextAcceptance.person_id).order_by(TextAcceptance.id)
        assert list(db.session.scalars(said)) == [old.id, new.id]
        assert db.session.scalar(select(PersonCard.ended_at)) is not None
        assert booking_proxies.all_of(new.id) == []
        theirs = select(OrganisationMember).where(OrganisationMember.person_id.in_((old.id, new.id)))
        rows = db.session.scalars(theirs.order_by(OrganisationMember.id))
        assert [(row.person_id, row.since, row.until) for row in rows] == [
            (old.id, OCTOBER, TODAY - timedelta(days=1)),
            (new.id, TODAY, None),
        ]
        told = select(AuditEntry.action, AuditEntry.person_id).where(AuditEntry.action.like("person.merged%"))
        assert {tuple(row) for row in db.session.execute(told)} == {
            ("person.merged", new.id),
            ("person.merged_into", old.id),
        }


def test_the_page_must_be_what_is_merged(app, records, billing_lieu):
    old, new = records
    with app.app_context():
        seen = seen_of(old, new)
        with write_unit():
            db.session.execute(update(Person).where(Person.id == new.id).values(phone="07 00 00 00 00"))
        with pytest.raises(RecordChanged):
            make_one(billing_lieu, old, new, seen=seen)
        with pytest.raises(RecordChanged):
            make_one(billing_lieu, new, old, seen=seen_of(old, new))


def test_sixteen_merges_at_once_are_one(app, records, billing_lieu):
    old, new = records
    with app.app_context():
        seen = seen_of(old, new)

    def merge() -> int:
        with app.app_context():
            return _patiently(lambda: make_one(billing_lieu, old, new, seen=seen).id)

    assert set(at_once([merge] * 16)) == {old.id}
    with app.app_context():
        assert len(list(db.session.scalars(select(AuditEntry).where(AuditEntry.action == "person.merged")))) == 1


def test_both_ways_at_once_leave_one_record(app, records, billing_lieu):
    old, new = records
    with app.app_context():
        pairs = [(old, new, seen_of(old, new)), (new, old, seen_of(new, old))] * 8

    def merge(kept: Person, gone: Person, seen: str) -> str:
        with app.app_context():
            try:
                return _patiently(lambda: make_one(billing_lieu, kept, gone, seen=seen).public_id)
            except AlreadyMerged as error:
                return error.code

    answers = at_once([lambda pair=pair: merge(*pair) for pair in pairs])
    assert answers.count("already_merged") == 8
    with app.app_context():
        gone = [row for row in (again(old), again(new)) if row.merged_into_person_id is not None]
        assert len(gone) == 1


def test_a_third_record_brings_along_those_merged_into_it(app, records, billing_lieu):
    old, new = records
    with app.app_context():
        third = factories.make_person("Odette", "Faure", None)
        make_one(billing_lieu, new, old)
        make_one(billing_lieu, third, new)
        assert twin_queries.records_of(third.id) == [third.id, old.id, new.id]
        assert len(past_bookings(third.id, 1, 8)[0]) == 1
        with pytest.raises(AlreadyMerged):
            make_one(billing_lieu, old, third)


def test_a_merged_record_is_closed_for_good(app, records, billing_lieu, clock):
    old, new = records
    host = billing_lieu.cast.host.actor()
    with app.app_context():
        make_one(billing_lieu, new, old)
        for act in (
            lambda: staff.reactivate(host, old.public_id),
            lambda: cards.give(host, old.public_id, new_token()),
            lambda: erasing.erase(billing_lieu.manager, old.public_id),
            lambda: booking.book_half_days(host, TODAY + timedelta(days=1), AM, person=old.public_id),
        ):
            with pytest.raises(DomainError):
                act()
        assert old.id not in list(
            db.session.scalars(select(Person.id).where(leaving._unused(now() + timedelta(days=2000))))
        )
        with pytest.raises(IntegrityError), write_unit():
            db.session.execute(text(f"UPDATE person SET deactivated_at = NULL WHERE id = {old.id}"))


def test_what_stands_in_the_way_of_erasing_is_said_of_every_record(app, records, billing_lieu, sign_in):
    old, new = records
    with app.app_context():
        make_one(billing_lieu, new, old)
        payment = db.session.scalars(select(Payment)).one()
        invoice = db.session.get_one(Invoice, payment.invoice_id)
        paying.correct_payment(billing_lieu.manager, invoice.public_id, payment.public_id)
    page = sign_in(billing_lieu.cast.manager).get(f"/people/{new.public_id}/erase").text
    assert "9,00\u00a0€" in page and 'name="understood"' not in page


def test_erasing_erases_every_record(app, records, billing_lieu):
    old, new = records
    with app.app_context():
        make_one(billing_lieu, new, old)
        erasing.erase(billing_lieu.manager, new.public_id)
        assert [again(row).name for row in records] == [f"Personne effacée {row.id}" for row in records]


def test_two_people_are_not_proposed_again(app, records, billing_lieu, sign_in):
    old, new = records
    browser = sign_in(billing_lieu.cast.manager)
    for _ in range(2):
        assert browser.post(f"{_compare(new, old)}/two").status_code == 303
    assert _compare(old, new) not in browser.get("/duplicates").text
    with app.app_context():
        assert len(list(db.session.scalars(select(TwoPeople)))) == 1
        with pytest.raises(NotFound):
            merging.say_two(billing_lieu.manager, old.public_id, "nobody")

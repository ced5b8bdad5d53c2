"""One person's whole story on one page, as far as its reader may know it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from coworking.accounts.models import Person
from coworking.billing import services as billing
from coworking.booking import services as booking
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.presence import services as presence
from tests import factories
from tests.support.billing import OCTOBER, TODAY

AM = frozenset({"am"})
TOMORROW = TODAY + timedelta(days=1)


def plain(answer) -> str:
    return " ".join(answer.get_data(as_text=True).replace("\u202f", " ").replace("\xa0", " ").split())


@pytest.fixture
def story(app, billing_lieu):
    """Karim owes for October, is here today, and comes again tomorrow; the team noted something."""
    person = billing_lieu.cast.stranger
    with app.app_context():
        factories.make_tariff()
        factories.make_pack(person)
        with write_unit():
            row = db.session.get_one(Person, person.id)
            row.staff_note, row.status, row.commune = "Vient à vélo.", "student", "Thiers"
        billing.run(billing_lieu.manager, OCTOBER)
        booking.book_half_days(person.actor(), TODAY, AM)
        presence.arrive(person.actor())
        booking.book_half_days(person.actor(), TOMORROW, AM)
    return f"/people/{person.public_id}/story"


def test_a_host_reads_what_is_needed_at_the_desk(story, billing_lieu, sign_in):
    page = plain(sign_in(billing_lieu.cast.host).get(story))
    for said in ("en études", "Thiers", "Vient à vélo.", "mercredi 25 novembre", "1 jour sur les 90 derniers"):
        assert said in page, said
    for money in ("€", "facture", "Durand", "/allowances"):
        assert money not in page, money


def test_a_manager_reads_the_money_too(story, billing_lieu, sign_in):
    page = plain(sign_in(billing_lieu.cast.manager).get(story))
    assert "Facture F2026-" in page and "Voir tout le compte" in page and "sur 1 facture" in page
    employed = plain(sign_in(billing_lieu.cast.manager).get(f"/people/{billing_lieu.cast.member.public_id}/story"))
    assert "Fait partie de Coutellerie Durand" in employed


def test_the_list_of_members_leads_there_and_it_leads_on(story, billing_lieu, sign_in):
    host = sign_in(billing_lieu.cast.host)
    assert f'href="{story}"' in host.get("/people").text
    assert f'href="{story.removesuffix("/story")}"' in host.get(story).text


def test_members_accountants_and_strangers_ids_do_not_open_it(story, billing_lieu, sign_in):
    for who in ("stranger", "accountant", "lead"):
        assert sign_in(getattr(billing_lieu.cast, who)).get(story).status_code == 403
    assert sign_in(billing_lieu.cast.host).get("/people/2222222222222222/story").status_code == 404


def test_a_long_story_is_read_in_as_many_statements(story, billing_lieu, app, sign_in, count_statements, clock):
    manager, person = sign_in(billing_lieu.cast.manager), billing_lieu.cast.stranger

    def statements() -> int:
        with count_statements() as seen:
            assert manager.get(story).status_code == 200
        return len(seen)

    statements()
    before = statements()
    with app.app_context():
        for days in range(1, 20):
            clock.advance(days=1)
            if clock.now.weekday() < 5:
                booking.book_half_days(person.actor(), TODAY + timedelta(days=days + 1), AM, several_places=True)
                presence.arrive(person.actor())
    statements()
    assert statements() <= before <= 32

"""The planning: what it shows to whom, and what it costs."""

from __future__ import annotations

import gzip
import re
from datetime import UTC, date, datetime

import pytest

from coworking.accounts.models import Person
from coworking.booking import services
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.spaces.models import Resource

pytestmark = pytest.mark.once

THURSDAY = date(2026, 11, 26)
DAY = frozenset({"am", "pm"})
URL = "/planning?day=2026-11-26"


def text(answer) -> str:
    return answer.get_data(as_text=True)


@pytest.fixture
def booked(app, place, cast):
    with app.app_context():
        for person in (cast.member, cast.colleague, cast.stranger):
            services.book_half_days(person.actor(), THURSDAY, DAY)


def test_staff_read_names_and_members_do_not(booked, cast, sign_in):
    assert "Lise V." in text(sign_in(cast.host).get(URL))
    page = text(sign_in(cast.member).get(URL))
    assert "Lise" not in page
    assert "Vous" in page
    assert "Réservé" in page
    assert re.search(r"<small>\d+ places</small>", page)


def test_colleagues_are_named_when_both_agree(app, booked, cast, sign_in):
    assert "Karim B." in text(sign_in(cast.member).get(URL))
    with app.app_context(), write_unit():
        db.session.get(Person, cast.colleague.id).visible_to_colleagues = False
    assert "Karim" not in text(sign_in(cast.member).get(URL))


def test_what_one_reader_sees_is_not_kept_for_the_next(booked, cast, sign_in):
    sign_in(cast.member).get(URL)
    page = text(sign_in(cast.accountant).get(URL))
    assert "Vous" not in page.split('class="tl')[1].split("plan-foot")[0]
    assert "Karim" not in page


def test_the_list_says_the_same(booked, cast, sign_in):
    page = text(sign_in(cast.member).get(URL + "&view=list"))
    assert page.count("<tr>") == 4
    assert "Lise" not in page


def test_a_bar_is_where_its_hours_are(booked, cast, sign_in):
    page = text(sign_in(cast.host).get(URL))
    assert 'class="tl dense from-36 to-72"' in page, "nine to six, in quarter hours"
    assert 'class="is-taken c36 w36"' in page


@pytest.mark.parametrize(("day", "start"), [("2027-03-30", "c36"), ("2026-10-26", "c36")])
def test_hours_are_wall_hours_beside_a_clock_change(app, place, cast, sign_in, clock, day, start):
    clock.set(datetime(2027, 3, 1, 9, tzinfo=UTC) if day.startswith("2027") else datetime(2026, 10, 20, 9, tzinfo=UTC))
    with app.app_context():
        from coworking.spaces import calendar

        with write_unit():
            calendar.ensure_days(date(2026, 10, 20), date(2027, 4, 2))
        services.book_half_days(cast.member.actor(), date.fromisoformat(day), frozenset({"am"}))
    assert f"is-taken {start} w16" in text(sign_in(cast.host).get(f"/planning?day={day}"))


def test_free_time_links_to_the_booking_form(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    page = text(browser.get(URL))
    start = page.index('href="/new/') + len('href="')
    url = page[start : page.index('"', start)].replace("&amp;", "&")
    assert "Réserver la journée" in text(browser.get(url, follow_redirects=True))
    assert "Pour qui" in text(sign_in(cast.host).get(url, follow_redirects=True))


def fill(app, place, cast, count: int) -> None:
    """``count`` more desks, each with a whole-day booking by a person of its own."""
    from tests.factories import make_person

    with app.app_context():
        zone = db.session.get(Resource, place.desks[0].id).zone_id
        db.session.rollback()
        with write_unit():
            start = db.session.query(Resource).count()
            db.session.add_all(
                Resource(zone_id=zone, kind="desk", name=f"Poste {start + n}", in_service_from=date(2026, 1, 1))
                for n in range(count)
            )
        for n in range(count):
            person = make_person(f"Ana{start}", f"Lys{n}", None)
            host = cast.host.actor()
            for half in ("am", "pm"):
                services.book_half_days(host, THURSDAY, frozenset({half}), person=person.public_id)


def test_the_page_costs_six_statements_whatever_the_number_of_resources(app, place, cast, sign_in, count_statements):
    host = sign_in(cast.host)
    fill(app, place, cast, 5)
    with count_statements() as few:
        host.get(URL)
    fill(app, place, cast, 10)
    with count_statements() as many:
        host.get(URL)
    assert len(many) == len(few), f"{few}\n{many}"
    assert len(many) <= 6, many
    with count_statements() as kept:
        host.get(URL)
    assert len(kept) <= 3, kept


def test_sixty_resources_weigh_little(app, place, cast, sign_in):
    fill(app, place, cast, 54)
    page = sign_in(cast.host).get(URL).data
    assert len(page) <= 60_000
    assert len(gzip.compress(page)) <= 8_000

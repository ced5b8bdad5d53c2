"""My week: rooms beside desks, the past in one line, what was just cancelled, colleagues who agreed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from coworking.accounts.models import OrganisationMember, Person
from coworking.booking import services
from coworking.booking.models import Booking
from coworking.booking.placing import Request, RequestedItem
from coworking.core.db import db
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from tests.booking.pages import text
from tests.factories import make_agreement, make_subscription, make_tariff

pytestmark = pytest.mark.once

THURSDAY = date(2026, 11, 26)
MORNING = frozenset({"am"})


def room(place, person, start: datetime, end: datetime) -> Booking:
    item = RequestedItem(resource=place.rooms[0].public_id)
    return services.book(person.actor(), Request(Span(start, end), (item,)))


def cell(page: str, number: int) -> str:
    """The cell of Thursday's morning (0) or afternoon (1)."""
    thursday = next(row for row in page.split("<tr")[1:] if "jeu.<small>26" in row)
    return thursday.split("<td>")[number + 1]


def test_rooms_stand_in_the_half_day_where_they_begin(app, place, cast, sign_in):
    with app.app_context():
        made = room(
            place, cast.member, datetime(2026, 11, 26, 13, tzinfo=UTC), datetime(2026, 11, 26, 14, 30, tzinfo=UTC)
        )
        url = f'href="/bookings/{made.public_id}"'
    page = text(sign_in(cast.member).get("/week"))
    morning, afternoon = cell(page, 0), cell(page, 1)
    assert ("Durolle" in morning, "Durolle" in afternoon, url in afternoon) == (False, True, True)
    assert "14\u202fh\u00a0– 15\u202fh\u202f30" in afternoon
    assert "<b>4</b> libres" in afternoon, "the desk of that half-day can still be booked"
    assert "Durolle" not in text(sign_in(cast.colleague).get("/week"))


def test_what_is_left_of_a_plan_is_said_also_when_it_is_nothing(app, place, cast, sign_in):
    member = sign_in(cast.member)
    with app.app_context():
        make_tariff()
        make_subscription(cast.member, halfdays=1)
    assert "Il vous reste 1 demi-journée" in text(member.get("/week"))
    with app.app_context():
        services.book_half_days(cast.member.actor(), THURSDAY, MORNING)
    page = text(member.get("/week"))
    assert "Vos demi-journées du mois sont toutes prises" in page
    assert "Il vous reste" not in page


def test_the_past_of_the_week_is_one_line(app, place, cast, sign_in, clock):
    with app.app_context():
        services.book_half_days(cast.member.actor(), date(2026, 11, 25), frozenset({"am", "pm"}))
        room(place, cast.member, datetime(2026, 11, 25, 9, tzinfo=UTC), datetime(2026, 11, 25, 10, tzinfo=UTC))
    clock.set(datetime(2026, 11, 26, 8, tzinfo=UTC))
    page = text(sign_in(cast.member).get("/week"))
    folded = page[page.index('<details class="past">') : page.index("</details>")]
    assert "Lundi à mercredi\u202f: passés" in folded
    assert "Poste 1 × 2, Durolle" in folded
    begins = page[page.index("</details>") :]
    assert re.findall(r'class="day">(\w+)', begins)[0] == "jeu"
    clock.set(datetime(2026, 11, 24, 8, tzinfo=UTC))
    assert "Lundi\u202f: passé<" in text(sign_in(cast.member).get("/week"))
    for address in ("/week?from=2026-11-16", "/week?from=2026-11-30"):
        assert 'class="past"' not in text(sign_in(cast.member).get(address)), "a whole week is shown as it is"


@pytest.mark.parametrize(("day", "hour"), [(28, 20), (29, 9)])
def test_on_saturday_evening_and_sunday_the_coming_week_opens(place, cast, sign_in, clock, day, hour):
    clock.set(datetime(2026, 11, day, hour, tzinfo=UTC))
    page = text(sign_in(cast.member).get("/week"))
    assert "du 30 novembre au 5 décembre" in page
    assert 'class="past"' not in page


def test_a_recent_cancellation_can_be_undone(app, place, cast, sign_in, clock):
    browser, third = sign_in(cast.member), place.desks[2].public_id
    with app.app_context():
        made = services.book_half_days(cast.member.actor(), THURSDAY, MORNING, resource=third)
        services.cancel(cast.member.actor(), made.public_id)
        undo = f'action="/bookings/{made.public_id}/undo"'
    page = text(browser.get("/week"))
    assert (undo in cell(page, 0), "Poste 3" in cell(page, 0), "annulée, la rétablir" in cell(page, 0)) == (True,) * 3
    assert "Poste 3</button>" in text(browser.get("/desks?day=2026-11-26&half=am")), "it is free for me"
    other = sign_in(cast.colleague)
    assert "<b>3</b> libres" in text(other.get("/week"))
    assert "Poste 3</button>" not in text(other.get("/desks?day=2026-11-26&half=am"))
    clock.advance(minutes=3)
    assert "<b>4</b> libres" in cell(text(browser.get("/week")), 0)


def test_a_desk_booked_again_hides_what_was_cancelled_before(app, place, cast, sign_in):
    with app.app_context():
        for desk in place.desks[:2]:
            made = services.book_half_days(cast.member.actor(), THURSDAY, MORNING, resource=desk.public_id)
            services.cancel(cast.member.actor(), made.public_id)
        services.book_half_days(cast.member.actor(), THURSDAY, MORNING, resource=place.desks[3].public_id)
    thursday = cell(text(sign_in(cast.member).get("/week")), 0)
    assert ("Poste 4" in thursday, "la rétablir" in thursday) == (True, False)


def test_colleagues_who_both_agreed_see_where_the_other_sits(app, place, cast, sign_in):
    with app.app_context():
        services.book_half_days(cast.colleague.actor(), THURSDAY, MORNING, resource=place.desks[1].public_id)
        services.book_half_days(cast.stranger.actor(), THURSDAY, MORNING, resource=place.desks[2].public_id)
    page = text(sign_in(cast.member).get("/week"))
    assert "Karim B.<small>Poste 2</small>" in cell(page, 0)
    assert "Karim" not in cell(page, 1)
    assert "Lise" not in page
    desks = text(sign_in(cast.member).get("/desks?day=2026-11-26&half=day"))
    assert ("Karim B.<small>Poste 2</small>" in desks, "Lise" in desks) == (True, False)
    assert "Karim" not in text(sign_in(cast.member).get("/desks?day=2026-11-26&half=pm"))
    assert "Karim" not in text(sign_in(cast.stranger).get("/week"))


@pytest.mark.parametrize("why", ["I did not agree", "they did not agree", "they left", "they are gone"])
def test_other_people_are_not_shown(app, place, cast, sign_in, why):
    with app.app_context():
        services.book_half_days(cast.colleague.actor(), THURSDAY, MORNING)
        with write_unit():
            if why == "they left":
                member = db.session.query(OrganisationMember).filter_by(person_id=cast.colleague.id).one()
                member.until = date(2026, 11, 25)
            elif why == "they are gone":
                db.session.get_one(Person, cast.colleague.id).deactivated_at = datetime(2026, 11, 24, tzinfo=UTC)
            else:
                who = cast.member if why == "I did not agree" else cast.colleague
                db.session.get_one(Person, who.id).visible_to_colleagues = False
    browser = sign_in(cast.member)
    for address in ("/week", "/desks?day=2026-11-26&half=am"):
        assert "Karim" not in text(browser.get(address))


def test_the_name_of_a_day_s_button_holds_what_one_sees(place, cast, sign_in):
    page = text(sign_in(cast.member).get("/week"))
    button = re.search(r'<button class="day">(.*?)</button>', page)
    assert button
    words = re.sub(r"<[^>]+>", " ", button[1])
    assert "mar. 24 · auj." in " ".join(words.split())
    assert "Réserver un poste toute la journée, mardi 24 novembre" in words
    assert "aria-label" not in button[0]


def test_a_week_over_two_months_names_the_month_of_what_an_employer_pays(app, place, cast, sign_in):
    with app.app_context():
        make_tariff()
        make_agreement()
    page = " ".join(sign_in(cast.member).get("/week?from=2026-11-30").text.split())
    for month in ("Novembre 2026", "Décembre 2026"):
        assert f"{month} · Coutellerie Durand SA paie les demi-journées, sans limite." in page

"""What a page says before a booking moves, and how the move is undone, with scripts and without."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from coworking.booking import services
from coworking.booking.models import Booking
from coworking.booking.placing import Request, RequestedItem
from coworking.core.db import db
from coworking.core.timespan import Span
from tests.factories import make_agreement, make_subscription, make_tariff

pytestmark = pytest.mark.once

THURSDAY = date(2026, 11, 26)
MORNING = Span(datetime(2026, 11, 26, 8, tzinfo=UTC), datetime(2026, 11, 26, 10, tzinfo=UTC))
EURO = "\u00a0€"


@pytest.fixture(autouse=True)
def priced(app, place):
    """Desks 9.00 a half-day, the second one 14.00; rooms 15.00 an hour, the second one 25.00."""
    with app.app_context():
        make_tariff(resources={place.desks[1]: 1400, place.rooms[1]: 2500})


@pytest.fixture
def desk(app, place, cast) -> str:
    with app.app_context():
        booked = services.book_half_days(
            cast.member.actor(), THURSDAY, frozenset({"am"}), resource=place.desks[0].public_id
        )
        return f"/bookings/{booked.public_id}"


@pytest.fixture
def room(app, place, cast) -> str:
    with app.app_context():
        asked = Request(MORNING, (RequestedItem(resource=place.rooms[0].public_id),))
        return f"/bookings/{services.book(cast.member.actor(), asked).public_id}"


def stands_at(app, url: str) -> str:
    with app.app_context():
        found = db.session.query(Booking).filter_by(public_id=url.rpartition("/")[2]).one()
        return ", ".join({unit.resource.name for unit in found.units})


def hidden(page: str) -> dict[str, str]:
    """The fields of the form that confirms the move."""
    form = re.search(r'<form method="post" action="/bookings/\w+/move">(.*?)</form>', page, re.S)
    assert form is not None, page
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[1]))


def test_both_prices_are_said_before_anything_is_written(app, place, cast, sign_in, room):
    browser = sign_in(cast.member)
    dearer = {"resource": place.rooms[1].public_id}
    assert f"Cabine <small>50,00{EURO}</small>" in browser.get(room).text
    sheet = browser.get(room + "/move", query_string=dearer)
    assert sheet.status_code == 200
    for words in ("<dt>Maintenant</dt><dd>Durolle", f"30,00{EURO}, sur la facture de novembre 2026, payé par vous."):
        assert words in sheet.text
    for words in ("<dt>Ensuite</dt><dd>Cabine", f"50,00{EURO}, sur la facture", f"20,00{EURO} de plus que maintenant."):
        assert words in sheet.text
    asked = browser.post(room + "/move", data=dearer)
    assert f"50,00{EURO}" in asked.text and 'role="alert"' not in asked.text
    assert stands_at(app, room) == "Durolle"
    done = browser.post(room + "/move", data=hidden(sheet.text), follow_redirects=True)
    assert "Déplacé\u202f: Cabine, jeudi 26 novembre" in done.text
    assert stands_at(app, room) == "Cabine"


def test_a_move_at_the_same_price_is_one_tap_that_says_so(app, place, cast, sign_in, desk):
    browser = sign_in(cast.member)
    page = browser.get(desk).text
    assert "Même prix, sauf autre prix indiqué." in page
    assert f'<button class="btn pill" name="resource" value="{place.desks[2].public_id}">Poste 3</button>' in page
    done = browser.post(desk + "/move", data={"resource": place.desks[2].public_id})
    assert (done.status_code, stands_at(app, desk)) == (303, "Poste 3")


def test_a_price_that_changed_meanwhile_is_said_again_and_nothing_moves(app, place, cast, sign_in, desk):
    browser = sign_in(cast.member)
    seen = hidden(browser.get(desk + "/move", query_string={"resource": place.desks[1].public_id}).text)
    with app.app_context():
        make_tariff(desk=1100, valid_from=THURSDAY)
    again = browser.post(desk + "/move", data=seen)
    assert again.status_code == 409
    assert f"coûte maintenant 11,00{EURO}" in again.text
    assert stands_at(app, desk) == "Poste 1"
    assert browser.post(desk + "/move", data=hidden(again.text)).status_code == 303


def test_what_becomes_of_an_allowance_is_said(app, place, cast, sign_in):
    with app.app_context():
        make_subscription(cast.member, halfdays=5)
        free = services.book_half_days(cast.member.actor(), THURSDAY, frozenset({"am", "pm"})).public_id
        make_tariff(resources={place.desks[2]: 0}, valid_from=THURSDAY)
    sheet = sign_in(cast.member).get(f"/bookings/{free}/move", query_string={"resource": place.desks[2].public_id})
    for words in ("2 demi-journées de votre formule.", "Rien à payer.", "2 demi-journées reviennent à votre formule."):
        assert words in sheet.text


def test_who_pays_is_said_where_the_price_stays_the_same(app, place, cast, sign_in):
    with app.app_context():
        make_agreement()
        made = services.book_half_days(cast.member.actor(), THURSDAY, frozenset({"am"})).public_id
    sheet = sign_in(cast.member).get(f"/bookings/{made}/move", query_string={"resource": place.desks[2].public_id})
    assert "Même prix." in sheet.text
    assert "1 demi-journée payée par Coutellerie Durand SA." in sheet.text


def test_managers_see_the_same_and_hosts_no_money(app, place, cast, sign_in, room):
    dearer = {"resource": place.rooms[1].public_id}
    manager = sign_in(cast.manager).get(room + "/move", query_string=dearer).text
    assert f"30,00{EURO}" in manager and f"50,00{EURO}" in manager and "payé par la personne" in manager
    host = sign_in(cast.host)
    assert "Cabine <small>autre prix</small>" in host.get(room).text
    sheet = host.get(room + "/move", query_string=dearer).text
    assert "Le prix change." in sheet and "€" not in sheet
    assert host.post(room + "/move", data=dearer).status_code == 200, "not before it was said"
    assert stands_at(app, room) == "Durolle"
    assert host.post(room + "/move", data=hidden(sheet)).status_code == 303
    assert stands_at(app, room) == "Cabine"


def test_a_member_cannot_move_without_seeing_the_price(app, place, cast, sign_in, room):
    sign_in(cast.member).post(room + "/move", data={"resource": place.rooms[1].public_id, "unseen": "1"})
    assert stands_at(app, room) == "Durolle"


def test_a_move_can_be_undone_from_the_toast_and_from_the_booking(app, place, cast, sign_in, clock, desk):
    browser = sign_in(cast.member)
    moved = browser.post(desk + "/move", data={"resource": place.desks[2].public_id}, follow_redirects=True)
    assert f'action="{desk}/undo-move"' in moved.text
    page = browser.get(desk).text
    assert "Déplacée depuis Poste 1, jeudi 26 novembre, le matin. Jusqu’à 10\u202fh\u202f46" in page
    back = browser.post(desk + "/undo-move", follow_redirects=True)
    assert "Revenu à la place d’avant\u202f: Poste 1, jeudi 26 novembre" in back.text
    assert "/undo-move" not in browser.get(desk).text
    browser.post(desk + "/move", data={"resource": place.desks[2].public_id}, follow_redirects=True)
    clock.advance(minutes=10)
    assert "/undo-move" not in browser.get(desk).text
    late = browser.post(desk + "/undo-move")
    assert late.status_code == 409 and "Trop de temps a passé" in late.text
    assert stands_at(app, desk) == "Poste 3"


def test_a_place_taken_meanwhile_is_said_plainly(app, place, cast, sign_in, desk):
    browser = sign_in(cast.member)
    browser.post(desk + "/move", data={"resource": place.desks[2].public_id})
    with app.app_context():
        services.book_half_days(cast.stranger.actor(), THURSDAY, frozenset({"am"}), resource=place.desks[0].public_id)
    refused = browser.post(desk + "/undo-move")
    assert refused.status_code == 409
    assert "Quelqu’un d’autre a pris la place entre-temps\u202f: Poste 1." in refused.text
    assert stands_at(app, desk) == "Poste 3"


def test_a_stranger_sees_neither_price_nor_way_back(place, cast, sign_in, desk):
    stranger = sign_in(cast.stranger)
    assert stranger.get(desk + "/move", query_string={"resource": place.desks[1].public_id}).status_code == 404
    assert stranger.post(desk + "/undo-move").status_code == 404


def test_moving_to_an_unknown_place_is_refused_on_the_booking(cast, sign_in, desk):
    browser = sign_in(cast.member)
    for answer in (browser.get(desk + "/move?resource=nowhere"), browser.post(desk + "/move", data={"resource": "x"})):
        assert answer.status_code == 404 and "Poste 1" in answer.text


def test_the_sheet_asks_the_database_no_more_for_many_desks(app, place, cast, sign_in, desk, count_statements):
    browser = sign_in(cast.member)
    browser.get(desk)
    with count_statements() as few:
        browser.get(desk)
    with app.app_context():
        for row in place.desks[2:]:
            services.book_half_days(
                cast.host.actor(), THURSDAY, frozenset({"am"}), resource=row.public_id, person=None, several_places=True
            )
    with count_statements() as fewer:
        browser.get(desk)
    assert len(few) == len(fewer)


def test_too_late_the_sheet_says_why_a_cheaper_room_is_refused(app, place, cast, clock, sign_in):
    with app.app_context():
        asked = Request(MORNING, (RequestedItem(resource=place.rooms[1].public_id),))
        dear = f"/bookings/{services.book(cast.member.actor(), asked).public_id}"
    clock.set(datetime(2026, 11, 25, 19, tzinfo=UTC))
    browser, cheaper = sign_in(cast.member), {"resource": place.rooms[0].public_id}
    assert "Durolle <small>autre prix</small>" in browser.get(dear).text
    for refused in (
        browser.get(dear + "/move", query_string=cheaper),
        browser.post(dear + "/move", data=cheaper | {"agreed": "3000", "halfdays": "0"}),
    ):
        assert refused.status_code == 409
        assert "une place qui ne coûte pas moins" in refused.text
    assert stands_at(app, dear) == "Cabine"


def test_a_host_who_sends_a_price_reads_none(app, place, cast, sign_in, desk):
    told = sign_in(cast.host).post(
        desk + "/move", data={"resource": place.desks[1].public_id, "agreed": "1", "halfdays": "0"}
    )
    assert "14,00" not in told.text and "Le prix change" in told.text
    assert stands_at(app, desk) == "Poste 1"

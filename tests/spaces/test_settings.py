"""The manager's settings pages: who may open them, what they keep, what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from coworking.booking import services as bookings
from coworking.core.timespan import total_minutes
from coworking.spaces import queries
from tests.support.forms import Page

pytestmark = pytest.mark.once

PAGES = ("/settings", "/settings/lieu", "/settings/hours", "/settings/closures", "/settings/spaces")
POSTS = (
    "/settings/lieu",
    "/settings/hours",
    "/settings/hours/remove",
    "/settings/closures",
    "/settings/closures/x/remove",
    "/settings/zones",
    "/settings/zones/x",
    "/settings/resources",
    "/settings/resources/x",
    "/settings/resources/x/retire",
)
MONDAY_TO_FRIDAY = {f"open_{n}": "1" for n in range(5)} | {
    f"{end}_{n}": clock for n in range(5) for end, clock in (("from", "09:00"), ("to", "17:30"))
}


@pytest.fixture
def boss(sign_in: Callable[..., FlaskClient], place: Any, cast: Any) -> FlaskClient:
    """The manager's, in French."""
    return sign_in(cast.manager)


def read(app: Flask, question: Callable[[], Any]) -> Any:
    with app.app_context():
        return question()


@pytest.mark.parametrize("address", PAGES)
def test_only_managers_see_settings(address: str, sign_in: Callable[..., FlaskClient], place: Any, cast: Any):
    answers = {who: sign_in(getattr(cast, who)).get(address).status_code for who in cast.__slots__}
    assert answers == {who: 200 if who == "manager" else 403 for who in cast.__slots__}


@pytest.mark.parametrize("address", POSTS)
def test_only_managers_change_settings(
    address: str, sign_in: Callable[..., FlaskClient], client: FlaskClient, place: Any, cast: Any
):
    assert sign_in(cast.host).post(address).status_code == 403
    assert sign_in(cast.member).post(address).status_code == 403
    visitor = client.post(address)
    assert (visitor.status_code, "sign" in visitor.location) == (302, True)


def test_the_manager_changes_the_lieu_and_sees_it_again(app: Flask, boss: FlaskClient):
    page = boss.get("/settings/lieu").text
    assert 'value="La Fabrique du Pont"' in page
    form = {
        "name": "La Fabrique du Pont",
        "legal_status": "public",
        "vat_status": "exempt",
        "siret": "732 829 320 00074",
        "postcode": "57000",
        "city": "Metz",
        "holiday_area": "57",
        "observes_holidays": "1",
        "horizon_days": "60",
        "free_cancel": "17:00",
        "arrival_door": "Sonner à « Fabrique »",
    }
    assert boss.post("/settings/lieu", data=form).status_code == 303
    lieu = read(app, queries.lieu)
    assert (lieu.siret, lieu.city, lieu.free_cancel_minute, lieu.horizon_days) == ("73282932000074", "Metz", 1020, 60)
    assert "2 jours ouvrent autrement" in boss.get("/settings/lieu").text  # Good Friday and 26 December
    assert "Sonner à « Fabrique »" in boss.get("/settings/lieu").text


def test_wrong_input_is_named_kept_and_changes_nothing(app: Flask, boss: FlaskClient):
    form = {"name": "Autre nom", "legal_status": "kingdom", "siret": "123", "postcode": "63", "horizon_days": "0"}
    answer = boss.post("/settings/lieu", data=form)
    assert answer.status_code == 422
    for text in ("Ce n’est pas un SIRET", "a cinq chiffres", "Un nombre entier de 1 à 730", 'value="Autre nom"'):
        assert text in answer.text
    assert read(app, queries.lieu).name == "La Fabrique du Pont"


def test_new_hours_apply_from_their_day(app: Flask, boss: FlaskClient):
    form = MONDAY_TO_FRIDAY | {"valid_from": "2026-12-01", "split": "12:30", "staffed": "same"}
    form |= {"lunch": "1", "lunch_from": "12:00", "lunch_to": "13:00"}
    assert boss.post("/settings/hours", data=form).status_code == 303
    page = boss.get("/settings/hours").text
    assert "À partir du mardi 1er décembre 2026" in page
    assert "Annuler ces horaires" in page
    minutes = read(app, lambda: [total_minutes(queries.day(date(2026, 12, n)).open()) for n in (1, 5)])
    assert minutes == [450, 0]
    assert boss.post("/settings/hours/remove", data={"valid_from": "2026-12-01"}).status_code == 303
    assert read(app, lambda: total_minutes(queries.day(date(2026, 12, 1)).open())) == 540


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"valid_from": "2026-11-01"}, "Ce jour est passé"),
        ({"valid_from": "soon"}, "Ce n’est pas une date"),
        ({"to_2": "08:00"}, "La fin doit venir après le début"),
        ({"from_2": "25:00"}, "Ce n’est pas une heure"),
        ({"split": "23:00"}, "Une heure entre 6:00 et 18:00"),
        ({f"open_{n}": None for n in range(5)}, "Ouvrez au moins un jour par semaine"),
    ],
)
def test_each_kind_of_impossible_hours_has_its_own_error(
    boss: FlaskClient, app: Flask, change: dict[str, str | None], said: str
):
    form = MONDAY_TO_FRIDAY | {"valid_from": "2026-12-01", "split": "13:00", "staffed": "same"} | change
    answer = boss.post("/settings/hours", data={name: value for name, value in form.items() if value is not None})
    assert (answer.status_code, said in answer.text) == (422, True)
    assert read(app, lambda: len(queries.schedules())) == 1


def test_a_closure_is_announced_and_cancelled(app: Flask, boss: FlaskClient):
    form = {"first_day": "2026-12-01", "from_minute": "14:00", "to_minute": "18:00", "reason": "Inventaire"}
    assert boss.post("/settings/closures", data=form).status_code == 303
    page = boss.get("/settings/closures").text
    assert "Inventaire" in page
    assert "14–18\u202fh" in page
    (closure,) = read(app, lambda: queries.closures_between(date.min, date.max))
    assert boss.post(f"/settings/closures/{closure.public_id}/remove").status_code == 303
    assert boss.post(f"/settings/closures/{closure.public_id}/remove").status_code == 404


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_closure_is_within_the_calendar(boss: FlaskClient, day: str):
    answer = boss.post("/settings/closures", data={"first_day": day, "reason": "Travaux"})
    assert answer.status_code == 422
    assert "Choisissez une date entre 2000 et 2199" in answer.text


def test_a_closure_needs_a_reason_and_an_order(boss: FlaskClient):
    answer = boss.post("/settings/closures", data={"first_day": "2026-12-02", "reason": ""})
    assert (answer.status_code, 'value="2026-12-02"' in answer.text) == (422, True)
    backwards = {"first_day": "2026-12-02", "last_day": "2026-12-01", "reason": "Congés"}
    answer = boss.post("/settings/closures", data=backwards)
    assert "Le dernier jour ne peut pas précéder le premier" in answer.text


def test_desks_and_rooms_are_added_renamed_and_retired(app: Flask, boss: FlaskClient):
    assert boss.post("/settings/zones", data={"zone": "Mezzanine"}).status_code == 303
    zone = read(app, lambda: queries.zones()[-1])
    room = {"kind": "room", "names": "Cocon\nAtelier", "seats": "6", "zone_id": zone.public_id}
    assert boss.post("/settings/resources", data=room).status_code == 303
    cocon = read(app, lambda: next(r for r in queries.resources("room") if r.name == "Cocon"))
    assert (cocon.zone.name, cocon.seats) == ("Mezzanine", 6)
    address = f"/settings/resources/{cocon.public_id}"
    assert 'value="Cocon"' in boss.get(address).text
    renamed = {"name": "Le cocon", "seats": "5", "buffer_after": "15", "zone_id": zone.public_id}
    assert boss.post(address, data=renamed).status_code == 303
    assert boss.post(f"{address}/retire", data={"last_day": "2026-11-23"}).status_code == 422
    assert boss.post(f"{address}/retire", data={"last_day": "2026-11-24"}).status_code == 303
    assert "jusqu’au mardi 24 novembre 2026" in boss.get("/settings/spaces").text
    assert boss.post(f"/settings/zones/{zone.public_id}", data={"name": "Salles"}).status_code == 409
    assert boss.post(f"/settings/zones/{zone.public_id}", data={"name": "Là-haut"}).status_code == 303
    assert "Là-haut" in boss.get("/settings/spaces").text


def test_a_taken_name_keeps_what_was_typed(boss: FlaskClient, app: Flask):
    zone = read(app, lambda: queries.zones()[0].public_id)
    form = {"kind": "desk", "names": "Poste 9\nPoste 1", "zone_id": zone}
    answer = boss.post("/settings/resources", data=form)
    assert (answer.status_code, "Poste 1 est déjà pris" in answer.text, "Poste 9" in answer.text) == (409, True, True)


def test_unknown_ids_are_not_found(boss: FlaskClient):
    for address in ("/settings/zones/x", "/settings/resources/x"):
        assert boss.get(address).status_code == 404
    assert boss.post("/settings/resources/x/retire", data={"last_day": "2026-12-01"}).status_code == 404


def test_the_manager_reads_settings_in_english_too(
    sign_in: Callable[..., FlaskClient], place: Any, cast: Any, app: Flask
):
    from coworking.core.db import db
    from coworking.core.units import write_unit

    with app.app_context(), write_unit():
        db.session.merge(cast.manager).locale = "en"
    assert "Opening hours" in sign_in(cast.manager, "en").get("/settings/hours").text


def test_a_name_of_two_lines_becomes_one_line_and_emails_are_sent(
    app: Flask, boss: FlaskClient, cast: Any, run_outbox: Any, mailbox: Any, clock: Any
):
    """The lieu's name stands in the header of every e-mail: a line break there would stop them all."""
    page = Page("/settings/lieu", boss.get("/settings/lieu").text)
    form = next(form for form in page.forms if "directions" in form.fields)
    typed = form.fields | {"name": "Le\r\nBcc: x@example.org\x1b Lieu", "directions": "À gauche\r\npuis à droite"}
    assert boss.post(form.action, data=typed).status_code == 303
    lieu = read(app, queries.lieu)
    assert lieu.name == "Le Bcc: x@example.org Lieu"
    assert lieu.directions.splitlines() == ["À gauche", "puis à droite"]
    with app.app_context():
        bookings.book_half_days(cast.member.actor(), date(2026, 11, 26), frozenset({"am"}))
    clock.advance(minutes=11)
    run_outbox()
    (email,) = mailbox()
    assert (email["Bcc"], email["From"].addresses[0].display_name) == (None, lieu.name)


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "1999-12-31", "2200-01-01"])
def test_dates_beyond_imagination_are_refused(boss: FlaskClient, cast: Any, day: str):
    adhesion = {"valid_from": day, "cents": "10"}
    assert boss.post(f"/people/{cast.member.public_id}/membership/adhesion", data=adhesion).status_code == 422
    assert boss.post("/settings/closures", data={"first_day": day, "reason": "Travaux"}).status_code == 422

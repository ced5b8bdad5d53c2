"""From nothing to a lieu: the questions, at the browser and at the terminal."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from coworking.accounts.models import Person
from coworking.core import sender
from coworking.core.db import db
from coworking.core.formats import minutes_range
from coworking.core.policy import Role
from coworking.core.timespan import total_minutes
from coworking.spaces import queries
from coworking.spaces.models import Lieu
from tests.frontdesk.setup_answers import ANSWERS, PASSWORD, PERSONAL


def opened(client: FlaskClient) -> FlaskClient:
    """``client`` with the server's code given (`test_setup_code.py`)."""
    with client.session_transaction() as kept:
        kept["setup_opened"] = True
    return client


@pytest.fixture
def client(client: FlaskClient) -> FlaskClient:
    return opened(client)


def answer_until(client: FlaskClient, key: str) -> None:
    """Answer every question before ``key``."""
    for before, inputs in ANSWERS.items():
        if before == key:
            return
        assert client.post(f"/setup/{before}", data=inputs).status_code == 303


def check_made(app: Flask, desk: str = "Poste 1") -> None:
    with app.app_context():
        lieu = queries.lieu()
        assert (lieu.name, lieu.vat_status, lieu.siret, lieu.holiday_area) == ("L’Établi", "exempt", None, "6AE")
        assert [r.name for r in queries.resources("desk")][:1] == [desk]
        assert len(queries.resources("desk")) == 12
        assert [(r.name, r.seats) for r in queries.resources("room")] == [("Salle bleue", 8), ("Cabine", 1)]
        monday = queries.day(date(2026, 11, 30))  # next week can be booked
        assert (total_minutes(monday.open()), total_minutes(monday.open("staffed"))) == (540, 180)
        assert all(half.offered for half in queries.half_days_between(monday.day, monday.day)[monday.day].values())
        assert queries.day(date(2026, 12, 26)).holiday == "Saint-Étienne"
        assert sender.mail_settings().reply_to == "accueil@demo.example"
        manager = db.session.scalars(select(Person)).unique().one()
        assert (manager.email, Role.MANAGER in manager.roles) == ("odile@demo.example", True)
        assert PasswordHasher().verify(manager.password_hash or "", PASSWORD)


def nothing_made(app: Flask) -> bool:
    with app.app_context():
        return not any(db.session.scalar(select(func.count()).select_from(table)) for table in (Lieu, Person))


@pytest.mark.parametrize(("language", "progress", "desk"), [("fr", "2 sur 8", "Poste 1"), ("en", "2 of 8", "Desk 1")])
def test_the_questions_make_a_lieu(app: Flask, client: FlaskClient, language: str, progress: str, desk: str):
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
    assert client.get("/").location == "/setup"
    assert client.get("/setup").location == "/setup/1"
    for key, inputs in ANSWERS.items():
        page = client.get(f"/setup/{key}")
        assert page.status_code == 200
        assert key != "2" or progress in page.text
        assert nothing_made(app)
        answer = client.post(f"/setup/{key}", data=inputs)
        assert answer.status_code == 303
    check_made(app, desk)
    assert answer.location == "/today"
    assert client.get("/today").status_code == 200
    assert client.get("/settings").status_code == 200  # already signed in


def test_once_there_is_a_lieu_the_questions_are_gone(client: FlaskClient, place: Any):
    for address in ("/setup", "/setup/1", "/setup/8"):
        assert client.get(address).status_code == 404
        assert client.post(address, data=ANSWERS["8"]).status_code in (404, 405)


def test_of_two_people_setting_up_the_second_changes_nothing(app: Flask):
    first, second = opened(app.test_client()), opened(app.test_client())
    for client in (first, second):
        answer_until(client, "8")
    assert first.post("/setup/8", data=ANSWERS["8"]).status_code == 303
    assert second.post("/setup/8", data=ANSWERS["8"] | {"email": "x@demo.example"}).status_code == 404
    check_made(app)


def test_questions_are_taken_in_order_and_back_shows_the_answers(client: FlaskClient):
    assert client.get("/setup/5").location == "/setup/1"
    answer_until(client, "3")
    assert client.get("/setup").location == "/setup/3"
    page = client.get("/setup/1").text
    assert 'value="L’Établi"' in page
    assert client.get("/setup/9").status_code == 404
    assert client.post("/setup/8", data=ANSWERS["8"]).location == "/setup/3"


@pytest.mark.parametrize(
    ("key", "change", "said", "kept"),
    [
        ("1", {"postcode": "6700"}, "a cinq chiffres", 'value="L’Établi"'),
        ("1", {"name": " "}, "Remplissez ce champ", 'value="Strasbourg"'),
        ("2", {"legal_status": "crown"}, "Choisissez parmi ce qui est proposé", ""),
        ("3", {"siret": "73282932000075"}, "Ce n’est pas un SIRET", 'value="73282932000075"'),
        ("4", {"to_1": "08:00"}, "La fin doit venir après le début", 'value="08:00"'),
        ("5", {"split": "3"}, "Une heure entre 6:00 et 18:00", 'value="3"'),
        ("6", {"desks": "0"}, "Un nombre entier de 1 à 300", 'value="0"'),
        ("7", {"rooms": "Salle bleue"}, "écrivez le nombre de places", "Salle bleue"),
        ("8", {"email": "odile"}, 'id="email-err"', 'value="odile"'),
        ("8", {"password": "court"}, 'id="password-err"', 'value="Kern"'),
        ("8", {"password": "KernOdileKern"}, 'id="password-err"', 'value="Kern"'),
        ("8", {"password": "letabli-2026!"}, 'id="password-err"', 'value="Kern"'),
    ],
)
def test_a_wrong_answer_is_explained_and_kept(
    app: Flask, client: FlaskClient, key: str, change: dict[str, str], said: str, kept: str
):
    answer_until(client, key)
    answer = client.post(f"/setup/{key}", data=ANSWERS[key] | change)
    assert (answer.status_code, said in answer.text, kept in answer.text) == (422, True, True)
    assert nothing_made(app)


def test_the_password_never_travels_in_the_cookie(client: FlaskClient):
    answer_until(client, "8")
    answer = client.post("/setup/8", data=ANSWERS["8"] | {"email": "odile"})
    assert PASSWORD not in answer.text
    with client.session_transaction() as cookie:
        assert PASSWORD not in json.dumps(dict(cookie))


@pytest.mark.parametrize(
    ("status", "taxed", "vat_status", "asked"),
    [
        ("association", "no", "exempt", "soumise aux impôts commerciaux"),
        ("association", "yes", "taxable", "soumise aux impôts commerciaux"),
        ("public", "no", "exempt", "Les tarifs du lieu"),
        ("company", "no", "franchise", "Ajoutez-vous la TVA"),
        ("individual", "yes", "taxable", "Ajoutez-vous la TVA"),
    ],
)
def test_the_status_decides_what_is_asked_about_taxes(
    app: Flask, client: FlaskClient, status: str, taxed: str, vat_status: str, asked: str
):
    for key, inputs in (ANSWERS | {"2": {"legal_status": status}, "2b": {"taxed": taxed}}).items():
        assert key != "2b" or asked in client.get("/setup/2b").text
        client.post(f"/setup/{key}", data=inputs)
    with app.app_context():
        assert queries.lieu().vat_status == vat_status


def test_only_places_with_holidays_of_their_own_are_asked_about_them(client: FlaskClient):
    answer_until(client, "5")
    assert "Alsace et de Moselle" in client.get("/setup/4b").text
    client.post("/setup/1", data=ANSWERS["1"] | {"postcode": "63300"})
    assert "Alsace et de Moselle" not in client.get("/setup/4b").text


SATURDAY = {"open_5": "1", "from_5": "09:00", "to_5": "13:00", "lunch": "1", "lunch_from": "12:30", "lunch_to": "13:30"}


def test_a_short_saturday_keeps_its_hours_and_the_week_is_shown_before_it_is_saved(app: Flask, client: FlaskClient):
    answer_until(client, "4")
    client.post("/setup/4", data=ANSWERS["4"] | SATURDAY)
    page = client.get("/setup/4b").text
    for day, hours in (("Lundi", "9:00 – 12:30, 13:30 – 18:00"), ("Samedi", "9:00 – 13:00"), ("Dimanche", "fermé")):
        row = re.search(rf">{day}</th>\s*<td>(.*?)</td>", page, re.S)
        assert row is not None and re.sub("<.*?>", "", row[1]) == _written(hours), day
    for key, inputs in list(ANSWERS.items())[5:]:
        assert client.post(f"/setup/{key}", data=inputs).status_code == 303
    with app.app_context():
        assert total_minutes(queries.day(date(2026, 11, 28)).open()) == 240
        assert total_minutes(queries.day(date(2026, 11, 30)).open()) == 480


def _written(hours: str) -> str:
    return ", ".join(
        minutes_range(*(int(h) * 60 + int(m) for h, m in (end.split(":") for end in part.split(" – "))))
        if "–" in part
        else part
        for part in hours.split(", ")
    )


def test_the_api_says_not_set_up_before_setup(app: Flask):
    from coworking.core.place import NotSetUp
    from coworking.frontdesk.setup import lead_to_setup

    with app.test_request_context("/api/v1/lieu"):
        answer = app.make_response(lead_to_setup(NotSetUp()))
    assert (answer.status_code, answer.get_json()["code"]) == (503, "not_set_up")


# --- At the terminal -------------------------------------------------------------------------------------------


def test_setup_reads_answers_from_a_file(app: Flask, tmp_path: Path):
    file = tmp_path / "answers.json"
    file.write_text(json.dumps(ANSWERS), encoding="utf-8")
    result = app.test_cli_runner().invoke(args=["setup", "--answers", str(file)])
    assert (result.exit_code, "odile@demo.example" in result.output) == (0, True)
    check_made(app)
    again = app.test_cli_runner().invoke(args=["setup", "--answers", str(file)])
    assert again.exit_code == 1


@pytest.mark.parametrize(
    "content", ["{", "[]", json.dumps(ANSWERS | {"5": {"split": "soon"}}), json.dumps(ANSWERS | {"8": PERSONAL})]
)
def test_a_wrong_file_is_refused_whole(app: Flask, tmp_path: Path, content: str):
    file = tmp_path / "answers.json"
    file.write_text(content, encoding="utf-8")
    result = app.test_cli_runner().invoke(args=["setup", "--answers", str(file)])
    assert (result.exit_code, nothing_made(app)) == (1, True)


def test_setup_asks_at_the_terminal_and_asks_again(app: Flask):
    typed = ["L’Établi", "2 quai des Bateliers", "6700", "Strasbourg"]  # a wrong postcode: asked again
    typed += ["L’Établi", "2 quai des Bateliers", "67000", "Strasbourg", "association", "n", ""]
    typed += ["1 2 3 4", "9:00", "18:00", "n", "y", "n"]  # the week as shown is not right: asked again
    typed += ["1 2 3 4 5", "9:00", "18:00", "n", "n", "y", "9:00", "12:00", "y", "y", "y", "13:00", "12", "Plateau"]
    typed += ["Salle bleue, 8", "Cabine : 1", "", "accueil@demo.example", "", ""]
    typed += ["Odile", "Kern", "odile@demo.example", PASSWORD, PASSWORD]
    result = app.test_cli_runner().invoke(args=["setup"], input="\n".join(typed) + "\n")
    assert result.exit_code == 0, result.output
    assert "postcode: Un code postal français a cinq chiffres" in result.output
    assert "Vendredi : fermé".replace(" :", "\u202f:") in result.output
    check_made(app)

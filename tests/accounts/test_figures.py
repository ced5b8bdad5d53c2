"""What is asked of people for the figures: their status and the town they live in."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from coworking.accounts.models import Person
from coworking.core.db import db
from coworking.core.units import write_unit

MINE = {"first_name": "Anne", "last_name": "Marchand", "locale": "fr", "reminder": "never"}


def test_one_says_what_one_does_and_takes_it_back(app, place, cast, sign_in):
    browser = sign_in(cast.member)
    assert browser.post("/me", data={**MINE, "status": "jobseeker", "commune": " Thiers "}).status_code == 303
    page = browser.get("/me").text
    assert '<option value="jobseeker" selected>en recherche d’emploi' in page and 'value="Thiers"' in page
    assert browser.post("/me", data=MINE).status_code == 303
    with app.app_context():
        person = db.session.get_one(Person, cast.member.id)
        assert (person.status, person.commune) == (None, None)


@pytest.mark.parametrize("wrong", [{"status": "rich"}, {"status": "unknown"}, {"commune": "x" * 121}])
def test_nonsense_is_refused_and_stays_in_the_form(app, place, cast, sign_in, wrong):
    for address, who in (("/me", cast.member), (f"/people/{cast.member.public_id}", cast.host)):
        answer = sign_in(who).post(address, data={**MINE, "phone": "04 73 00 00 00", **wrong})
        assert answer.status_code == 422 and "04 73 00 00 00" in answer.text
    with app.app_context():
        person = db.session.get_one(Person, cast.member.id)
        assert (person.status, person.commune, person.phone) == (None, None, None)


def test_a_host_writes_it_down(app, place, cast, sign_in):
    host = sign_in(cast.host)
    typed = {"first_name": "Anne", "email": "anne@demo.example", "status": "student", "commune": "Courpière"}
    host.post(f"/people/{cast.stranger.public_id}", data={**typed, "email": cast.stranger.email})
    with app.app_context():
        person = db.session.get_one(Person, cast.stranger.id)
        assert (person.status, person.commune) == ("student", "Courpière")


def test_the_database_knows_the_words_too(inside, cast):
    with pytest.raises(IntegrityError), write_unit():
        db.session.execute(update(Person).values(status="rich"))

"""Two hosts at two desks write down the same newcomer at the same moment."""

from __future__ import annotations

from collections import Counter
from functools import partial

from sqlalchemy import func, select

from coworking.accounts.models import Person
from coworking.core.db import db
from tests.support.api import Program
from tests.support.threads import at_once


def test_of_many_people_added_at_once_one_gets_the_address(app, place, cast):
    programs = [Program(app, person) for person in (cast.host, cast.manager)] * 3
    for number in range(10):
        body = {"first_name": "Jo", "email": f"jo{number}@demo.example"}
        answers = at_once([partial(program.post, "/people", body) for program in programs])
        told = Counter((answer.status_code, answer.get_json().get("code")) for answer in answers)
        assert told == {(201, None): 1, (409, "email_taken"): len(programs) - 1}
    with app.app_context():
        assert db.session.scalar(select(func.count()).where(Person.first_name == "Jo")) == 10

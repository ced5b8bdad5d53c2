"""The attestation de présence: what it holds, who may ask for it, and that it never changes."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest
import rfc8785
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from coworking.accounts.models import Organisation, OrganisationMember
from coworking.core import guards
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import SYSTEM
from coworking.core.units import write_unit
from coworking.presence import attestation
from coworking.presence import services as presence
from coworking.presence.attested import (
    AttestedMonthToCome,
    EmployerNotNamed,
    EmployerUnknown,
    NothingPaid,
    NothingToAttest,
    normal_code,
)
from tests.factories import make_agreement, make_tariff
from tests.presence.attested import NOVEMBER, wall


def test_the_snapshot_is_canonical_and_whole(came):
    made = attestation.issue(came.actor(), NOVEMBER)
    said = json.loads(made.payload)
    assert rfc8785.dumps(said).decode() == made.payload
    assert said == {
        "schema": "attestation-de-presence/1",
        "lieu": {
            "name": "La Fabrique du Pont",
            "address": "4 rue du Pont",
            "postcode": "63300",
            "city": "Thiers",
            "siret": "12345678900012",
        },
        "person": {"name": "Anne Marchand"},
        "employer": None,
        "period": {"first": "2026-11-01", "last": "2026-11-26"},
        "days": [
            {"day": "2026-11-24", "half_days": {"am": "self", "pm": "self"}},
            {"day": "2026-11-25", "half_days": {"am": "host"}},
        ],
        "totals": {"days": 2, "half_days": 3},
        "issued_on": "2026-11-26",
    }


def test_the_employer_is_named_only_when_asked_and_only_one_s_own(came):
    employer = db.session.scalars(select(Organisation)).one()
    named = attestation.issue(came.actor(), NOVEMBER, employer=employer.public_id)
    assert json.loads(named.payload)["employer"] == {"name": "Coutellerie Durand SA", "siren": None}
    with write_unit():
        other = Organisation(name="Forges du Bout du Monde")
        db.session.add(other)
        db.session.flush()
        db.session.add(
            OrganisationMember(
                organisation_id=other.id, person_id=came.id, since=date(2026, 1, 1), until=date(2026, 10, 31)
            )
        )
    for unknown in (other.public_id, "nobody"):
        with pytest.raises(EmployerUnknown):
            attestation.issue(came.actor(), NOVEMBER, employer=unknown)


@pytest.fixture
def paid_on_tuesdays(people):
    """Durand pays for Anne's Tuesdays; she pays for the rest."""
    make_tariff()
    make_agreement(weekdays=0b10)
    return db.session.scalars(select(Organisation.public_id)).one()


def test_it_can_hold_only_what_the_employer_pays_and_then_says_so(paid_on_tuesdays, came):
    limited = attestation.issue(came.actor(), NOVEMBER, employer=paid_on_tuesdays, only_paid=True)
    said = json.loads(limited.payload)
    assert said["days"] == [{"day": "2026-11-24", "half_days": {"am": "self", "pm": "self"}}]
    assert (said["totals"], said["only"]) == ({"days": 1, "half_days": 2}, "employer_paid")
    assert attestation.statement_of(limited).only_paid
    whole = attestation.issue(came.actor(), NOVEMBER, employer=paid_on_tuesdays)
    assert whole.id != limited.id
    assert len(json.loads(whole.payload)["days"]) == 2
    assert not attestation.statement_of(whole).only_paid


def test_only_what_which_employer_pays_must_be_said_and_something_be_paid(people, came):
    durand = db.session.scalars(select(Organisation.public_id)).one()
    with pytest.raises(EmployerNotNamed):
        attestation.issue(came.actor(), NOVEMBER, only_paid=True)
    with pytest.raises(NothingPaid):
        attestation.issue(came.actor(), NOVEMBER, employer=durand, only_paid=True)


def test_asking_twice_gives_the_same_and_a_change_gives_another(came, people, clock):
    first = attestation.issue(came.actor(), NOVEMBER)
    assert attestation.issue(came.actor(), NOVEMBER).id == first.id
    clock.set(wall(26, 10))
    presence.arrive(came.actor())
    second = attestation.issue(came.actor(), NOVEMBER)
    assert second.id != first.id
    assert json.loads(second.payload)["totals"]["half_days"] == 5
    assert json.loads(first.payload)["totals"]["half_days"] == 3


def test_a_month_to_come_or_without_presence_is_refused(came, people):
    with pytest.raises(AttestedMonthToCome):
        attestation.issue(came.actor(), date(2026, 12, 1))
    for person, month in ((came, date(2026, 10, 1)), (people.stranger, NOVEMBER)):
        with pytest.raises(NothingToAttest):
            attestation.issue(person.actor(), month)


def test_the_system_has_no_presence_to_attest(people):
    with pytest.raises(NotFound):
        attestation.issue(SYSTEM, NOVEMBER)


def test_codes_are_long_and_easy_to_read_aloud():
    codes = {attestation.new_code() for _ in range(200)}
    assert len(codes) == 200
    assert all(re.fullmatch(r"[2-9a-hjkmnp-z]{4}(-[2-9a-hjkmnp-z]{4}){3}", code) for code in codes)
    assert normal_code("ABCD efgh\u20112345 wxyz") == normal_code("abcdefgh2345wxyz") == "abcd-efgh-2345-wxyz"


@pytest.mark.parametrize(
    "attack", ["UPDATE attestation SET payload = '{}'", "DELETE FROM attestation", "UPDATE attestation SET code = 'x'"]
)
def test_the_database_refuses_to_change_one(came, attack):
    attestation.issue(came.actor(), NOVEMBER)
    with pytest.raises(IntegrityError) as refused, db.engine.begin() as connection:
        connection.execute(text(attack))
    assert guards.refused_by(refused.value) == "attestation_append_only"

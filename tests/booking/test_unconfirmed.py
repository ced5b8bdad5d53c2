"""Whoever has not shown that their address is theirs books nothing, unless staff knows them."""

from __future__ import annotations

from datetime import date

import pytest

from coworking.accounts import staff
from coworking.accounts.rules import AddressUnconfirmed
from coworking.booking import services
from tests.factories import actor, make_person

DAY, MORNING = date(2026, 11, 26), frozenset({"am"})


def test_an_unconfirmed_account_does_not_book(place, cast, inside):
    person = make_person("Luc", "Moreau", "luc@demo.example", email_confirmed_at=None)
    with pytest.raises(AddressUnconfirmed):
        services.book_half_days(actor(person), DAY, MORNING)


def test_staff_book_for_anyone(place, cast, inside):
    person = make_person("Luc", "Moreau", "luc@demo.example", email_confirmed_at=None)
    assert services.book_half_days(actor(cast.host), DAY, MORNING, person=person.public_id)


def test_whom_staff_added_books_before_confirming(place, cast, inside):
    person = staff.create_person(actor(cast.host), first_name="Luc", email="luc@demo.example")
    assert services.book_half_days(actor(person), DAY, MORNING)

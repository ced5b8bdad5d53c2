"""A resident's year on the pages: assigned by a manager, seen by its people, counted, invoiced, given back."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from coworking.billing import services as billing
from coworking.billing.models import Invoice
from coworking.booking import services as booking
from coworking.booking.placing import Request, RequestedItem
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.spaces import calendar
from coworking.spaces.models import Resource
from coworking.statistics import services as statistics
from tests import factories
from tests.browser.conftest import assert_accessible
from tests.support.billing import make_billing_lieu

MANAGER, MEMBER = "manager@demo.example", "member@demo.example"


@pytest.fixture
def office(app):
    """The public id of a closed office in a lieu that invoices."""
    with app.app_context():
        lieu = make_billing_lieu()
        factories.make_tariff()
        with write_unit():
            zone = lieu.place.rooms[0].zone_id
            row = Resource(
                zone_id=zone, kind="office", name="Bureau Lavande", seats=3, in_service_from=factories.LONG_AGO
            )
            db.session.add(row)
        return row.public_id


def refused(app, office: str, day: date) -> str | None:
    """What keeps a member from booking the office on ``day``; None: nothing."""
    start = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    with app.app_context():
        who = factories.the_cast().stranger
        try:
            booking.book(who.actor(), Request(Span(start, start.replace(hour=10)), (RequestedItem(resource=office),)))
        except DomainError as error:
            return error.code
    return None


def test_an_office_is_assigned_lived_in_invoiced_and_given_back(app, office, open_page, clock):
    page = open_page(MANAGER)
    page.goto("/residents/new")
    page.select_option("select[name=place]", office)
    page.fill("input[name=who]", "Coutellerie Durand SA")
    page.fill("input[name=first_day]", "2026-12-10")
    page.fill("input[name=monthly]", "300")
    page.fill("input[name=min_months]", "")
    page.fill("input[name=notice_months]", "1")
    assert_accessible(page)
    page.get_by_role("button", name="Voir ce que cela donne").click()
    expect(page.locator("main")).to_contain_text("du 10 décembre au 31 décembre 2026")
    expect(page.locator("main")).to_contain_text("212,90")
    assert_accessible(page)
    page.get_by_role("button", name="Attribuer ce bureau").click()
    expect(page.locator(".toast")).to_contain_text("Bureau Lavande est attribué à Coutellerie Durand SA.")

    clock.set(datetime(2026, 12, 15, 9, tzinfo=UTC))
    assert refused(app, office, date(2026, 12, 16)) == "claim_conflict"
    assert refused(app, office, date(2027, 6, 16)) is not None
    member = open_page(MEMBER)
    member.goto("/week")
    expect(member.locator("main")).to_contain_text("Bureau Lavande")
    member.get_by_role("button", name="Je suis là").click()
    expect(member.locator(".toast")).to_contain_text("Bureau Lavande est à vous.")
    member.goto("/me/place")
    expect(member.locator("main")).to_contain_text("Bureau Lavande")
    assert_accessible(member)
    page = open_page(MANAGER)
    page.goto("/today")
    expect(page.locator("main")).to_contain_text("Bureau Lavande · depuis 10 h")

    clock.set(datetime(2027, 1, 4, 9, tzinfo=UTC))
    with app.app_context():
        calendar.freeze_past_days()
        returned = json.loads(statistics.close(factories.the_cast().manager.actor(), date(2026, 12, 1)).figures)
        assert (returned["worker_days"], returned["desk_booked_halfdays"]) == (1, 0)
    with app.app_context():
        assert billing.run(factories.the_cast().manager.actor(), date(2026, 12, 1)).problems == []
        (invoice,) = db.session.scalars(select(Invoice).where(Invoice.payable_cents > 0))
        assert "Bureau Lavande" in invoice.payload
    page = open_page(MANAGER)
    page.goto("/residents")
    page.get_by_role("link", name="Bureau Lavande").first.click()
    page.get_by_role("button", name="Voir ce que change cette fin").click()
    expect(page.locator("main")).to_contain_text("réserve")
    page.get_by_role("button", name="Mettre fin à cette date").click()
    expect(page.locator("main")).to_contain_text("Fin le")
    clock.set(datetime(2027, 3, 1, 9, tzinfo=UTC))
    assert refused(app, office, date(2027, 3, 2)) is None

"""Who pays is seen and can be changed: the week, the toast, the sheet; each payer's own allowance gives and takes."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from coworking.booking import services
from coworking.booking.models import Booking
from coworking.core import sales
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.membership.models import Agreement, LedgerEntry
from coworking.pricing.models import Quote
from tests import factories
from tests.booking.held import ask_first
from tests.support.reminders import plain
from tests.support.threads import at_once

THURSDAY, MORNING = date(2026, 11, 26), frozenset({"am"})


@pytest.fixture
def booked(app, place, cast):
    """Anne's Thursday morning, paid by her employer, who pays for two half-days a month; hers cost 9 €."""
    with app.app_context():
        factories.make_tariff()
        factories.make_agreement(halfdays=2)
        return services.book_half_days(cast.member.actor(), THURSDAY, MORNING).public_id


def quotes(app) -> list[tuple[str, str, int, bool]]:
    with app.app_context():
        rows = db.session.scalars(select(Quote).order_by(Quote.id))
        return [(row.state, row.cover, row.amount_cents, row.payer_organisation_id is None) for row in rows]


def pay(browser, booking: str, payer: str, cents: int, taken: int = 0):
    data = {"payer": payer, "agreed": str(cents), "halfdays": str(taken)}
    return browser.post(f"/bookings/{booking}/payer", data=data)


def test_the_week_and_the_toast_say_that_the_employer_pays(app, place, cast, sign_in):
    with app.app_context():
        factories.make_tariff()
        factories.make_agreement()
    member = sign_in(cast.member)
    page = member.post("/bookings", data={"day": "2026-11-26", "half": "am"}, follow_redirects=True).text
    assert "Poste 1, jeudi 26 novembre, le matin. Payé par Coutellerie Durand SA." in page.replace("\n", " ")
    cell = page.split('id="2026-11-26-am"')[1].split("</td>")[0]
    assert "payé par Coutellerie Durand SA" in cell
    assert "<small>Coutellerie Durand SA</small>" in cell
    assert "Coutellerie Durand SA paie les demi-journées, sans limite." in page
    assert "Coutellerie" not in sign_in(cast.stranger).get("/week").text


def test_the_sheet_offers_the_other_payer_and_what_it_comes_to(app, cast, sign_in, booked):
    member = sign_in(cast.member)
    assert f"/bookings/{booked}/payer" in member.get(f"/bookings/{booked}").text
    sheet = member.get(f"/bookings/{booked}/payer").text
    assert "9,00" in sheet
    assert "Payer moi-même" in sheet
    assert quotes(app) == [("live", "agreement", 900, False)], "looking changes nothing"


def test_one_pays_oneself_and_the_employer_s_half_day_is_there_again(app, cast, sign_in, booked):
    member = sign_in(cast.member)
    assert pay(member, booked, "me", 900).status_code == 303
    assert quotes(app) == [("released", "agreement", 900, False), ("live", "tariff", 900, True)]
    toast = plain(member.get("/week").text).split('class="toast"')[1].split("</div>")[0]
    assert "le matin. 9,00 €, sur la facture de novembre 2026, payé par vous." in toast
    assert "Coutellerie Durand SA paie encore 2 demi-journées" in " ".join(member.get("/week").text.split())
    assert pay(member, booked, "employer", 0).status_code == 303
    assert [row[:2] for row in quotes(app)][2:] == [("live", "agreement")]
    assert "Coutellerie Durand SA paie encore 1 demi-journée" in " ".join(member.get("/week").text.split())


def test_asking_for_the_payer_one_has_changes_nothing(app, cast, sign_in, booked):
    assert pay(sign_in(cast.member), booked, "employer", 0).status_code == 303
    assert quotes(app) == [("live", "agreement", 900, False)]


def test_another_price_than_the_sheet_said_is_asked_again(app, cast, sign_in, booked):
    again = pay(sign_in(cast.member), booked, "me", 500)
    assert again.status_code == 409
    assert "9,00" in again.text
    assert quotes(app) == [("live", "agreement", 900, False)]


def test_an_employer_that_pays_no_more_is_not_made_to(app, place, cast, sign_in, booked):
    member = sign_in(cast.member)
    pay(member, booked, "me", 900)
    with app.app_context():
        for day in (27, 30):
            services.book_half_days(cast.member.actor(), date(2026, 11, day), MORNING)
        agreement = db.session.scalars(select(LedgerEntry.agreement_id)).first()
        with write_unit():
            db.session.get_one(Agreement, agreement).beyond = "refuse"
    refused = pay(member, booked, "employer", 0)
    assert refused.status_code == 422
    assert quotes(app)[1] == ("live", "tariff", 900, True)


def test_nobody_else_changes_who_pays(app, cast, sign_in, booked):
    for person in (cast.stranger, cast.colleague, cast.host):
        browser = sign_in(person)
        assert browser.get(f"/bookings/{booked}/payer").status_code == 404
        assert pay(browser, booked, "me", 900).status_code == 404
    assert quotes(app) == [("live", "agreement", 900, False)]


def test_who_has_no_employer_is_offered_none(app, place, cast, sign_in):
    with app.app_context():
        factories.make_tariff()
        booking = services.book_half_days(cast.stranger.actor(), THURSDAY, MORNING).public_id
    stranger = sign_in(cast.stranger)
    assert "/payer" not in stranger.get(f"/bookings/{booking}").text
    assert pay(stranger, booking, "employer", 0).status_code == 422
    assert stranger.get(f"/bookings/{booking}/payer").status_code == 422


def test_whom_no_agreement_covers_is_offered_none(app, cast, sign_in, booked):
    """Her employer paid once and pays no longer: what can only fail is no link."""
    member = sign_in(cast.member)
    pay(member, booked, "me", 900)
    assert f"/bookings/{booked}/payer" in member.get(f"/bookings/{booked}").text
    with app.app_context(), write_unit():
        db.session.scalars(select(Agreement)).one().valid_until = THURSDAY - timedelta(days=1)
    assert f"/bookings/{booked}/payer" not in member.get(f"/bookings/{booked}").text


def test_from_a_booking_s_own_page_who_pays_is_a_page(app, cast, sign_in, booked):
    """A sheet over it would leave a second copy of the booking there after a refusal."""
    member, address = sign_in(cast.member), f"/bookings/{booked}/payer"
    assert f'hx-get="{address}"' not in member.get(f"/bookings/{booked}").text
    assert f'hx-get="{address}"' in member.get(f"/bookings/{booked}", headers={"HX-Request": "true"}).text


def test_nonsense_is_refused(app, cast, sign_in, booked):
    assert pay(sign_in(cast.member), booked, "nobody", 0).status_code == 422
    assert quotes(app) == [("live", "agreement", 900, False)]


def test_what_has_begun_or_is_cancelled_keeps_its_payer(app, cast, sign_in, booked, clock):
    with app.app_context():
        services.cancel(cast.member.actor(), booked)
    assert pay(sign_in(cast.member), booked, "me", 900).status_code == 409
    with app.app_context():
        services.undo_cancel(cast.member.actor(), booked)
    clock.advance(days=2)
    assert pay(sign_in(cast.member), booked, "me", 900).status_code == 409


def test_too_late_to_cancel_is_too_late_for_a_payer_who_pays_less(app, place, cast, sign_in, booked, clock):
    member = sign_in(cast.member)
    pay(member, booked, "me", 900)
    with app.app_context():
        with write_unit():
            db.session.scalars(select(Agreement)).one().halfday_cents = 500
        clock.advance(days=1, hours=21)
    refused = pay(member, booked, "employer", 0)
    assert refused.status_code == 409
    assert "un autre payeur ne peut pas payer moins" in refused.text


def test_sixteen_changes_at_once_leave_one_quote_that_owes(app, cast, sign_in, booked):
    browsers = [sign_in(cast.member) for _ in range(4)]
    actions = [
        lambda browser=browser, payer=payer: pay(browser, booked, payer, 900 if payer == "me" else 0).status_code
        for browser in browsers
        for payer in ("me", "employer", "me", "employer")
    ]
    assert set(at_once(actions)) <= {303, 409, 422, 503}
    with app.app_context():
        live = db.session.scalars(select(Quote).where(Quote.state == "live")).all()
        booking = db.session.scalars(select(Booking)).one()
        assert [unit.quote_id for unit in booking.units] == [row.id for row in live]
        held = [row for row in db.session.scalars(select(LedgerEntry)) if row.kind == "hold"]
        back = [row for row in db.session.scalars(select(LedgerEntry)) if row.kind == "release"]
        assert len(held) - len(back) == (live[0].cover == "agreement")


def test_where_one_pays_first_an_employer_s_day_is_not_taken_over(app, cast, sign_in, booked, monkeypatch):
    monkeypatch.setattr(sales, "_asked", [lambda cents: True])
    with app.app_context():
        ask_first(pay_first_desks="everyone", pay_first_rooms="nobody")
    member = sign_in(cast.member)
    for answer in (member.get(f"/bookings/{booked}/payer"), pay(member, booked, "me", 900)):
        assert answer.status_code == 409
        assert "Ici, on paie avant que la réservation compte." in answer.text
    assert quotes(app) == [("live", "agreement", 900, False)]

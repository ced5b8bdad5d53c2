"""An employer's own page and « Ce que voit mon employeur »: the same words, and nothing beyond them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from io import BytesIO

import pytest
from python_calamine import load_workbook
from sqlalchemy import select, text, update

from coworking.accounts.models import Organisation, OrganisationMember
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.membership.models import Agreement
from tests import factories
from tests.support.billing import use

TODAY = date(2026, 11, 24)
THIN = "\u202f"


@pytest.fixture
def durand(app, place, cast):
    """The employer of Anne and Karim, who speaks for it; Nadia speaks for another one."""
    with app.app_context():
        agreement = factories.make_agreement(halfdays=8)
        nadia = factories.make_person("Nadia", "Roux", "nadia@demo.example")
        with write_unit():
            db.session.execute(
                update(OrganisationMember)
                .where(OrganisationMember.person_id == cast.colleague.id)
                .values(is_contact=True)
            )
            other = Organisation(name="Papeterie Roux")
            db.session.add(other)
            db.session.flush()
            db.session.add(
                OrganisationMember(
                    organisation_id=other.id, person_id=nadia.id, since=factories.LONG_AGO, is_contact=True
                )
            )
        return Durand(app, place, cast, agreement.organisation_id, agreement.id, nadia)


class Durand:
    def __init__(self, app, place, cast, organisation_id, agreement_id, nadia) -> None:
        self.app, self.place, self.cast, self.nadia = app, place, cast, nadia
        self.id, self.agreement_id = organisation_id, agreement_id
        with app.app_context():
            self.public_id = db.session.get_one(Organisation, organisation_id).public_id
        self.page = f"/employer/{self.public_id}"

    def paid(self, person, day: date, **values):
        """A half-day that the employer pays."""
        with self.app.app_context():
            return use(self.place, person, day, agreement_id=self.agreement_id, organisation_id=self.id, **values).id

    def own(self, person, day: date, **values):
        """A half-day that the person pays."""
        with self.app.app_context():
            return use(self.place, person, day, **values).id

    def member(self, person) -> OrganisationMember:
        with self.app.app_context():
            return db.session.scalars(select(OrganisationMember).where(OrganisationMember.person_id == person.id)).one()

    def agree(self, browser) -> None:
        assert browser.post(f"/me/employer/{self.public_id}/dates", data={"shown": "yes"}).status_code == 303


def line(page: str, name: str) -> str:
    """What the page says of someone, its white space made single; without the form's token, another one each second."""
    part = page.split(f"<strong>{name}</strong>")[1].split("</li>")[0]
    return re.sub(r'name="csrf_token" value="[^"]+"', "", " ".join(part.split()))


def test_the_contact_reads_how_many_half_days_were_used_and_are_left(durand, cast, sign_in):
    durand.paid(cast.member, date(2026, 11, 3))
    durand.paid(cast.member, date(2026, 11, 5))
    page = sign_in(cast.colleague).get(durand.page).text
    said = line(page, "Anne Marchand")
    assert "<b>2</b> <span>demi-journées utilisées" in said
    assert "<b>6</b> <span>restantes" in said
    assert "2 demi-journées utilisées en novembre 2026, jusqu’à hier." in " ".join(page.split())


def test_bookings_to_come_show_nowhere_not_even_in_what_is_left(durand, cast, sign_in):
    contact, member = sign_in(cast.colleague), sign_in(cast.member)
    durand.agree(member)
    durand.paid(cast.member, date(2026, 11, 3))
    before = (line(contact.get(durand.page).text, "Anne Marchand"), contact.get(f"{durand.page}?as=csv").text)
    for ahead in (0, 1, 4):
        durand.paid(cast.member, TODAY + timedelta(days=ahead))
    durand.paid(cast.member, TODAY + timedelta(days=2), state="kept")
    assert (line(contact.get(durand.page).text, "Anne Marchand"), contact.get(f"{durand.page}?as=csv").text) == before


def test_days_that_people_pay_themselves_show_nowhere(durand, cast, sign_in):
    contact = sign_in(cast.colleague)
    durand.agree(sign_in(cast.member))
    before = contact.get(f"{durand.page}?as=csv").text
    durand.own(cast.member, date(2026, 11, 4))
    durand.own(cast.member, date(2026, 11, 5), hours=2)
    assert contact.get(f"{durand.page}?as=csv").text == before


def test_what_was_given_back_is_not_counted_and_what_was_cancelled_too_late_is(durand, cast, sign_in):
    durand.paid(cast.member, date(2026, 11, 3), state="released")
    durand.paid(cast.member, date(2026, 11, 4), state="kept")
    assert "<b>1</b> <span>demi-journée utilisée" in line(
        sign_in(cast.colleague).get(durand.page).text, "Anne Marchand"
    )


def test_dates_show_only_where_the_person_agreed_and_no_longer_when_they_take_it_back(durand, cast, sign_in):
    contact, member = sign_in(cast.colleague), sign_in(cast.member)
    durand.paid(cast.member, date(2026, 11, 3))
    assert "dates non montrées" in line(contact.get(durand.page).text, "Anne Marchand")
    assert "2026-11-03" not in contact.get(f"{durand.page}?as=csv").text
    durand.agree(member)
    durand.agree(member)  # twice is fine
    assert "mar. 3 nov." in line(contact.get(durand.page).text, "Anne Marchand")
    assert "2026-11-03" in contact.get(f"{durand.page}?as=csv").text
    assert "dates non montrées" in line(contact.get(durand.page).text, "Karim Benali"), "each agrees for themselves"
    member.post(f"/me/employer/{durand.public_id}/dates", data={"shown": "no"})
    assert "mar. 3 nov." not in contact.get(durand.page).text
    with durand.app.app_context():
        trail = list(db.session.scalars(select(AuditEntry.action).where(AuditEntry.action.contains("dates"))))
    assert trail == ["organisation.dates_shown", "organisation.dates_hidden"]


def test_no_hours_and_no_desks(durand, cast, sign_in):
    durand.agree(sign_in(cast.member))
    durand.paid(cast.member, date(2026, 11, 3))
    contact = sign_in(cast.colleague)
    for said in (contact.get(durand.page).text, contact.get(f"{durand.page}?as=csv").text):
        assert "Poste" not in said
        assert "matin" not in said
        assert f"9{THIN}h" not in said


def test_the_member_reads_exactly_what_the_contact_reads(durand, cast, sign_in):
    member, contact = sign_in(cast.member), sign_in(cast.colleague)
    for day in (date(2026, 11, 3), date(2026, 11, 5), date(2026, 11, 27)):
        durand.paid(cast.member, day)
    durand.own(cast.member, date(2026, 11, 6))
    for _agreed in range(2):
        seen, told = (browser.get(path).text for browser, path in ((contact, durand.page), (member, "/me/employer")))
        facts = [line(page, "Anne Marchand").split("</div>")[1].split("<details")[0].strip() for page in (seen, told)]
        assert facts[0] == facts[1]
        durand.agree(member)
    assert "Karim" not in member.get("/me/employer").text


def test_whoever_is_not_its_contact_finds_nothing(durand, cast, sign_in):
    agreement = _public_id_of_agreement(durand)
    member_id = durand.member(cast.member).id
    for person in (durand.nadia, cast.member, cast.stranger, cast.host, cast.accountant):
        browser = sign_in(person)
        assert browser.get(durand.page).status_code == 404
        assert browser.get(f"{durand.page}?as=csv").status_code == 404
        for path, data in (
            (f"members/{member_id}/end", {"last_day": "2026-11-24"}),
            (f"agreements/{agreement}/order-number", {"order_number": "X"}),
        ):
            assert browser.post(f"{durand.page}/{path}", data=data).status_code == 404
    assert durand.member(cast.member).until is None
    assert sign_in(cast.manager).get(durand.page).status_code == 200
    mine = sign_in(durand.nadia)
    ours = f"/employer/{_public_id(durand, 'Papeterie Roux')}"
    assert mine.get(ours).status_code == 200
    stranger = {"last_day": "2026-11-24"}
    assert mine.post(f"{ours}/members/{member_id}/end", data=stranger).status_code == 404, (
        "another organisation's member"
    )
    assert mine.post(f"{ours}/agreements/{agreement}/order-number", data={}).status_code == 404


def test_who_no_longer_speaks_for_it_finds_nothing(durand, cast, sign_in):
    contact = sign_in(cast.colleague)
    assert contact.get(durand.page).status_code == 200
    with durand.app.app_context(), write_unit():
        db.session.execute(
            update(OrganisationMember)
            .where(OrganisationMember.person_id == cast.colleague.id)
            .values(until=TODAY - timedelta(days=1))
        )
    assert contact.get(durand.page).status_code == 404
    assert contact.get("/employer").status_code == 404


def test_the_contact_ends_someone_from_today_on_and_never_herself_alone(durand, cast, sign_in):
    contact = sign_in(cast.colleague)
    end = f"{durand.page}/members/{durand.member(cast.member).id}/end"
    past = contact.post(end, data={"last_day": "2026-11-23"})
    assert past.status_code == 422
    assert "Choisissez aujourd’hui ou un jour suivant." in past.text
    assert 'value="2026-11-23"' in past.text
    assert contact.post(end, data={"last_day": "demain"}).status_code == 422
    assert durand.member(cast.member).until is None
    assert contact.post(end, data={"last_day": "2026-11-30"}).status_code == 303
    assert durand.member(cast.member).until == date(2026, 11, 30)
    page = contact.get(durand.page).text
    assert "Changer le dernier jour pour Anne Marchand" in page and 'value="2026-11-30"' in page
    assert contact.post(end, data={"last_day": "2026-12-31"}).status_code == 303, "a wrong day can be put right"
    assert durand.member(cast.member).until == date(2026, 12, 31)
    own = f"{durand.page}/members/{durand.member(cast.colleague).id}/end"
    alone = contact.post(own, data={"last_day": "2026-11-30"})
    assert alone.status_code == 409
    assert "Vous êtes son seul contact." in alone.text


def test_nobody_is_brought_back_by_a_later_last_day(durand, cast, sign_in, clock):
    contact, manager = sign_in(cast.colleague), sign_in(cast.manager)
    member = durand.member(cast.member).id
    assert contact.post(f"{durand.page}/members/{member}/end", data={"last_day": "2026-11-24"}).status_code == 303
    clock.now += timedelta(days=1)
    assert contact.post(f"{durand.page}/members/{member}/end", data={"last_day": "2027-11-24"}).status_code == 404
    assert manager.post(f"/organisations/{durand.public_id}/members/{member}/end").status_code == 404
    assert durand.member(cast.member).until == TODAY


def test_the_order_number_is_the_contact_s_to_change(durand, cast, sign_in):
    contact = sign_in(cast.colleague)
    path = f"{durand.page}/agreements/{_public_id_of_agreement(durand)}/order-number"
    assert contact.post(path, data={"order_number": "BC-2026-17"}).status_code == 303
    with durand.app.app_context():
        assert db.session.get_one(Agreement, durand.agreement_id).order_number == "BC-2026-17"
    assert "BC-2026-17" in contact.get(durand.page).text
    too_long = contact.post(path, data={"order_number": "9" * 61})
    assert too_long.status_code == 422
    assert "9" * 61 in too_long.text


def test_months_before_are_shown_for_two_years_and_none_to_come(durand, cast, sign_in):
    durand.paid(cast.member, date(2026, 10, 6))
    contact = sign_in(cast.colleague)
    before = contact.get(f"{durand.page}?month=2026-10").text
    assert "<b>1</b> <span>demi-journée utilisée" in line(before, "Anne Marchand")
    assert "restante<" not in before and "restantes<" not in before, "a month that is over leaves nothing"
    answers = {
        month: contact.get(f"{durand.page}?month={month}").status_code for month in ("2024-11", "2024-10", "2026-12")
    }
    assert answers == {"2024-11": 200, "2024-10": 404, "2026-12": 404}
    assert contact.get(f"{durand.page}?month=soon").status_code == 422


def test_people_who_left_stay_in_the_months_they_belonged_to(durand, cast, sign_in):
    durand.paid(cast.member, date(2026, 10, 6))
    with durand.app.app_context(), write_unit():
        db.session.execute(
            update(OrganisationMember)
            .where(OrganisationMember.person_id == cast.member.id)
            .values(until=date(2026, 10, 31))
        )
    contact = sign_in(cast.colleague)
    assert "Anne Marchand" not in contact.get(durand.page).text
    assert "Anne Marchand" in contact.get(f"{durand.page}?month=2026-10").text


def test_the_file_holds_what_the_page_shows(durand, cast, sign_in):
    durand.agree(sign_in(cast.member))
    durand.paid(cast.member, date(2026, 11, 3))
    durand.paid(cast.member, date(2026, 11, 3))
    contact = sign_in(cast.colleague)
    lines = contact.get(f"{durand.page}?as=csv").get_data().decode("utf-8-sig").split("\r\n")
    assert lines[0] == "Prénom;Nom;Premier jour;Dernier jour;Demi-journées utilisées;Demi-journées restantes;Dates"
    assert lines[2] == "Anne;Marchand;2026-01-01;;2;6;2026-11-03 (2)"
    book = load_workbook(BytesIO(contact.get(f"{durand.page}?as=xlsx").get_data()))
    assert book.get_sheet_by_index(0).to_python()[2][4:6] == [2, 6]


def test_who_only_speaks_for_an_organisation_lands_on_its_page(durand, cast, sign_in):
    nadia = sign_in(durand.nadia)
    assert nadia.get("/").headers["Location"] == "/employer"
    assert nadia.get("/employer").headers["Location"] == f"/employer/{_public_id(durand, 'Papeterie Roux')}"
    durand.paid(cast.colleague, date(2026, 11, 3))
    assert sign_in(cast.colleague).get("/").headers["Location"] == "/week", "who comes as well starts with the week"
    assert durand.page in sign_in(cast.colleague).get("/me").text
    assert durand.page not in sign_in(cast.member).get("/me").text
    assert sign_in(cast.member).get("/employer").status_code == 404


def test_only_the_person_decides_what_is_shown_of_them(durand, cast, sign_in):
    path = f"/me/employer/{durand.public_id}/dates"
    for person in (cast.stranger, durand.nadia, cast.manager):
        assert sign_in(person).post(path, data={"shown": "yes"}).status_code == 404
    sign_in(cast.colleague).post(path, data={"shown": "yes"})
    assert durand.member(cast.member).dates_shown_at is None
    assert sign_in(cast.member).post(path, data={"shown": "perhaps"}).status_code == 422
    assert durand.member(cast.member).dates_shown_at is None


def test_the_page_costs_the_same_however_many_there_are(durand, cast, sign_in, count_statements):
    contact = sign_in(cast.colleague)
    contact.get(durand.page)
    with count_statements() as few:
        contact.get(durand.page)
    with durand.app.app_context():
        people = [factories.make_person("Zoé", f"Petit{n}", f"zoe{n}@demo.example") for n in range(5)]
        with write_unit():
            db.session.add_all(
                OrganisationMember(organisation_id=durand.id, person_id=person.id, since=factories.LONG_AGO)
                for person in people
            )
    for person in people:
        durand.paid(person, date(2026, 11, 4))
    with count_statements() as many:
        contact.get(durand.page)
    assert len(many) == len(few)


def _public_id(durand, name: str) -> str:
    with durand.app.app_context():
        return db.session.scalars(select(Organisation.public_id).where(Organisation.name == name)).one()


def _public_id_of_agreement(durand) -> str:
    with durand.app.app_context():
        return db.session.get_one(Agreement, durand.agreement_id).public_id


# What it costs --------------------------------------------------------------------------------------------------------


def costing(durand, **terms) -> str:
    """Another agreement, by which Anne used three mornings that are over and has booked one that is to come."""
    with durand.app.app_context():
        agreement = factories.make_agreement(**terms)
    for day in (2, 3, 23, 25):
        made = date(2026, 11, day)
        with durand.app.app_context():
            use(durand.place, durand.cast.member, made, agreement_id=agreement.id, organisation_id=durand.id, cents=630)
    return agreement.public_id


def said(page: str) -> str:
    return " ".join(page.replace(THIN, " ").replace("\u00a0", " ").split())


def test_the_contact_reads_what_an_agreement_cost_and_may_come_to(durand, sign_in):
    costing(durand, cap_cents=30_000, cap_of="organisation", share_bp=7000, days_per_week=3, pays_rooms=True)
    page = said(sign_in(durand.cast.colleague).get(durand.page).text)
    assert "18,90 € en novembre 2026, jusqu’à hier." in page, "what is booked for tomorrow is not in it"
    assert "À ce rythme : environ" in page
    assert "18,90 € dépensés sur 300,00 €" in page
    assert "70 % de ce prix, le reste par la personne" in page
    assert "n’importe quel jour , 3 par semaine et par personne" in page or "3 par semaine et par personne" in page


def test_the_forecast_is_at_the_pace_of_the_days_that_are_over(durand, sign_in):
    costing(durand, cap_cents=2400, cap_of="organisation")
    page = said(sign_in(durand.cast.colleague).get(durand.page).text)
    assert "À ce rythme, la limite du mois sera atteinte." in page
    with durand.app.app_context(), write_unit():
        db.session.execute(text("UPDATE agreement SET cap_cents = 1890 WHERE cap_cents = 2400"))
    assert "La limite du mois est atteinte." in said(sign_in(durand.cast.colleague).get(durand.page).text)


def test_a_month_that_is_over_has_no_forecast(durand, sign_in):
    costing(durand)
    page = said(sign_in(durand.cast.colleague).get(durand.page + "?month=2026-10").text)
    assert "0,00 € en octobre 2026." in page
    assert "À ce rythme" not in page


def test_an_agreement_with_limits_of_euros_alone_is_not_said_to_be_without_limit(app, place, cast, sign_in):
    with app.app_context():
        agreement = factories.make_agreement(cap_cents=5000, cap_of="person")
        employer = db.session.get_one(Organisation, agreement.organisation_id).public_id
    page = said(sign_in(cast.manager).get(f"/employer/{employer}").text)
    assert "dans la limite convenue" in page
    assert "Au plus 50,00 € par mois pour chaque personne" in said(page.replace("<dt>", " ").replace("</dt><dd>", " "))

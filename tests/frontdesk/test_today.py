"""The host's day at the door."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from coworking.accounts.queries import person_by_email
from coworking.booking import services
from coworking.booking.message_models import PhoneCall
from coworking.booking.queries import day_bookings
from coworking.core import outbox
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.presence.queries import presences_on
from coworking.spaces import inventory
from coworking.spaces import services as spaces
from coworking.spaces.rules import Closing
from tests.factories import make_person

TUESDAY = date(2026, 11, 24)
DAY = frozenset({"am", "pm"})


@pytest.fixture
def morning(app, place, cast, clock):
    """Seven in the morning: two people have booked the day, one the afternoon; then it is half past ten."""
    clock.set(datetime(2026, 11, 24, 6, tzinfo=UTC))
    with app.app_context():
        services.book_half_days(cast.member.actor(), TUESDAY, DAY)
        services.book_half_days(cast.colleague.actor(), TUESDAY, DAY)
        services.book_half_days(cast.stranger.actor(), TUESDAY, frozenset({"pm"}))
        ids = {b.person_id: b.public_id for b in day_bookings(TUESDAY)}
    clock.set(datetime(2026, 11, 24, 9, 30, tzinfo=UTC))
    return {name: ids[getattr(cast, name).id] for name in ("member", "colleague", "stranger")}


def text(answer) -> str:
    return answer.get_data(as_text=True)


@pytest.mark.parametrize("who", ["member", "stranger", "accountant", "lead"])
def test_today_is_for_hosts_only(morning, cast, sign_in, who):
    browser = sign_in(getattr(cast, who))
    assert browser.get("/today").status_code == 403
    assert browser.post("/today/arrive", data={"booking": morning["member"]}).status_code == 403


def test_the_day_in_one_sentence(morning, cast, sign_in):
    host = sign_in(cast.host)
    assert "Personne n’est encore là, 3 à venir." in text(host.get("/today"))
    host.post("/today/arrive", data={"booking": morning["member"]})
    assert "1 personne est là, 2 à venir." in text(host.get("/today"))


def test_one_tap_in_and_one_tap_out(morning, cast, sign_in):
    host = sign_in(cast.host)
    page = text(host.post("/today/arrive", data={"booking": morning["member"]}, follow_redirects=True))
    assert "Anne Marchand est là." in page
    page = text(host.post("/today/leave", data={"person": cast.member.public_id}, follow_redirects=True))
    assert "Sortie de Anne Marchand" not in page


def test_who_is_late_and_who_comes_for_the_first_time_is_said(morning, cast, sign_in):
    page = text(sign_in(cast.host).get("/today"))
    assert "en retard" in page
    assert page.count("première visite") == 3


def test_a_wrong_tap_is_undone(app, morning, cast, sign_in):
    host = sign_in(cast.manager)
    host.post("/today/arrive", data={"person": cast.accountant.public_id})
    with app.app_context():
        (presence,) = presences_on(TUESDAY)
    page = text(host.post(f"/today/arrivals/{presence.public_id}/undo", follow_redirects=True))
    assert "Effacé" in page
    with app.app_context():
        assert presences_on(TUESDAY) == []


def test_a_check_in_is_undone_after_a_reload(app, morning, cast, sign_in):
    """The way back lives on Today and on the planning, not in a message that goes."""
    host = sign_in(cast.host)
    host.post("/today/arrive", data={"booking": morning["member"]})
    host.get("/today")
    with app.app_context():
        (presence,) = presences_on(TUESDAY)
    sheet = f"/today/arrivals/{presence.public_id}"
    assert f'href="{sheet}"' in text(host.get("/today"))
    assert f'action="{sheet}/undo"' in text(host.get(sheet))
    assert f'action="{sheet}/undo"' in text(host.get(f"/bookings/{morning['member']}"))
    assert f'action="{sheet}/undo"' not in text(sign_in(cast.member).get(f"/bookings/{morning['member']}"))
    answer = host.post(f"{sheet}/undo", data={"to": "planning"})
    assert answer.location.endswith("/planning")
    with app.app_context():
        assert presences_on(TUESDAY) == []
    assert host.post(f"{sheet}/undo").status_code == 404


def test_a_walk_in_through_booking_for_someone_is_undone(app, morning, cast, sign_in):
    host = sign_in(cast.host)
    page = text(host.post("/for-someone", data={"person": cast.lead.public_id, "here": "1"}, follow_redirects=True))
    with app.app_context():
        (presence,) = presences_on(TUESDAY)
        assert len(day_bookings(TUESDAY)) == 4
    assert f'action="/today/arrivals/{presence.public_id}/undo"' in page
    host.post(f"/today/arrivals/{presence.public_id}/undo")
    with app.app_context():
        assert len(day_bookings(TUESDAY)) == 3


def test_none_came_records_absences_and_can_be_undone(app, morning, cast, sign_in, clock):
    clock.set(datetime(2026, 11, 25, 8, tzinfo=UTC))
    host = sign_in(cast.host)
    page = text(host.get("/today"))
    units = list(dict.fromkeys(part.split('"')[0] for part in page.split('name="unit" value="')[1:]))
    page = text(host.post("/today/settle", data={"unit": units, "outcome": "absent"}, follow_redirects=True))
    assert "5 demi-journées\u202f: absences notées." in page and "confirmé" not in page
    undo = page.split('action="/today/settled/')[1].split('"')[0]
    page = text(host.post("/today/settled/" + undo, follow_redirects=True))
    assert "5 demi-journées à confirmer" in page


def test_the_evening_after_closing(app, morning, cast, sign_in, clock):
    """Whoever had a place until the lieu closed is not still here at night."""
    host = sign_in(cast.host)
    host.post("/today/arrive", data={"booking": morning["member"]})
    host.post("/today/arrive", data={"booking": morning["colleague"]})
    clock.set(datetime(2026, 11, 24, 20, 40, tzinfo=UTC))
    page = text(host.get("/today"))
    assert "Le lieu est fermé depuis 18" in page and "2 personnes sont venues aujourd’hui." in page
    assert "sont là" not in page and "Sans place" not in page and "Encore là" not in page
    assert 'Sortie non notée <span class="count">2<' in page and "Fermé depuis 18" in page
    assert "Poste 1 · depuis 10" in page and "Poste 2 · depuis 10" in page
    gone = text(host.post("/today/leave", data={"person": cast.member.public_id, "unseen": "1"}, follow_redirects=True))
    assert 'Sortie non notée <span class="count">1<' in gone


def test_whose_place_is_over_stays_or_has_left(app, morning, cast, sign_in, clock):
    host = sign_in(cast.host)
    host.post("/today/arrive", data={"person": cast.lead.public_id})  # walks in for the morning
    clock.set(datetime(2026, 11, 24, 12, 30, tzinfo=UTC))
    page = text(host.get("/today"))
    assert "Encore là" in page and "Personne n’est encore là" in page
    page = text(host.post("/today/arrive", data={"person": cast.lead.public_id}, follow_redirects=True))
    assert "Encore là" not in page and "1 personne est là" in page
    undo = page.split('action="/today/stays/')[1].split('"')[0]
    assert "Encore là" in text(host.post("/today/stays/" + undo, follow_redirects=True))
    host.post("/today/arrive", data={"person": cast.lead.public_id})
    page = text(host.post("/today/leave", data={"person": cast.lead.public_id, "unseen": "1"}, follow_redirects=True))
    assert "n’est plus là" in page


def test_what_is_booked_late_is_not_hours_late(app, place, cast, sign_in, clock):
    clock.set(datetime(2026, 11, 24, 15, 30, tzinfo=UTC))  # half past four: the afternoon began at one
    with app.app_context():
        services.book_half_days(cast.member.actor(), TUESDAY, frozenset({"pm"}))
    host = sign_in(cast.host)
    clock.advance(minutes=10)
    assert "en retard" not in text(host.get("/today"))
    clock.advance(minutes=10)
    page = text(host.get("/today"))
    assert "en retard" in page
    assert "16\u202fh\u202f30<small>en retard" in page  # since it was booked, not since the afternoon began


def test_who_left_at_eleven_is_expected_at_one(app, morning, cast, sign_in, clock):
    host = sign_in(cast.host)
    host.post("/today/arrive", data={"booking": morning["member"]})
    clock.set(datetime(2026, 11, 24, 10, tzinfo=UTC))
    page = text(host.post("/today/leave", data={"person": cast.member.public_id}, follow_redirects=True))
    row = page.split("Anne Marchand")[1]
    assert "undo" in page and "n’est plus là" in page and row


def test_yesterday_is_settled_in_two_taps(app, morning, cast, sign_in, clock):
    clock.set(datetime(2026, 11, 25, 8, tzinfo=UTC))
    host = sign_in(cast.host)
    page = text(host.get("/today"))
    assert "5 demi-journées à confirmer" in page
    units = list(dict.fromkeys(part.split('"')[0] for part in page.split('name="unit" value="')[1:]))
    page = text(host.post("/today/settle", data={"unit": units[:2], "outcome": "came"}, follow_redirects=True))
    assert "3 demi-journées à confirmer" in page


def test_what_failed_waits_for_the_host(app, morning, cast, sign_in, run_outbox):
    with app.app_context(), write_unit():
        outbox.enqueue("nobody-does-this", "k", {"to": "someone@demo.example"})
    run_outbox()
    host = sign_in(cast.host)
    page = text(host.get("/today"))
    assert "Un e-mail n’est pas arrivé" in page
    url = page.split("/dismiss")[0].rsplit('"', 1)[1] + "/dismiss"
    assert "Une lettre" not in text(host.post(url, follow_redirects=True))


def test_only_a_manager_dismisses_a_failed_return(app, morning, cast, sign_in):
    with app.app_context(), write_unit():
        row = outbox.OutboxRow(topic="network.send", key="2026-10", payload={}, state="failed", due_at=outbox.now())
        db.session.add(row)
        db.session.flush()
        url = f"/today/emails/{row.public_id}/dismiss"
    host, manager = sign_in(cast.host), sign_in(cast.manager)
    assert url not in host.get("/today").text
    assert host.post(url).status_code == 403
    assert url in manager.get("/today").text
    assert manager.post(url).status_code == 303
    assert url not in manager.get("/today").text


def test_a_page_that_has_not_changed_costs_two_statements(app, morning, cast, sign_in, count_statements):
    host = sign_in(cast.host)
    first = host.get("/today/live?day=2026-11-24")
    tag = first.headers["ETag"]
    with count_statements() as seen:
        again = host.get("/today/live?day=2026-11-24", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert len(seen) <= 2, seen
    host.post("/today/arrive", data={"booking": morning["member"]})
    assert host.get("/today/live?day=2026-11-24", headers={"If-None-Match": tag}).status_code == 200


def test_today_costs_the_same_however_many_come(app, place, cast, sign_in, count_statements, clock):
    host = sign_in(cast.host)
    clock.set(datetime(2026, 11, 24, 6, tzinfo=UTC))
    with app.app_context():
        services.book_half_days(cast.member.actor(), TUESDAY, DAY)
    host.get("/today")
    with count_statements() as few:
        host.get("/today")
    with app.app_context():
        for person in (cast.colleague, cast.stranger, cast.manager):
            services.book_half_days(person.actor(), TUESDAY, DAY)
    with count_statements() as many:
        host.get("/today")
    assert len(many) == len(few), f"{few}\n{many}"


def test_booking_for_a_member_takes_three_taps(app, morning, cast, sign_in):
    host = sign_in(cast.host)
    assert "Anne Marchand" in text(host.get("/for-someone?q=marchand"))
    page = text(
        host.post("/for-someone", data={"person": cast.lead.public_id, "when": "2026-11-26.day"}, follow_redirects=True)
    )
    assert "Solène Vernet, Poste 1, jeudi 26 novembre, toute la journée." in page


def test_booking_for_a_newcomer_takes_three_taps(app, morning, cast, sign_in):
    host = sign_in(cast.host)
    data = {"first_name": "Émile", "last_name": "Roussel", "when": "2026-11-26.am"}
    assert "Émile Roussel, Poste 1" in text(host.post("/for-someone", data=data, follow_redirects=True))


def test_a_missing_person_is_reported_and_other_choices_stay(app, morning, cast, sign_in):
    answer = sign_in(cast.host).post("/for-someone", data={"when": "2026-11-26.am"})
    assert answer.status_code == 422
    assert "Choisissez pour qui" in text(answer)
    assert 'value="2026-11-26.am" checked' in text(answer)


def test_someone_new_is_not_left_behind_when_the_booking_is_refused(app, morning, cast, sign_in):
    """Refused, nothing stays; the same name and address are booked at the second try."""
    host = sign_in(cast.host)
    who = {"first_name": "Émile", "last_name": "Roussel", "email": "emile@demo.example"}
    for wrong in ({"when": "2026-11-23.am"}, {"when": "2026-11-29.am"}, {"when": "2026-11-26.noon"}, {"when": "x.am"}):
        answer = host.post("/for-someone", data={**who, **wrong})
        assert answer.status_code == 422
        assert 'value="emile@demo.example"' in text(answer)
        with app.app_context():
            assert person_by_email("emile@demo.example") is None
            assert db.session.scalars(select(AuditEntry).where(AuditEntry.action == "person.created")).all() == []
    page = text(host.post("/for-someone", data={**who, "when": "2026-11-26.am"}, follow_redirects=True))
    assert "Émile Roussel, Poste 1" in page


def test_someone_new_for_a_room_that_is_taken(app, place, morning, cast, sign_in):
    host, room = sign_in(cast.host), place.rooms[0].public_id
    when = {"resource": room, "day": "2026-11-26", "from": "10:00", "to": "11:00"}
    crowded = host.post("/for-someone", data={**when, "person": cast.member.public_id, "guests": "90"})
    assert crowded.status_code == 422 and 'id="guests-err"' in crowded.text and 'value="90"' in crowded.text
    assert host.post("/for-someone", data={**when, "person": cast.member.public_id}).status_code == 303
    who = {"first_name": "Émile", "email": "emile@demo.example"}
    refused = host.post("/for-someone", data={**when, **who})
    assert refused.status_code == 409
    assert "Cabine" in text(refused), "what is free instead is said"
    with app.app_context():
        assert person_by_email("emile@demo.example") is None
    later = when | {"from": "11:00", "to": "12:00"}
    assert host.post("/for-someone", data={**later, **who}).status_code == 303


def test_a_newcomer_can_be_received_on_a_closed_day(app, morning, cast, sign_in):
    host = sign_in(cast.host)
    made = host.post("/for-someone", data={"first_name": "Émile", "email": "emile@demo.example", "here": "1"})
    assert made.status_code == 303
    assert "Émile" in text(host.get("/today"))
    taken = host.post("/for-someone", data={"first_name": "Émilie", "email": "emile@demo.example", "here": "1"})
    assert taken.status_code == 409
    assert "Émilie" not in text(host.get("/today"))


@pytest.mark.parametrize("unit", ["9" * 30, str(2**63), "-1", "0", "1.0", "un", "", "1\x00", "٣" * 30])
def test_what_cannot_be_a_booked_half_day_is_refused(morning, cast, sign_in, unit):
    answer = sign_in(cast.host).post("/today/settle", data={"unit": unit, "outcome": "came"})
    assert answer.status_code in {404, 422}


def test_who_has_no_e_mail_is_phoned_and_ticked(app, place, cast, sign_in, run_outbox):
    with app.app_context():
        jean = make_person("Jean", "Dupont", None, phone="06 12 34 56 78")
        jean_id = jean.id
        friday = date(2026, 11, 27)
        services.book_half_days(cast.host.actor(), friday, DAY, person=jean.public_id)
        services.book_half_days(cast.member.actor(), friday, DAY)
        spaces.add_closure(cast.manager.actor(), Closing(friday, friday, 14 * 60, 18 * 60, "Inventaire"))
    run_outbox()
    host = sign_in(cast.host)
    before = host.get("/today/live?day=2026-11-24").headers["ETag"]
    page = text(host.get("/today"))
    assert "Appeler Jean Dupont" in page and 'href="tel:0612345678"' in page and "Appeler Anne" not in page
    assert "Avait\u202f: Poste 1, ven. 27 nov., 9–18\u202fh." in page
    assert "Maintenant\u202f: Poste 1, ven. 27 nov., 9–13\u202fh." in page
    tick = "/today/calls/" + page.split('action="/today/calls/')[1].split('"')[0]
    assert sign_in(cast.member).post(tick).status_code == 403
    page = text(host.post(tick, follow_redirects=True))
    assert "Appeler Jean" not in page and "Jean Dupont\u202f: appel fait." in page
    assert host.get("/today/live?day=2026-11-24").headers["ETag"] != before
    host.post(tick)
    with app.app_context():
        call = db.session.scalars(select(PhoneCall)).one()
        assert (call.done_by_id, call.became) == (cast.host.id, "shortened")
        made = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "call.made")).one()
        assert (made.actor_id, made.person_id) == (cast.host.id, jean_id)
    host.post(tick + "/undo")
    assert "Appeler Jean Dupont" in text(host.get("/today"))
    assert host.post("/today/calls/" + "2" * 16).status_code == 404


def test_a_second_change_before_the_call_keeps_the_first_booking_on_the_list(app, place, cast, sign_in, run_outbox):
    friday = date(2026, 11, 27)
    with app.app_context():
        jean = make_person("Jean", "Dupont", None)
        services.book_half_days(
            cast.host.actor(), friday, DAY, person=jean.public_id, resource=place.desks[0].public_id
        )
        inventory.retire_resource(cast.manager.actor(), place.desks[0].public_id, TUESDAY)
    run_outbox()
    with app.app_context():
        spaces.add_closure(cast.manager.actor(), Closing(friday, friday, None, None, "Travaux"))
    run_outbox()
    page = text(sign_in(cast.host).get("/today"))
    assert page.count("Appeler Jean Dupont") == 1
    assert "Avait\u202f: Poste 1," in page and "C’est annulé." in page and "Aucun numéro" in page

"""A member who books for another one: in their name, on their account, and seeing nothing else of theirs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from coworking.accounts import booking_proxies, staff
from coworking.accounts.models import Person
from coworking.accounts.paper_models import PaperMessage
from coworking.accounts.proxy_models import BookingProxy
from coworking.billing import services as billing
from coworking.billing.models import Invoice
from coworking.booking import access, reminders
from coworking.booking import services as booking
from coworking.booking.models import Booking
from coworking.core.audit import AuditEntry
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.units import write_unit
from coworking.presence import services as presence
from coworking.pricing.models import Quote
from coworking.spaces.models import Lieu
from tests import factories
from tests.support.billing import OCTOBER, TODAY
from tests.support.emails import plain
from tests.support.threads import at_once

AM = frozenset({"am"})
TOMORROW = TODAY + timedelta(days=1)
THURSDAY = TODAY + timedelta(days=2)


@pytest.fixture
def odette(app, billing_lieu, run_outbox) -> Person:
    """A member without an e-mail address, who was here and owes for October, and for whom Karim books."""
    with app.app_context():
        factories.make_tariff()
        person = factories.make_person("Odette", "Faure", None, phone="06 12 34 56 78")
        billing_lieu.use(person, OCTOBER)
        billing.run(billing_lieu.manager, OCTOBER)
        booking.book_half_days(billing_lieu.cast.host.actor(), TODAY, AM, person=person.public_id)
    run_outbox()  # invoices leave
    return person


@pytest.fixture
def named(app, odette, billing_lieu, clock) -> str:
    clock.advance(days=1)
    with app.app_context():
        return _name(billing_lieu, odette).public_id


def _name(lieu, person, who: str = "stranger", *, gets_emails: bool = True) -> BookingProxy:
    proxy = getattr(lieu.cast, who)
    host = lieu.cast.host.actor()
    return booking_proxies.name(host, person.public_id, email=proxy.email, agreed_on=TODAY, gets_emails=gets_emails)


def _bookings(app, person, day) -> list[tuple[str, int | None]]:
    with app.app_context():
        rows = db.session.scalars(select(Booking).where(Booking.person_id == person.id, Booking.day == day))
        return [(row.status, row.created_by_id) for row in rows]


def _book(browser, person, day=THURSDAY, agreed="900", **more):
    data = {"day": day.isoformat(), "half": "am", "agreed": agreed} | more
    return browser.post(f"/for/{person.public_id}/book", data=data)


def test_the_proxy_reads_the_price_books_moves_and_cancels(app, odette, named, billing_lieu, sign_in):
    karim = billing_lieu.cast.stranger
    browser = sign_in(karim)
    assert f"/for/{odette.public_id}" in browser.get("/me").text
    assert f"/for/{odette.public_id}/offer" in browser.get(f"/for/{odette.public_id}").text
    offer = browser.get(f"/for/{odette.public_id}/offer?day={THURSDAY}&half=am").text
    assert "9,00" in offer and "payés par Odette Faure" in offer
    assert _book(browser, odette, agreed="100").status_code == 409  # another price than was read
    assert _bookings(app, odette, THURSDAY) == []
    assert _book(browser, odette).status_code == 303
    assert _bookings(app, odette, THURSDAY) == [("confirmed", karim.id)]
    with app.app_context():
        row = db.session.scalars(select(Booking).where(Booking.day == THURSDAY)).one()
        sheet, desk = f"/bookings/{row.public_id}", billing_lieu.place.desks[3]
        quote = db.session.scalars(select(Quote).where(Quote.day == THURSDAY)).one()
        assert (quote.person_id, quote.payer_person_id) == (odette.id, odette.id)
    page = browser.get(sheet).text
    assert "Odette Faure" in page and "€" not in page and "timeline" not in page
    moved = browser.post(f"{sheet}/move", data={"resource": desk.public_id})
    assert (moved.status_code, moved.headers["Location"]) == (303, f"/for/{odette.public_id}")
    assert browser.post(f"{sheet}/undo-move").status_code == 303
    assert browser.post(f"{sheet}/cancel").status_code == 303
    assert browser.post(f"{sheet}/undo").status_code == 303
    assert browser.post(f"{sheet}/cancel").status_code == 303
    with app.app_context():
        said = [(row.action, row.actor_id) for row in db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))]
    mine = [action for action, who in said if who == karim.id]
    assert mine == [
        "booking.made",
        "booking.moved",
        "booking.move_undone",
        "booking.cancelled",
        "booking.restored",
        "booking.cancelled",
    ]


def test_nothing_else_of_theirs_is_visible(app, odette, named, billing_lieu, sign_in):
    browser = sign_in(billing_lieu.cast.stranger)
    with app.app_context():
        invoice = db.session.scalars(select(Invoice.public_id).where(Invoice.payer_person_id == odette.id)).one()
        past = db.session.scalars(select(Booking.public_id).where(Booking.person_id == odette.id)).one()
    for path in (
        f"/invoices/{invoice}",
        f"/invoices/{invoice}.pdf",
        f"/payers/{odette.public_id}",
        f"/payers/{odette.public_id}/account.pdf",
        f"/bookings/{past}",  # over before he was named
        f"/bookings/{past}/move",
        f"/bookings/{past}/payer",
    ):
        assert browser.get(path).status_code == 404, path
    for path in (
        f"/people/{odette.public_id}",
        f"/people/{odette.public_id}/story",
        f"/people/{odette.public_id}/proxy",
    ):
        assert browser.get(path).status_code == 403, path
    page = browser.get(f"/for/{odette.public_id}").text
    for secret in ("06 12 34 56 78", "F2026-", past):
        assert secret not in page
    assert _book(browser, odette).status_code == 303
    with app.app_context():
        coming = db.session.scalars(select(Booking.public_id).where(Booking.day == THURSDAY)).one()
    assert browser.get(f"/bookings/{coming}").status_code == 200
    assert browser.get(f"/bookings/{coming}/payer").status_code == 404
    assert browser.post(f"/bookings/{coming}/payer", data={"payer": "employer"}).status_code == 404
    assert browser.get(f"/bookings/{coming}/pay").status_code == 404


def test_a_proxy_books_and_does_nothing_else(app, odette, named, billing_lieu):
    karim = billing_lieu.cast.stranger.actor()
    with app.app_context():
        made = booking.book_half_days(karim, THURSDAY, AM, person=odette.public_id)
        for act in (
            lambda: presence.arrive(karim, person=odette.public_id),
            lambda: presence.leave(karim, person=odette.public_id),
            lambda: presence.check_in(karim, made.public_id),
        ):
            with pytest.raises(NotFound):
                act()


@pytest.mark.parametrize("who", ["member", "colleague", "accountant", "lead"])
def test_for_everyone_else_there_is_nothing(app, odette, named, billing_lieu, sign_in, who):
    browser = sign_in(getattr(billing_lieu.cast, who))
    assert browser.get(f"/for/{odette.public_id}").status_code == 404
    assert browser.get(f"/for/{odette.public_id}/offer?day={THURSDAY}&half=am").status_code == 404
    assert _book(browser, odette).status_code == 404
    assert browser.post("/for/ended", data={"proxy": named}).status_code == 404
    assert browser.post(f"/people/{odette.public_id}/proxy", data={}).status_code == 403
    assert _bookings(app, odette, THURSDAY) == []


@pytest.mark.parametrize("ends", ["proxy", "host"])
def test_once_it_is_ended_the_proxy_is_a_stranger(app, odette, named, billing_lieu, sign_in, ends):
    browser = sign_in(billing_lieu.cast.stranger)
    assert _book(browser, odette).status_code == 303
    with app.app_context():
        made = db.session.scalars(select(Booking.public_id).where(Booking.day == THURSDAY)).one()
    for _ in range(2):
        if ends == "proxy":
            assert browser.post("/for/ended", data={"proxy": named}).status_code == 303
        else:
            assert sign_in(billing_lieu.cast.host).post(f"/people/{odette.public_id}/proxy/end").status_code == 303
    assert browser.get(f"/for/{odette.public_id}").status_code == 404
    assert _book(browser, odette, day=THURSDAY + timedelta(days=1)).status_code == 404
    assert browser.get(f"/bookings/{made}").status_code == 404
    for act in ("cancel", "move", "undo"):
        assert browser.post(f"/bookings/{made}/{act}").status_code == 404
    assert _bookings(app, odette, THURSDAY) == [("confirmed", billing_lieu.cast.stranger.id)]
    with app.app_context():
        ended = [row for row in db.session.scalars(select(AuditEntry)) if row.action == "proxy.ended"]
    assert len(ended) == 1


def test_naming_another_ends_the_former(app, odette, named, billing_lieu):
    with app.app_context():
        _name(billing_lieu, odette, "colleague")
        karim, lise = billing_lieu.cast.stranger.actor(), billing_lieu.cast.colleague.actor()
        assert (booking_proxies.acts_for(karim, odette.id), booking_proxies.acts_for(lise, odette.id)) == (False, True)


def test_sixteen_who_name_at_once_leave_one(app, odette, named, billing_lieu):
    def name() -> None:
        with app.app_context():
            _name(billing_lieu, odette)

    at_once([name] * 16)
    with app.app_context():
        live = select(BookingProxy).where(BookingProxy.ended_at.is_(None))
        assert len(db.session.scalars(live).all()) == 1


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"email": "personne@demo.example"}, "Aucun membre n’a cette adresse"),
        ({"email": "pas une adresse"}, "adresse"),
        ({"agreed_on": "2030-01-01"}, "encore à venir"),
        ({"agreed_on": "hier"}, "agreed_on-err"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_changed(app, odette, billing_lieu, sign_in, sent, said):
    good = {"email": billing_lieu.cast.stranger.email, "agreed_on": TODAY.isoformat(), "gets_emails": "1"}
    host = sign_in(billing_lieu.cast.host)
    answer = host.post(f"/people/{odette.public_id}/proxy", data=good | sent)
    assert answer.status_code == 422 and said in answer.text
    assert f'value="{(good | sent)["email"]}"' in answer.text
    with app.app_context():
        assert booking_proxies.proxy_of(odette.id) is None
    own = billing_lieu.cast.stranger
    answer = host.post(f"/people/{own.public_id}/proxy", data=good)
    assert answer.status_code == 422 and "sa propre adresse" in answer.text
    assert host.post(f"/people/{odette.public_id}/proxy", data=good).status_code == 303
    assert own.name in host.get(f"/people/{odette.public_id}/story").text
    assert own.name in host.get(f"/people/{odette.public_id}/proxy").text


def test_a_closed_account_neither_books_nor_is_booked_for(app, odette, named, billing_lieu, sign_in):
    browser = sign_in(billing_lieu.cast.stranger)
    with app.app_context():
        staff.deactivate(billing_lieu.manager, odette.public_id)
    assert browser.get(f"/for/{odette.public_id}").status_code == 404
    assert _book(browser, odette).status_code == 404


def test_the_proxy_gets_the_e_mails_where_the_team_said_so(
    app, odette, named, billing_lieu, sign_in, clock, run_outbox, mailbox
):
    karim = billing_lieu.cast.stranger
    before = len(mailbox())
    _book(sign_in(karim), odette)
    clock.advance(minutes=11)
    run_outbox()
    told = mailbox()[before:]
    assert [mail["To"] for mail in told] == [karim.email] * 2
    told = [mail for mail in told if mail["Subject"] != "Vous pouvez réserver pour Odette Faure"]
    assert told[0]["Subject"].replace("\u202f", " ").startswith("Odette Faure · Réservé")
    words = plain(told[0])
    assert "car vous réservez pour Odette Faure" in words and "€" not in words
    html = told[0].get_body(("html",)).get_content()
    assert "car vous réservez pour Odette Faure" in html
    with app.app_context():
        papers = db.session.scalars(select(PaperMessage.about)).all()
    assert "booking" not in papers[1:]  # that of the day before, on paper, was before he was named


def test_the_proxy_is_reminded_and_paper_never_is(
    app, odette, named, billing_lieu, sign_in, clock, run_outbox, mailbox
):
    _book(sign_in(billing_lieu.cast.stranger), odette)
    clock.advance(minutes=11)
    run_outbox()
    before = len(mailbox())
    clock.advance(hours=9)
    with app.app_context():
        assert reminders.send_due() == 1
    run_outbox()
    (told,) = mailbox()[before:]
    assert told["To"] == billing_lieu.cast.stranger.email and told["Subject"].startswith("Odette Faure")
    with app.app_context():
        booking_proxies.end(billing_lieu.cast.host.actor(), named)
        assert reminders.send_due() == 0


def test_without_that_choice_they_wait_to_be_printed(app, odette, billing_lieu, sign_in, clock, run_outbox, mailbox):
    with app.app_context():
        _name(billing_lieu, odette, gets_emails=False)
    before = len(mailbox())
    _book(sign_in(billing_lieu.cast.stranger), odette)
    clock.advance(minutes=11)
    run_outbox()
    assert [mail["Subject"] for mail in mailbox()[before:]] == ["Vous pouvez réserver pour Odette Faure"]
    with app.app_context():
        assert "booking" in db.session.scalars(select(PaperMessage.about)).all()


@pytest.mark.parametrize("act", ["book", "cancel"])
def test_what_ends_while_the_proxy_waits_for_the_lock_is_ended(app, odette, named, billing_lieu, monkeypatch, act):
    karim = billing_lieu.cast.stranger.actor()
    with app.app_context():
        made = booking.book_half_days(karim, THURSDAY, AM, person=odette.public_id)
        lock = access.lock_person

        def ended_meanwhile(person_id: int) -> Person:
            db.session.execute(update(BookingProxy).values(ended_at=now()))
            return lock(person_id)

        monkeypatch.setattr(access, "lock_person", ended_meanwhile)
        later = THURSDAY + timedelta(days=1)
        acts = {
            "book": lambda: booking.book_half_days(karim, later, AM, person=odette.public_id),
            "cancel": lambda: booking.cancel(karim, made.public_id),
        }
        with pytest.raises(NotFound):
            acts[act]()
    assert _bookings(app, odette, THURSDAY) == [("confirmed", karim.person_id)]


def test_what_must_be_paid_first_is_left_to_the_team(app, odette, named, billing_lieu, sign_in, gateway):
    with app.app_context(), write_unit():
        db.session.execute(update(Lieu).values(pay_first_desks="everyone"))
    answer = _book(sign_in(billing_lieu.cast.stranger), odette)
    assert answer.status_code == 409 and "Demandez à l’équipe" in answer.text
    assert _bookings(app, odette, THURSDAY) == []

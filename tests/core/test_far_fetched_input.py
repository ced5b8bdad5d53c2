"""Numbers, dates and characters that no page ever sends: every address answers with a 4xx or as if nothing was said."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select
from werkzeug.datastructures import ImmutableMultiDict

from coworking.accounts.models import Organisation
from coworking.api.schemas.bookings import NewBooking
from coworking.core.db import db
from coworking.core.forms import Form
from coworking.spaces.forms import read_rooms
from tests.factories import make_plan, make_tariff
from tests.support.forms import Page

HUGE = "9" * 40
NAMES = (
    "page",
    "day",
    "from",
    "to",
    "week",
    "month",
    "minutes",
    "people",
    "half",
    "view",
    "q",
    "code",
    "resource",
    "when",
)
WRONG = (
    HUGE,
    "-9" * 20,
    str(2**63),
    "99999-01-01",
    "9999-12-31",
    "0001-01-01",
    "a\x00b",
    "\ud7ff\ufffe",
    "%",
    "'",
    "1e309",
    "",
)


def pages(app):
    """Every address that is read."""
    return [
        rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and rule.endpoint != "static"
    ]


def filled(rule: str, part: str) -> str:
    """``rule`` with ``part`` in each of its places."""
    return re.sub(r"<any\(([^,)]*).*?>", r"\1", rule) if "any(" in rule else re.sub(r"<.*?>", part, rule)


class _Query(ImmutableMultiDict):
    """What came in a query, which remembers the names that were asked for; reading it as a whole asks for `NAMES`."""

    asked: set[str] = set()

    def __getitem__(self, name):
        self.asked.add(name)
        return super().__getitem__(name)

    def __contains__(self, name):
        self.asked.add(name)
        return super().__contains__(name)

    def getlist(self, name, *how):
        self.asked.add(name)
        return super().getlist(name, *how)

    def __iter__(self):
        self.asked.update(NAMES)
        return super().__iter__()

    def items(self, *how):
        self.asked.update(NAMES)
        return super().items(*how)


@pytest.fixture
def read_by(app, monkeypatch):
    """``read_by(browser)``: the pages without a part in their address, and which names of a query each reads."""

    def found(browser) -> dict[str, set[str]]:
        names: dict[str, set[str]] = {}
        with monkeypatch.context() as patched:
            patched.setattr(app.request_class, "parameter_storage_class", _Query)
            for rule in pages(app):
                if "<" in rule:
                    continue
                _Query.asked = names[rule] = set()
                for query in ({}, dict.fromkeys(NAMES, "2026-12-10"), dict.fromkeys(NAMES, "1")):
                    browser.get(rule, query_string=query)
        return {rule: asked for rule, asked in names.items() if asked}

    return found


def test_no_page_breaks_over_a_query(app, place, cast, sign_in, read_by):
    browser = sign_in(cast.manager)
    for rule, names in read_by(browser).items():
        for wrong in WRONG:
            assert browser.get(rule, query_string=dict.fromkeys(names, wrong)).status_code < 500, (rule, wrong)


def test_no_page_breaks_over_one_part_of_a_query(app, place, cast, sign_in, read_by):
    browser = sign_in(cast.manager)
    read = read_by(browser)
    assert read["/week"] and len(read) > 40
    for rule, names in read.items():
        for name in sorted(names):
            for wrong in (HUGE, "9999-12-31"):
                assert browser.get(rule, query_string={name: wrong}).status_code < 500, (rule, name, wrong)


@pytest.mark.parametrize("wrong", ["99999-01", "0000-00", HUGE, "a%00b", "%EF%BF%BE", "2026-13", "-1"])
def test_no_page_breaks_over_a_part_of_its_address(app, place, cast, sign_in, wrong):
    browser = sign_in(cast.manager)
    for rule in pages(app):
        if "<" in rule:
            assert browser.get(filled(rule, wrong)).status_code < 500, rule


@pytest.mark.parametrize("wrong", [HUGE, str(2**63)])
def test_a_number_too_large_for_the_database_is_404(app, place, cast, sign_in, wrong):
    browser = sign_in(cast.manager)
    with app.app_context():
        there = db.session.scalars(select(Organisation.public_id)).one()  # or that is what is not found
    rules = [rule for rule in app.url_map.iter_rules() if "<int:" in rule.rule]
    assert rules
    for rule in rules:
        address = re.sub(r"<int:.*?>", wrong, rule.rule).replace("<month>", "2026-10")
        ask = browser.get if "GET" in (rule.methods or ()) else browser.post
        assert ask(filled(address, there)).status_code == 404, address


FIELDS = (
    "unit", "day", "half", "from", "to", "month", "resource", "person", "first_name", "last_name", "email", "phone",
    "title", "guests", "when", "booking", "outcome", "employer", "name", "reason", "first_day", "last_day", "split",
    "seats", "buffer_after", "position", "horizon_days", "valid_from", "valid_until", "monthly", "halfdays", "beyond",
    "halfday", "plan", "until", "since", "desk", "room", "cents", "yearly", "code",
)  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_no_form_breaks_over_what_is_sent(app, place, cast, sign_in, wrong):
    browser = sign_in(cast.manager)
    form = dict.fromkeys(FIELDS, wrong)
    for rule in app.url_map.iter_rules():
        if "POST" not in (rule.methods or ()) or rule.rule.startswith("/api/"):
            continue
        address = filled(rule.rule, "2222222222222222")
        assert browser.post(address, data=form).status_code < 500, address
        if rule.endpoint in {"accounts.sign_out", "accounts.sign_out_everywhere"}:
            browser = sign_in(cast.manager)


PLAUSIBLE = {
    "name": "Chose", "reason": "Travaux", "label": "Clé", "person": "stranger@demo.example", "day": "2026-12-10",
    "from": "09:00", "to": "10:00", "first_day": "2026-12-20", "last_day": "2026-12-21", "valid_from": "2026-12-01",
    "since": "2026-11-01", "received_on": "2026-11-24", "cents": "10", "monthly": "60", "desk": "9", "room": "15",
    "unit_cents": "5", "quantity": "1", "seats": "3", "names": "Poste 9", "city": "Thiers", "postcode": "63300",
}  # fmt: skip
FORMS_ON = (
    "/settings/lieu", "/settings/hours", "/settings/closures", "/settings/spaces", "/settings/plans",
    "/settings/prices", "/organisations/new", "/people/new", "/for-someone?day=2026-12-10", "/rooms", "/me", "/me/plan",
    "/invoices/settings", "/invoices/month/2026-11/line", "/me/attestations", "/week",
)  # fmt: skip


@pytest.mark.parametrize("wrong", [HUGE, "9999-12-31", "0001-01-01", "a\r\nBcc: x@y.z", "a\x00b"], ids=repr)
def test_no_form_breaks_over_one_thing_in_it(app, place, cast, sign_in, wrong):
    """All the rest is plausible, so that nothing complains earlier."""
    browser = sign_in(cast.manager)
    with app.app_context():
        make_tariff()
        make_plan()
    rooms = [f"/rooms/{room.public_id}/book" for room in place.rooms]
    resources = [f"/settings/resources/{desk.public_id}" for desk in place.desks[:1]]
    person = f"/people/{cast.member.public_id}"
    sent: set[str] = set()
    for address in (*FORMS_ON, *rooms[:1], *resources, person, f"{person}/membership"):
        answer = browser.get(address)
        assert answer.status_code == 200, address
        for form in Page(address, answer.text).forms:
            if form.method != "post" or form.action in sent or {"password", "roles"} & form.fields.keys():
                continue
            if re.search(r"sign-out|deactivate|retire", form.action):
                continue
            sent.add(form.action)
            good = {name: held or PLAUSIBLE.get(name, "") for name, held in form.fields.items()}
            for name in good:
                told = browser.post(form.action, data=good | {name: wrong}).status_code
                assert told < 500, (form.action, name)
    assert len(sent) > 15


@pytest.mark.parametrize("number", ["9223372036854775808", "9" * 400, "9" * 5000])
def test_a_number_that_no_database_holds_leads_nowhere(app, place, cast, sign_in, number):
    browser = sign_in(cast.manager)
    for rule in app.url_map.iter_rules():
        if "<int:" in rule.rule:
            method = browser.post if "POST" in (rule.methods or ()) else browser.get
            path = re.sub(r"<.*?>", "2026-10", re.sub(r"<int:.*?>", number, rule.rule))
            assert method(path).status_code == 404, rule.rule


@pytest.mark.timeout(60)
def test_blanks_without_end_are_read_at_once(app, place):
    """A pattern that reads them again from every place needs hours for so many."""
    blanks = " " * 50_000
    instant = {"starts_at": "T00:00" * 50_000, "ends_at": "2026-11-26T09:00:00+01:00", "kind": "desk"}
    with app.test_request_context():
        for text in (f"Salle{blanks}", f"{blanks}x{blanks}", blanks + "8"):
            assert read_rooms(Form({"rooms": text}), "rooms") == []
        assert "starts_at" in NewBooking().validate(instant)


@pytest.mark.parametrize(
    ("line", "room"),
    [
        ("Salle bleue 8", ("Salle bleue", 8)),
        (" Salle bleue, 8 places", ("Salle bleue", 8)),
        ("Salle 12 : 8", ("Salle 12", 8)),
        ("Cabine (1)", ("Cabine", 1)),
        ("Cabine\u202f: 1", ("Cabine", 1)),
        ("Salle bleue", None),
        ("Salle 1200", None),
        ("Salle 0", None),
        ("8", None),
        ("Salle8", None),
    ],
)
def test_a_room_and_its_seats_on_one_line(app, line, room):
    with app.test_request_context():
        assert read_rooms(Form({"rooms": line}), "rooms") == ([room] if room else [])

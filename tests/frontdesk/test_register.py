"""The day's register, as the team uses it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from coworking.booking import services
from coworking.booking.models import BookingUnit
from coworking.booking.queries import day_bookings
from coworking.core.db import db
from coworking.presence import services as presence
from coworking.presence.queries import presences_on
from coworking.statistics import services as statistics

TUESDAY = date(2026, 11, 24)
DAY = frozenset({"am", "pm"})


def wall(hour: int, minute: int = 0, day: int = 24, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour - 1, minute, tzinfo=UTC)


@pytest.fixture
def yesterday(app, place, cast, clock):
    """On Tuesday the member and the colleague had the day; the colleague came at nine. It is Wednesday morning."""
    clock.set(wall(7))
    with app.app_context():
        services.book_half_days(cast.member.actor(), TUESDAY, DAY)
        services.book_half_days(cast.colleague.actor(), TUESDAY, DAY)
    clock.set(wall(9))
    with app.app_context():
        presence.arrive(cast.colleague.actor())
        ids = {unit.booking.person_id: [] for unit in db.session.scalars(select(BookingUnit))}
        for unit in db.session.scalars(select(BookingUnit).order_by(BookingUnit.starts_at)):
            ids[unit.booking.person_id].append(unit.id)
    clock.set(wall(9, day=25))
    return {name: ids[getattr(cast, name).id] for name in ("member", "colleague")}


def text(answer) -> str:
    return answer.get_data(as_text=True)


def outcomes(app, person) -> list[str]:
    with app.app_context():
        return [unit.outcome for b in day_bookings(TUESDAY) if b.person_id == person.id for unit in b.units]


def undo_of(page: str) -> str:
    return re.search(r'action="([^"]+/undo)"', page).group(1)


@pytest.mark.parametrize("who", ["member", "accountant", "lead"])
def test_the_register_is_the_team_s(yesterday, cast, sign_in, who):
    browser = sign_in(getattr(cast, who))
    assert browser.get("/register?day=2026-11-24").status_code == 403
    for address in ("/register/settle", "/register/arrivals", "/register/settled/1/undo"):
        assert browser.post(address, data={"day": "2026-11-24"}).status_code == 403


def test_it_is_reached_from_yesterday_s_line_and_the_planning(yesterday, cast, sign_in):
    host = sign_in(cast.host)
    assert 'href="/register?day=2026-11-24"' in text(host.get("/today"))
    assert 'href="/register?day=2026-11-24"' in text(host.get("/planning?day=2026-11-24"))
    page = text(host.get("/register?day=2026-11-24"))
    assert "1 personne est venue, 2 à confirmer." in page
    assert "à partir de 9" in page


def test_a_day_without_arrivals_does_not_say_that_it_has_no_bookings(app, place, cast, sign_in, clock):
    clock.set(wall(7))
    with app.app_context():
        services.book_half_days(cast.member.actor(), TUESDAY, DAY)
    page = text(sign_in(cast.host).get("/register?day=2026-11-24"))
    assert "Personne n’est encore venu, 1 personne attendue." in page
    assert "Ni réservation" not in page


def test_first_words_and_the_way_back(app, yesterday, cast, sign_in):
    host = sign_in(cast.host)
    data = {"day": "2026-11-24", "unit": yesterday["member"], "outcome": "absent"}
    page = text(host.post("/register/settle", data=data, follow_redirects=True))
    assert "2 demi-journées\u202f: absences notées." in page
    assert outcomes(app, cast.member) == ["absent", "absent"]
    assert "Effacé" in text(host.post(undo_of(page), follow_redirects=True))
    assert outcomes(app, cast.member) == ["pending", "pending"]


def test_a_correction_wants_its_reason_and_keeps_what_was_typed(app, yesterday, cast, sign_in):
    host = sign_in(cast.host)
    data = {"day": "2026-11-24", "unit": yesterday["colleague"][1], "outcome": "absent"}
    refused = host.post("/register/settle", data=data)
    assert refused.status_code == 422
    assert "Dites en quelques mots" in text(refused) and "<details open>" in text(refused)
    assert outcomes(app, cast.colleague) == ["came", "came"]
    long = host.post("/register/settle", data=data | {"reason": "x" * 201})
    assert long.status_code == 422 and "x" * 201 in text(long)
    host.post("/register/settle", data=data | {"reason": "Parti à midi"})
    assert outcomes(app, cast.colleague) == ["came", "absent"]


def test_a_forgotten_arrival_is_added_without_a_script(app, yesterday, cast, sign_in):
    host = sign_in(cast.host)
    found = text(host.get("/register?day=2026-11-24&q=" + cast.stranger.last_name))
    assert cast.stranger.public_id in found
    data = {"day": "2026-11-24", "person": cast.stranger.public_id, "from": "9h30", "to": "17:00"}
    refused = host.post("/register/arrivals", data=data)
    assert refused.status_code == 422 and 'value="9h30"' in text(refused)
    nobody = host.post("/register/arrivals", data=data | {"person": "", "reason": "Oubli"})
    assert nobody.status_code == 422 and "Choisissez qui" in text(nobody)
    odd = host.post("/register/arrivals", data=data | {"from": "x", "reason": "Oubli"})
    assert odd.status_code == 422
    assert host.post("/register/arrivals", data=data | {"reason": "Oubli"}).status_code == 303
    with app.app_context():
        assert [row.person_id for row in presences_on(TUESDAY)] == [cast.colleague.id, cast.stranger.id]
    assert "9:30–17:00" in text(host.get("/register?day=2026-11-24")).replace("h", ":").replace("\u202f", "").replace(
        "\u00a0", ""
    ) or "17" in text(host.get("/register?day=2026-11-24"))


def test_a_closed_month_is_a_manager_s(app, yesterday, cast, sign_in, clock):
    clock.set(wall(12, day=12, month=12))
    with app.app_context():
        statistics.close(cast.manager.actor(), TUESDAY)
    page = text(sign_in(cast.host).get("/register?day=2026-11-24"))
    assert "un·e gestionnaire peut le corriger" in page and "register/settle" not in page
    page = text(sign_in(cast.manager).get("/register?day=2026-11-24"))
    assert "relevé rectificatif" in page and "envoyés au réseau" in page
    data = {"day": "2026-11-24", "unit": yesterday["member"], "outcome": "came", "reason": "Cahier relu"}
    assert sign_in(cast.host).post("/register/settle", data=data).status_code == 403
    assert sign_in(cast.manager).post("/register/settle", data=data).status_code == 303


@pytest.mark.parametrize(
    "address", ["/register/settled/9223372036854775808/undo", "/today/settled/99999999999999999999/undo"]
)
def test_a_moment_no_clock_shows_is_nothing(yesterday, cast, sign_in, address):
    assert sign_in(cast.host).post(address).status_code in {404, 409}


def test_the_register_costs_the_same_however_many_come(app, yesterday, cast, sign_in, count_statements):
    host = sign_in(cast.host)
    host.get("/register?day=2026-11-24")
    with count_statements() as few:
        host.get("/register?day=2026-11-24")
    for person in (cast.stranger, cast.manager, cast.lead):
        data = {"day": "2026-11-24", "person": person.public_id, "from": "10:00", "reason": "Oubli"}
        host.post("/register/arrivals", data=data)
    host.get("/register?day=2026-11-24")
    with count_statements() as many:
        host.get("/register?day=2026-11-24")
    assert len(many) == len(few), f"{few}\n{many}"

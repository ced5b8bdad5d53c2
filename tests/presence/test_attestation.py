"""The attestation de présence: what it counts, who may ask for it and read it, and how anyone tells a genuine one."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
import rfc8785
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from coworking.accounts.models import Organisation, OrganisationMember, Throttle
from coworking.booking import services
from coworking.booking.placing import Request, RequestedItem
from coworking.core import guards
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import SYSTEM
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.presence import attestation, pdf, settling
from coworking.presence import services as presence
from coworking.presence.attested import (
    AttestedDay,
    AttestedMonthToCome,
    BookedHalf,
    DesklessPresence,
    EmployerUnknown,
    NothingToAttest,
    attested_days,
    normal_code,
)
from coworking.presence.models import Attestation, Presence
from coworking.spaces.models import Lieu

TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (24, 25, 26))
NOVEMBER, DAY = date(2026, 11, 1), frozenset({"am", "pm"})


def wall(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour - 1, minute, tzinfo=UTC)


def counted(person) -> dict[date, dict[str, str]]:
    found = attestation.days_of(person.id, NOVEMBER, date(2026, 11, 30))
    return {row.day: dict(row.halves) for row in found}


def stay(person, day: int, first: int, last: int | None, evidence: str = "self", booking=None) -> None:
    with write_unit():
        db.session.add(
            Presence(
                person_id=person.id,
                booking_id=booking.id if booking else None,
                day=date(2026, 11, day),
                arrived_at=wall(day, first),
                left_at=wall(day, last) if last else None,
                evidence=evidence,
            )
        )


@pytest.fixture
def people(inside, place, cast):
    with write_unit():
        db.session.get_one(Lieu, 1).siret = "12345678900012"
    return cast


@pytest.fixture
def came(people, clock):
    """Anne: Tuesday all day by herself, Wednesday morning said by the host, absent on Wednesday afternoon."""
    anne = people.member
    services.book_half_days(anne.actor(), TUESDAY, DAY)
    presence.arrive(anne.actor())
    morning = services.book_half_days(anne.actor(), WEDNESDAY, frozenset({"am"}))
    afternoon = services.book_half_days(anne.actor(), WEDNESDAY, frozenset({"pm"}))
    services.book_half_days(anne.actor(), THURSDAY, DAY)
    clock.set(wall(26, 8))
    settling.settle(people.host.actor(), [unit.id for unit in morning.units], "came")
    settling.settle(people.host.actor(), [unit.id for unit in afternoon.units], "absent")
    return anne


# What counts ----------------------------------------------------------------------------------------------------------

SPLIT = {TUESDAY: wall(24, 13)}


@pytest.mark.parametrize(
    ("arrived", "until", "halves"),
    [
        (wall(24, 9), None, {"am"}),
        (wall(24, 9), wall(24, 12), {"am"}),
        (wall(24, 9), wall(24, 13), {"am"}),
        (wall(24, 9), wall(24, 13, 1), {"am", "pm"}),
        (wall(24, 13), None, {"pm"}),
        (wall(24, 14), wall(24, 18), {"pm"}),
        (wall(24, 14), wall(24, 14), {"pm"}),
    ],
)
def test_a_presence_without_a_desk_counts_the_half_days_it_touches(arrived, until, halves):
    (row,) = attested_days([], [DesklessPresence(TUESDAY, arrived, until, "self")], SPLIT)
    assert set(row.halves) == halves


@pytest.mark.parametrize("outcome", ["absent", "pending", "unknown"])
def test_a_booked_half_day_follows_its_desk_alone(outcome):
    booked = [BookedHalf(TUESDAY, "am", outcome, None)]
    all_day = [DesklessPresence(TUESDAY, wall(24, 9), wall(24, 18), "self")]
    assert attested_days(booked, all_day, SPLIT) == [AttestedDay(TUESDAY, {"pm": "self"})]
    assert attested_days(booked, [], SPLIT) == []


def test_the_first_presence_tells_how_it_is_known():
    stays = [
        DesklessPresence(TUESDAY, wall(24, 11), None, "host"),
        DesklessPresence(TUESDAY, wall(24, 9), wall(24, 10), "qr"),
    ]
    assert attested_days([], stays, SPLIT) == [AttestedDay(TUESDAY, {"am": "qr"})]


def test_what_came_counts_and_nothing_else(came):
    assert counted(came) == {TUESDAY: {"am": "self", "pm": "self"}, WEDNESDAY: {"am": "host"}}


def test_only_the_presence_counts_of_a_desk_cancelled_while_in_use(people, clock):
    booking = services.book_half_days(people.member.actor(), TUESDAY, DAY)
    presence.arrive(people.member.actor())
    assert counted(people.member) == {TUESDAY: {"am": "self", "pm": "self"}}
    services.cancel(people.host.actor(), booking.public_id)
    assert counted(people.member) == {TUESDAY: {"am": "self"}}


def test_a_walk_in_for_whom_no_desk_was_free_counts(people):
    stay(people.stranger, 24, 9, None)
    stay(people.stranger, 25, 11, 16, "host")
    assert counted(people.stranger) == {TUESDAY: {"am": "self"}, WEDNESDAY: {"am": "host", "pm": "host"}}


def test_a_meeting_counts_to_its_end(people, place):
    span = Span(wall(25, 11), wall(25, 15))
    meeting = services.book(people.member.actor(), Request(span, (RequestedItem(resource=place.rooms[0].public_id),)))
    stay(people.member, 25, 11, None, booking=meeting)
    assert counted(people.member) == {WEDNESDAY: {"am": "self", "pm": "self"}}


def test_staying_at_one_s_desk_beyond_what_was_booked_counts_what_was_stayed(people, clock):
    booking = services.book_half_days(people.member.actor(), TUESDAY, frozenset({"am"}))
    presence.arrive(people.member.actor())
    clock.set(wall(24, 15))
    presence.leave(people.member.actor())
    assert counted(people.member) == {TUESDAY: {"am": "self", "pm": "self"}}
    assert booking.units[0].half == "am"


def test_a_date_the_calendar_does_not_know_is_parted_at_one(people):
    with write_unit():
        for hour in (8, 14):
            at = datetime(2025, 6, 2 + hour, hour, tzinfo=UTC)
            db.session.add(
                Presence(person_id=people.member.id, day=at.date(), arrived_at=at, left_at=at, evidence="import")
            )
    found = attestation.days_of(people.member.id, date(2025, 6, 1), date(2025, 6, 30))
    assert [dict(row.halves) for row in found] == [{"am": "import"}, {"pm": "import"}]


# Issuing --------------------------------------------------------------------------------------------------------------


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


def test_codes_are_long_and_read_aloud():
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


# The PDF --------------------------------------------------------------------------------------------------------------

GOLDEN = {
    "fr": """\
La Fabrique du Pont
4 rue du Pont, 63300 Thiers
SIRET 123 456 789 00012
Attestation de présence
du 1er au 26 novembre 2026
Personne Anne Marchand
Employeur Coutellerie Durand SA
Présence 3 demi-journées, 2 jours
La Fabrique du Pont atteste que la personne nommée ci-dessus était présente dans ses locaux aux demi-journées \
ci-dessous. À côté de chacune, comment on le sait.
Date Matin Après-midi
mardi 24 novembre déclarée par la personne déclarée par la personne
mercredi 25 novembre vue par l’accueil –
Fait à Thiers, le 26 novembre 2026, à la demande de la personne.
Pour La Fabrique du Pont : nom, qualité et signature
{code}
Toute personne qui a ce document peut le vérifier sur lieu.test/verify avec ce code.
Elle indique une présence, pas un temps de travail.
""",
    "en": """\
La Fabrique du Pont
4 rue du Pont, 63300 Thiers
SIRET 123 456 789 00012
Attendance certificate
1 to 26 November 2026
Person Anne Marchand
Employer Coutellerie Durand SA
Presence 3 half-days, 2 days
La Fabrique du Pont attests that the person named above was present on its premises on the half-days below. Beside each \
stands how it is known.
Date Morning Afternoon
Tuesday 24 November declared by the person declared by the person
Wednesday 25 November seen by the host –
Made in Thiers on 26 November 2026, at the person’s own request.
For La Fabrique du Pont: name, function and signature
{code}
Anyone who has this document can verify it at lieu.test/verify with this code.
It states presence, not working time.
""",
}


def words(page: str) -> str:
    """The text of a PDF, a line for each block of it."""
    body = re.sub(r"<svg.*?</svg>", "", page[page.index("<body") :], flags=re.S)
    body = re.sub(r"</(p|div|tr|h1)>|<br>", "\n", re.sub(r"\s+", " ", re.sub(r">\s+<", "> <", body)))
    body = re.sub(r"<[^>]+>", " ", body).replace("\u00a0", " ").replace("\u202f", " ")
    return "".join(f"{' '.join(line.split())}\n" for line in body.splitlines() if line.strip())


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_pdf_reads(came, locale):
    employer = db.session.scalars(select(Organisation)).one()
    made = attestation.issue(came.actor(), NOVEMBER, employer=employer.public_id)
    page = pdf.page(attestation.statement_of(made), locale)
    assert words(page) == GOLDEN[locale].format(code=made.code)
    assert "<svg" in page and "style=" not in page


# Pages ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def here(app, place, cast):
    """Anne came this morning."""
    with app.app_context():
        presence.arrive(cast.member.actor())
    return cast


def ask(browser, **form):
    return browser.post("/me/attestations", data={"month": "2026-11", **form})


def test_one_asks_reads_and_downloads_one_s_own(here, sign_in):
    browser = sign_in(here.member)
    assert "Mes attestations de présence" in browser.get("/me").text
    assert "novembre 2026" in browser.get("/me/attestations").text
    made = ask(browser)
    assert made.status_code == 303
    page = browser.get(made.location).text
    assert "1 demi-journée, 1 jour" in page
    assert "Coutellerie" not in page
    assert made.location in browser.get("/me/attestations").text
    answer = browser.get(f"{made.location}/attestation.pdf")
    assert answer.mimetype == "application/pdf" and answer.data.startswith(b"%PDF")
    assert 'filename="attestation-presence-2026-11.pdf"' in answer.headers["Content-Disposition"]


def test_a_certificate_is_made_and_read_only_by_its_person(app, here, sign_in):
    location = ask(sign_in(here.member)).location
    for other in (here.colleague, here.stranger, here.host, here.manager, here.accountant, here.lead):
        browser = sign_in(other)
        for path in (location, f"{location}/attestation.pdf"):
            assert browser.get(path).status_code == 404
        assert location not in browser.get("/me/attestations").text
    for name in ("person", "person_id"):
        assert ask(sign_in(here.host), **{name: here.member.public_id}).status_code == 422
    with app.app_context():
        assert set(db.session.scalars(select(Attestation.person_id))) == {here.member.id}


def test_visitors_are_redirected_to_sign_in(client, place):
    for path in ("/me/attestations", "/me/attestations/abc", "/me/attestations/abc/attestation.pdf"):
        assert client.get(path).status_code == 302


def test_nothing_yet_teaches(app, place, cast, sign_in):
    page = sign_in(cast.stranger).get("/me/attestations").text
    assert "Aucune présence n’est encore notée" in page
    assert "Je suis là" in page and 'href="/week"' in page


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"month": "2026-10"}, "Aucune présence n’est notée ce mois-là"),
        ({"month": "2026-12"}, "Seul un mois commencé"),
        ({"month": ""}, "Écrivez un mois comme 2026-10"),
        ({"month": "2026-13"}, "Écrivez un mois comme 2026-10"),
        ({"month": "99999-01"}, "Écrivez un mois comme 2026-10"),
        ({"month": "1999-01"}, "Écrivez un mois comme 2026-10"),
        ({"month": "2026-11\x00"}, "Écrivez un mois comme 2026-10"),
        ({"employer": "nobody"}, "Choisissez une de vos organisations"),
    ],
)
def test_what_cannot_be_is_said(here, sign_in, form, said):
    answer = ask(sign_in(here.member), **form)
    assert answer.status_code == 422
    assert said in answer.text


def test_the_page_reads_a_bounded_number_of_statements(app, here, sign_in, clock, count_statements):
    browser = sign_in(here.member)
    ask(browser)
    with count_statements() as few:
        browser.get("/me/attestations")
    for days in range(1, 6):
        clock.set(wall(24, 9) + timedelta(days=days))
        with app.app_context():
            stay(here.member, 24 + days, 9, 10)
        ask(browser)
    with count_statements() as many:
        browser.get("/me/attestations")
    assert len(many) == len(few) <= 8, f"{few}\n{many}"


# Verifying ------------------------------------------------------------------------------------------------------------


def code_of(app) -> str:
    with app.app_context():
        return db.session.scalars(select(Attestation.code)).one()


def test_anybody_with_the_code_can_verify_an_attestation(app, here, sign_in, client):
    ask(sign_in(here.member))
    code = code_of(app)
    for typed in (code, code.upper(), code.replace("-", "")):
        answer = client.get(f"/verify/{typed}")
        assert answer.status_code == 200
        assert "Anne Marchand" in answer.text and "1 demi-journée" in answer.text
        assert answer.headers["X-Robots-Tag"] == "noindex"
    led = client.get("/verify", query_string={"code": code.replace("-", " ")})
    assert led.location == f"/verify/{code}"


@pytest.mark.parametrize("code", ["abcd-efgh-jkmn-pqrs", "%20", "a", "%00", "é" * 50, "-", "' OR 1=1"])
def test_a_wrong_code_is_said_clearly(here, client, code):
    answer = client.get(f"/verify/{code}")
    assert answer.status_code == 404
    assert "Aucune attestation ne porte ce code" in answer.text
    assert 'name="code"' in answer.text


def test_codes_are_tried_a_few_times_only(app, here, sign_in, client, clock):
    ask(sign_in(here.member))
    code = code_of(app)
    statuses = [client.get(f"/verify/wrong-{n}").status_code for n in range(25)]
    assert statuses[:20] == [404] * 20
    assert statuses[-1] == 429
    refused = client.get(f"/verify/{code}")
    assert refused.status_code == 429, "not even a right one is looked at"
    assert int(refused.headers["Retry-After"]) > 0
    assert "Anne" not in refused.text
    clock.advance(minutes=16)
    assert client.get(f"/verify/{code}").status_code == 200


def test_right_codes_are_never_counted(app, here, sign_in, client):
    ask(sign_in(here.member))
    code = code_of(app)
    assert {client.get(f"/verify/{code}").status_code for _ in range(30)} == {200}
    with app.app_context():
        assert {row.score for row in db.session.scalars(select(Throttle))} <= {0}

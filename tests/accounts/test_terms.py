"""Terms and house rules in dated versions, who accepted them and how; what people agree to, each change with its day."""

from __future__ import annotations

from datetime import timedelta
from zipfile import ZipFile

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from coworking.accounts import consents, erasing, my_data, terms, terms_queries
from coworking.accounts.models import OrganisationMember, Person
from coworking.accounts.rules import AgreedLater
from coworking.accounts.terms_models import ConsentChange, HouseText, TextAcceptance
from coworking.accounts.terms_rules import TextExists, TextsChanged, TextTooEarly, blocks_of
from coworking.booking.models import Booking
from coworking.core import guards
from coworking.core.audit import AuditEntry
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.units import write_unit
from tests import factories
from tests.support.threads import at_once

ANNE = {"first_name": "Anne", "last_name": "Duval", "email": "anne.duval@demo.example", "password": "une phrase courte"}
RULES = "# Calme\n\nPas d’appel dans le grand plateau.\n\n- On range sa tasse.\n- On éteint en partant."


@pytest.fixture
def today(app, place, cast):
    return now().date()


def _publish(cast, day, kind="rules", words=RULES, news=None) -> HouseText:
    return terms.publish(cast.manager.actor(), kind, text=words, news=news, from_day=day)


def _rows(model=TextAcceptance):
    return list(db.session.scalars(select(model).order_by(model.id)))


def _publish_by_form(browser, **changed):
    typed = {"kind": "rules", "from_day": "2026-12-01", "text": RULES, "news": "", "act": "preview"} | changed
    return browser.post("/settings/terms", data=typed)


def test_a_text_is_read_as_headings_points_and_paragraphs():
    kinds = [(block.kind, *block.lines) for block in blocks_of("\n## Un\nligne\nautre\n\n- a\n- b\n\n#\n---\nfin - là")]
    assert kinds == [("heading", "Un"), ("paragraph", "ligne", "autre"), ("list", "a", "b"), ("paragraph", "fin - là")]
    assert blocks_of(" \n# \n-") == []


def test_a_manager_sees_a_version_before_it_is_published(app, today, cast, sign_in, client):
    browser = sign_in(cast.manager)
    seen = _publish_by_form(browser, text=RULES + "\n\n<script>alert(1)</script>")
    assert seen.status_code == 200 and "Pas encore publié" in seen.text and "<li>On range sa tasse.</li>" in seen.text
    assert "<script>alert" not in seen.text
    assert "On range sa tasse." in _publish_by_form(browser, act="change").text
    with app.app_context():
        assert _rows(HouseText) == [], "a preview publishes nothing"

    assert _publish_by_form(browser, act="publish").status_code == 303
    again = _publish_by_form(browser, act="publish", text="autre chose")
    assert again.status_code == 409 and "autre chose" in again.text, "what was typed is still there"
    assert client.get("/terms/rules-2026-12-01").status_code == 200, "everybody reads it"
    assert "tasse" not in client.get("/terms").text, "it does not hold yet"
    assert client.get("/terms/rules-2026-12-02").status_code == 404
    assert "à venir" in browser.get("/settings/terms").text
    with app.app_context():
        assert [row.text for row in _rows(HouseText)] == [RULES]


@pytest.mark.parametrize(
    "changed", [{"from_day": "2026-11-23"}, {"from_day": "demain"}, {"text": "  "}, {"text": "a" * 60_001}]
)
def test_what_is_wrong_with_a_version_is_said(app, today, cast, sign_in, changed):
    answer = _publish_by_form(sign_in(cast.manager), act="publish", **changed)
    assert answer.status_code == 422 and "aria-invalid" in answer.text
    with app.app_context():
        assert _rows(HouseText) == []


def test_only_managers_publish(app, today, cast, sign_in):
    assert _publish_by_form(sign_in(cast.host), act="publish").status_code == 403
    with app.app_context():
        with pytest.raises(Forbidden):
            terms.publish(cast.host.actor(), "rules", text="…", news=None, from_day=today)
        _publish(cast, today)
        with pytest.raises(TextExists):
            _publish(cast, today)
        with pytest.raises(TextTooEarly):
            _publish(cast, today - timedelta(days=1))


@pytest.mark.parametrize(
    "statement", ["UPDATE house_text SET text = 'x'", "DELETE FROM house_text", "DELETE FROM text_acceptance"]
)
def test_the_database_keeps_what_was_published_and_accepted(app, today, cast, statement):
    with app.app_context():
        _publish(cast, today)
        terms.accept(cast.member.actor(), ["rules-2026-11-24"])
        with pytest.raises(IntegrityError) as refused, write_unit():
            db.session.execute(text(statement))
        assert guards.refused_by(refused.value) in {"house_text_append_only", "text_acceptance_append_only"}


def test_who_signs_up_accepts_what_was_shown(app, today, cast, client):
    with app.app_context():
        _publish(cast, today)
    assert 'name="accepts"' in client.get("/sign-up").text
    refused = client.post("/sign-up", data=ANNE | {"text": "rules-2026-11-24"})
    assert refused.status_code == 422 and "cochez la case" in refused.text and 'value="Duval"' in refused.text
    with app.app_context():
        _publish(cast, today, "terms")
    stale = client.post("/sign-up", data=ANNE | {"text": "rules-2026-11-24", "accepts": "1"})
    assert stale.status_code == 409 and "terms-2026-11-24" in stale.text
    with app.app_context():
        assert _rows() == [] and db.session.scalar(select(Person).where(Person.email == ANNE["email"])) is None

    shown = {"text": ["rules-2026-11-24", "terms-2026-11-24"], "accepts": "1"}
    assert client.post("/sign-up", data=ANNE | shown).status_code == 200
    assert client.post("/sign-up", data=ANNE | shown | {"email": cast.stranger.email}).status_code == 200
    with app.app_context():
        anne = db.session.scalars(select(Person).where(Person.email == ANNE["email"])).unique().one()
        assert [(row.person_id, row.way, row.agreed_on) for row in _rows()] == [(anne.id, "online", today)] * 2


def test_without_texts_nobody_is_asked(today, cast, client, sign_in):
    assert "accepts" not in client.get("/sign-up").text
    assert "/me/terms" not in sign_in(cast.member).get("/week").text


def test_a_member_is_asked_once_and_may_do_everything_before(app, today, cast, sign_in):
    with app.app_context():
        factories.make_tariff()
        _publish(cast, today)
    browser = sign_in(cast.stranger)
    for page in ("/week", "/me"):
        assert "accepter le règlement intérieur" in browser.get(page).text
    assert browser.post("/bookings", data={"day": "2026-11-25", "half": "am", "agreed": "900"}).status_code < 400
    with app.app_context():
        assert len(_rows(Booking)) == 1, "nothing is shut meanwhile"

    asked = browser.get("/me/terms?next=/week")
    assert "On range sa tasse." in asked.text and 'href="/week"' in asked.text
    unticked = browser.post("/me/terms", data={"text": "rules-2026-11-24", "next": "/week"})
    assert unticked.status_code == 422 and "cochez" in unticked.text
    done = browser.post("/me/terms", data={"text": "rules-2026-11-24", "accepts": "1", "next": "//evil.example"})
    assert done.status_code == 303 and done.location == "/me/agreements"
    assert browser.get("/me/terms").status_code == 303
    assert "accepter le règlement" not in browser.get("/week").text
    assert "24 novembre 2026" in browser.get("/me/agreements").text
    with app.app_context():
        assert len(_rows(Booking)) == 1


def test_another_version_is_asked_about_from_its_day_with_what_is_new(app, today, cast, sign_in, clock):
    later = today + timedelta(days=7)
    with app.app_context():
        _publish(cast, today)
        terms.accept(cast.member.actor(), ["rules-2026-11-24"])
        _publish(cast, later, words="Tout autre", news="- Les tasses")
        assert terms_queries.waiting_for(cast.member.id) == []
        with pytest.raises(TextsChanged):
            terms.accept(cast.member.actor(), [f"rules-{later}"])
    clock.advance(days=7)
    browser = sign_in(cast.member)
    asked = browser.get("/me/terms").text
    assert "<li>Les tasses</li>" in asked and "Tout autre" in asked
    late = browser.post("/me/terms", data={"text": "rules-2026-11-24", "accepts": "1"})
    assert late.status_code == 409, "the former version is not accepted any more"
    with app.app_context():
        terms.accept(cast.member.actor(), [f"rules-{later}"])
        terms.accept(cast.member.actor(), [f"rules-{later}"])
        assert [row.agreed_on for row in terms_queries.accepted_by(cast.member.id)] == [later, today]
        assert len(_rows()) == 2


def test_sixteen_acceptances_at_once_are_one(app, today, cast):
    with app.app_context():
        _publish(cast, today)
        actor = cast.member.actor()

    def accept() -> None:
        with app.app_context():
            terms.accept(actor, ["rules-2026-11-24"])

    at_once([accept] * 16)
    with app.app_context():
        assert len(_rows()) == 1


def test_a_host_writes_down_a_signature_and_takes_back_a_mistake(app, today, cast, sign_in):
    with app.app_context():
        _publish(cast, today)
        odette = factories.make_person("Odette", "Faure", None)
    page, browser = f"/people/{odette.public_id}/agreements", sign_in(cast.host)
    assert "pas encore accepté" in browser.get(f"/people/{odette.public_id}/story").text
    assert "On range sa tasse." in browser.get(f"{page}/paper").text
    later = browser.post(page, data={"signed_on": "2026-11-25"})
    assert later.status_code == 422 and "encore à venir" in later.text
    for _ in range(2):
        assert browser.post(page, data={"signed_on": "2026-11-20"}).status_code == 303
    assert f"signé sur papier le 20 novembre 2026, noté par {cast.host.name}" in browser.get(page).text
    with app.app_context():
        (row,) = _rows()
        assert (row.way, row.agreed_on.isoformat(), row.made_by_id) == ("paper", "2026-11-20", cast.host.id)
        assert not terms_queries.waiting_for(odette.id)

    assert browser.post(f"{page}/taken-back", data={"text": "rules-2026-11-24"}).status_code == 303
    assert browser.post(f"{page}/taken-back", data={"text": "rules-2026-11-24"}).status_code == 404
    with app.app_context():
        assert [row.way for row in _rows()] == ["paper", "mistake"], "what was said stays"
        assert terms_queries.accepted_by(odette.id) == [] and terms_queries.waiting_for(odette.id)
        assert terms_queries.accepted_counts() == {}
        actions = db.session.scalars(select(AuditEntry.action).where(AuditEntry.person_id == odette.id)).all()
        assert actions == ["text.accepted_on_paper", "text.paper_taken_back"]
    assert sign_in(cast.member).post(page, data={"signed_on": "2026-11-20"}).status_code == 403


def test_the_team_cannot_take_back_what_somebody_accepted_themselves(app, today, cast):
    with app.app_context():
        _publish(cast, today)
        terms.accept(cast.member.actor(), ["rules-2026-11-24"])
        with pytest.raises(NotFound):
            terms.take_back_paper(cast.host.actor(), cast.member.public_id, "rules-2026-11-24")
        with pytest.raises(AgreedLater):
            terms.accepted_on_paper(cast.host.actor(), cast.member.public_id, signed_on=today + timedelta(days=1))


def test_the_file_of_members_says_who_accepted_what_holds(app, today, cast, sign_in, clock):
    with app.app_context():
        _publish(cast, today)
        terms.accept(cast.member.actor(), ["rules-2026-11-24"])
    browser = sign_in(cast.manager)

    def lines() -> dict[str, str]:
        file = browser.get("/people?as=csv").get_data(as_text=True).lstrip("\ufeff")
        return {line.split(";")[2]: line.rsplit(";", 1)[1] for line in file.splitlines()}

    held = lines()
    assert held["E-mail"] == "Règlement intérieur accepté le"
    assert "2026" in held[cast.member.email] and held[cast.stranger.email] == ""
    with app.app_context():
        _publish(cast, today + timedelta(days=1))
    clock.advance(days=1)
    browser = sign_in(cast.manager)
    assert lines()[cast.member.email] == "", "another version holds since"


def test_each_change_of_a_consent_keeps_its_day_and_who_said_so(app, today, cast, sign_in, clock):
    member = cast.stranger
    browser = sign_in(member)
    browser.post("/me/consents", data={"given": "1"})
    browser.post("/me/consents", data={"given": "1"})
    assert "vous êtes d’accord depuis le 24 novembre 2026" in browser.get("/me/agreements").text
    clock.advance(days=1)
    page = f"/people/{member.public_id}/consents"
    assert sign_in(cast.host).post(page, data={"given": "0"}).status_code == 303
    with app.app_context():
        assert [(row.given, row.made_by_id) for row in _rows(ConsentChange)] == [
            (True, member.id),
            (False, cast.host.id),
        ]
        assert db.session.get_one(Person, member.id).visible_to_colleagues is False
        (entry,) = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "consent.withdrawn"))
        assert (entry.person_id, entry.actor_id) == (member.id, cast.host.id)
    told = browser.get("/me/agreements").text
    assert "noté par l’équipe" in told and cast.host.last_name not in told, "the member reads no name of the team"
    assert cast.host.name in sign_in(cast.host).get(f"/people/{member.public_id}/agreements").text


def test_ones_own_page_keeps_the_days_too(app, today, cast, sign_in):
    browser = sign_in(cast.stranger)
    typed = {"first_name": "Lise", "last_name": "B", "locale": "fr", "reminder": "never", "visible_to_colleagues": "1"}
    for sent in (typed, typed, {name: value for name, value in typed.items() if name != "visible_to_colleagues"}):
        assert browser.post("/me", data=sent).status_code == 303
    with app.app_context():
        assert [row.given for row in _rows(ConsentChange)] == [True, False]


def test_dates_shown_to_an_employer_are_a_consent(app, today, cast, sign_in):
    browser = sign_in(cast.member)
    with app.app_context():
        row = db.session.scalars(select(OrganisationMember).where(OrganisationMember.person_id == cast.member.id)).one()
        employer = row.organisation.public_id
    for shown in ("yes", "yes", "no"):
        browser.post(f"/me/employer/{employer}/dates", data={"shown": shown})
    with app.app_context():
        assert [(row.kind, row.given) for row in _rows(ConsentChange)] == [
            ("employer_dates", True),
            ("employer_dates", False),
        ]


def test_the_copy_holds_them_and_erasing_keeps_what_proves_a_contract(app, today, cast):
    with app.app_context():
        _publish(cast, today)
        terms.accept(cast.stranger.actor(), ["rules-2026-11-24"])
        consents.show_to_colleagues(cast.stranger.actor(), shown=True)
        held = ZipFile(my_data.copy_of(cast.stranger.actor(), cast.stranger.public_id)).read("data.json").decode()
        assert "rules-2026-11-24" in held and '"colleagues"' in held
        erasing.erase(cast.manager.actor(), cast.stranger.public_id)
        assert len(_rows()) == 1 and _rows(ConsentChange) == []
        with pytest.raises(NotFound):
            terms.accepted_on_paper(cast.host.actor(), cast.stranger.public_id, signed_on=today)

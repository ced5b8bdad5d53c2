"""Staff and other people's accounts: a permission story with the cast."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from coworking.accounts import rules, staff
from coworking.accounts.models import Person
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.errors import Forbidden
from coworking.core.policy import Role
from tests.factories import actor, make_person

LUC = {"first_name": "Luc", "last_name": "Moreau", "email": "luc@demo.example", "phone": "04 73 00 00 00"}


def _audit(app):
    with app.app_context():
        rows = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        return [(row.action, row.actor_id, row.person_id, row.details) for row in rows]


def _reload(app, person):
    with app.app_context():
        return db.session.get(Person, person.id)


@pytest.mark.parametrize("who", ["member", "colleague", "stranger", "accountant", "lead"])
def test_people_are_none_of_their_business(cast, place, sign_in, who):
    browser = sign_in(getattr(cast, who))
    target = cast.stranger.public_id
    for path in ("/people", "/people/new", f"/people/{target}"):
        assert browser.get(path).status_code == 403
    for path in ("/people/new", f"/people/{target}", f"/people/{target}/deactivate", f"/people/{target}/roles"):
        assert browser.post(path, data=LUC).status_code == 403


def test_a_visitor_is_asked_to_sign_in(client, cast, place):
    for path in ("/me", "/people", f"/people/{cast.member.public_id}"):
        assert client.get(path).status_code == 302


@pytest.mark.parametrize("public_id", ["nobodynobodynobo", "1", "x" * 500, "%00"])
def test_an_unknown_id_is_404(cast, place, sign_in, public_id):
    browser = sign_in(cast.host)
    assert browser.get(f"/people/{public_id}").status_code == 404
    for action in ("", "/invite", "/deactivate", "/reactivate"):
        assert browser.post(f"/people/{public_id}{action}", data=LUC).status_code == 404


def test_the_host_adds_someone_and_invites_them(app, cast, place, sign_in, run_outbox, mailbox):
    answer = sign_in(cast.host).post("/people/new", data=LUC | {"invite": "1"})
    assert answer.status_code == 303
    with app.app_context():
        luc = db.session.scalars(select(Person).where(Person.email == "luc@demo.example")).unique().one()
    assert answer.headers["Location"] == f"/people/{luc.public_id}"
    assert _audit(app) == [("person.created", cast.host.id, luc.id, {"invited": True})]
    run_outbox()
    (email,) = mailbox()
    assert email["To"] == "luc@demo.example"
    assert "/reset/" in email.get_body(("plain",)).get_content()


def test_someone_without_an_address_can_be_known_too(app, cast, place, sign_in):
    answer = sign_in(cast.host).post("/people/new", data={"first_name": "Odette"})
    assert answer.status_code == 303
    refused = sign_in(cast.host).post("/people/new", data={"first_name": "Odette", "invite": "1"})
    assert refused.status_code == 422
    assert "Ajoutez-en une d’abord." in refused.text


@pytest.mark.parametrize(
    ("wrong", "status", "said"),
    [
        ({"first_name": ""}, 422, "Écrivez un nom ici."),
        ({"email": "luc"}, 422, "Ce n’est pas une adresse e-mail."),
        ({"phone": "plus tard"}, 422, "Ce n’est pas un numéro"),
        ({"email": "Member@demo.example"}, 409, "Une autre personne du lieu a cette adresse."),
        ({"last_name": "x" * 81}, 422, "80 caractères au plus"),
    ],
)
def test_what_the_host_typed_is_still_there(app, cast, place, sign_in, wrong, status, said):
    answer = sign_in(cast.host).post("/people/new", data=LUC | wrong)
    assert answer.status_code == status
    assert said in answer.text
    assert (LUC | wrong)["last_name"] in answer.text
    with app.app_context():
        assert db.session.scalars(select(Person).where(Person.first_name == "Luc")).unique().all() == []


def test_the_host_changes_a_member_and_it_is_in_the_trail(app, cast, place, sign_in):
    member = cast.member
    answer = sign_in(cast.host).post(
        f"/people/{member.public_id}",
        data={"first_name": "Anne", "last_name": "Marchand", "email": "am@demo.example", "note": "clé n° 4"},
    )
    assert answer.status_code == 303
    assert _audit(app) == [("person.changed", cast.host.id, member.id, {"fields": ["email", "staff_note"]})]
    changed = _reload(app, member)
    assert (changed.email, changed.staff_note) == ("member@demo.example", "clé n° 4"), "the address waits"


def test_the_host_touches_no_one_with_a_role(app, cast, place, sign_in):
    """Or they could put their own address on the manager's account and ask for a new password."""
    browser, target = sign_in(cast.host), cast.manager.public_id
    assert 'name="email"' not in browser.get(f"/people/{target}").text
    for action in ("", "/invite", "/deactivate", "/reactivate", "/roles"):
        assert browser.post(f"/people/{target}{action}", data=LUC).status_code == 403
    assert _reload(app, cast.manager).email == "manager@demo.example"
    assert _audit(app) == []


def test_the_manager_gives_and_takes_roles(app, cast, place, sign_in):
    browser, target = sign_in(cast.manager), cast.member
    path = f"/people/{target.public_id}/roles"
    assert browser.post(path, data={"roles": ["host", "accountant"]}).status_code == 303
    assert _reload(app, target).roles == {Role.MEMBER, Role.HOST, Role.ACCOUNTANT}
    assert browser.post(path, data={"roles": ["host"]}).status_code == 303
    assert browser.post(path, data={"roles": ["host"]}).status_code == 303
    assert _audit(app) == [
        ("person.roles", cast.manager.id, target.id, {"before": [], "after": ["accountant", "host"]}),
        ("person.roles", cast.manager.id, target.id, {"before": ["accountant", "host"], "after": ["host"]}),
    ]
    assert browser.post(path, data={"roles": ["king"]}).status_code == 422
    assert _reload(app, target).roles == {Role.MEMBER, Role.HOST}


def test_the_last_manager_stays_one(app, cast, place, sign_in):
    browser, own = sign_in(cast.manager), cast.manager.public_id
    refused = browser.post(f"/people/{own}/roles", data={"roles": ["host"]})
    assert refused.status_code == 409
    assert "Donnez d’abord ce rôle à une autre personne." in refused.text
    assert browser.post(f"/people/{own}/deactivate").status_code == 409
    assert browser.post(f"/people/{cast.host.public_id}/roles", data={"roles": ["manager"]}).status_code == 303
    assert browser.post(f"/people/{own}/roles", data={}).status_code == 303
    assert browser.get("/people").status_code == 403


def test_a_closed_manager_does_not_count(app, cast, place, inside):
    second = make_person("Paul", "Rey", "paul@demo.example", "manager")
    staff.deactivate(actor(cast.manager), second.public_id)
    with pytest.raises(rules.LastManager):
        staff.set_roles(actor(cast.manager), cast.manager.public_id, frozenset())


def test_closing_an_account_signs_out_at_once_and_can_be_undone(app, cast, place, sign_in):
    theirs, host = sign_in(cast.member), sign_in(cast.host)
    assert theirs.get("/me").status_code == 200
    for _ in range(2):
        assert host.post(f"/people/{cast.member.public_id}/deactivate").status_code == 303
    assert theirs.get("/me").status_code == 302
    assert "Marchand" not in host.get("/people").text
    assert "Marchand" in host.get("/people?closed=1").text
    assert host.post(f"/people/{cast.member.public_id}/reactivate").status_code == 303
    assert theirs.get("/me").status_code == 302, "the old session stays ended"
    assert [entry[0] for entry in _audit(app)] == ["person.deactivated", "person.reactivated"]


def test_the_services_themselves_refuse_members(cast, inside):
    member, target = actor(cast.member), cast.stranger.public_id
    for attempt in (
        lambda: staff.create_person(member, first_name="Luc"),
        lambda: staff.set_roles(member, cast.member.public_id, frozenset({Role.MANAGER})),
        lambda: staff.set_roles(actor(cast.host), cast.host.public_id, frozenset({Role.MANAGER})),
        lambda: staff.deactivate(member, target),
        lambda: staff.reactivate(member, target),
        lambda: staff.invite(member, target),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_one_changes_what_is_ones_own_and_no_trail_is_kept(app, cast, place, sign_in):
    browser = sign_in(cast.member)
    zone = place.desks[0].zone_id
    page = browser.get("/me").text
    assert "Grand plateau" in page
    with app.app_context():
        from coworking.core import place as told

        wanted = next(row for row in told.zones() if row.id == zone)
    profile = {
        "first_name": "Anna",
        "last_name": "Marchand",
        "phone": "04 73 00 00 00",
        "locale": "en",
        "reminder": "sunday",
        "preferred_zone": wanted.public_id,
    }
    assert browser.post("/me", data=profile).status_code == 303
    me = _reload(app, cast.member)
    assert (me.name, me.locale, me.reminder) == ("Anna Marchand", "en", "sunday")
    assert (me.visible_to_colleagues, me.preferred_zone_id) == (False, zone)
    assert "What we know of you" in browser.get("/me").text
    assert _audit(app) == []

    refused = browser.post("/me", data=profile | {"first_name": "", "last_name": "Typed", "preferred_zone": "x"})
    assert refused.status_code == 422
    assert "Typed" in refused.text
    assert browser.post("/me", data=profile | {"preferred_zone": "nowhere"}).status_code == 422
    assert browser.post("/me", data=profile | {"reminder": "hourly"}).status_code == 422
    assert _reload(app, cast.member).name == "Anna Marchand"


def test_the_list_searches_and_turns_pages_in_the_same_number_of_statements(
    app, cast, place, sign_in, count_statements
):
    host = sign_in(cast.host)
    assert "Chassagne" in host.get("/people?q=MAELLE").text
    assert "Personne de ce nom" in host.get("/people?q=zzz").text
    with count_statements() as few:
        host.get("/people")
    with app.app_context():
        for n in range(60):
            make_person("Luc", f"Moreau {n:02}", f"luc{n}@demo.example")
    with count_statements() as many:
        first = host.get("/people?page=0").text
    assert len(many) == len(few)
    assert "Page 1 sur 2" in first
    assert host.get("/people?page=99").status_code == 200
    assert host.get("/people?page=x&q=%00").status_code == 200


HOME = {"address": " 3  rue des Forges ", "postcode": "63 300", "city": "Thiers"}


def test_where_invoices_go_is_ones_own_and_the_manager_s_to_write(app, cast, place, sign_in):
    assert sign_in(cast.member).post("/me/address", data=HOME).status_code == 303
    kept = _reload(app, cast.member)
    assert (kept.address, kept.postcode, kept.city) == ("3 rue des Forges", "63300", "Thiers")
    assert _audit(app) == [], "one's own choice"
    url = f"/people/{cast.member.public_id}/address"
    for who in (cast.host, cast.accountant, cast.stranger):
        assert sign_in(who).post(url, data=HOME).status_code == 403
    manager = sign_in(cast.manager)
    assert manager.post(url, data=HOME | {"city": "Volvic"}).status_code == 303
    assert manager.post(url, data=HOME | {"city": "Volvic"}).status_code == 303
    assert _audit(app) == [("person.changed", cast.manager.id, cast.member.id, {"fields": ["city"]})]
    assert 'value="Volvic"' in manager.get(f"/people/{cast.member.public_id}").text
    assert "Adresse sur les factures" not in sign_in(cast.host).get(f"/people/{cast.member.public_id}").text
    assert sign_in(cast.member).post("/me/address", data=dict.fromkeys(HOME, "")).status_code == 303
    assert _reload(app, cast.member).address is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"postcode": "6330"}, "cinq chiffres"), ({"postcode": "٦٣٣٠٠"}, "cinq chiffres"), ({"city": "x" * 121}, "120")],
)
def test_a_wrong_address_is_said_beside_what_was_typed(app, cast, place, sign_in, wrong, said):
    for who, url in ((cast.member, "/me/address"), (cast.manager, f"/people/{cast.member.public_id}/address")):
        answer = sign_in(who).post(url, data=HOME | wrong)
        assert answer.status_code == 422
        assert said in answer.text
        assert next(iter(wrong.values())) in answer.text
    assert _reload(app, cast.member).city is None


def test_the_address_of_an_unknown_person_is_404(cast, place, sign_in):
    assert sign_in(cast.manager).post("/people/nobodynobodynobo/address", data=HOME).status_code == 404

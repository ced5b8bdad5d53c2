"""A problem on a desk or room: reported in a few words, seen on Today, marked as resolved."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import select

from coworking.accounts import staff
from coworking.booking import problems, services
from coworking.booking.message_models import ProblemReport
from coworking.core import retention
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.spaces import inventory
from tests.support.threads import at_once

FRIDAY = date(2026, 11, 27)
LAMP = "La lampe clignote"


def text(answer) -> str:
    return answer.text.replace("\n", " ")


def report(browser, place, words=LAMP, **options):
    return browser.post(f"/places/{place.public_id}/problem", data={"words": words}, **options)


def tag(host) -> str:
    return host.get("/today/live?day=2026-11-24").headers["ETag"]


def rows(app) -> list[ProblemReport]:
    with app.app_context():
        return list(db.session.scalars(select(ProblemReport).order_by(ProblemReport.id)))


def test_a_member_reports_from_the_booking_and_the_host_resolves_it(app, place, cast, sign_in):
    desk = place.desks[0]
    with app.app_context():
        made = services.book_half_days(
            cast.member.actor(), FRIDAY, frozenset({"am"}), resource=desk.public_id
        ).public_id
    member, host = sign_in(cast.member), sign_in(cast.host)
    before = tag(host)
    assert f'href="/places/{desk.public_id}/problem"' in member.get(f"/bookings/{made}").text
    assert "Signaler le problème" in member.get(f"/places/{desk.public_id}/problem").text
    assert report(member, desk).status_code == 303
    came = tag(host)
    assert came != before
    page = text(host.get("/today"))
    assert (
        "Poste 1\u202f: 1 problème" in page
        and LAMP in page
        and "Anne Marchand, mar. 24 nov., 10\u202fh\u202f36" in page
    )
    [one] = rows(app)
    sheet = host.get(f"/places/{desk.public_id}/problem").text
    assert LAMP in sheet and "#retire" not in sheet
    manager = sign_in(cast.manager)
    assert f"/settings/resources/{desk.public_id}#retire" in manager.get(f"/places/{desk.public_id}/problem").text
    assert LAMP in manager.get(f"/settings/resources/{desk.public_id}").text
    done = {"report": one.public_id, "resolution": "Ampoule changée"}
    url = f"/places/{desk.public_id}/problem/resolve"
    assert member.post(url, data=done).status_code == 403
    page = text(host.post(url, data=done, follow_redirects=True))
    assert LAMP not in page and "Noté comme réglé." in page
    assert tag(host) != came
    text(manager.post(url, data=done, follow_redirects=True))
    [one] = rows(app)
    assert (one.resolved_by_id, one.resolution) == (cast.host.id, "Ampoule changée"), "the first who resolved it"
    sheet = host.get(f"/places/{desk.public_id}/problem").text
    assert "Réglé par Maëlle Chassagne" in sheet and "Ampoule changée" in sheet
    undo = re.search(r"/places/\w+/problem/resolved/\d+/undo", page)
    assert undo is not None
    assert "Noté" not in manager.post(undo[0], follow_redirects=True).text, "each takes back their own"
    assert LAMP not in manager.get("/today").text
    assert LAMP in host.post(undo[0], follow_redirects=True).text
    with app.app_context():
        trail = db.session.execute(
            select(AuditEntry.action, AuditEntry.actor_id, AuditEntry.person_id)
            .where(AuditEntry.subject_kind == "problem_report")
            .order_by(AuditEntry.id)
        ).all()
    assert trail == [
        ("problem.resolved", cast.host.id, cast.member.id),
        ("problem.reopened", cast.host.id, cast.member.id),
    ]


def test_reports_of_one_place_stand_together_at_one_statement(app, place, cast, sign_in, count_statements):
    host, room = sign_in(cast.host), place.rooms[0]
    host.get("/today")
    with count_statements() as none:
        host.get("/today")
    for who, words in ((cast.member, LAMP), (cast.colleague, "<b>Froid</b>"), (cast.host, "Chaise")):
        report(sign_in(who), room, words)
    report(sign_in(cast.stranger), place.desks[1], "Écran")
    with count_statements() as many:
        page = host.get("/today").text
    assert len(many) == len(none), f"{none}\n{many}"
    with count_statements() as seen:
        host.get("/today/live?day=2026-11-24", headers={"If-None-Match": tag(host)})
    assert sum("problem_report" in one for one in map(str, seen)) >= 1
    assert f"{room.name}\u202f: 3 problèmes" in text(host.get("/today")) and "Poste 2\u202f: 1 problème" in page
    assert "&lt;b&gt;Froid" in page
    some = [one.public_id for one in rows(app)[:2]]
    page = text(host.post(f"/places/{room.public_id}/problem/resolve", data={"report": some}, follow_redirects=True))
    assert LAMP not in page and "Chaise" in page and "Écran" in page
    other = rows(app)[3].public_id
    host.post(f"/places/{room.public_id}/problem/resolve", data={"report": other})
    assert "Écran" in host.get("/today").text, "a report of another place"


def test_members_see_only_their_own_reports(place, cast, sign_in):
    desk = place.desks[0]
    report(sign_in(cast.colleague), desk, "Vu par Karim")
    member = sign_in(cast.member)
    report(member, desk)
    sheet = member.get(f"/places/{desk.public_id}/problem").text
    assert LAMP in sheet and "Karim" not in sheet and "Marquer" not in sheet


@pytest.mark.parametrize("words", ["", " \x00\n ", "x" * 501])
def test_what_cannot_be_a_report_is_refused(app, place, cast, sign_in, words):
    answer = report(sign_in(cast.member), place.desks[0], words)
    assert answer.status_code == 422 and rows(app) == []


def test_control_characters_go_and_visitors_report_nothing(app, client, place, cast, sign_in):
    report(sign_in(cast.member), place.desks[0], "Bru\x00it\x1b")
    assert [one.words for one in rows(app)] == ["Bruit"]
    assert report(client, place.desks[0]).status_code in {302, 303, 401}
    assert len(rows(app)) == 1


def test_ten_wait_at_most_and_the_same_words_are_one(app, place, cast, sign_in):
    member, desk = sign_in(cast.member), place.desks[0]
    for number in range(10):
        assert report(member, desk, f"Panne {number}").status_code == 303
    assert report(member, desk, "Panne 3").status_code == 303
    answer = report(member, desk, "Panne 10")
    assert answer.status_code == 409 and "Parlez-en à l’équipe" in answer.text and "Panne 10" in answer.text
    assert len(rows(app)) == 10
    assert report(sign_in(cast.colleague), desk, "Panne 10").status_code == 303
    host = sign_in(cast.host)
    host.post(f"/places/{desk.public_id}/problem/resolve", data={"report": rows(app)[0].public_id})
    assert report(member, desk, "Panne 0").status_code == 303, "broken again"
    assert len(rows(app)) == 12


def test_a_place_that_is_gone_or_unknown_is_not_reported(app, place, cast, sign_in):
    member, desk = sign_in(cast.member), place.desks[0]
    with app.app_context():
        inventory.retire_resource(cast.manager.actor(), desk.public_id, date(2026, 11, 23))
    assert report(member, desk).status_code == 404
    assert member.get("/places/" + "2" * 16 + "/problem").status_code == 404
    host = sign_in(cast.host)
    assert host.post(f"/places/{desk.public_id}/problem/resolve", data={}).status_code == 422
    assert host.post(f"/places/{desk.public_id}/problem/resolved/{10**30}/undo").status_code == 404


def test_who_has_left_is_not_named_and_a_year_later_it_is_gone(app, place, cast, sign_in, clock):
    report(sign_in(cast.member), place.desks[0])
    with app.app_context():
        staff.deactivate(cast.manager.actor(), cast.member.public_id)
    host = sign_in(cast.host)
    page = text(host.get("/today"))
    assert LAMP in page and "une personne partie depuis" in page and "Anne Marchand" not in page
    host.post(f"/places/{place.desks[0].public_id}/problem/resolve", data={"report": rows(app)[0].public_id})
    clock.advance(days=364)
    with app.app_context():
        assert retention.purge("problems") == 0
    clock.advance(days=2)
    with app.app_context():
        assert retention.purge("problems") == 1
    assert rows(app) == []


def test_sixteen_taps_at_once_are_one_report_and_ten_words_stay_ten(app, place, cast):
    def tell(words: str) -> str:
        with app.app_context():
            try:
                return problems.report(cast.member.actor(), place.desks[0].public_id, words).public_id
            except problems.TooManyReports as error:
                return error.code

    same = at_once([lambda: tell(LAMP)] * 16)
    assert len(set(same)) == 1 and len(rows(app)) == 1
    answers = at_once([lambda number=number: tell(f"Panne {number}") for number in range(16)])
    assert answers.count("too_many_reports") == 7
    assert len(rows(app)) == problems.MOST_OPEN

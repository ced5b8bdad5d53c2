"""The six figures behind a link: no account, a month that is over, never rewritten, and nothing once the link is revoked."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from coworking.core.db import db
from coworking.core.errors import Gone
from coworking.core.units import snapshot, write_unit
from coworking.network.head import checks, enrolment, lieux, six_figures
from coworking.network.head.models import FIGURES, JOIN, ReceivedReturn
from coworking.network.head.overview import overview
from coworking.statistics.return_rules import check_return
from coworking.statistics.schema import SIX
from tests.network.conftest import NOVEMBER
from tests.network.head.figures import NUMBERS, TYPED
from tests.network.head.lieux import OCTOBER, plain, put
from tests.support.threads import at_once


class Page:
    """The page of « Chez Jeanne »: ``token`` opens it."""

    def __init__(self, app: Any, cast: Any) -> None:
        self.app, self.lead = app, cast.lead.actor()
        with app.app_context():
            self.lieu = put("Chez Jeanne")
            self.token = enrolment.invite(self.lead, self.lieu, FIGURES)
        self.path = f"/network/figures/{self.token}"
        self.browser = app.test_client()

    def get(self, query: str = "") -> Any:
        return self.browser.get(self.path + query)

    def send(self, **changes: str) -> Any:
        return self.browser.post(self.path, data=TYPED | changes)

    def rows(self) -> list[ReceivedReturn]:
        with self.app.app_context():
            return list(db.session.scalars(select(ReceivedReturn).order_by(ReceivedReturn.revision)))

    def do(self, act: Any, *arguments: Any, **named: Any) -> Any:
        with self.app.app_context():
            return act(*arguments, **named)


@pytest.fixture
def jeanne(app, place, cast):
    return Page(app, cast)


def test_it_asks_for_the_last_month_without_an_account_and_keeps_its_address_to_itself(jeanne):
    answer = jeanne.get()
    text = plain(answer.text)
    assert "Octobre 2026 : six chiffres" in text and "Chez Jeanne" in text
    assert jeanne.token not in answer.text  # whoever saves or prints the page does not hand on the key
    headers = answer.headers
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert headers["X-Robots-Tag"] == "noindex"
    assert all(f'name="{name}"' in answer.text for name in SIX)


def test_six_figures_become_a_return_that_can_be_true(jeanne, clock):
    sent = jeanne.send()
    assert sent.status_code == 303 and sent.headers["Location"] == "?month=2026-10&sent=1"
    assert sent.headers["Referrer-Policy"] == "no-referrer" and jeanne.token not in sent.text
    thanks = plain(jeanne.get("?month=2026-10&sent=1").text)
    assert "Merci, octobre 2026 est bien arrivé" in thanks and "1 260" in thanks and "pas relevé ici" in thanks
    (row,) = jeanne.rows()
    assert (row.month, row.revision, row.status, row.way, row.jws) == (OCTOBER, 1, "final", "link", None)
    document = check_return(json.loads(row.document), at=clock.now)
    told = document["figures"]
    assert {name: told[name] for name in SIX} == NUMBERS
    assert told["null_reasons"]["workshop_participants"] == "not_recorded"
    assert told["null_reasons"]["room_booked_minutes"] == "without_software"
    with jeanne.app.app_context():
        with snapshot():
            assert [*checks.documents(), *checks.signatures()] == []
        found = overview(OCTOBER)
    assert tuple(found.summary.rates["desk_booked"].pair) == (400, 1260)
    assert (found.sent, found.expected) == (1, 1)


def test_the_same_again_is_the_same_and_another_is_a_revision_with_its_reason(jeanne):
    for _ in range(2):
        assert jeanne.send().status_code == 303
    asked = jeanne.send(distinct_people="39")
    assert asked.status_code == 422
    assert "Dites pourquoi" in asked.text and 'value="39"' in asked.text and 'value="1 260"' in asked.text
    assert [row.revision for row in jeanne.rows()] == [1]
    assert jeanne.send(distinct_people="39", reason="Une personne oubliée").status_code == 303
    first, second = jeanne.rows()
    assert (second.revision, second.status, second.reason) == (2, "restatement", "Une personne oubliée")
    assert json.loads(first.document)["figures"]["distinct_people"] == 38
    shown = plain(jeanne.get("?month=2026-10").text)
    assert "Révision 1" in shown and "Révision 2" in shown and "Une personne oubliée" in shown
    assert 'value="39"' in jeanne.get().text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"open_days": "32"}, "open_days"),
        ({"open_days": ""}, "open_days"),
        ({"open_days": "-1"}, "open_days"),
        ({"open_days": "0"}, "desk_offered_halfdays"),
        ({"desk_offered_halfdays": "douze"}, "desk_offered_halfdays"),
        ({"desk_offered_halfdays": ""}, "desk_offered_halfdays"),
        ({"desk_booked_halfdays": "1261"}, "desk_booked_halfdays"),
        ({"desk_attended_halfdays": "401"}, "desk_attended_halfdays"),
        ({"distinct_people": "3,5"}, "distinct_people"),
        ({"distinct_people": "9" * 40}, "distinct_people"),
        ({"workshop_participants": "²"}, "workshop_participants"),
        ({"reason": "x" * 501}, "reason"),
    ],
)
def test_what_cannot_be_is_said_at_its_figure_and_what_was_typed_stays(jeanne, changes, field):
    answer = jeanne.send(**changes)
    assert answer.status_code == 422
    wrong = re.findall(r'<input id="(\w+)"[^>]*aria-invalid="true"', answer.text)
    assert wrong == [field]
    assert 'value="355"' in answer.text or field == "desk_attended_halfdays"
    assert jeanne.rows() == []


@pytest.mark.parametrize("month", ["2026-11", "2026-12", "2025-10", "2199-01", "2026-13", "x", ""])
def test_only_months_in_reach(jeanne, month):
    assert jeanne.send(month=month).status_code == 422
    assert jeanne.get(f"?month={month}").status_code == (422 if month else 200)
    assert jeanne.rows() == []


def test_a_month_ends_where_the_lieu_is(jeanne, clock):
    clock.set(datetime(2026, 11, 30, 22, 59, tzinfo=UTC))
    assert jeanne.send(month="2026-11").status_code == 422
    clock.set(datetime(2026, 11, 30, 23, 0, tzinfo=UTC))
    assert jeanne.send(month="2026-11").status_code == 303


def test_it_speaks_the_reader_s_language(jeanne):
    jeanne.browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    assert "October 2026: six figures" in plain(jeanne.get().text)
    assert "More than the half-days offered." in jeanne.send(desk_booked_halfdays="5000").text


def test_links_that_open_nothing_are_all_alike_and_counted(app, jeanne, cast, clock):
    def answers(token: str) -> tuple[Any, Any]:
        browser = app.test_client()
        path = f"/network/figures/{token}"
        return browser.get(path), browser.post(path, data=TYPED)

    join = jeanne.do(enrolment.invite, jeanne.lead, jeanne.lieu, JOIN)
    revoked, jeanne.token = jeanne.token, jeanne.do(enrolment.invite, jeanne.lead, jeanne.lieu, FIGURES)
    seen = [answer for token in ("x" * 43, join, revoked, "é") for answer in answers(token)]
    assert {answer.status_code for answer in seen} == {410}
    assert len({answer.get_data() for answer in seen}) == 1
    assert {answer.headers["Referrer-Policy"] for answer in seen} == {"no-referrer"}
    statuses = [app.test_client().get(f"/network/figures/{'y' * 43}").status_code for _ in range(40)]
    assert statuses[-1] == 429
    clock.advance(days=1)
    jeanne.do(lieux.depart, jeanne.lead, jeanne.lieu)
    assert {answer.status_code for answer in answers(jeanne.token)} == {410}
    jeanne.do(lieux.come_back, jeanne.lead, jeanne.lieu)
    assert app.test_client().get(f"/network/figures/{jeanne.token}").status_code == 200
    clock.advance(days=401)
    assert {answer.status_code for answer in answers(jeanne.token)} == {410}
    assert jeanne.rows() == []


@pytest.mark.parametrize("end", ["revoked", "replaced", "left", "too old"])
def test_the_write_looks_at_the_link_again(jeanne, inside, clock, end):
    """The page looked at it before; what happened meanwhile, only the unit can see."""
    match end:
        case "revoked":
            enrolment.revoke(jeanne.lead, jeanne.lieu, FIGURES)
        case "replaced":
            enrolment.invite(jeanne.lead, jeanne.lieu, FIGURES)
        case "left":
            lieux.depart(jeanne.lead, jeanne.lieu)
        case _:
            clock.advance(days=401)
    with pytest.raises(Gone):
        six_figures.send(jeanne.token, six_figures.reach()[0], NUMBERS)
    assert jeanne.rows() == []


def test_revoking_and_sending_at_the_same_moment_leaves_no_trace_after(jeanne):
    """Whoever comes first: what was sent before the end stays, and nothing is sent after it."""
    answers = at_once(
        [
            *(
                lambda n=n: jeanne.app.test_client().post(jeanne.path, data=TYPED | {"open_days": str(n)})
                for n in range(1, 4)
            ),
            lambda: jeanne.do(enrolment.revoke, jeanne.lead, jeanne.lieu, FIGURES),
        ]
    )
    assert {answer.status_code for answer in answers if answer is not None} <= {303, 410, 422}
    before = len(jeanne.rows())
    assert jeanne.send().status_code == 410
    assert len(jeanne.rows()) == before <= 1


def test_two_who_correct_at_once_make_a_revision_each(jeanne):
    jeanne.send()
    answers = at_once(
        [
            lambda n=n: jeanne.app.test_client().post(
                jeanne.path, data=TYPED | {"distinct_people": str(n), "reason": f"Recompté {n}"}
            )
            for n in range(40, 46)
        ]
    )
    assert {answer.status_code for answer in answers} == {303}
    assert [row.revision for row in jeanne.rows()] == list(range(1, 8))
    assert len({row.digest for row in jeanne.rows()}) == 7


def test_two_who_send_the_same_at_once_sent_it_once(jeanne):
    answers = at_once([lambda: jeanne.app.test_client().post(jeanne.path, data=TYPED) for _ in range(6)])
    assert {answer.status_code for answer in answers} == {303}
    assert len(jeanne.rows()) == 1


def test_a_lieu_that_joins_types_nothing_in_any_more(here, head):
    lieu = head.add("La Fabrique du Pont")
    with head.app.app_context():
        token = enrolment.invite(head.lead.actor(), lieu, FIGURES)
        six_figures.send(token, OCTOBER, NUMBERS)
    here.join(head.link(lieu))
    here.close()
    here.work()
    with head.app.app_context(), pytest.raises(Gone):
        six_figures.opened(token, None)
    rows = head.rows(ReceivedReturn)
    assert [(row.month, row.way) for row in rows] == [(OCTOBER, "link"), (NOVEMBER, "software")]


def test_names_of_the_census_fit_a_return(jeanne):
    with jeanne.app.app_context(), write_unit():
        enrolment.directory_entry(jeanne.lieu).name = "Un\u200b nom\x7f " + "très " * 60 + "long"
    assert jeanne.send().status_code == 303
    assert json.loads(jeanne.rows()[0].document)["name"].startswith("Un nom très")


def test_the_latest_months_are_offered_and_the_missing_one_comes_next(jeanne):
    jeanne.do(lieux.expect_from, jeanne.lead, jeanne.lieu, date(2026, 9, 1))
    jeanne.send()
    text = jeanne.get("?month=2026-10&sent=1").text
    assert "Donner septembre 2026" in plain(text) and 'href="?month=2026-09"' in text
    assert jeanne.send(month="2026-09", open_days="20").status_code == 303
    assert "Vous n’avez rien d’autre à faire" in jeanne.get("?month=2026-09&sent=1").text

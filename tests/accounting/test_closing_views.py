"""The page of closings, one closing on screen and on paper, the year to hand over, and the command."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pypdf import PdfReader
from sqlalchemy import text

from coworking.accounting import closing_formats, closing_queries, closings
from coworking.accounting.views_closings import MOVED_WORDS
from coworking.core import guards
from coworking.core.db import db
from coworking.spaces import services as spaces
from tests.support.shop import Shop

TOMORROW = datetime(2026, 11, 25, 3, tzinfo=UTC)


def plain(answer) -> str:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True).replace("\u202f", " ").replace("\xa0", " ").replace("&#39;", "'")


@pytest.fixture
def closed(billing_lieu, app, clock) -> list[str]:
    """24 and 25 November closed, with 1.50 and 3.00 sold, and 4.50 since; the public ids of both."""
    with app.app_context():
        shop = Shop(billing_lieu)
        for pieces in (1, 2, 3):
            shop.sell({shop.coffee: pieces}, 150 * pieces)
            clock.set(TOMORROW + timedelta(days=pieces - 1) if pieces < 3 else clock.now)
            closings.close_due()
        found = [row.public_id for row in closing_queries.closings_between(shop_day(), shop_day(1), "day")]
        db.session.remove()
    return found


def shop_day(number: int = 0):
    return (TOMORROW + timedelta(days=number - 1)).date()


def test_the_month_is_shown_with_its_days_and_what_is_not_closed_yet(closed, billing_lieu, sign_in):
    page = plain(sign_in(billing_lieu.cast.accountant).get("/closings"))
    assert "Novembre 2026" in page and "Mercredi 25 novembre" in page and "Mardi 24 novembre" in page
    assert "Jeudi 26 novembre, pour l’instant : 4,50 €" in page and "Le mois n’est pas fini" in page
    assert page.count("signée</span>") == 1 and "différente" not in page and "version 0.1.0" in page


def test_the_newest_month_comes_first_and_each_month_has_its_own_address(closed, billing_lieu, sign_in, app, clock):
    """In the next year: one month's days, the months of its year, and every year."""
    clock.set(datetime(2027, 1, 2, 9, tzinfo=UTC))
    with app.app_context():
        closings.close_due()
        db.session.remove()
    browser = sign_in(billing_lieu.cast.accountant)
    page = plain(browser.get("/closings"))
    days, periods = page.split("Mois et années")
    assert "vendredi 1er janvier" in days and "1 jour sans enregistrement" in days and "décembre</a>" not in days
    assert periods.index(">2027<") < periods.index("Janvier 2027") < periods.index(">2026<")
    assert "Décembre 2026" not in periods and periods.count("en cours") == 2
    older = plain(browser.get("/closings?month=2026-11"))
    days, periods = older.split("Mois et années")
    assert "Mardi 24 novembre" in days and "4 jours sans enregistrement" in days
    assert "Clôture du mois : novembre 2026</a> : <strong>9,00 €" in days
    assert 'aria-label="Décembre 2026" rel="next"' in days and 'rel="prev"' not in days
    assert "Décembre 2026" in periods and "Exporter 2026" in periods and periods.count("en cours") == 1
    unknown = plain(browser.get("/closings?month=2031-01"))
    assert "vendredi 1er janvier" in unknown.split("Mois et années")[0], "a month without closings: the newest is shown"
    assert browser.get("/closings?month=x").status_code == 422


def test_one_closing_says_rates_means_and_totals(closed, billing_lieu, sign_in):
    page = plain(sign_in(billing_lieu.cast.manager).get(f"/closings/{closed[1]}"))
    for words in ("Clôture du 25 novembre 2026", "N° 2, faite le 26 novembre 2026 à 4 h", "Espèces", "10 %", "2,73 €"):
        assert words in page, words
    assert "4,50 €" in page and "Ed25519" in page and "signée" in page


def test_a_closing_that_was_altered_is_marked(closed, billing_lieu, sign_in, app):
    with app.app_context(), db.engine.begin() as connection:
        guards.remove(connection)
        connection.execute(
            text("UPDATE closing SET payload = replace(payload, '\"vat_cents\"\\:27', '\"vat_cents\"\\:26')")
        )
        guards.install(connection)
    browser = sign_in(billing_lieu.cast.manager)
    assert "différente de ce qui a été signé" in plain(browser.get("/closings"))
    assert "différente de ce qui a été signé" in plain(browser.get(f"/closings/{closed[1]}"))


def test_a_closing_is_printed_on_one_sheet(closed, billing_lieu, sign_in, app, monkeypatch):
    """Also the fullest day that there can be: every rate, every means, everything that moves cash, three openings."""
    browser = sign_in(billing_lieu.cast.manager)
    assert len(PdfReader(io.BytesIO(browser.get(f"/closings/{closed[0]}.pdf").data)).pages) == 1
    read = closing_queries.closing_text
    cents = 123_456_789

    def full(row):
        content = read(row)
        figures = content["figures"]
        figures["taxes"] = {str(rate): {"net_cents": cents, "vat_cents": cents} for rate in (0, 210, 550, 1000, 2000)}
        figures["means"] = {one: {"count": 9, "in_cents": cents, "out_cents": cents} for one in closing_formats.MEANS}
        figures["receipts"]["undone"] = figures["door_invoices"]["count"] = 12
        figures["from_credit_cents"] = cents
        figures["deposits"] = {"taken_cents": cents, "returned_cents": cents, "means": {"cash": 0}}
        figures["credits"] = {"received_cents": cents, "given_cents": cents}
        figures["drawer"]["moved"] = dict.fromkeys(MOVED_WORDS, cents)
        kinds = ("opened", "closed") * 3
        content["counts"] = [
            {"seq": seq, "kind": kind, "expected_cents": cents, "counted_cents": cents}
            for seq, kind in enumerate(kinds)
        ]
        return content

    monkeypatch.setattr(closing_queries, "closing_text", full)
    reader = PdfReader(io.BytesIO(browser.get(f"/closings/{closed[0]}.pdf").data))
    assert len(reader.pages) == 1 and "Cautions rendues" in (words := reader.pages[0].extract_text())
    assert words.count("1,50") >= 4, "the totals stand beside the signature"


def test_the_exported_year_is_checked_by_anybody_with_its_notice(closed, billing_lieu, sign_in):
    """As the notice says, with nothing of this software."""
    answer = sign_in(billing_lieu.cast.accountant).get("/closings/2026.zip")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    with zipfile.ZipFile(io.BytesIO(answer.data)) as file:
        notice, table = file.read("LISEZMOI.txt").decode(), file.read("clotures.csv").decode("utf-8-sig")
        told = json.loads(file.read("clotures.json"))
    assert "version 0.1.0" in notice and "Ed25519" in notice and "inaltérabilité" in notice
    assert [line.split(";")[:3] for line in table.splitlines()[1:]] == [
        ["day", "1", "2026-11-24"],
        ["day", "2", "2026-11-25"],
    ]
    before, total = "0" * 64, 0
    for one in told["closings"]:
        signed = {name: one[name] for name in ("key_id", "prev", "seq", "sha256")}
        assert sha256(one["payload"].encode()).hexdigest() == one["sha256"] and one["prev"] == before
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(told["public_keys"][one["key_id"]]))
        public.verify(bytes.fromhex(one["signature"]), rfc8785.dumps(signed))
        before = sha256(rfc8785.dumps(signed | {"signature": one["signature"]})).hexdigest()
        content = json.loads(one["payload"])
        total += content["figures"]["sales_cents"]
        assert content["perpetual"]["sales_cents"] == total


@pytest.mark.parametrize(
    ("who", "status"), [("accountant", 200), ("manager", 200), ("host", 403), ("member", 403), ("lead", 403)]
)
def test_who_reads_money_reads_closings(closed, billing_lieu, sign_in, who, status):
    browser = sign_in(getattr(billing_lieu.cast, who))
    assert browser.get("/closings").status_code == status
    assert browser.get(f"/closings/{closed[0]}").status_code == status


def test_a_lieu_that_is_not_liable_never_meets_closings(place, cast, sign_in, app):
    browser = sign_in(cast.manager)
    assert browser.get("/closings").status_code == 404 and browser.get("/closings/2026.zip").status_code == 404
    assert "/closings" not in plain(browser.get("/invoices"))


def test_closings_stay_in_sight_where_vat_is_no_longer_due(closed, billing_lieu, sign_in, app):
    browser = sign_in(billing_lieu.cast.manager)
    assert 'href="/closings"' in plain(browser.get("/invoices"))
    with app.app_context():
        spaces.update_lieu(billing_lieu.manager, vat_status="franchise")
        db.session.remove()
    assert 'href="/closings"' in plain(browser.get("/invoices"))


def test_the_drawer_of_a_closed_day_says_so(closed, billing_lieu, sign_in):
    browser = sign_in(billing_lieu.cast.host)
    assert "Les recettes de ce jour sont clôturées, clôture n° 2." in plain(browser.get("/drawer/2026-11-25"))
    assert "clôturées" not in plain(browser.get("/drawer"))


def test_a_month_is_closed_by_command_and_not_twice(billing_lieu, app, clock):
    with app.app_context():
        shop = Shop(billing_lieu)
        shop.sell({shop.coffee: 1}, 150)
        db.session.remove()
    clock.set(datetime(2026, 12, 3, 9, tzinfo=UTC))
    run = app.test_cli_runner().invoke
    done = run(args=["billing", "close", "2026-11"])
    assert done.exit_code == 0 and done.output.splitlines() == [
        "7 days closed.",
        "2026-11: sales 1.50, since the first closing 1.50",
    ]
    assert run(args=["billing", "close", "2026-11"]).output.startswith("0 days closed.")
    assert run(args=["billing", "close", "2026-13"]).exit_code == 1


def test_the_command_says_that_nothing_is_closed_where_no_vat_is_due(place, app):
    done = app.test_cli_runner().invoke(args=["billing", "close", "2026-10"])
    assert done.exit_code == 1 and "not liable to VAT" in done.output


def test_the_page_costs_as_many_statements_whatever_was_closed(
    closed, billing_lieu, sign_in, app, clock, count_statements
):
    browser = sign_in(billing_lieu.cast.manager)
    seen = []
    for days in (1, 20):
        clock.advance(days=days)
        with app.app_context():
            closings.close_due()
            db.session.remove()
        browser.get("/closings")
        with count_statements() as counted:
            browser.get("/closings")
        seen.append(len(counted))
    assert seen[0] == seen[1] <= 19

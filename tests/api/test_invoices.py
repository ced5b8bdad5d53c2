"""Invoices for programs: one's own, pages, and a stranger's 404."""

from __future__ import annotations

import pytest

from coworking.billing import services
from tests.support.api import Program
from tests.support.billing import OCTOBER


@pytest.fixture
def issued(billing_lieu, app):
    with app.app_context():
        return [row.public_id for row in services.run(billing_lieu.manager, OCTOBER).issued]


def test_everyone_reads_their_own_and_the_accountant_all(billing_lieu, issued, app):
    cast = billing_lieu.cast
    seen = {
        who: {item["payer"]["name"] for item in Program(app, getattr(cast, who)).get("/invoices").get_json()["items"]}
        for who in ("stranger", "member", "colleague", "host", "accountant")
    }
    employer = "Coutellerie Durand SA"
    assert seen == {
        "stranger": {"Lise Vidal"},
        "member": {"Anne Marchand"},
        "colleague": {employer},
        "host": set(),
        "accountant": {"Lise Vidal", "Anne Marchand", employer},
    }


def test_pages_follow_each_other(billing_lieu, issued, app):
    program, cursor, found = Program(app, billing_lieu.cast.accountant), {}, []
    for _page in range(3):
        page = program.get("/invoices", limit=1, **cursor).get_json()
        found += [item["id"] for item in page["items"]]
        cursor = {"cursor": page["next"]}
    assert found == issued[::-1] and page["next"] is None
    assert program.get("/invoices", cursor="nonesuch").status_code == 422
    assert program.get("/invoices", month="2026-09").get_json()["items"] == []


def test_a_stranger_s_invoice_is_not_there(billing_lieu, issued, app):
    everyone = Program(app, billing_lieu.cast.accountant)
    lise = next(p for p in issued if everyone.get(f"/invoices/{p}").get_json()["payer"]["name"] == "Lise Vidal")
    for path in (f"/invoices/{lise}", f"/invoices/{lise}.pdf", "/invoices/nonesuch"):
        answer = Program(app, billing_lieu.cast.member).get(path)
        assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
    own = Program(app, billing_lieu.cast.stranger).get(f"/invoices/{lise}").get_json()
    assert (own["payable_cents"], own["open_cents"], own["state"], len(own["lines"])) == (6600, 6600, "open", 2)
    pdf = Program(app, billing_lieu.cast.stranger).get(f"/invoices/{lise}.pdf")
    assert pdf.status_code == 200 and pdf.content_type == "application/pdf" and pdf.data.startswith(b"%PDF-")

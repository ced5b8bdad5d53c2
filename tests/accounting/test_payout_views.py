"""The pages about payouts: what came, of what it consists, what was not explained, and the file for the accountant."""

from __future__ import annotations

import pytest

from coworking.billing import online, online_opening, payouts, services
from coworking.core.db import db
from tests.support.billing import OCTOBER
from tests.support.gateway import moved

pytestmark = pytest.mark.once


@pytest.fixture
def paid_out(gateway, billing_lieu, app) -> None:
    """Lise's 66 € less 1.24 € of fees, and a payout of which nobody here knows the payment."""
    with app.app_context():
        issued = services.run(billing_lieu.manager, OCTOBER).issued
        lise = next(row for row in issued if row.payer_person_id == billing_lieu.cast.stranger.id)
        payment = online_opening.open_payment([lise.public_id], "stripe", pay_url="http://lieu.test/x", locale="fr")
        gateway.become(payment.checkout_id, "paid")
        online.settle("stripe", payment.checkout_id)
        gateway.payouts.pay_out("po_1", moved("t1", "payment", 6600, 124, f"pi_{payment.checkout_id}"))
        gateway.payouts.pay_out("po_2", moved("t2", "payment", 1500, 40, "pi_of_a_shop"))
        for name in ("po_1", "po_2"):
            payouts.settle_payout("stripe", name)
        db.session.remove()


def plain(answer) -> str:
    return answer.text.replace("\u202f", " ").replace("\u00a0", " ")


def test_an_accountant_reads_payouts_and_what_each_consists_of(paid_out, billing_lieu, sign_in, count_statements):
    browser = sign_in(billing_lieu.cast.accountant)
    page = plain(browser.get("/payouts"))
    assert "64,76 €" in page and "14,60 €" in page and "1,24 €" in page
    links = [part.split('"')[0] for part in page.split('href="/payouts/')[1:]]
    shown = [plain(browser.get(f"/payouts/{link}")) for link in links if "?" not in link]
    assert len(shown) == 2
    assert any("66,00 €" in one and "F2026-" in one for one in shown)
    assert any("15,00 €" in one and "F2026-" not in one for one in shown)
    assert browser.get("/payouts?before=x").status_code == 200
    assert browser.get("/payouts/nothing").status_code == 404


def test_the_list_costs_the_same_whatever_its_length(gateway, billing_lieu, app, sign_in, count_statements):
    browser = sign_in(billing_lieu.cast.accountant)
    browser.get("/payouts")
    costs = []
    for begin in (0, 10):
        with app.app_context():
            for number in range(begin, begin + 10):
                gateway.payouts.pay_out(
                    f"po_{number}", moved(f"t{number}", "payment", 1000 + number, 30, "pi_elsewhere")
                )
                payouts.settle_payout("stripe", f"po_{number}")
            db.session.remove()
        with count_statements() as counted:
            assert browser.get("/payouts").status_code == 200
        costs.append(len(counted))
    assert costs[0] == costs[1]


def test_the_movements_are_a_file(paid_out, billing_lieu, sign_in):
    rows = sign_in(billing_lieu.cast.accountant).get("/payouts?as=csv")
    assert rows.status_code == 200 and rows.headers["Content-Type"].startswith("text/csv")
    assert "66,00" in rows.text and "1,24" in rows.text and rows.text.count("\n") >= 3


@pytest.mark.parametrize("who", ["host", "member", "lead"])
def test_nobody_else_reads_them(paid_out, billing_lieu, sign_in, who):
    browser = sign_in(getattr(billing_lieu.cast, who))
    for path in ("/payouts", "/payouts?as=csv", "/payouts/x"):
        assert browser.get(path).status_code == 403

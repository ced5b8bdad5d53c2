"""A draft on its page: a discount on all of it, held back and let go, and who may do so."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from coworking.billing import charges
from coworking.billing.models import Charge, DraftHold
from coworking.core.db import db

pytestmark = pytest.mark.once


@pytest.fixture
def url(billing_lieu, app) -> str:
    with app.app_context():
        charges.gather_recent()
    return f"/invoices/now/p:{billing_lieu.cast.stranger.public_id}"


def plain(answer) -> str:
    return answer.text.replace("\u202f", " ").replace("\u00a0", " ")


def count(app, model, *conditions) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"percent": "10"},
        {"percent": "0", "reason": "Geste"},
        {"percent": "100", "reason": "Geste"},
        {"percent": "x", "reason": "Geste"},
        {"cents": "66", "reason": "Geste"},
        {"cents": "5", "percent": "5", "reason": "Geste"},
        {"cents": "5", "reason": "x" * 81},
    ],
)
def test_a_discount_that_says_too_little_changes_nothing_and_keeps_what_was_typed(
    url, billing_lieu, sign_in, app, typed
):
    answer = sign_in(billing_lieu.cast.manager).post(f"{url}/discount", data=typed)
    assert answer.status_code == 422 and "err" in answer.text
    assert all(f'value="{text}"' in answer.text for text in typed.values())
    assert count(app, Charge, Charge.source == "discount") == 0


def test_a_discount_is_given_seen_and_taken_back(url, billing_lieu, sign_in, app):
    browser = sign_in(billing_lieu.cast.manager)
    given = browser.post(f"{url}/discount", data={"percent": "10", "reason": "Fidélité"})
    assert given.status_code == 303
    page = plain(browser.get(url))
    assert "Remise (Fidélité)" in page and "59,40 €" in page and "Retirer la remise" in page
    assert "Remise : −3,00 €" in plain(browser.get("/invoices/month/2026-10"))
    again = browser.post(f"{url}/discount", data={"percent": "10", "reason": "Fidélité"})
    assert again.status_code == 409 and "rien ici" in plain(again)
    assert browser.post(f"{url}/discount/remove").status_code == 303
    assert "66,00 €" in plain(browser.get(url)) and count(app, Charge, Charge.source == "discount") == 0


def test_a_draft_is_held_back_and_let_go(url, billing_lieu, sign_in, app):
    browser = sign_in(billing_lieu.cast.manager)
    assert browser.post(f"{url}/hold", data={"hold": " "}).status_code == 422
    assert browser.post(f"{url}/hold", data={"hold": "Elle conteste le 12"}).status_code == 303
    page = plain(browser.get(url))
    assert "Elle conteste le 12" in page and 'name="shown"' not in page
    refused = browser.post(url, data={"shown": "6600"})
    assert refused.status_code == 409 and "mis de côté" in plain(refused)
    month = plain(browser.get("/invoices/month/2026-10"))
    assert "Mis de côté" in month and "Elle conteste le 12" in month
    assert "59,40" not in month and "Émettre 2 factures" in month
    done = browser.post("/invoices/month/2026-10/run", follow_redirects=True)
    assert billing_lieu.cast.stranger.name in plain(done)
    assert browser.post(f"{url}/let-go").status_code == 303
    assert browser.post(f"{url}/let-go").status_code == 303  # the second tap
    assert 'name="shown"' in browser.get(url).text and count(app, DraftHold) == 0


@pytest.mark.parametrize("door", ["hold", "let-go", "discount", "discount/remove"])
def test_only_managers_change_a_draft(url, billing_lieu, sign_in, app, door):
    for who in ("accountant", "host", "member"):
        assert sign_in(getattr(billing_lieu.cast, who)).post(f"{url}/{door}", data={"hold": "x"}).status_code == 403
    manager = sign_in(billing_lieu.cast.manager)
    assert manager.post(f"/invoices/now/p:nobody/{door}").status_code == 404
    assert manager.post(f"{url}/{door}", data={"month": "2027-10"}).status_code == 422
    assert count(app, DraftHold) == 0

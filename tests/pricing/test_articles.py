"""What is sold beside the places: dated prices, accounts by kind, offered or no longer."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from coworking.core.errors import Forbidden
from coworking.pricing import article_queries, article_rules, article_services
from coworking.pricing.models import ArticlePrice
from tests import factories

TODAY, LATER = date(2026, 11, 24), date(2026, 12, 1)


@pytest.fixture
def manager(place, cast, inside):
    return cast.manager.actor()


def coffee(manager, **values):
    given = {"cents": 100, "vat_rate_bp": 1000, "account": "707"} | values
    return article_services.add_article(manager, "Café", "goods", **given)


def test_a_new_price_applies_from_its_day_and_leaves_the_old_one(manager, session):
    public = coffee(manager).public_id
    article_services.set_article_price(manager, public, valid_from=LATER, cents=120, vat_rate_bp=1000, account="707")
    found = article_queries.article(public)
    assert [price.cents for price in found.prices] == [100, 120]
    assert (found.price_on(TODAY).cents, found.price_on(LATER).cents) == (100, 120)
    assert found.price_on(date(2026, 11, 23)) is None
    article_services.set_article_price(manager, public, valid_from=TODAY, cents=110, vat_rate_bp=550, account="7071")
    rows = session.execute(select(ArticlePrice.cents, ArticlePrice.account).order_by(ArticlePrice.valid_from)).all()
    assert [tuple(row) for row in rows] == [(110, "7071"), (120, "707")]
    with pytest.raises(article_rules.ArticlePriceInPast):
        article_services.set_article_price(
            manager, public, valid_from=date(2026, 11, 23), cents=1, vat_rate_bp=0, account="707"
        )


def test_a_deposit_bears_no_vat_and_is_on_its_account(manager):
    made = article_services.add_article(manager, "Clé", "deposit", cents=2000, vat_rate_bp=2000, account="")
    (price,) = article_queries.article(made.public_id).prices
    assert (price.vat_rate_bp, price.account) == (0, "165")
    assert article_rules.applied_rate("goods", 1000, "franchise") == 0
    assert article_rules.applied_rate("goods", 1000, "taxable") == 1000


@pytest.mark.parametrize(
    ("kind", "account"), [("goods", "165"), ("service", "706x"), ("deposit", "706"), ("goods", "7"), ("goods", "۷۰۷")]
)
def test_an_account_of_another_class_is_refused(kind, account):
    with pytest.raises(article_rules.AccountInvalid):
        article_rules.check_account(account, kind)


def test_one_name_is_offered_once(manager):
    public = coffee(manager).public_id
    with pytest.raises(article_rules.ArticleLabelTaken):
        coffee(manager)
    article_services.archive_article(manager, public)
    article_services.archive_article(manager, public)
    coffee(manager)
    with pytest.raises(article_rules.ArticleLabelTaken):
        article_services.restore_article(manager, public)
    assert [row.public_id for row in article_queries.articles(archived=True)] == [public]


@pytest.mark.parametrize("values", [{"cents": 0}, {"cents": -1}])
def test_nothing_is_sold_for_nothing(manager, values):
    with pytest.raises(article_rules.ArticlePriceMissing):
        coffee(manager, **values)
    assert article_queries.articles() == []


def test_only_a_manager_changes_them(cast, place, inside):
    with pytest.raises(Forbidden):
        coffee(cast.host.actor())


def test_the_pages_offer_a_start_and_take_a_price(cast, place, sign_in):
    browser = sign_in(cast.manager)
    assert "start=coffee" in browser.get("/settings/prices/articles").text
    form = browser.get("/settings/prices/articles/new?start=coffee").text
    assert 'value="Café"' in form and 'value="707"' in form
    wrong = browser.post("/settings/prices/articles", data={"label": " ", "kind": "goods", "cents": "x"})
    assert wrong.status_code == 422 and wrong.text.count('class="err"') == 2
    typed = {"label": "Café", "kind": "goods", "cents": "1,20", "account": ""}
    assert browser.post("/settings/prices/articles", data=typed).status_code == 303
    page = browser.get("/settings/prices/articles").text
    assert "1,20" in page and "start=coffee" not in page
    assert browser.post("/settings/prices/articles", data=typed).status_code == 409
    public = page.split("/settings/prices/articles/")[1].split('"')[0]
    price = {"valid_from": "2026-12-01", "cents": "1,50", "account": "707"}
    assert browser.post(f"/settings/prices/articles/{public}", data=price).status_code == 303
    assert "1,50" in browser.get("/settings/prices/articles").text
    late = browser.post(f"/settings/prices/articles/{public}", data=price | {"valid_from": "2026-11-01"})
    assert late.status_code == 422
    assert browser.post(f"/settings/prices/articles/{public}/archive").status_code == 303
    assert browser.post(f"/settings/prices/articles/{public}/restore").status_code == 303
    for who in (cast.host, cast.accountant, cast.member):
        assert sign_in(who).get("/settings/prices/articles").status_code == 403


def test_a_list_costs_the_same_whatever_its_length(cast, place, sign_in, app, count_statements):
    with app.app_context():
        manager = cast.manager.actor()
        factories.make_tariff()
        article_services.add_article(manager, "A0", "goods", cents=100, vat_rate_bp=0, account="")
    browser = sign_in(cast.manager)
    browser.get("/settings/prices/articles")
    with count_statements() as few:
        browser.get("/settings/prices/articles")
    with app.app_context():
        for n in range(1, 9):
            article_services.add_article(manager, f"A{n}", "goods", cents=100, vat_rate_bp=0, account="")
    with count_statements() as many:
        browser.get("/settings/prices/articles")
    assert len(many) == len(few)

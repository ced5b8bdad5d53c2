"""Everywhere one may go can be reached with a thumb: what the bar cannot hold stands behind « Plus »."""

from __future__ import annotations

import re

import pytest

from coworking.accounts import staff
from coworking.accounts.models import Person
from coworking.core.db import db
from coworking.core.policy import Role
from coworking.core.units import write_unit
from coworking.spaces import calendar


def bar(page: str) -> list[str]:
    """The addresses in the phone's bar."""
    found = re.search(r'<nav class="tabbar".*?</nav>', page, re.S)
    assert found is not None
    return re.findall(r'<a href="([^"]*)"', found[0])


def rest(page: str) -> list[str]:
    main = page[page.index("<main") : page.index("</main>")]
    return re.findall(r'<span class="what"><a href="([^"]*)"', main)


@pytest.mark.parametrize(
    ("who", "thumbs", "more"),
    [
        ("member", ["/week", "/rooms", "/me"], []),
        ("accountant", ["/week", "/rooms", "/month", "/invoices", "/me"], []),
        ("host", ["/today", "/planning", "/people", "/more"], ["/week", "/me"]),
        ("manager", ["/today", "/planning", "/people", "/more"], ["/month", "/invoices", "/settings", "/week", "/me"]),
        ("lead", ["/network", "/week", "/rooms", "/month", "/me"], []),
    ],
)
def test_each_role_reaches_its_pages_on_a_phone(place, cast, sign_in, who, thumbs, more):
    browser = sign_in(getattr(cast, who))
    assert bar(browser.get("/me").text) == thumbs
    if more:
        assert rest(browser.get("/more").text) == more


def test_pages_behind_more_mark_it_as_current(app, place, cast, sign_in):
    browser = sign_in(cast.manager)
    for url in ("/more", "/month", "/invoices", "/settings/prices", "/organisations", "/me"):
        page = browser.get(url, follow_redirects=True).text
        assert 'href="/more" aria-current="page"' in page, url
    assert 'href="/more" aria-current' not in browser.get("/today").text


def test_an_accountant_who_leads_a_network_has_all_of_it_on_a_wide_screen(app, place, cast, sign_in):
    with app.app_context():
        staff.set_roles(cast.manager.actor(), cast.accountant.public_id, frozenset({Role.ACCOUNTANT, Role.LEAD}))
    page = sign_in(cast.accountant).get("/me").text
    assert bar(page) == ["/network", "/week", "/rooms", "/more"]
    top = page[page.index('<header class="top') : page.index("</header>")]
    assert re.findall(r'href="(/(?:network|month|invoices|me))"', top) == ["/network", "/month", "/invoices", "/me"]


def top(page: str) -> str:
    """The bar on top, as it is written."""
    return page[page.index('<header class="top') : page.index("</header>")]


def test_the_bars_that_are_kept_are_those_of_ones_roles_language_and_part(app, place, cast, sign_in):
    """A worker draws them once for all who read the same."""
    manager, member, english = sign_in(cast.manager), sign_in(cast.member), sign_in(cast.colleague, "en")
    with app.app_context(), write_unit():
        db.session.get_one(Person, cast.colleague.id).locale = "en"
    for _ in range(2):
        assert re.findall(r'href="(/[a-z]+)"', top(manager.get("/me").text))[:3] == ["/today", "/planning", "/people"]
        assert re.findall(r'href="(/[a-z]+)"', top(member.get("/me").text)) == ["/week", "/rooms", "/me"]
        assert "Semaine" in top(member.get("/me").text)
        assert "Week" in top(english.get("/me").text)
        assert 'href="/rooms" aria-current="page"' in top(member.get("/rooms").text)
        assert "Se connecter" in top(app.test_client().get("/", headers={"Accept-Language": "fr"}).text)


def test_the_bar_has_the_new_name_of_the_lieu_at_once(app, place, cast, sign_in):
    member = sign_in(cast.member)
    assert "La Fabrique du Pont" in top(member.get("/week").text)
    with app.app_context(), write_unit():
        calendar.lock_lieu().name = "Les Halles"
    assert "Les Halles" in top(member.get("/week").text)


def test_the_button_on_top_signs_out(place, cast, sign_in):
    browser = sign_in(cast.member)
    page = browser.get("/week").text
    assert '<button form="sign-out">' in top(page)
    form = re.search(r'<form method="post" action="([^"]*)" id="sign-out" hidden>', page)
    assert form is not None
    browser.post(form[1])
    assert browser.get("/week").status_code == 302

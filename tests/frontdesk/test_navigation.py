"""Everywhere one may go can be reached with a thumb: what the bar cannot hold stands behind « Plus »."""

from __future__ import annotations

import re

import pytest

from coworking.accounts import staff
from coworking.core.policy import Role


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

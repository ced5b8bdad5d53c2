"""What the tests of booking pages share: taps of a browser without scripts, and what the page then says."""

from __future__ import annotations

from coworking.booking.rules import Half

THURSDAY = "2026-11-26"
DAY: frozenset[Half] = frozenset({"am", "pm"})


def text(answer) -> str:
    return answer.get_data(as_text=True)


def tap(browser, day: str, half: str, **more: str):
    return browser.post("/bookings", data={"day": day, "half": half, **more}, follow_redirects=True)


def booking_url(page: str) -> str:
    start = page.index('href="/bookings/') + len('href="')
    return page[start : page.index('"', start)]

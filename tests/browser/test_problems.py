"""A problem with one's desk: two taps and a few words; the host sees to it in the sheet."""

from __future__ import annotations

from datetime import date

from coworking.booking import problems, services
from tests.browser.conftest import assert_accessible


def test_two_taps_and_a_few_words(app, place, cast, open_page):
    with app.app_context():
        made = services.book_half_days(cast.member.actor(), date(2026, 11, 27), frozenset({"am"})).public_id
    page = open_page(cast.member.email)
    page.goto("/week")
    page.click(f'a[href="/bookings/{made}"] >> nth=0')
    page.click("dialog >> text=Signaler un problème")
    page.fill("dialog textarea", "   ")
    page.click("dialog >> text=Signaler le problème")
    page.wait_for_selector(".err")
    assert_accessible(page)
    page.fill("textarea", "La lampe clignote")
    page.click("text=Signaler le problème")
    page.wait_for_selector("text=Merci. L’équipe le voit maintenant.")
    assert page.url.endswith("/week")

    with app.app_context():  # a word no line can hold
        problems.report(cast.colleague.actor(), place.desks[0].public_id, "x" * 400)
    host = open_page(cast.host.email, {"width": 320, "height": 700})
    host.goto("/today")
    host.click("text=Voir le détail")
    host.wait_for_selector("dialog input[name=resolution]")
    assert_accessible(host)
    assert not host.evaluate("(s => s.scrollWidth > s.clientWidth)(document.getElementById('sheet'))")
    host.fill("dialog input[name=resolution]", "Ampoule changée")
    host.click("dialog >> text=Marquer comme réglé")
    host.wait_for_selector("text=Noté comme réglé.")
    assert "La lampe clignote" not in host.inner_text("main")
    host.click("text=Annuler >> nth=0")
    host.wait_for_selector("text=La lampe clignote")

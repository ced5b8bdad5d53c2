"""Printed cards: made on someone's story, scanned at the door, where they check their owner in."""

from __future__ import annotations

import segno
from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from coworking.accounts import cards
from coworking.accounts.card_rules import new_token, token_in
from coworking.accounts.models import Person
from coworking.accounts.queries import person_by_public_id
from coworking.booking.queries import coming_bookings
from coworking.core import pdf
from coworking.core.clock import now
from coworking.core.errors import DomainError
from coworking.core.i18n import _
from coworking.core.policy import Role, actor_or_none, current_actor, public, requires
from coworking.core.settings import settings
from coworking.core.units import end_read
from coworking.core.web import refusal
from coworking.frontdesk.pages import blueprint, say_arrived
from coworking.frontdesk.views_sell import sell_after_arrival
from coworking.presence import queries as presences
from coworking.presence import services as presence
from coworking.spaces import queries as spaces


@blueprint.post("/people/<public_id>/card")
@requires(Role.HOST)
def make_card(public_id: str) -> ResponseReturnValue:
    """The PDF of a new card. The one they had is dead from then on; where no PDF can be made, it stays."""
    person = person_by_public_id(public_id)
    token = new_token()
    page = _paper(person, token)
    end_read()
    with pdf.turn() as draw:
        drawn = draw(page)
    cards.give(current_actor(), public_id, token)
    answer = Response(drawn, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="carte-{public_id}.pdf"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/people/<public_id>/card/end")
@requires(Role.HOST)
def end_card(public_id: str) -> ResponseReturnValue:
    cards.end(current_actor(), public_id)
    flash(_("The card does not work any more."))
    return redirect(url_for("frontdesk.story", public_id=public_id), 303)


@blueprint.get("/card")
@requires(Role.HOST)
def scan() -> ResponseReturnValue:
    """Where a scanner that types like a keyboard is pointed."""
    return render_template("frontdesk/scan.html", error=None)


@blueprint.post("/card")
@requires(Role.HOST)
def scanned() -> ResponseReturnValue:
    """Go to the person whose card was read."""
    token = token_in(request.form.get("code", ""))
    try:
        cards.holder_of(current_actor(), token or "")
    except DomainError:
        words = _("This card is not known. It may have been replaced: look the person up by name.")
        return render_template("frontdesk/scan.html", error=words), 404
    return redirect(url_for("frontdesk.card", token=token), 303)


@blueprint.get("/card/<token>")
@public
def card(token: str) -> ResponseReturnValue:
    """The check-in of a card's owner, for the team; for everyone else no card is ever known."""
    return _page(cards.holder_of(actor_or_none(), token), token)


@blueprint.post("/card/<token>")
@public
def arrive_by_card(token: str) -> ResponseReturnValue:
    """The owner of the card is here: the card shows it."""
    person = cards.holder_of(actor_or_none(), token)
    try:
        arrival = presence.arrive(current_actor(), person=person.public_id, evidence="qr")
    except DomainError as error:
        return refusal(error, lambda: _page(cards.holder_of(current_actor(), token), token))
    say_arrived(arrival)
    return sell_after_arrival(arrival)


def _page(person: Person, token: str) -> ResponseReturnValue:
    today = spaces.today()
    answer = Response(
        render_template(
            "frontdesk/card.html",
            person=person,
            token=token,
            here=presences.still_there(person.id, now()),
            today=[one for one in coming_bookings(person.id) if one.day == today and one.status == "confirmed"],
        )
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _paper(person: Person, token: str) -> str:
    """The page that becomes the PDF: an A4 sheet with the card, to be cut out."""
    lieu = spaces.lieu()
    drawing = segno.make(f"{settings().base_url}/card/{token}", error="m", micro=False)
    return pdf.html(
        "frontdesk/card_pdf.html",
        locale=person.locale,
        person=person,
        place=lieu,
        qr=Markup(drawing.svg_inline(omitsize=True, border=0)),  # noqa: S704 - drawn from our own address
    )

"""The page on which people pay, in French and in English; it plays Stripe's and says so."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, g, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from config import ROOT
from coworking.core.clock import now
from coworking.core.errors import N_
from coworking.demo.stripe_double.cards import FAILING_IBAN, GOOD_CARD, GOOD_IBAN, wrong_in_card, wrong_in_debit
from coworking.demo.stripe_double.double import this_double
from coworking.demo.stripe_double.paying import AUTHENTICATION_FAILED, SessionOver
from coworking.demo.stripe_double.refusals import StripeRefusal
from coworking.demo.stripe_double.store import StripeObject

blueprint = Blueprint("hosted_page", __name__)

CARDS = (
    (GOOD_CARD, N_("pays")),
    ("4000 0025 0000 3155", N_("asks the bank first, then pays")),
    ("4000 0000 0000 0002", N_("is declined")),
    ("4000 0000 0000 9995", N_("is declined: not enough money")),
)
"""The numbers shown to be tried; a tap fills one in."""
CARDS_TO_SAVE = (
    (GOOD_CARD, N_("pays")),
    ("4000 0025 0000 3155", N_("asks the bank first, then pays")),
    ("4000 0027 6000 3184", N_("asks the bank every time: it is not charged while you are away")),
    ("4000 0000 0000 0341", N_("is saved, and declined later: not enough money")),
)
ACCOUNTS = ((GOOD_IBAN, N_("pays a little later")), (FAILING_IBAN, N_("is refused a little later: not enough money")))
REASONS = {
    "card_declined": N_("The bank declined this card. Try another card or another way to pay."),
    "insufficient_funds": N_("There is not enough money on this card. Try another card or another way to pay."),
    "expired_card": N_("This card has expired. Check the date or try another card."),
    "incorrect_cvc": N_("The security code is not the card's. Check it and try again."),
    "test_mode_live_card": N_("This page takes test cards only. Never type the number of a real one here."),
    AUTHENTICATION_FAILED: N_("The bank did not get your confirmation. Try again or use another card."),
    "incorrect_number": N_("The card number is wrong. Check its digits."),
    "invalid_expiry": N_("The expiry date is wrong. Write the month and the year, such as 12/34."),
    "invalid_cvc": N_("The security code is wrong. It has three or four digits."),
    "name_missing": N_("Write the name of the account holder."),
    "invalid_iban": N_("The IBAN is wrong. Check its letters and digits."),
}
"""Why a payment did not go through, as its payer reads it."""

FIELDS = {
    "incorrect_number": "number",
    "invalid_expiry": "expiry",
    "expired_card": "expiry",
    "invalid_cvc": "cvc",
    "incorrect_cvc": "cvc",
    "name_missing": "name",
    "invalid_iban": "account",
}
"""The field to mend; the card's number where the bank said no."""


def reader_language() -> str:
    """The session's language, or the browser's."""
    chosen = g.get("payment_locale")
    return chosen if chosen in ("fr", "en") else request.accept_languages.best_match(("fr", "en")) or "en"


@blueprint.app_context_processor
def language_of_page() -> dict[str, object]:
    return {"reader_language": reader_language}


@blueprint.after_request
def close_to_others(response: Response) -> Response:
    """Let the page load its style sheet, send its form and go back to the lieu, nothing else."""
    targets = f"form-action 'self' {g.get('lieu', '')}".strip()
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; {targets}"
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if response.mimetype == "text/html":
        response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.errorhandler(StripeRefusal)
def unknown_session(refusal: StripeRefusal) -> ResponseReturnValue:
    return render_template("demo/stripe_double/over.html", session=None, status="unknown", back=None), 404


@blueprint.errorhandler(SessionOver)
def session_over(over: SessionOver) -> ResponseReturnValue:
    """Whoever sends the form twice has paid once: take them where the first answer took them."""
    session = _session(str(over))
    if session["status"] == "complete":
        return redirect(_success_url(session), 303)
    return _over(session)


@blueprint.get("/stripe-double.css")
def styles() -> Response:
    return send_file(ROOT / "static" / "css" / "stripe-double.css", max_age=3600)


@blueprint.get("/c/pay/<session_id>")
def pay(session_id: str) -> ResponseReturnValue:
    session = _session(session_id)
    return _over(session) if session["status"] != "open" else _form(session)


@blueprint.post("/c/pay/<session_id>")
def send_payment(session_id: str) -> ResponseReturnValue:
    session, typed = _session(session_id), request.form
    double = this_double()
    if typed.get("means") == "debit":
        name, account = typed.get("name", ""), typed.get("account", "")
        if (wrong := wrong_in_debit(name, account)) is not None:
            return _form(session, wrong)
        double.pay_by_debit(session_id, account, name.strip()[:100])
        return redirect(_success_url(session), 303)
    number = typed.get("number", "")
    if (wrong := wrong_in_card(number, typed.get("expiry", ""), typed.get("cvc", ""), now())) is not None:
        return _form(session, wrong)
    outcome = double.pay_by_card(session_id, number)
    if outcome == "wants_authentication":
        return redirect(url_for("hosted_page.confirm", session_id=session_id), 303)
    return redirect(_success_url(session), 303) if outcome == "paid" else _form(session, _reason(session_id))


@blueprint.get("/c/pay/<session_id>/confirm")
def confirm(session_id: str) -> ResponseReturnValue:
    session = _session(session_id)
    if session["status"] != "open":
        return _over(session)
    return _page("confirm", session)


@blueprint.post("/c/pay/<session_id>/confirm")
def send_confirmation(session_id: str) -> ResponseReturnValue:
    session = _session(session_id)
    outcome = this_double().answer_authentication(session_id, request.form.get("answer") == "confirm")
    return redirect(_success_url(session), 303) if outcome == "paid" else _form(session, _reason(session_id))


def _session(session_id: str) -> StripeObject:
    """A copy of the session; the language and the way back of this request become its own."""
    double = this_double()
    double.expire_due()
    with double.store.lock:
        session = double.store.expanded(double.store.get("checkout.session", session_id), [])
    g.payment_locale = (session["locale"] or "")[:2]
    g.lieu = " ".join(
        sorted({_origin(session["success_url"]), _origin(session["cancel_url"] or session["success_url"])})
    )
    return session


def _reason(session_id: str) -> str:
    """Why the last attempt failed: the bank's own word where it has one."""
    held = this_double().store.expanded(_session(session_id), ["payment_intent", "setup_intent"])
    intents = held["payment_intent"] or {}, held["setup_intent"] or {}
    error = intents[0].get("last_payment_error") or intents[1].get("last_setup_error") or {}
    said = error.get("decline_code")
    return said if said in REASONS else error.get("code") or "card_declined"


def _form(session: StripeObject, wrong: str | None = None) -> ResponseReturnValue:
    """The form, with what was typed and what is wrong with it."""
    asked = request.form.get("means") or request.args.get("means")
    offered = ["debit" if method == "sepa_debit" else method for method in session["payment_method_types"]]
    return _page(
        "pay",
        session,
        422 if wrong else 200,
        means=asked if asked in offered else offered[0],
        offered=offered,
        wrong=wrong,
        faulty=FIELDS.get(wrong, "number") if wrong else None,
        reason=REASONS.get(wrong or "", REASONS["card_declined"]),
        cards=CARDS_TO_SAVE if session["mode"] == "setup" else CARDS,
        accounts=ACCOUNTS,
        typed=_typed(),
    )


def _typed() -> dict[str, str]:
    """What stands in the fields: what was typed, or what pays."""
    number, account = request.args.get("number"), request.args.get("account")
    first = {
        "number": number if number in {known for known, _ in CARDS + CARDS_TO_SAVE} else GOOD_CARD,
        "expiry": "12 / 34",
        "cvc": "123",
        "name": "Camille Roux",
        "account": account if account in {known for known, _ in ACCOUNTS} else GOOD_IBAN,
    }
    return {name: request.form.get(name, value)[:100] for name, value in first.items()}


def _over(session: StripeObject) -> ResponseReturnValue:
    back = _success_url(session) if session["status"] == "complete" else session["cancel_url"]
    return _page("over", session, back=back, status=session["status"])


def _page(name: str, session: StripeObject, status: int = 200, /, **values: object) -> ResponseReturnValue:
    double = this_double()
    label = double.store.labels.get(session["id"], "")
    html = render_template(
        f"demo/stripe_double/{name}.html", session=session, label=label, lieu=double.account_name, **values
    )
    return html, status


def _success_url(session: StripeObject) -> str:
    return session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"

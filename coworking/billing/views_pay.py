"""Paying invoices by a link that needs no account: the page, the way to the gateway, and the way back."""

from __future__ import annotations

from contextlib import suppress
from threading import BoundedSemaphore

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.billing import drafts, online, online_opening, online_queries, pdf, queries
from coworking.billing.gateways.port import GatewayRefused, GatewayUnavailable
from coworking.billing.online_models import OnlinePayment
from coworking.billing.online_rules import UNSETTLED, FactDisagrees
from coworking.billing.pay_links import invoices_of, pay_url
from coworking.billing.transfers import epc_qr
from coworking.core.errors import DomainError, NotFound
from coworking.core.i18n import language
from coworking.core.policy import SYSTEM, actor_or_none, public
from coworking.core.web import let_forms_reach, refusal

MOST_ASKING = 3
"""How many of a web process's threads may wait for a gateway because a payer came back. The page of whoever comes beyond
says that it is not known yet: a slow gateway must not take the whole lieu with it."""
asking = BoundedSemaphore(MOST_ASKING)

blueprint = Blueprint("pay", __name__, url_prefix="/pay")


@blueprint.get("/<token>")
@public
def page(token: str) -> ResponseReturnValue:
    return _page(token, None)


def _page(token: str, payment: OnlinePayment | None) -> Response:
    """``payment``: the one that the payer has just come back from."""
    rows = queries.standings_of(invoices_of(token))
    if not rows:
        raise NotFound()
    owed = [row for row in rows if row.open_cents > 0]
    cents, seller = sum(row.open_cents for row in owed), drafts.seller()
    ways = online_queries.offered()
    let_forms_reach(origin for way in ways for origin in way.pages)
    currency, numbers = rows[0].invoice.currency, " ".join(row.invoice.number for row in owed)
    code = None
    if cents and seller.iban and currency == "EUR":
        code = epc_qr(name=seller.name, iban=seller.iban, bic=seller.bic, cents=cents, text=numbers)
    answer = make_response(
        render_template(
            "billing/pay.html",
            token=token,
            rows=rows,
            cents=cents,
            currency=currency,
            numbers=numbers,
            seller=seller,
            ways=[way.name for way in ways if cents >= way.least_cents],
            pending=online_queries.pending_for([row.invoice.id for row in rows]),
            payment=payment,
            code=code,
        )
    )
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


@blueprint.post("/<token>")
@public
def pay(token: str) -> ResponseReturnValue:
    ids = invoices_of(token)
    let_forms_reach(origin for way in online_queries.offered() for origin in way.pages)
    try:
        opened = online_opening.open_payment(
            ids,
            request.form.get("gateway", ""),
            pay_url=pay_url(ids),
            locale=language(),
            actor=actor_or_none() or SYSTEM,
        )
    except DomainError as error:
        if isinstance(error, NotFound):
            raise
        return refusal(error, lambda: _page(token, None))
    if opened.checkout_url is None:  # settled meanwhile, by another tab's way back
        return redirect(url_for("pay.page", token=token), 303)
    return redirect(opened.checkout_url, 303)


@blueprint.get("/<token>/back")
@public
def back(token: str) -> ResponseReturnValue:
    """The payer comes back from the gateway, mostly before any notification: ask how it stands, and say it."""
    payment = online_queries.online_payment(request.args.get("payment", ""))
    if not {part.invoice.public_id for part in payment.parts} <= set(invoices_of(token)):
        raise NotFound()
    public_id = payment.public_id
    if payment.state in UNSETTLED and payment.checkout_id is not None and asking.acquire(blocking=False):
        try:
            with suppress(GatewayUnavailable, GatewayRefused, FactDisagrees):  # the page says that it is not known yet
                online.settle(payment.gateway, payment.checkout_id)
        finally:
            asking.release()
    return _page(token, online_queries.online_payment(public_id))


@blueprint.get("/<token>/<public_id>.pdf")
@public
def download(token: str, public_id: str) -> ResponseReturnValue:
    row = next(iter(queries.standings_of({public_id} & set(invoices_of(token)))), None)
    if row is None:
        raise NotFound()
    answer = Response(pdf.pdf_of(row.invoice), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{pdf.file_name(row.invoice)}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer

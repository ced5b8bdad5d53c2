"""Collecting what is due from the means that payers saved: debits announced, charges made, crashes mended.

A collection is an online payment like any other, without a page. Its intent is committed under the locks of the means and
the invoice, then the gateway is called with the payment's own id as key, then the outcome is committed. After any gap the
gateway is asked first whether the charge was made: only where it knows of none is it called again, with the same key.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from flask import current_app
from sqlalchemy import select

from coworking.billing import means, means_queries, online, online_entries, online_queries, queries
from coworking.billing.gateways.port import CollectionWanted, Gateway, GatewayRefused, GatewayUnavailable
from coworking.billing.means_models import DebitNotice, SavedMeans
from coworking.billing.means_queries import Planned
from coworking.billing.means_rules import BANK_DAYS
from coworking.billing.models import Invoice
from coworking.billing.online_looking import known_collection
from coworking.billing.online_models import OnlinePayment, OnlinePaymentPart, OnlinePaymentStep
from coworking.billing.online_opening import close_pages
from coworking.billing.online_rules import FactDisagrees
from coworking.core import audit, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.policy import SYSTEM
from coworking.core.units import end_read, locked, write_unit
from coworking.spaces import queries as spaces

log = logging.getLogger(__name__)

ANNOUNCED = "billing.debit_announced"
"""The outbox topic of the e-mail that announces a debit."""

AT_ONCE = 4
"""How many charges are asked for at once: a gateway takes its time, and a run may have a thousand."""
RESUMED_AFTER = timedelta(minutes=2)
"""A collection that has not heard from its call for so long was interrupted; a call ends within half a minute."""
KEY_HOLDS = timedelta(hours=20)
"""How long the same key surely charges once; gateways forget keys after a day."""


def collect_due() -> int:
    """Announce and collect what may be today, and mend what was interrupted; how many charges were asked for.

    Two runs at once share the work. What a gateway refuses or does not answer leaves the others alone.
    """
    if spaces.lieu_or_none() is None:
        return 0
    gateways = {one.name: one for one in online_queries.offered() if one.saved_means is not None}
    if not gateways:
        return 0
    interrupted = means_queries.begun_before(now() - RESUMED_AFTER)
    end_read()
    for public_id in interrupted:
        _mend(public_id, gateways)
    today = spaces.today()
    due = [one for one in means_queries.planned() if _is_due(one, gateways)]
    announced = [one.standing.invoice.id for one in due if one.step.act == "announce"]
    charged = [
        (one.standing.invoice.id, one.means.gateway, _pages(one.under_way)) for one in due if one.step.act == "collect"
    ]
    end_read()
    for invoice_id in announced:
        announce(invoice_id)
    app = current_app._get_current_object()  # type: ignore[attr-defined] - the proxy's own way to the application

    def charge(job: tuple[int, str, list[tuple[str, str, str]]]) -> bool:
        with app.app_context():
            invoice_id, name, pages = job
            try:
                if pages:
                    close_pages(pages)
                return collect(invoice_id, gateways[name])
            except Exception:
                log.warning("the invoice %s could not be collected", invoice_id, exc_info=True)
                return False

    if not charged:
        return 0
    log.info("%s invoices are collected on %s", len(charged), today)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="collect") as pool:
        return sum(pool.map(charge, charged))


def _is_due(one: Planned, gateways: dict[str, Gateway]) -> bool:
    """Whether the next step may be taken today, at a gateway that moves the same kind of money."""
    gateway = gateways.get(one.means.gateway)
    return (
        gateway is not None
        and gateway.is_live == one.means.is_live
        and one.step.from_day <= spaces.today()
        and one.step.cents >= gateway.least_cents
        and all(row.state == "open" and row.checkout_id is not None for row in one.under_way)
    )


def _pages(under_way: Sequence[OnlinePayment]) -> list[tuple[str, str, str]]:
    return [(row.gateway, row.checkout_id, row.public_id) for row in under_way if row.checkout_id is not None]


# Announcing -----------------------------------------------------------------------------------------------------------


def announce(invoice_id: int) -> bool:
    """Tell the payer of an invoice that its debit comes, once; False: nothing is to be announced any more."""
    with write_unit():
        one = _planned_locked(invoice_id)
        if one is None or one.step.act != "announce" or one.step.from_day > spaces.today():
            return False
        notice = DebitNotice(
            saved_means_id=one.means.id,
            invoice_id=invoice_id,
            attempt=one.step.attempt,
            cents=one.step.cents,
            debited_on=one.step.on,
            announced_at=now(),
        )
        db.session.add(notice)
        db.session.flush()
        outbox.enqueue(ANNOUNCED, f"{ANNOUNCED}:{notice.public_id}", {"notice": notice.public_id})
        audit.record(
            SYSTEM,
            "billing.debit_announced",
            ("invoice", invoice_id),
            person_id=one.standing.invoice.payer_person_id,
            cents=notice.cents,
        )
        return True


# Collecting -----------------------------------------------------------------------------------------------------------


def collect(invoice_id: int, gateway: Gateway) -> bool:
    """Charge the means of an invoice's payer with what it may be charged; False: nothing is to be collected any more."""
    wanted = _intend(invoice_id, gateway)
    if wanted is None:
        return False
    _charge(wanted, gateway)
    return True


def _intend(invoice_id: int, gateway: Gateway) -> CollectionWanted | None:
    """The intent to collect, committed: decided anew under the locks of the means and of the invoice."""
    with write_unit():
        one = _planned_locked(invoice_id)
        if one is None or one.step.act != "collect" or one.step.from_day > spaces.today():
            return None
        if (one.means.gateway, one.means.is_live) != (gateway.name, gateway.is_live):
            return None
        invoice, cents = one.standing.invoice, one.step.cents
        if cents < gateway.least_cents:
            return None
        payment = OnlinePayment(
            gateway=gateway.name,
            is_live=gateway.is_live,
            payer_person_id=invoice.payer_person_id,
            payer_organisation_id=invoice.payer_organisation_id,
            cents=cents,
            currency=invoice.currency,
            state="opening",
            locale=one.means.locale,
            saved_means_id=one.means.id,
            parts=[OnlinePaymentPart(invoice_id=invoice_id, cents=cents)],
            steps=[OnlinePaymentStep(state="opening", noted_at=now())],
        )
        db.session.add(payment)
        db.session.flush()
        online_entries.look_later(payment.public_id, 0)
        return _wanted(payment, invoice, one.means)


def _planned_locked(invoice_id: int) -> Planned | None:
    """What happens next with an invoice, its payer's means and itself locked; None where another payment is under way."""
    found = means_queries.payer_of(invoice_id)
    db.session.scalars(locked(select(SavedMeans).where(*found, SavedMeans.state == "active"))).all()
    db.session.scalars(locked(select(Invoice).where(Invoice.id == invoice_id))).one()
    one = next(iter(means_queries.planned(Invoice.id == invoice_id)), None)
    return None if one is None or one.under_way else one


def _wanted(payment: OnlinePayment, invoice: Invoice, saved: SavedMeans) -> CollectionWanted:
    day = None if saved.kind == "card" else means_queries.debited_on(saved, invoice)
    if day is not None and (day - spaces.today()).days < BANK_DAYS:
        day = None  # too late for the bank to keep it: as soon as it can
    assert saved.customer_id is not None and saved.means_id is not None
    return CollectionWanted(
        key=payment.public_id,
        cents=payment.cents,
        currency=payment.currency,
        label=f"{spaces.lieu().name} : {invoice.number}"[:250],
        customer_id=saved.customer_id,
        means_id=saved.means_id,
        mandate_id=saved.mandate_id,
        debited_on=day,
    )


def _charge(wanted: CollectionWanted, gateway: Gateway) -> None:
    """Call the gateway and write down what it says; without an answer the intent stays, and is mended later."""
    assert gateway.saved_means is not None
    try:
        fact = gateway.saved_means.collect(wanted)
    except GatewayUnavailable as error:
        log.warning("%s did not say whether it charged %s: %s", gateway.name, wanted.key, error)
    except GatewayRefused as refusal:
        log.warning("%s refused to charge %s: %s %s", gateway.name, wanted.key, refusal.code, refusal)
        _refused(wanted.key, refusal.code)
    else:
        online.note_fetched(gateway, fact)


def _refused(key: str, code: str) -> None:
    """The gateway made no charge. Where its keys are refused too, nothing is known of the means: the intent stays."""
    saved = means_queries.means_collected(key)
    try:
        is_usable = means.check_usable(saved)
    except (GatewayUnavailable, GatewayRefused) as error:
        log.warning("nothing is known of the means %s: %s", saved, error)
        return
    with write_unit():
        row = online_entries.locked_payment(key)
        if row.state == "opening":
            online_entries.reach(row, "failed", code if is_usable else "means_ended")
            online_entries.tell(row, "failed")


# After a gap ----------------------------------------------------------------------------------------------------------


def _mend(public_id: str, gateways: dict[str, Gateway]) -> None:
    """Find out whether an interrupted collection was charged; where it was not, charge it now or end it."""
    payment = online_queries.online_payment(public_id)
    gateway, since = gateways.get(payment.gateway), payment.created_at - timedelta(hours=1)
    if gateway is None or gateway.is_live != payment.is_live or payment.saved_means_id is None:
        return
    try:
        fact = known_collection(gateway, payment.saved_means_id, since, public_id)
        if fact is not None:
            online.note_fetched(gateway, fact)
            return
        wanted = _intend_again(public_id)
        if wanted is not None:
            _charge(wanted, gateway)
    except (GatewayUnavailable, FactDisagrees) as error:
        log.warning("the collection %s could not be mended: %s", public_id, error)


def _intend_again(public_id: str) -> CollectionWanted | None:
    """The same collection once more, where its payer still agrees and still owes it; else it has failed."""
    payment = online_queries.online_payment(public_id)
    means_id, invoice_id = payment.saved_means_id, payment.parts[0].invoice_id
    with write_unit():
        saved = db.session.scalars(locked(select(SavedMeans).where(SavedMeans.id == means_id))).one()
        payment = online_entries.locked_payment(public_id)
        invoice = db.session.scalars(locked(select(Invoice).where(Invoice.id == invoice_id))).one()
        if payment.state != "opening":
            return None
        is_fresh = now() - payment.created_at < KEY_HOLDS
        if saved.state == "active" and is_fresh and queries.owed_on(invoice) >= payment.cents:
            return _wanted(payment, invoice, saved)
        online_entries.reach(payment, "failed", "not_sent")
        return None

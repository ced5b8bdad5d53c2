"""Reading saved means, and what is to be collected from them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import joinedload

from coworking.accounts.models import Organisation, Person
from coworking.billing import online_queries, queries
from coworking.billing.gateways.port import Gateway, Means
from coworking.billing.means_models import DebitNotice, SavedMeans
from coworking.billing.means_rules import USUAL_NOTICE_DAYS, CollectionStep, Failure, Told, next_step
from coworking.billing.models import Invoice
from coworking.billing.online_models import OnlinePayment, OnlinePaymentPart
from coworking.billing.online_rules import UNSETTLED
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor, Role
from coworking.spaces import queries as spaces


def saving_gateway() -> Gateway | None:
    """The gateway at which payers may save a means here; None: there is none."""
    return next((one for one in online_queries.offered() if one.saved_means is not None), None)


def notice_days() -> int:
    """How many days before a debit payers are told, from now on."""
    return queries.settings_row().debit_notice_days or USUAL_NOTICE_DAYS


def means_for(actor: Actor, public_id: str) -> SavedMeans:
    """A saved means that is the actor's own, or that of an organisation whose contact they are; raises `NotFound`.

    Managers may withdraw one for its owner, who asked them to.
    """
    own = () if actor.has(Role.MANAGER) else queries.own_of(actor, SavedMeans)
    found = db.session.scalar(select(SavedMeans).where(SavedMeans.public_id == public_id, *own))
    if found is None:
        raise NotFound()
    return found


def means_named(public_id: str) -> SavedMeans:
    """One means, whoever asks; raises `NotFound`."""
    found = db.session.scalar(select(SavedMeans).where(SavedMeans.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def means_by_id(key: int | None) -> SavedMeans:
    """One means by its key."""
    return db.session.get_one(SavedMeans, key)


def own_means(actor: Actor) -> list[SavedMeans]:
    """The active means of the actor and of the organisations whose contact they are (1 statement)."""
    return _active(*queries.own_of(actor, SavedMeans))


def all_means() -> list[SavedMeans]:
    """Every active means, the newest first."""
    return _active()[::-1]


def means_of(invoice: Invoice) -> SavedMeans | None:
    """The active means of whoever pays ``invoice``."""
    return next(iter(_active(*_of_payer(invoice.payer_person_id, invoice.payer_organisation_id))), None)


def payer_of(invoice_id: int) -> tuple[ColumnElement[bool], ...]:
    """Conditions of the means of whoever pays an invoice."""
    row = db.session.execute(
        select(Invoice.payer_person_id, Invoice.payer_organisation_id).where(Invoice.id == invoice_id)
    ).one()
    return _of_payer(*row)


def means_collected(payment: str) -> str:
    """The public id of the means that an online payment is collected from."""
    return db.session.scalars(
        select(SavedMeans.public_id)
        .join(OnlinePayment, OnlinePayment.saved_means_id == SavedMeans.id)
        .where(OnlinePayment.public_id == payment)
    ).one()


def _of_payer(person_id: int | None, organisation_id: int | None) -> tuple[ColumnElement[bool], ...]:
    if organisation_id is not None:
        return (SavedMeans.payer_organisation_id == organisation_id,)
    return (SavedMeans.payer_person_id == person_id,)


def _active(*conditions: ColumnElement[bool]) -> list[SavedMeans]:
    return list(
        db.session.scalars(
            select(SavedMeans)
            .where(SavedMeans.state == "active", *conditions)
            .options(joinedload(SavedMeans.payer_person), joinedload(SavedMeans.payer_organisation))
            .order_by(SavedMeans.id)
        ).unique()
    )


def payers_for(actor: Actor) -> list[tuple[str, str]]:
    """For whom the actor may save a means: (value, name); oneself first, with the value ``me``, then organisations."""
    organisations = db.session.execute(
        select(Organisation.public_id, Organisation.name)
        .where(Organisation.id.in_(queries.contact_of(actor)))
        .order_by(Organisation.name)
    )
    return [("me", ""), *((public, name) for public, name in organisations)]


def payer_name(actor: Actor, payer: str) -> str:
    """The name of a payer for whom the actor may save a means; raises `NotFound`."""
    if payer == "me":
        return db.session.get_one(Person, actor.person_id).name
    name = dict(payers_for(actor)).get(payer)
    if name is None:
        raise NotFound()
    return name


def payer_value(saved: SavedMeans) -> str:
    """Whose a means is, as `payers_for` names them."""
    return "me" if saved.payer_organisation is None else saved.payer_organisation.public_id


def is_own(actor: Actor, saved: SavedMeans) -> bool:
    """Whether a means is the actor's, or an organisation's whose contact they are."""
    return bool(
        db.session.scalar(select(SavedMeans.id).where(SavedMeans.id == saved.id, *queries.own_of(actor, SavedMeans)))
    )


def planned_from(saved: SavedMeans) -> list[Planned]:
    """What is collected next from a means."""
    return planned(SavedMeans.id == saved.id)


def expiring(last: date, first: date) -> list[SavedMeans]:
    """Active cards that end from ``first`` to ``last``."""
    return _active(SavedMeans.expires_on.is_not(None), SavedMeans.expires_on >= first, SavedMeans.expires_on <= last)


# What is to be collected ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Planned:
    """An invoice that its payer lets us collect, and what happens next. ``under_way``: online payments not settled yet."""

    standing: queries.Standing
    means: SavedMeans
    step: CollectionStep
    under_way: tuple[OnlinePayment, ...]


def planned(*conditions: ColumnElement[bool]) -> list[Planned]:
    """The unpaid invoices under ``conditions`` whose payer has an active means, with what happens next (5 statements).

    Those that nothing more is tried for are left out.
    """
    pairs = queries.unpaid_with(SavedMeans, _same_payer(), SavedMeans.state == "active", *conditions)
    if not pairs:
        return []
    ids = [standing.invoice.id for standing, _means in pairs]
    attempts, told = _attempts(ids), _told(ids)
    today, zone = spaces.today(), spaces.lieu().tz
    found: list[Planned] = []
    for standing, means in pairs:
        invoice = standing.invoice
        before = attempts.get(invoice.id, [])
        if any(row.state == "paid" for row in before):
            continue  # it was paid and is owed again: returned, disputed or refunded, which is for a person
        step = next_step(
            cast(Means, means.kind),
            issued_on=invoice.issued_on,
            due_on=invoice.due_on,
            owed=standing.open_cents,
            today=today,
            notice_days=means.notice_days,
            failures=[
                Failure(row.changed_at.astimezone(zone).date(), row.reason or "")
                for row in before
                if row.state == "failed" and row.saved_means_id == means.id
            ],
            told=[
                Told(row.attempt, row.cents, row.debited_on)
                for row in told.get(invoice.id, [])
                if row.saved_means_id == means.id
            ],
        )
        if step is not None:
            found.append(Planned(standing, means, step, tuple(row for row in before if row.state in UNSETTLED)))
    return found


def planned_for(invoice_ids: Collection[int]) -> Mapping[int, Planned]:
    """What happens next to collect these invoices, by their ids."""
    return {one.standing.invoice.id: one for one in planned(Invoice.id.in_(invoice_ids))} if invoice_ids else {}


def _same_payer() -> ColumnElement[bool]:
    return or_(
        Invoice.payer_person_id == SavedMeans.payer_person_id,
        Invoice.payer_organisation_id == SavedMeans.payer_organisation_id,
    )


def _attempts(invoice_ids: Sequence[int]) -> dict[int, list[OnlinePayment]]:
    """The online payments of these invoices, by invoice, in the order in which they failed or began."""
    rows = db.session.execute(
        select(OnlinePaymentPart.invoice_id, OnlinePayment)
        .join(OnlinePayment, OnlinePayment.id == OnlinePaymentPart.online_payment_id)
        .where(
            OnlinePaymentPart.invoice_id.in_(invoice_ids),
            or_(OnlinePayment.saved_means_id.is_not(None), OnlinePayment.state.in_((*UNSETTLED, "paid"))),
        )
        .order_by(OnlinePayment.changed_at, OnlinePayment.id)
    )
    found: dict[int, list[OnlinePayment]] = {}
    for invoice_id, row in rows:
        found.setdefault(invoice_id, []).append(row)
    return found


def _told(invoice_ids: Sequence[int]) -> dict[int, list[DebitNotice]]:
    found: dict[int, list[DebitNotice]] = {}
    for row in db.session.scalars(select(DebitNotice).where(DebitNotice.invoice_id.in_(invoice_ids))):
        found.setdefault(row.invoice_id, []).append(row)
    return found


def begun_before(instant: datetime) -> list[str]:
    """Collections whose call nothing is known of though they began before then, by public id, the oldest first."""
    return list(
        db.session.scalars(
            select(OnlinePayment.public_id)
            .where(
                OnlinePayment.state == "opening",
                OnlinePayment.saved_means_id.is_not(None),
                OnlinePayment.created_at <= instant,
            )
            .order_by(OnlinePayment.id)
        )
    )


def failures_of(payment: OnlinePayment) -> list[Failure]:
    """The failed attempts to collect the invoice of ``payment`` from the same means, the oldest first."""
    zone = spaces.lieu().tz
    rows = _attempts([payment.parts[0].invoice_id]).get(payment.parts[0].invoice_id, [])
    return [
        Failure(row.changed_at.astimezone(zone).date(), row.reason or "")
        for row in rows
        if row.state == "failed" and row.saved_means_id == payment.saved_means_id
    ]


def debited_on(saved: SavedMeans, invoice: Invoice) -> date | None:
    """The day on which an invoice's debit was last announced."""
    return db.session.scalar(
        select(func.max(DebitNotice.debited_on)).where(
            DebitNotice.saved_means_id == saved.id, DebitNotice.invoice_id == invoice.id
        )
    )


def notice_named(public_id: str) -> tuple[DebitNotice, SavedMeans, Invoice]:
    """An announcement with its means and invoice; raises `NotFound`."""
    found = db.session.execute(
        select(DebitNotice, SavedMeans, Invoice)
        .join(SavedMeans, SavedMeans.id == DebitNotice.saved_means_id)
        .join(Invoice, Invoice.id == DebitNotice.invoice_id)
        .where(DebitNotice.public_id == public_id)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found[0], found[1], found[2]

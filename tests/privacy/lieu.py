"""A lieu in which every personal column of every row holds a sentinel: a word that stands nowhere else.

People act through the services, so that snapshots (invoices, attestations) are made by the product's own code; then each
declared column is overwritten, row by row, past the guards that forbid it. A new personal column is filled by itself.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary, select, text, update

from coworking.accounting import closings, drawer
from coworking.accounting.bank_models import BankLine, BankMatch, BankStatement, BankUpload
from coworking.accounting.closing_models import TakingsClosing
from coworking.accounts import api_tokens, cards, consents, once, terms, tokens
from coworking.accounts.card_models import PersonCard
from coworking.accounts.card_rules import new_token
from coworking.accounts.factor_models import Authenticator, Passkey, RecoveryCode
from coworking.accounts.models import EmailChange, Organisation, OrganisationInvitation, OrganisationMember, Person
from coworking.accounts.paper_models import PaperMessage
from coworking.accounts.proxy_models import BookingProxy
from coworking.billing import door_queries, payer_credit, payer_credit_queries, paying, selling
from coworking.billing import services as billing
from coworking.billing.door_models import DoorSale, ReceiptPdf
from coworking.billing.gateways.models import GatewayKeys
from coworking.billing.means_models import SavedMeans
from coworking.billing.models import BillingSettings, Charge, DraftHold, Invoice, InvoicePdf
from coworking.billing.online_models import (
    OnlineDispute,
    OnlinePayment,
    OnlinePaymentPart,
    OnlinePaymentStep,
    OnlineRefund,
)
from coworking.billing.pay_links import pay_token, sale_token
from coworking.billing.payout_models import OnlinePayout, OnlinePayoutPart
from coworking.billing.reminder_models import Reminder, ReminderLine, ReminderPause
from coworking.booking import messages, problems
from coworking.booking import services as booking
from coworking.booking.message_models import DayMessage, PhoneCall
from coworking.booking.models import Booking, RefusedRequest
from coworking.booking.placing import Request, RequestedItem
from coworking.core import audit, idempotency, outbox, sender
from coworking.core.clock import frozen_at, now
from coworking.core.db import db
from coworking.core.legal import NAMES as LEGAL
from coworking.core.legal import LegalSettings
from coworking.core.policy import SYSTEM
from coworking.core.privacy import seen_by
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.imports.models import ImportFile, ImportLine
from coworking.imports.table_rules import ReadTable, TableLine, packed
from coworking.membership import trials
from coworking.membership.models import Agreement, Pack, PackOffer, Subscription
from coworking.membership.pack_request_models import PackRequest
from coworking.membership.trial_models import Trial
from coworking.network.head import enrolment
from coworking.network.head.models import LieuMerge, NetworkLieu
from coworking.network.lieu import services as network
from coworking.network.lieu.models import Delivery, HeadLink
from coworking.presence import attestation
from coworking.presence import services as presence
from coworking.presence.models import Attestation, AttestationPdf, Presence
from coworking.pricing import article_services, sales
from coworking.pricing.group_rules import Reduction
from coworking.pricing.models import Article, Quote, Sale
from coworking.pricing.rules import SaleLine
from coworking.residents import services as residents
from coworking.residents.models import Residency
from coworking.residents.services import Assigning
from coworking.spaces.models import Resource, Zone
from coworking.spaces.photo_models import LieuPhoto, LieuPhotoFile
from coworking.statistics import services as statistics
from tests import factories
from tests.conftest import Clock
from tests.support.billing import use

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
TODAY, TOMORROW = date(2026, 11, 24), date(2026, 11, 25)
NAMES = ("first_name", "last_name", "email", "phone", "address", "postcode", "city")
ORGANISATION = ("name", "email", "address", "postcode", "city", "siren", "siret", "vat_number", "service_code")

Subject = tuple[str, int] | None
"""Whom a row is about: a person, an organisation, or None for the lieu itself."""


@dataclass
class Sentinels:
    """What each sentinel found on a page means."""

    meaning: dict[str, tuple[str, Subject]] = field(default_factory=dict[str, tuple[str, Subject]])
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def new(self, column: str, subject: Subject) -> str:
        word = f"zq{next(self._numbers):04}x"
        self.meaning[word] = (column, subject)
        return word


@dataclass
class Filled:
    """The lieu: its people by their part in the cast, what its sentinels mean, and ids and secrets of each kind."""

    people: dict[str, Person]
    employer: int
    sentinels: Sentinels
    ids: dict[str, list[str]]
    secrets: dict[str, str]


def fill(clock: Clock) -> Filled:
    """Make the lieu; inside an application context, on SQLite, on 24 November 2026 at 10:36."""
    words = Sentinels()
    people, employer = _people()
    place = factories.make_place(desks=8, legal_status="public", vat_status="taxable", siret="12345678900011")
    factories.make_tariff()
    plan = factories.make_plan()
    factories.make_subscription(people["member"])
    next_pack = factories.make_pack(people["member"], valid_from=date(2026, 12, 1))
    _ask_back(factories.make_pack(people["stranger"]), next_pack)
    group = factories.make_group(desk=Reduction(percent_bp=1000))
    for name in ("member", "stranger"):
        factories.make_reduced(people[name], group)
    agreement = factories.make_agreement()
    manager = people["manager"].actor()
    with write_unit():
        db.session.add(BillingSettings(id=1, vat_number="FR00123456789", vat_on_debits=False))

    _name_everyone(words, "invoice.payload")
    _bill(place, people, employer, agreement)
    _save_means(people, employer)
    _come(place, people, clock)
    _sell(people)
    _assign(place, people, employer)
    with frozen_at(now() + timedelta(days=1)):
        closings.close_due()
    _name_everyone(words, "attestation.payload", ("person", people["member"].id))
    attestation.issue(people["member"].actor(), NOVEMBER, employer=_public_id(Organisation, employer))
    kept = attestation.issue(people["member"].actor(), NOVEMBER)
    with write_unit():
        db.session.add(AttestationPdf(attestation_id=kept.id, locale="fr", sha256="0" * 64, content=b""))
    statistics.close(SYSTEM, OCTOBER)
    network.send_by_email(manager, name="Le réseau", email="reseau@tete.example", since=OCTOBER)
    invoices = db.session.scalars(select(Invoice.public_id).where(Invoice.kind == "invoice")).all()
    secrets = _links(people) | {"pay": pay_token(invoices), "to_pay": sale_token(_sale_of(people["member"]))}
    _agree(people)
    _read_bank()
    _import()
    _pay_out()
    with write_unit():
        db.session.add(GatewayKeys(gateway="stripe", secrets="…"))
        db.session.add(OrganisationInvitation(organisation_id=employer, email="…", ends_at=now() + timedelta(days=14)))
        db.session.add(DraftHold(payer_person_id=people["member"].id, reason="…"))
        db.session.add(LegalSettings(id=1, **dict.fromkeys(LEGAL, "…")))
        db.session.add(sender.MailSettings(id=1, tried_well=False, tried_at=now()))
        db.session.add(
            idempotency.IdempotencyKey(person_id=people["member"].id, key="k", endpoint="e", fingerprint="f")
        )
        tried = select(Quote.id).where(Quote.person_id == people["stranger"].id).limit(1)
        db.session.add(Trial(person_id=people["stranger"].id, address="…", quote_id=db.session.scalars(tried).one()))
        photo = LieuPhoto(public_id=PHOTO, slot=1, position=1, alt="…")
        photo.files = [LieuPhotoFile(width=480, height=320, sha256="0" * 64, content=b"")]
        db.session.add(photo)
        db.session.add(RefusedRequest(day=OCTOBER, kind="desk", who="w"))
        _put_on_paper(people)
        db.session.add(PersonCard(person_id=people["member"].id, digest="…"))
        once.use("a link", lasts=timedelta(minutes=15))
        db.session.add(Authenticator(person_id=people["member"].id, secret="…"))
        db.session.add(
            Passkey(
                person_id=people["member"].id, credential_id="…", public_key=b"", sign_count=0, backed_up=True, name="…"
            )
        )
        db.session.add(RecoveryCode(person_id=people["member"].id, digest="…"))
        db.session.execute(text("INSERT INTO throttle (bucket, score, scored_at) VALUES ('b', 1, 0)"))
        for person in people.values():
            audit.record(manager, "person.changed", ("person", person.id), person_id=person.id, reason="…")
        db.session.execute(update(outbox.OutboxRow).values(state="failed", ended_at=now()))
    trials.set_trial(manager, 0)
    for person in people.values():
        factories.make_device(person)
        api_tokens.issue(person.actor(), name="token", scopes=frozenset({"lieu:read"}))
    _overwrite(words)
    empty = seen_by(db.metadata).keys() - {column for column, _ in words.meaning.values()}
    assert not empty, f"no row of the lieu in tests/privacy/lieu.py has {', '.join(sorted(empty))}"
    with write_unit():  # the page of the network shows what is on its way to the head of today
        db.session.execute(update(HeadLink).values(head_id=select(Delivery.recipient).scalar_subquery()))
    secrets["code"] = db.session.scalars(select(Attestation.code).order_by(Attestation.id)).first() or ""
    secrets |= _tokens(people)
    tokens_of_cards = _print_cards(people)
    db.session.expire_all()
    rows = {name: db.session.get_one(Person, person.id, populate_existing=True) for name, person in people.items()}
    ids = _ids() | {
        "plan": [plan.public_id],
        "price_group": [group.public_id],
        "card": tokens_of_cards,
        "text": ["rules-2026-11-24"],
        "twins": [{"one": people["member"].public_id, "other": people["stranger"].public_id}],
        "records": [{"person_id": people["member"].public_id, "other_id": people["stranger"].public_id}],
        "paper": list(db.session.scalars(select(PaperMessage.public_id))),
        "pack": list(db.session.scalars(select(Pack.public_id))),
        "pack_request": list(db.session.scalars(select(PackRequest.public_id))),
        "pack_offer": list(db.session.scalars(select(PackOffer.public_id))),
        "withdrawal": [
            {"kind": kind, "public_id": one}
            for kind, bought in (("plan", Subscription), ("pack", Pack))
            for one in db.session.scalars(select(bought.public_id))
        ],
    }
    db.session.expunge_all()
    return Filled(rows, employer, words, ids, secrets)


def _people() -> tuple[dict[str, Person], int]:
    cast = factories.make_cast()
    people = {name: getattr(cast, name) for name in factories.Cast.__slots__}
    people["contact"] = factories.make_person("Nadia", "Roux", "contact@demo.example")
    people["hidden"] = factories.make_person("Paul", "Serre", "hidden@demo.example")
    people["proxy"] = factories.make_person("Claire", "Marchand", "proxy@demo.example")
    employer = db.session.scalars(select(Organisation.id)).one()
    with write_unit():
        row = BookingProxy(
            person_id=people["member"].id, proxy_person_id=people["proxy"].id, agreed_on=factories.LONG_AGO
        )
        row.since = datetime(2026, 11, 1, tzinfo=UTC)
        db.session.add(row)
        for name in ("contact", "hidden"):
            db.session.add(
                OrganisationMember(
                    organisation_id=employer,
                    person_id=people[name].id,
                    since=factories.LONG_AGO,
                    is_contact=name == "contact",
                )
            )
    return people, employer


def _ask_back(waits: Pack, pack: Pack) -> None:
    """The rest of a pack was asked back, and that of another one declined."""
    declined = {"outcome": "declined", "answer": "…", "closed_at": now()}
    with write_unit():
        db.session.add(PackRequest(pack_id=waits.id, reason="…"))
        db.session.add(PackRequest(pack_id=pack.id, reason="…", **declined))


def _agree(people: dict[str, Person]) -> None:
    """House rules that Anne signed on paper; she lets colleagues see when she comes."""
    host = people["host"].actor()
    terms.publish(people["manager"].actor(), "rules", text="Calme", news=None, from_day=TODAY)
    terms.accepted_on_paper(host, people["member"].public_id, signed_on=TODAY)
    with write_unit():
        consents.note(host, people["member"], "colleagues", given=True)


def _name_everyone(words: Sentinels, column: str, about: Subject = None) -> None:
    """Give everyone names and addresses that will stand for ``column``, which is about to take a snapshot of them.

    ``about``: whom the snapshot is about, whoever it names.
    """
    with write_unit():
        for model, kind, names in ((Person, "person", NAMES), (Organisation, "organisation", ORGANISATION)):
            for row_id in list(db.session.scalars(select(model.id))):
                values = {name: words.new(column, about or (kind, row_id)) for name in names}
                values["email"] += "@lieu.example"
                db.session.execute(update(model).where(model.id == row_id).values(values))
    db.session.expire_all()


def _bill(place: factories.Place, people: dict[str, Person], employer: int, agreement: Agreement) -> None:
    """October invoiced to Anne, Lise and the employer, then credited; November's lines still open."""
    manager = people["manager"].actor()
    use(place, people["member"], date(2026, 10, 5))
    use(place, people["stranger"], date(2026, 10, 5))
    for name in ("member", "colleague", "hidden"):
        use(place, people[name], date(2026, 10, 6), agreement_id=agreement.id, organisation_id=employer)
    issued = billing.run(manager, OCTOBER).issued
    assert len(issued) == 3
    _remind(issued)
    for invoice in issued:
        paying.record_payment(manager, invoice.public_id, 100, TODAY, "transfer", "reference")
        _pay_online(invoice)
        with write_unit():
            payer_credit.receive(manager, payer_credit_queries.payer_of(invoice.public_id), 100, TODAY, "…")
        note = billing.credit(manager, invoice.public_id, "Une erreur", again=True)
        stored = [note.id, *([] if invoice.payer_person_id == people["member"].id else [invoice.id])]
        with write_unit():  # a stored PDF is served as it is; drawing is slow, so only Anne's invoice is left to draw
            for document in stored:
                db.session.add(InvoicePdf(invoice_id=document, sha256="0" * 64, content=b""))


def _remind(invoices: Sequence[Invoice]) -> None:
    """Everyone who was invoiced got a reminder, and has a pause."""
    with write_unit():
        for invoice in invoices:
            payer = {"payer_person_id": invoice.payer_person_id, "payer_organisation_id": invoice.payer_organisation_id}
            line = ReminderLine(invoice_id=invoice.id, step=1, owed_cents=100, indemnity_cents=0, penalty_cents=0)
            db.session.add(
                Reminder(
                    **payer,
                    step=1,
                    way="email",
                    email="…",
                    locale="fr",
                    subject="…",
                    text="…",
                    sent_on=TODAY,
                    lines=[line],
                )
            )
            db.session.add(ReminderPause(**payer, reason="…"))


SAVED_MEANS = "2222222222222224"
"""The public id of the member's saved card."""
EMPLOYER = "2222222222222225"
"""The public id of the employer."""


def _save_means(people: dict[str, Person], employer: int) -> None:
    """Anne and Lise have saved a card each, and the employer's contact one for the employer."""
    with write_unit():
        db.session.get_one(Organisation, employer).public_id = EMPLOYER
        for name, payer in (("member", None), ("stranger", None), ("contact", employer)):
            row = SavedMeans(
                gateway="stripe",
                is_live=False,
                payer_person_id=people[name].id if payer is None else None,
                payer_organisation_id=payer,
                state="active",
                kind="card",
                expires_on=date(2034, 12, 31),
                customer_id="c",
                means_id="m",
                checkout_id=name,
                locale="fr",
                notice_days=5,
                agreed_to="…",
                agreed_by_id=people[name].id,
                saved_at=now(),
            )
            if name == "member":
                row.public_id = SAVED_MEANS
            db.session.add(row)


def _sell(people: dict[str, Person]) -> None:
    """A deposit of Anne's and a coffee of nobody's, one undone; the drawer opened with a difference."""
    manager = people["manager"].actor()
    opening = drawer.open_drawer(manager, 1000)
    key = article_services.add_article(manager, "Clé", "deposit", cents=2000, vat_rate_bp=0, account="165")
    for nonce, name in enumerate(("member", "stranger", None), start=1):
        order = selling.Order(name and people[name].public_id, {f"a:{key.public_id}": 1}, "cash")
        sold = selling.sell(manager, order, shown_cents=2000, nonce=nonce)
        with write_unit():
            db.session.add(ReceiptPdf(receipt_id=sold.receipt_id, sha256="0" * 64, content=b""))
    undoing = selling.cancel(manager, sold.public_id, "reason")
    with write_unit():
        db.session.add(ReceiptPdf(receipt_id=undoing.receipt_id, sha256="0" * 64, content=b""))
    selling.give_back(manager, door_queries.deposits_held()[0].public_id, "cash")
    drawer.close_drawer(manager, opening.public_id, 2500, "note")


def _read_bank() -> None:
    """A transfer that waits, one that was set aside, and a file whose columns are still to be chosen."""
    with write_unit():
        read = {"first_day": TODAY, "last_day": TODAY, "added": 2, "known": 0, "pending": 0}
        statement = BankStatement(sha256="0", format="camt", account="FR76", **read)
        db.session.add(statement)
        db.session.flush()
        of_it = {
            "statement_id": statement.id,
            "account": "FR76",
            "booked_on": TODAY,
            "cents": 100,
            "is_reversal": False,
        }
        rows = [BankLine(key=key, text="…", **of_it) for key in ("waits", "aside")]
        db.session.add_all(rows)
        db.session.flush()
        db.session.add(BankMatch(line_id=rows[1].id, kind="other", cents=100, reason="…"))
        db.session.add(BankUpload(content=b"20/11/2026;zz;1,00"))


def _import() -> None:
    """A file that is to be checked, and one whose report stands."""
    with write_unit():
        common = {"subject": "people", "file_name": "…", "lines": 1}
        db.session.add(ImportFile(sha256="1", content=packed_import("zz"), columns=["full_name"], **common))
        done = ImportFile(sha256="2", content=packed_import("zz"), state="done", done=1, **common)
        db.session.add(done)
        db.session.flush()
        db.session.add(
            ImportLine(file_id=done.id, line=2, outcome="left_out", name="…", words="%(to)s", params={"to": ""})
        )


def packed_import(word: str) -> bytes:
    """The content of a file with one line, that of somebody called ``word``."""
    return packed(ReadTable(["Nom"], [TableLine(2, [word])]))


PHOTO = "photo22222222222"
PAID_ONLINE = "2222222222222223"
"""The public id of the payment on the first invoice."""


def _pay_online(invoice: Invoice) -> None:
    """A page to pay the invoice on was opened."""
    payer = {"payer_person_id": invoice.payer_person_id, "payer_organisation_id": invoice.payer_organisation_id}
    with write_unit():
        payment = OnlinePayment(
            gateway="stripe",
            is_live=False,
            cents=100,
            currency="EUR",
            locale="fr",
            state="open",
            checkout_id=invoice.number,
            **payer,
        )
        if invoice.seq == 1:
            payment.public_id = PAID_ONLINE
        payment.parts = [OnlinePaymentPart(invoice_id=invoice.id, cents=100)]
        payment.steps = [OnlinePaymentStep(state="open")]
        payment.refunds = [
            OnlineRefund(cents=1, given_on=TODAY, method="gateway", state="failed", foreign_id=f"re_{invoice.seq}")
        ]
        payment.disputes = [OnlineDispute(cents=1, foreign_id=f"dp_{invoice.seq}", state="open")]
        db.session.add(payment)


def _pay_out() -> None:
    """What came through the gateway was paid out, less a fee, and with a payment that is none of ours."""
    with write_unit():
        payment = db.session.scalars(select(OnlinePayment).order_by(OnlinePayment.id)).first()
        of_it = {"made_at": now(), "arrives_on": TODAY, "reference": "CWK1", "foreign_id": "po_1"}
        payout = OnlinePayout(gateway="stripe", is_live=False, cents=190, currency="EUR", state="paid", **of_it)
        db.session.add(payout)
        db.session.flush()
        rows = [("payment", 100, payment.id), ("payment", 100, None), ("fee", -10, None)]
        for at, (kind, cents, online_payment_id) in enumerate(rows):
            of_part = {"kind": kind, "cents": cents, "fee_cents": 0, "moved_on": TODAY}
            part = OnlinePayoutPart(foreign_id=f"txn_{at}", online_payment_id=online_payment_id, **of_part)
            payout.parts.append(part)
        db.session.flush()
        payout.parts_read_at, payout.unexplained_cents = now(), 100


PAID_FIRST = {"booking": "2222222222222224", "adhesion": "2222222222222225"}
"""The public ids of the payments of Anne's sales, by what they are of."""


def _pay_first(sale: Sale) -> None:
    """A page to pay the sale on was opened."""
    payment = OnlinePayment(
        public_id=PAID_FIRST[sale.subject_kind],
        gateway="stripe",
        is_live=False,
        payer_person_id=sale.payer_person_id,
        sale_id=sale.id,
        cents=100,
        currency="EUR",
        locale="fr",
        state="open",
        checkout_id=sale.subject_kind,
    )
    payment.steps = [OnlinePaymentStep(state="open")]
    db.session.add(payment)


def _come(place: factories.Place, people: dict[str, Person], clock: Clock) -> None:
    """Anne came two weeks ago; today four people are here, two rooms are taken, and tomorrow all come again."""
    instant = clock.now
    clock.set(datetime(2026, 11, 12, 8, tzinfo=UTC))
    for name in ("member", "stranger"):
        booking.book_half_days(people[name].actor(), date(2026, 11, 12), frozenset({"am"}))
        booking.book_half_days(people[name].actor(), date(2026, 11, 23), frozenset({"am"}))
    presence.arrive(people["member"].actor())
    clock.set(instant)
    for name in ("member", "colleague", "hidden", "stranger"):
        for day in (TODAY, TOMORROW):
            booking.book_half_days(people[name].actor(), day, frozenset({"am"}))
        presence.arrive(people[name].actor())
    tomorrow = db.session.scalars(select(Booking.public_id).where(Booking.day == TOMORROW).order_by(Booking.id)).first()
    assert tomorrow is not None
    booking.move(people["member"].actor(), tomorrow, resource=place.desks[5].public_id)
    with write_unit():
        db.session.execute(update(Booking).values(told={"what": "…"}))
    _owe_calls()
    _report_problems(place, people)
    messages.send(people["host"].actor(), "2" * 16, day=TOMORROW, subject="…", words="…")
    for name, hour in (("member", 13), ("colleague", 14), ("hidden", 15), ("stranger", 16)):
        span = Span(datetime(2026, 11, 24, hour, tzinfo=UTC), datetime(2026, 11, 24, hour, 45, tzinfo=UTC))
        room = RequestedItem(resource=place.rooms[0].public_id)
        booked = booking.book(people[name].actor(), Request(span, (room,), title="Réunion", guests=2))
        with write_unit():
            sold = sales.sell(SYSTEM, "booking", booked.id, booked.person_id, [SaleLine("…", 100, 0)], what="…")
            db.session.get_one(Booking, booked.id).sale_id = sold.id
            year = sales.sell(SYSTEM, "adhesion", booked.person_id, booked.person_id, [SaleLine("…", 100, 0)], what="…")
            if name == "member":
                _pay_first(sold)
                _pay_first(year)


def _sale_of(person: Person) -> str:
    """What Anne pays before she is a member of the association."""
    mine = (Sale.subject_kind == "adhesion", Sale.payer_person_id == person.id)
    return db.session.scalars(select(Sale.public_id).where(*mine)).one()


def _owe_calls() -> None:
    """Everyone is to be phoned about what they had tomorrow."""
    with write_unit():
        for row in db.session.scalars(select(Booking).where(Booking.day == TOMORROW)):
            had = {"what": "…", "starts_at": row.starts_at.isoformat(), "ends_at": row.ends_at.isoformat()}
            db.session.add(PhoneCall(booking_id=row.id, person_id=row.person_id, became="moved", had=had))


def _report_problems(place: factories.Place, people: dict[str, Person]) -> None:
    """Everyone has reported two problems on the first desk; one of each is resolved."""
    desk = place.desks[0].public_id
    for name in ("member", "colleague", "hidden", "stranger"):
        for words in ("one", "two"):
            made = problems.report(people[name].actor(), desk, words)
        problems.resolve(people["host"].actor(), desk, [made.public_id], "…")


def _links(people: dict[str, Person]) -> dict[str, str]:
    lead = people["lead"].actor()
    with write_unit():
        lieu = NetworkLieu(name="Un autre lieu", source="hand", contact_email="…")
        merged = NetworkLieu(name="Son double", source="hand")
        db.session.add_all([lieu, merged, NetworkLieu(name="Un troisième", source="hand")])
        db.session.flush()
        merged.merged_into_id = lieu.id
        db.session.add(LieuMerge(kept_id=lieu.id, gone_id=merged.id, changes={"name": ["…", "…"]}))
        for person in people.values():
            db.session.add(
                EmailChange(person_id=person.id, old_email="…", new_email="…", ends_at=datetime(2027, 1, 1, tzinfo=UTC))
            )
    return {
        "join": enrolment.invite(lead, lieu.public_id, enrolment.JOIN),
        "figures": enrolment.invite(lead, lieu.public_id, enrolment.FIGURES),
    }


_INVITATION = select(OrganisationInvitation.public_id)


def _tokens(people: dict[str, Person]) -> dict[str, str]:
    """What e-mails to Anne hold; made last, because they end when her address changes."""
    person = db.session.get_one(Person, people["member"].id, populate_existing=True)
    change = db.session.scalars(select(EmailChange).where(EmailChange.person_id == person.id)).one()
    return {
        "confirm": tokens.make_link(tokens.CONFIRM, person),
        "reset": tokens.make_link(tokens.RESET, person),
        "sign_in": tokens.make_link(tokens.SIGN_IN, person),
        "address": tokens.make_change_link(tokens.ADDRESS, change.public_id),
        "object": tokens.make_change_link(tokens.OBJECT, change.public_id),
        "invitation": tokens.make_change_link(tokens.EMPLOYER, db.session.scalars(_INVITATION).one()),
    }


def _put_on_paper(people: dict[str, Person]) -> None:
    """Anne and Karim are told of a booking and of an invoice on paper; one of each was handed over."""
    for name in ("member", "stranger"):
        for about in ("booking", "billing"):
            for handed in (True, False):
                row = PaperMessage(
                    person_id=people[name].id,
                    about=about,
                    job=f"{name}{about}{handed}",
                    locale="fr",
                    subject="…",
                    text="…",
                )
                if handed:
                    row.handed_at, row.handed_by_id = now(), people["host"].id
                db.session.add(row)


def _print_cards(people: dict[str, Person]) -> list[str]:
    """Anne and Karim get cards that work; made last, because their digests were overwritten."""
    found = {name: new_token() for name in ("member", "stranger")}
    for name, token in found.items():
        cards.give(people["manager"].actor(), people[name].public_id, token)
    return list(found.values())


def _assign(place: factories.Place, people: dict[str, Person], employer: int) -> None:
    """Two desks belong to residents: to the employer, and to the stranger."""
    manager, whose = people["manager"].actor(), _public_id(Organisation, employer)
    first = Assigning(
        place=place.desks[6].public_id, organisation=whose, first_day=date(2026, 11, 24), monthly_cents=9000
    )
    residents.assign(manager, first)
    other = replace(first, place=place.desks[7].public_id, organisation=None, person=people["stranger"].public_id)
    residents.assign(manager, other)


def _public_id(model: Any, row_id: int) -> str:
    return db.session.get_one(model, row_id).public_id


def _ids() -> dict[str, list[Any]]:
    def of(model: Any, *conditions: Any) -> list[str]:
        return list(db.session.scalars(select(model.public_id).where(*conditions).order_by(model.id)))

    return {
        "person": of(Person),
        "reminder": of(Reminder),
        "organisation": of(Organisation),
        "bank_line": of(BankLine),
        "payout": of(OnlinePayout),
        "upload": of(BankUpload),
        "import": of(ImportFile),
        "account": of(Person) + of(Organisation),
        "booking": of(Booking),
        "message": of(DayMessage),
        "residency": of(Residency),
        "residency_move": [
            {"assignment_id": held, "resource_id": of(Resource, Resource.kind == "desk")[-1], "first_day": "2026-12-10"}
            for held in of(Residency)
        ],
        "presence": of(Presence),
        "attestation": of(Attestation),
        "invoice": of(Invoice),
        "closing": of(TakingsClosing),
        "sale": of(DoorSale),
        "to_pay": of(Sale, Sale.subject_kind == "adhesion"),
        "article": of(Article),
        "payer": [f"p:{one}" for one in of(Person)] + [f"o:{one}" for one in of(Organisation)],
        "means": of(SavedMeans),
        "charge": of(Charge, Charge.invoice_id.is_(None)),
        "room": of(Resource, Resource.kind == "room")[:1],
        "resource": of(Resource, Resource.kind == "desk")[:1] + of(Resource, Resource.kind == "room")[:1],
        "zone": of(Zone)[:1],
        "network_lieu": of(NetworkLieu),
        "duplicates": [dict(zip(("one", "other"), of(NetworkLieu, NetworkLieu.merged_into_id.is_(None)), strict=True))],
    }


# Overwriting ----------------------------------------------------------------------------------------------------------

SNAPSHOTS = {"invoice.payload", "attestation.payload"}
"""Made while everyone was called by the sentinels of this column."""


def _overwrite(words: Sentinels) -> None:
    """Put a sentinel of its own into each personal column of each row, snapshots apart."""
    db.session.rollback()
    raw = db.engine.raw_connection()
    try:
        cursor = raw.cursor()
        with _unguarded(cursor):
            for name in sorted(seen_by(db.metadata).keys() - SNAPSHOTS):
                table, column = name.split(".")
                is_json = isinstance(db.metadata.tables[table].columns[column].type, JSON)
                for row in _rows(cursor, f'SELECT rowid AS at, * FROM "{table}"'):
                    if is_json and row[column] is None:
                        continue  # a structure of its own, which no invented one replaces
                    word = words.new(name, _subject(cursor, table, row))
                    value = _value(db.metadata.tables[table].columns[column], row[column], word)
                    cursor.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', (value, row["at"]))
    finally:
        raw.close()


def _rows(cursor: Any, statement: str, *values: Any) -> list[dict[str, Any]]:
    found = cursor.execute(statement, values)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _value(column: Column[Any], before: Any, word: str) -> Any:
    """``word`` in a value that the column can hold."""
    if isinstance(column.type, JSON):
        values = json.loads(before)
        if isinstance(values, list):
            return json.dumps([{**values[0], "label": word}])
        return json.dumps({**values, "what" if "what" in values else "to": word})  # what pages read out of such values
    if column.table.name == "bank_upload":
        return f"20/11/2026;{word};1,00".encode()
    if column.table.name == "import_file" and column.name == "content":
        return packed_import(word)
    if isinstance(column.type, LargeBinary):
        return b"%PDF-1.4 " + word.encode()
    if column.name == "code":
        return f"{word[:4]}-{word[4:]}"  # in groups of four, as they are typed
    return f"{word}@lieu.example" if "email" in column.name else word


def _subject(cursor: Any, table: str, row: dict[str, Any]) -> Subject:
    """Whom the row is about."""
    if table in {"person", "organisation"}:
        return (table, row["id"])
    for owner in ("invoice", "attestation", "pack"):
        if table != owner and row.get(f"{owner}_id") is not None:
            found = _rows(cursor, f"SELECT * FROM {owner} WHERE id = ?", row[f"{owner}_id"])
            return _subject(cursor, owner, found[0])
    for name, kind in (
        ("payer_organisation_id", "organisation"),
        ("organisation_id", "organisation"),
        ("payer_person_id", "person"),
        ("person_id", "person"),
    ):
        if row.get(name) is not None:
            return (kind, row[name])
    return None


@contextmanager
def _unguarded(cursor: Any) -> Iterator[None]:
    """Without the triggers that refuse such a change; they are put back."""
    guards = cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    cursor.execute("PRAGMA foreign_keys=OFF")
    cursor.execute("BEGIN IMMEDIATE")
    for name, _ in guards:
        cursor.execute(f"DROP TRIGGER {name}")
    yield
    for _, ddl in guards:
        cursor.execute(ddl)
    cursor.execute("COMMIT")
    cursor.execute("PRAGMA foreign_keys=ON")

"""Adhesions, plans and packs that must be paid before they begin: asked for, then begun by the payment or let go.

Until then there is no adhesion, subscription or pack, so nothing can count one: only its `Sale` stands, with the terms that
were quoted. A person waits to pay for one plan, one pack and one adhesion at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.core import outbox
from coworking.core import sales as registry
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import DomainError, NotFound
from coworking.core.formats import day_month, day_year, month_year
from coworking.core.i18n import _, in_language
from coworking.core.months import month_end
from coworking.core.policy import Actor
from coworking.core.sales import Sold
from coworking.core.units import locked, write_unit
from coworking.membership import news, queries
from coworking.membership.access import managers_only, record, subject
from coworking.membership.beginning import (
    AdhesionTerms,
    ChangeTerms,
    PackPurchase,
    PlanTerms,
    Taker,
    adhesion_terms,
    begin_adhesion,
    begin_pack,
    begin_plan,
    check_month,
    check_no_adhesion,
    check_no_plan,
    check_price,
    find_pack_offer,
    find_plan,
    pack_terms,
    plan_terms,
)
from coworking.membership.following import begin_change, change_terms, running
from coworking.membership.models import PackOffer, Plan
from coworking.membership.plan_rules import month_price
from coworking.membership.rules import (
    MustBePaidFirst,
    NothingToPayFirst,
    PackClosed,
    PlanClosed,
    adhesion_begins,
)
from coworking.pricing import sales
from coworking.pricing.group_queries import group_name
from coworking.pricing.models import Sale
from coworking.pricing.reduced_words import with_rate
from coworking.pricing.rules import MAX_CENTS, SaleLine
from coworking.spaces import queries as spaces

PLAN, PACK, ADHESION = "subscription", "pack", "adhesion"

PACK_HAD = "pack.had"
"""The outbox topic of a pack that was paid first by somebody who wanted something with it. Payload: ``{"sale": row id}``."""
WANTED = "wanted"
"""Which of a sale's terms says what they wanted with it (`sell_pack`)."""


def is_asked(cents: int) -> bool:
    """Whether a plan, a pack or an adhesion of so many cents is paid before it begins, where people take it themselves."""
    return cents > 0 and spaces.lieu().pay_first_membership and registry.can_be_paid(cents)


def is_offered() -> bool:
    """Whether the team may ask for payment first where it gives someone a plan or an adhesion."""
    return is_asked(MAX_CENTS)


def check_not_asked(cents: int) -> None:
    """Raise `MustBePaidFirst` where who takes it for themselves has to pay first."""
    if is_asked(cents):
        raise MustBePaidFirst()


def sell_plan(
    actor: Actor, plan: str, *, first_month: date, agreed_cents: int | None = None, person: str | None = None
) -> Sale:
    """Ask to be paid for the first month of a plan, which begins with the payment; managers may ask anyone.

    Asked for again on the same terms it is the same sale; on other terms the one before is let go. ``agreed_cents``: what
    the page said. Raises `PriceChanged`, `PlanClosed`, `AlreadySubscribed`, `MonthOutOfReach`, `NothingToPayFirst`.
    """
    with write_unit() as unit:
        who = subject(actor, person)
        terms = plan_terms(find_plan(plan), first_month, Taker(who.id, by_team=person is not None))
        check_no_plan(who.id, terms.first_month)
        with in_language(who.locale):
            label = f"{terms.name}, {month_year(terms.first_month)}"
            label = with_rate(label, group_name(month_price(terms, terms.first_month, ()).group_id))
        line = SaleLine(label, terms.first_month_cents, terms.vat_rate_bp, "ht" if terms.basis == "ht" else "ttc")
        sale = _ask(actor, PLAN, who, line, terms, agreed_cents)
        unit.result = sale.public_id
    return sale


def sell_change(actor: Actor, plan: str, *, agreed_cents: int | None = None, person: str | None = None) -> Sale:
    """Ask to be paid for what a larger plan adds to this month; the change is made with the payment; managers may ask
    anyone.

    Raises what `sell_plan` raises, and what `following.change_terms` does.
    """
    with write_unit() as unit:
        who = subject(actor, person)
        terms = change_terms(running(who.id), find_plan(plan), Taker(who.id, by_team=person is not None))
        with in_language(who.locale):
            label = _(
                "%(name)s, from %(first)s to %(last)s",
                name=terms.name,
                first=day_month(terms.from_day),
                last=day_year(month_end(terms.from_day)),
            )
        line = SaleLine(label, terms.cents, terms.vat_rate_bp, "ht" if terms.basis == "ht" else "ttc")
        sale = _ask(actor, PLAN, who, line, terms, agreed_cents)
        unit.result = sale.public_id
    return sale


def sell_pack(
    actor: Actor,
    offer: str,
    *,
    agreed_cents: int | None = None,
    person: str | None = None,
    wanted: Mapping[str, Any] | None = None,
) -> Sale:
    """Ask to be paid for a pack, which is had with the payment; managers may ask anyone.

    ``wanted``: what the buyer wants with it, as JSON; who listens to `PACK_HAD` reads it from the sale. Raises what
    `sell_plan` raises, and `PackClosed`.
    """
    with write_unit() as unit:
        who = subject(actor, person)
        terms = pack_terms(find_pack_offer(offer), who.id)
        with in_language(who.locale):
            label = _("%(name)s, until %(day)s", name=terms.name, day=day_year(terms.valid_until))
            label = with_rate(label, group_name(terms.price_group_id))
        line = SaleLine(label, terms.cents, terms.vat_rate_bp, "ht" if terms.basis == "ht" else "ttc")
        sale = _ask(actor, PACK, who, line, terms, agreed_cents, {WANTED: wanted} if wanted else {})
        unit.result = sale.public_id
    return sale


def sell_adhesion(
    actor: Actor,
    *,
    agreed_cents: int | None = None,
    person: str | None = None,
    valid_from: date | None = None,
    cents: int | None = None,
) -> Sale:
    """Ask to be paid for a year's adhesion, which begins with the payment; managers may ask anyone, from any day, at
    any price.

    Raises what `sell_plan` raises, `AdhesionOverlaps` and `AdhesionVatUnknown`; `NotFound` where the lieu has no adhesions.
    """
    if valid_from is not None or cents is not None:
        managers_only(actor)
    with write_unit() as unit:
        who = subject(actor, person)
        usual = queries.adhesion_price_of(who.id)
        if cents is None:
            if usual is None:
                raise NotFound()
            cents = usual.cents
        first = valid_from or adhesion_begins(queries.last_adhesion_day(who.id), spaces.today())
        terms = adhesion_terms(first, cents, who.id)
        check_no_adhesion(who.id, terms)
        with in_language(who.locale):
            label = _("Annual membership, until %(day)s", day=day_year(terms.valid_until))
            label = with_rate(label, group_name(terms.price_group_id))
        sale = _ask(actor, ADHESION, who, SaleLine(label, terms.cents, terms.vat_rate_bp), terms, agreed_cents)
        unit.result = sale.public_id
    return sale


def let_go(actor: Actor, public_id: str) -> None:
    """Give up what one had asked for; twice is fine. Managers may for anyone."""
    with write_unit():
        statement = select(Sale.payer_person_id, Person.public_id).join(Person, Person.id == Sale.payer_person_id)
        owner = db.session.execute(
            statement.where(Sale.public_id == public_id, Sale.subject_kind.in_((PLAN, PACK, ADHESION)))
        )
        found = owner.one_or_none()
        if found is None:
            raise NotFound()
        who = subject(actor, found.public_id)
        sale = sales.lock(public_id)
        if sale.state == "open":
            sales.let_go(sale)
            record(actor, "sale.let_go", ("sale", sale.id), who.id)


def let_go_of(kind: str, person_id: int, *, but: int | None = None) -> None:
    """In the open unit: what the person still had to pay of that ``kind`` has become pointless, all ``but`` one sale."""
    for sale in sales.open_of(kind, person_id):
        if sale.id != but:
            sales.let_go(sale)


# Within the unit ------------------------------------------------------------------------------------------------------


def _ask(
    actor: Actor,
    kind: str,
    who: Person,
    line: SaleLine,
    terms: PlanTerms | ChangeTerms | PackPurchase | AdhesionTerms,
    agreed_cents: int | None,
    further: Mapping[str, Any] | None = None,
) -> Sale:
    cents = terms.payable_cents
    check_price(terms, agreed_cents)
    if not registry.can_be_paid(cents):
        raise NothingToPayFirst()
    written = {**terms.written(), **(further or {})}
    for before in sales.open_of(kind, who.id):
        if before.terms == written and before.expires_at > now():
            return before  # a second tap, another tab
        sales.let_go(before)
    lasts = sales.TIME_TO_PAY if actor.person_id == who.id else sales.TIME_WHEN_ASKED
    sale = sales.sell(actor, kind, who.id, who.id, [line], until=now() + lasts, **written)
    record(actor, "sale.asked", ("sale", sale.id), who.id, of=kind)
    return sale


class _Memberships:
    """What payment and expiry mean for a plan or an adhesion; ``begin`` raises why it can no longer be had."""

    def __init__(self, kind: str, begin: Callable[[Sold], int]) -> None:
        self._kind, self._begin = kind, begin

    def lock(self, sold: Sold) -> None:
        """The person: whatever begins or ends a plan of theirs locks them."""
        db.session.scalars(locked(select(Person).where(Person.id == sold.payer_person_id))).unique().one()

    def on_paid(self, sold: Sold) -> int | None:
        if sold.is_let_go or not db.session.get_one(Person, sold.payer_person_id).is_active:
            return None
        try:
            made_id = self._begin(sold)
        except DomainError:
            return None
        let_go_of(self._kind, sold.payer_person_id, but=sold.sale_id)
        return made_id

    def on_expired(self, sold: Sold) -> None:
        """Nothing was kept but the sale."""


def _begin_plan(sold: Sold) -> int:
    if "replaces" in sold.terms:
        added, following = begin_change(sold.payer_person_id, ChangeTerms.read(sold.terms), at_distance=True)
        news.tell("changed", following)
        return added.id
    terms = PlanTerms.read(sold.terms)
    if sold.is_over:  # nothing was promised any more
        check_month(terms.first_month)
        if not db.session.get_one(Plan, terms.plan_id).is_open:
            raise PlanClosed()
    begun = begin_plan(sold.payer_person_id, terms, at_distance=True)
    news.tell("begun", begun)
    return begun.id


def _begin_adhesion(sold: Sold) -> int:
    return begin_adhesion(sold.payer_person_id, AdhesionTerms.read(sold.terms), sold.created_by_id).id


def _begin_pack(sold: Sold) -> int:
    terms = PackPurchase.read({name: value for name, value in sold.terms.items() if name != WANTED})
    if sold.is_over and not db.session.get_one(PackOffer, terms.offer_id).is_open:
        raise PackClosed()
    pack = begin_pack(sold.payer_person_id, terms, sold.created_by_id, at_distance=True)
    news.tell_of_pack("bought", pack)
    if WANTED in sold.terms:
        outbox.enqueue(PACK_HAD, f"{PACK_HAD}:{sold.sale_id}", {"sale": sold.sale_id})
    return pack.id


registry.register(PLAN, _Memberships(PLAN, _begin_plan))
registry.register(PACK, _Memberships(PACK, _begin_pack))
registry.register(ADHESION, _Memberships(ADHESION, _begin_adhesion))

"""Rows as the API shows them: public ids, times in the lieu's offset."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from coworking.accounts.models import Person
from coworking.billing import queries as billing
from coworking.billing.account_queries import PayerAccount
from coworking.billing.documents import unit_micros
from coworking.billing.line_rules import MICROS
from coworking.billing.online_models import OnlinePayment
from coworking.billing.queries import Standing
from coworking.booking.access import sees_price
from coworking.booking.former import undoable_move
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.move_offers import MoveOffer
from coworking.booking.offers import PayerTerms
from coworking.booking.queries import free_until_of
from coworking.core.clock import now
from coworking.core.errors import DomainError
from coworking.core.money import divide_half_up
from coworking.core.months import write_month
from coworking.core.policy import Actor
from coworking.core.settings import settings
from coworking.core.timespan import Span
from coworking.core.web import say
from coworking.network.head.doubts import written
from coworking.network.head.queries import LieuInMonth
from coworking.network.head.rules import aggregate
from coworking.presence.models import Presence
from coworking.pricing.models import Quote
from coworking.spaces import queries as spaces
from coworking.spaces.models import Lieu, Resource, Zone

Json = dict[str, Any]
Write = Callable[[datetime | None], str | None]


def _writer() -> Write:
    """How instants are written: RFC 3339 in the lieu's offset at that instant. The zone is asked for once, not per time."""
    zone = spaces.lieu().tz

    def write(at: datetime | None) -> str | None:
        return None if at is None else at.astimezone(zone).isoformat(timespec="seconds")

    return write


def lieu(row: Lieu, zones: list[Zone]) -> Json:
    return {
        "id": row.uuid,
        "name": row.name,
        "address": row.address,
        "postcode": row.postcode,
        "city": row.city,
        "timezone": row.timezone,
        "currency": row.currency,
        "email": row.email,
        "phone": row.phone,
        "website": row.website,
        "horizon_days": row.horizon_days,
        "zones": [{"id": zone.public_id, "name": zone.name} for zone in zones],
    }


def resource(row: Resource) -> Json:
    return {
        "id": row.public_id,
        "kind": row.kind,
        "name": row.name,
        "seats": row.seats,
        "zone_id": row.zone.public_id,
        "buffer_after_minutes": row.buffer_after,
        "description": row.description,
        "in_service_from": _day(row.in_service_from),
        "in_service_until": _day(row.in_service_until),
    }


def availability(rows: list[tuple[Resource, list[tuple[Span, str | None]]]]) -> list[Json]:
    write = _writer()
    return [_availability(row, free, write) for row, free in rows]


def _availability(row: Resource, free: list[tuple[Span, str | None]], write: Write) -> Json:
    return {
        "resource_id": row.public_id,
        "name": row.name,
        "kind": row.kind,
        "zone_id": row.zone.public_id,
        "free": [{"starts_at": write(span.start), "ends_at": write(span.end), "half": half} for span, half in free],
    }


def closed_day(on: date, refusal: DomainError) -> Json:
    return {"day": on.isoformat(), "code": refusal.code, "reason": say(refusal)}


def booking(row: Booking, actor: Actor) -> Json:
    """A booking for ``actor``: its person and managers see money, others null."""
    write = _writer()
    told = sees_price(actor, row)
    moved = undoable_move(row, now(), by_staff=actor.is_staff)
    return {
        "id": row.public_id,
        "person": _person_ref(row.person),
        "starts_at": write(row.starts_at),
        "ends_at": write(row.ends_at),
        "status": row.status,
        "title": row.title,
        "guests": row.guests,
        "source": row.source,
        "created_at": write(row.created_at),
        "cancelled_at": write(row.cancelled_at),
        "cancelled_because": row.cancelled_because,
        "cancelled_late": row.cancelled_late,
        "cancel_free_until": write(free_until_of(row, spaces.lieu())),
        "undo_move_until": write(moved.undo_until if moved is not None else None),
        "held_until": write(row.held_until),
        "pay_url": f"{settings().base_url}/bookings/{row.public_id}/pay" if row.is_held and told else None,
        "units": [_unit(unit, write) | _money(unit.quote if told else None) for unit in row.units],
    }


def move_offer(row: MoveOffer, *, told: bool) -> Json:
    """The offer of a move; ``told``: whether the reader sees prices. Others see null, and whether the price changes."""
    write = _writer()
    return {
        "resource_id": row.resource.public_id,
        "resource_name": row.resource.name,
        "starts_at": write(row.span.start),
        "ends_at": write(row.span.end),
        "same_price": row.same,
        "before": _price(row.before) if told else None,
        "after": _price(row.after) if told else None,
    }


def _price(terms: PayerTerms) -> Json:
    return {
        "amount_cents": terms.cents,
        "price_basis": terms.basis,
        "plan_halfdays": terms.by_plan,
        "plan_minutes": terms.plan_minutes,
        "employer_halfdays": terms.by_employer,
        "employer_cents": terms.employer_part,
        "pack_halfdays": terms.by_pack,
        "pack_minutes": terms.pack_minutes,
        "price_group": terms.group,
    }


def presence(row: Presence) -> Json:
    write = _writer()
    return {
        "id": row.public_id,
        "person": _person_ref(row.person),
        "booking_id": row.booking.public_id if row.booking is not None else None,
        "arrived_at": write(row.arrived_at),
        "left_at": write(row.left_at),
        "evidence": row.evidence,
    }


def invoice(row: Standing) -> Json:
    found, content = row.invoice, billing.content(row.invoice)
    return {
        "id": found.public_id,
        "number": found.number,
        "kind": found.kind,
        "corrects": content["corrects"] and content["corrects"]["number"],
        "state": row.state,
        "payer": content["buyer"],
        "month": content["month"],
        "issued_on": content["issued_on"],
        "due_on": content["due_on"],
        "currency": found.currency,
        "price_basis": content["basis"],
        "net_cents": found.net_cents,
        "vat_cents": found.vat_cents,
        "gross_cents": found.gross_cents,
        "rounding_cents": found.rounding_cents,
        "payable_cents": found.payable_cents,
        "paid_cents": row.paid_cents,
        "credited_cents": row.credited_cents,
        "open_cents": row.open_cents,
        "lines": [
            line | {"unit_cents": divide_half_up(price := unit_micros(line), MICROS), "unit_micros": price}
            for line in content["lines"]
        ],
    }


def payment(row: OnlinePayment) -> Json:
    write = _writer()
    return {
        "id": row.public_id,
        "gateway": row.gateway,
        "state": row.state,
        "cents": row.cents,
        "currency": row.currency,
        "means": row.means,
        "reason": row.reason,
        "url": row.checkout_url if row.state == "open" else None,
        "invoices": [
            {"id": part.invoice.public_id, "number": part.invoice.number, "cents": part.cents} for part in row.parts
        ],
        "refunds": [
            {
                "cents": one.cents,
                "state": one.state or "done",
                "method": one.method,
                "changed_at": write(one.changed_at or one.created_at),
            }
            for one in row.refunds
        ],
        "disputes": [
            {
                "cents": one.cents,
                "state": one.state,
                "respond_by": one.respond_by and write(one.respond_by),
                "changed_at": write(one.changed_at),
            }
            for one in row.disputes
        ],
        "created_at": write(row.created_at),
        "changed_at": write(row.changed_at),
    }


def payer_account(row: PayerAccount) -> Json:
    return {
        "id": row.public_id,
        "kind": "person" if row.is_person else "organisation",
        "name": row.name,
        "currency": row.currency,
        "invoiced_cents": row.sums.invoiced_cents,
        "credited_cents": row.sums.credited_cents,
        "paid_cents": row.sums.paid_cents,
        "owed_cents": row.owed_cents,
        "credit_cents": row.credit_cents,
        "to_give_back_cents": row.back_cents,
        "balance_cents": row.sums.balance_cents,
        "entries": [
            {
                "day": line.entry.day,
                "kind": line.entry.kind,
                "number": line.entry.number,
                "invoice_id": line.entry.document,
                "means": line.entry.method,
                "cents": line.entry.cents,
                "moved_cents": line.entry.moved_cents,
                "balance_cents": line.balance_cents,
            }
            for line in row.lines
        ],
    }


def _unit(row: BookingUnit, write: Write) -> Json:
    return {
        "resource_id": row.resource.public_id,
        "resource_name": row.resource.name,
        "kind": row.resource.kind,
        "half": row.half,
        "starts_at": write(row.starts_at),
        "ends_at": write(row.ends_at),
        "outcome": row.outcome,
    }


def _money(quote: Quote | None) -> Json:
    if quote is None:
        nothing = (
            "payer",
            "cover",
            "amount_cents",
            "rest_cents",
            "alone_cents",
            "price_basis",
            "price_state",
            "price_group",
        )
        return dict.fromkeys(nothing)
    return {
        "payer": "person" if quote.payer_organisation_id is None else "employer",
        "cover": quote.cover,
        "amount_cents": quote.amount_cents,
        "rest_cents": None if quote.rest is None else quote.rest.amount_cents,
        "alone_cents": quote.alone_cents,
        "price_basis": quote.basis,
        "price_state": quote.state,
        "price_group": quote.price_group.name if quote.price_group is not None else None,
    }


def _person_ref(row: Person) -> Json:
    return {"id": row.public_id, "name": row.name}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def network_returns(head_id: str, month: date, rows: list[LieuInMonth]) -> Json:
    """The highest revisions of ``month`` and the ``network-return/1`` made of them."""
    write = _writer()
    came = [(row.lieu, row.said) for row in rows if row.said is not None]
    items = [
        {
            "lieu": {"id": lieu.lieu_uuid, "name": lieu.name, "city": lieu.city, "code_insee": lieu.code_insee},
            "month": write_month(month),
            "revision": said.revision,
            "status": said.status,
            "reason": said.reason,
            "digest": said.digest,
            "way": said.way,
            "received_at": write(said.received_at),
            "doubts": written(said.doubts),
            "set_aside": said.set_aside,
            "counted_from": said.counted_from and said.counted_from.isoformat(),
            "figures": said.figures,
        }
        for lieu, said in came
    ]
    aggregated = aggregate(
        [said.reported for _lieu, said in came if said.set_aside is None],
        head_id=head_id,
        month=month,
        set_aside=[(said.reported, said.set_aside) for _lieu, said in came if said.set_aside is not None],
    )
    awaited = sum(row.said is None for row in rows)
    return {"items": items, "missing": awaited, "aggregate": aggregated, "next": None}

"""Saving a card or an account, replacing it, withdrawing it. Each function is one or two short units of work.

As with a payment: the payer's consent is committed before the gateway's page is opened with its key, and what became of the
page is fetched, by the payer's way back, a notification, or our own look.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta

from sqlalchemy import select

from coworking.accounts.models import Organisation, Person
from coworking.billing import means_queries, queries
from coworking.billing.gateways import registry
from coworking.billing.gateways.port import (
    Gateway,
    GatewayRefused,
    GatewayUnavailable,
    MeansFact,
    SavesMeans,
    SavingFact,
    SavingWanted,
)
from coworking.billing.means_models import SavedMeans
from coworking.billing.means_rules import ConsentMissing, MeansMissing
from coworking.billing.online_rules import FactDisagrees, GatewayAway
from coworking.core import audit, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.months import month_after, month_of
from coworking.core.policy import SYSTEM, Actor
from coworking.core.settings import settings
from coworking.core.units import end_read, locked, require_unit, write_unit
from coworking.spaces import queries as spaces

log = logging.getLogger(__name__)

FORGET = "billing.means_forget"
"""The outbox topic of means that the gateway is to forget as well."""
TOLD_OF = "billing.means_told_of"
"""The outbox topic of what a gateway tells of a page to save on (``checkout``) or of a means (``means``)."""
LOOK_AT = "billing.means_look"
"""The outbox topic of our own looks at a page to save on."""
EXPIRING = "billing.means_expiring"
"""The outbox topic of the e-mail that a card will soon end."""

LOOKS = (timedelta(minutes=30), timedelta(hours=25))
"""When we look at a page ourselves; it ends after 24 hours."""
REUSED_FOR = timedelta(hours=20)
ME = "me"


# Saving ---------------------------------------------------------------------------------------------------------------


def begin(actor: Actor, payer: str, *, agrees: bool, agreed_to: str, locale: str) -> SavedMeans:
    """Where a payer saves a means: a row with its ``checkout_url``. Asked again, it gives the same page.

    ``payer``: ``me``, or the public id of an organisation whose contact the actor is. ``agreed_to``: the words of consent
    that were shown. Raises `ConsentMissing`, `MeansMissing`, `GatewayAway`, `NotFound`.
    """
    assert actor.person_id is not None, "the system agrees to nothing"
    if not agrees:
        raise ConsentMissing()
    gateway = means_queries.saving_gateway()
    if gateway is None or gateway.saved_means is None:
        raise MeansMissing()
    organisation = None if payer == ME else _organisation_of(actor, payer)
    person = db.session.get_one(Person, actor.person_id)
    name, email = (person.name, person.email) if organisation is None else (organisation.name, organisation.email)
    payer_ids = (actor.person_id, None) if organisation is None else (None, organisation.id)
    label = spaces.lieu().name
    row = _agree(actor, gateway, payer_ids, agreed_to, locale)
    if row.checkout_url is not None:
        return row
    page = f"{settings().base_url}/means"
    wanted = SavingWanted(
        key=row.public_id,
        name=name,
        email=email,
        label=label,
        currency="EUR",
        locale=locale,
        return_url=f"{page}/back?means={row.public_id}",
        cancel_url=page,
    )
    end_read()
    try:
        opened = gateway.saved_means.begin_saving(wanted)
    except GatewayUnavailable as error:
        log.warning("%s did not open a page to save on: %s", gateway.name, error)
        raise GatewayAway() from error
    except GatewayRefused as refusal:
        log.warning("%s refused to open a page to save on: %s %s", gateway.name, refusal.code, refusal)
        with write_unit():
            row = _locked(wanted.key)
            if row.state == "asked" and row.checkout_id is None:
                _end(row, "not_finished", None)
        raise GatewayAway() from refusal
    with write_unit():
        row = _locked(wanted.key)
        if row.state == "asked":
            row.customer_id, row.checkout_id, row.checkout_url = opened.customer_id, opened.checkout_id, opened.url
        return row


def _organisation_of(actor: Actor, public_id: str) -> Organisation:
    found = db.session.scalar(
        select(Organisation).where(Organisation.public_id == public_id, Organisation.id.in_(queries.contact_of(actor)))
    )
    if found is None:
        raise NotFound()
    return found


def _agree(
    actor: Actor, gateway: Gateway, payer_ids: tuple[int | None, int | None], agreed_to: str, locale: str
) -> SavedMeans:
    """The consent, committed: one that waits for its page already, or a new one."""
    days = means_queries.notice_days()
    with write_unit() as unit:
        row = db.session.scalar(
            locked(
                select(SavedMeans)
                .where(
                    SavedMeans.state == "asked",
                    SavedMeans.gateway == gateway.name,
                    SavedMeans.is_live == gateway.is_live,
                    SavedMeans.payer_person_id == payer_ids[0],
                    SavedMeans.payer_organisation_id == payer_ids[1],
                    SavedMeans.agreed_by_id == actor.person_id,
                    SavedMeans.agreed_to == agreed_to,
                    SavedMeans.agreed_at > now() - REUSED_FOR,
                )
                .order_by(SavedMeans.id.desc())
                .limit(1)
            )
        )
        if row is None:
            row = SavedMeans(
                gateway=gateway.name,
                is_live=gateway.is_live,
                payer_person_id=payer_ids[0],
                payer_organisation_id=payer_ids[1],
                state="asked",
                locale=locale,
                notice_days=days,
                agreed_to=agreed_to,
                agreed_at=now(),
                agreed_by_id=actor.person_id,
            )
            db.session.add(row)
            db.session.flush()
            for turn, wait in enumerate(LOOKS):
                key = f"{LOOK_AT}:{row.public_id}:{turn}"
                outbox.enqueue(LOOK_AT, key, {"means": row.public_id}, due_at=now() + wait)
        unit.result = row.public_id
        return row


def finish(public_id: str) -> SavedMeans:
    """Fetch what became of the page of a means and write it down. Twice is fine.

    Raises `GatewayUnavailable`, `GatewayRefused`, `FactDisagrees`, `NotFound`. Not inside a unit.
    """
    row = means_queries.means_named(public_id)
    if row.state == "active" or row.checkout_id is None or row.forgotten_at is not None:
        return row
    checkout_id, saves = row.checkout_id, _saves(row.gateway)
    end_read()
    return note_saving(public_id, saves.fetch_saving(checkout_id))


def note_saving(public_id: str, fact: SavingFact) -> SavedMeans:
    """Write down what became of a page. What is saved replaces the payer's means before it; what was withdrawn meanwhile is
    forgotten at once."""
    asked = means_queries.means_named(public_id)
    payer = SavedMeans.payer_person_id == asked.payer_person_id
    if asked.payer_organisation_id is not None:
        payer = SavedMeans.payer_organisation_id == asked.payer_organisation_id
    with write_unit():
        rows = db.session.scalars(
            locked(
                select(SavedMeans)
                .where(payer, SavedMeans.state.in_(("asked", "active")) | (SavedMeans.public_id == public_id))
                .order_by(SavedMeans.id)
            )
        ).all()
        row = next(one for one in rows if one.public_id == public_id)
        if fact.means is not None and fact.means.is_live != row.is_live:
            raise FactDisagrees(f"{public_id}: what was saved is {'' if fact.means.is_live else 'no '}real money")
        if fact.means is not None and row.state == "asked":
            for other in rows:
                if other.state == "active":
                    _end(other, "replaced", row.agreed_by_id)
            db.session.flush()  # one active means at a time, also between two statements
            _keep(row, fact.means)
            audit.record(
                SYSTEM, "billing.means_saved", ("saved_means", row.id), person_id=row.payer_person_id, last4=row.last4
            )
        elif fact.means is not None and row.state == "ended" and row.means_id is None:
            row.means_id = fact.means.means_id
            _forget_later(row)
        elif fact.state == "expired" and row.state == "asked":
            _end(row, "not_finished", None)
        return row


def _keep(row: SavedMeans, found: MeansFact) -> None:
    row.state, row.saved_at = "active", now()
    row.kind, row.brand, row.last4, row.expires_on = found.kind, found.brand, found.last4, found.expires_on
    row.means_id, row.mandate_id, row.mandate = found.means_id, found.mandate_id, found.mandate


# Ending ---------------------------------------------------------------------------------------------------------------


def withdraw(actor: Actor, public_id: str) -> SavedMeans:
    """Collect nothing from a means any more, for good; audited. Twice is fine. Raises `NotFound` for a stranger's."""
    means_queries.means_for(actor, public_id)
    with write_unit():
        row = _locked(public_id)
        if row.state != "ended":
            _end(row, "withdrawn", actor.person_id)
            audit.record(
                actor,
                "billing.means_withdrawn",
                ("saved_means", row.id),
                person_id=row.payer_person_id,
                last4=row.last4,
            )
        return row


def check_usable(public_id: str) -> bool:
    """Whether the gateway can still charge a means; one that it cannot has ended by this. Raises as `finish` does."""
    row = means_queries.means_named(public_id)
    if row.state != "active" or row.means_id is None:
        return False
    means_id, mandate_id, saves = row.means_id, row.mandate_id, _saves(row.gateway)
    end_read()
    if saves.fetch_means(means_id, mandate_id).is_usable:
        return True
    with write_unit():
        row = _locked(public_id)
        if row.state == "active":
            _end(row, "removed_there", None)
            audit.record(SYSTEM, "billing.means_ended", ("saved_means", row.id), person_id=row.payer_person_id)
    return False


def forget(public_id: str) -> None:
    """Have the gateway forget a means that ended. Raises as `finish` does."""
    row = means_queries.means_named(public_id)
    if row.means_id is None or row.forgotten_at is not None or row.state != "ended":
        return
    means_id, saves = row.means_id, _saves(row.gateway)
    end_read()
    saves.forget(means_id)
    with write_unit():
        _locked(public_id).forgotten_at = now()


# What a gateway tells, and what payers are told -----------------------------------------------------------------------


def told_of(gateway_name: str, event_id: str, *, saving_id: str | None, means_id: str | None) -> bool:
    """Store a gateway's notification of one of our means, to be looked into by a worker; False: it is none of ours."""
    is_it = SavedMeans.checkout_id == saving_id if saving_id is not None else SavedMeans.means_id == means_id
    public_id = db.session.scalar(
        select(SavedMeans.public_id).where(SavedMeans.gateway == gateway_name, SavedMeans.state != "ended", is_it)
    )
    if public_id is None:
        return False
    with write_unit():
        outbox.enqueue(TOLD_OF, f"{TOLD_OF}:{gateway_name}:{event_id}", {"means": public_id})
    return True


def warn_expiring() -> int:
    """Enqueue an e-mail to whoever's card ends this month or the next one, once per card; how many were new."""
    if spaces.lieu_or_none() is None:
        return 0
    first = month_of(spaces.today())
    rows = means_queries.expiring(first=first, last=month_after(first, 2) - timedelta(days=1))
    ending: list[tuple[str, date]] = [(row.public_id, row.expires_on) for row in rows if row.expires_on is not None]
    if not ending:
        return 0
    end_read()
    with write_unit():
        return sum(
            outbox.enqueue(EXPIRING, f"{EXPIRING}:{public_id}:{day.isoformat()}", {"means": public_id})
            for public_id, day in ending
        )


# Within the unit ------------------------------------------------------------------------------------------------------


def _end(row: SavedMeans, reason: str, by: int | None) -> None:
    require_unit()
    row.state, row.ended_at, row.end_reason, row.ended_by_id = "ended", now(), reason, by
    if row.means_id is not None:
        _forget_later(row)


def _forget_later(row: SavedMeans) -> None:
    outbox.enqueue(FORGET, f"{FORGET}:{row.public_id}", {"means": row.public_id})


def _locked(public_id: str) -> SavedMeans:
    return db.session.scalars(locked(select(SavedMeans).where(SavedMeans.public_id == public_id))).one()


def _saves(gateway_name: str) -> SavesMeans:
    gateway = registry.gateway_named(gateway_name)
    if gateway is None or gateway.saved_means is None:
        raise GatewayUnavailable(f"there are no keys for {gateway_name}")
    return gateway.saved_means

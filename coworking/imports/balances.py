"""Packs that people bought elsewhere: which can be meant, who has theirs here already, and giving them what is left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.core.db import db
from coworking.core.folding import listed_by
from coworking.core.policy import Actor
from coworking.imports.balance_rules import BalanceEntry, MovedPack, PackOffered, units_left
from coworking.membership import access
from coworking.membership.beginning import begin_pack, find_pack_offer, pack_terms
from coworking.membership.models import Pack, PackOffer


def offers_named() -> dict[str, PackOffered]:
    """Packs that can be bought, by name as `listed_by` has it (1 statement)."""
    columns = (PackOffer.public_id, PackOffer.name, PackOffer.unit, PackOffer.units)
    rows = db.session.execute(select(*columns).where(PackOffer.is_open).order_by(PackOffer.id.desc()))
    return {listed_by(row.name): PackOffered(*row) for row in rows}


def moved_in(public_ids: Sequence[str]) -> dict[str, list[MovedPack]]:
    """By person the packs that cost nothing here (1 statement)."""
    rows = db.session.execute(
        select(Person.public_id, PackOffer.public_id, Pack.valid_until)
        .join(Pack, Pack.person_id == Person.id)
        .join(PackOffer, PackOffer.id == Pack.offer_id)
        .where(Person.public_id.in_(public_ids), Pack.cents == 0)
    )
    found: dict[str, list[MovedPack]] = defaultdict(list)
    for person, offer, until in rows:
        found[person].append(MovedPack(offer, until))
    return found


def give(actor: Actor, entry: BalanceEntry, person: str) -> Person:
    """What is left of the pack, at no price: it was paid for elsewhere. In the open unit."""
    who = access.subject(actor, person)
    offered = offers_named()[listed_by(entry.pack)]
    terms = pack_terms(find_pack_offer(offered.public_id), who.id)
    left = units_left(entry.left, offered.unit)
    until = entry.until or terms.valid_until
    pack = begin_pack(
        who.id, replace(terms, units=left, cents=0, valid_until=until, price_group_id=None), actor.person_id
    )
    access.record(actor, "pack.moved_in", ("pack", pack.id), who.id, units=left)
    return who

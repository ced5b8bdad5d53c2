"""Changing an entry of the directory by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from coworking.core import audit
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor
from coworking.core.units import locked, write_unit
from coworking.network.head import directory_queries
from coworking.network.head.entry_rules import EntryChanged, edited_after, fields_changed, fingerprint, stated, trail
from coworking.network.head.lieux import AlreadyListed
from coworking.network.head.models import NetworkLieu


def edit(actor: Actor, lieu: str, values: Mapping[str, Any], *, seen: str) -> list[str]:
    """Make the entry of ``lieu`` say ``values`` (one per field of `entry_rules.FIELDS`); return the fields that changed.

    ``seen``: the `fingerprint` of what the page showed when it was opened. Where the entry says something else by now,
    `EntryChanged` is raised and nothing is written, unless it says just what is to be written. Raises `NotFound`, and
    `AlreadyListed` for the SIRET of another entry.
    """
    with write_unit() as unit:
        row = db.session.scalar(locked(select(NetworkLieu).where(NetworkLieu.public_id == lieu)))
        if row is None or row.merged_into_id is not None:
            raise NotFound()
        old = stated(row)
        names = fields_changed(old, values)
        if names and fingerprint(old) != seen:
            raise EntryChanged()
        if "siret" in names and values["siret"] is not None:
            other = directory_queries.with_siret(values["siret"], beside=row.id)
            if other is not None:
                raise AlreadyListed(name=other.name, field="siret")
        for name in names:
            setattr(row, name, values[name])
        if names:
            row.edited = edited_after(row.edited, names)
            audit.record(actor, "network.lieu_edited", ("network_lieu", row.id), changed=trail(old, values))
        unit.result = row.public_id
    return names

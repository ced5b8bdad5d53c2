"""The keys that a manager typed under Settings → Payments: saved encrypted, read again, forgotten.

Which keys changed stands in the audit trail, by name; the keys themselves stand in this table alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from coworking.billing.charges import check_manager
from coworking.billing.gateways import key_rules
from coworking.billing.gateways.key_rules import HELLOASSO
from coworking.billing.gateways.models import GatewayKeys
from coworking.billing.gateways.port import GatewayAccount
from coworking.core import audit, secret_box
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import N_, DomainError
from coworking.core.policy import Actor
from coworking.core.settings import settings
from coworking.core.sql import inserted
from coworking.core.units import locked, write_unit
from coworking.spaces import queries as spaces


class AssociationsOnly(DomainError):
    code = "associations_only"
    message = N_("HelloAsso is for associations only.")


class KeysOnServer(DomainError):
    code = "keys_on_server"
    status = 409
    message = N_("These keys are set on the server. Whoever administers it changes them there.")


@dataclass(frozen=True, slots=True)
class KeptKeys:
    """A gateway's row and its keys by name; ``keys`` None: they cannot be decrypted here."""

    row: GatewayKeys
    keys: Mapping[str, str] | None


def kept_keys() -> dict[str, KeptKeys]:
    """What managers typed, by gateway (1 statement)."""
    return {row.gateway: KeptKeys(row, _opened(row)) for row in db.session.scalars(select(GatewayKeys))}


def save_keys(actor: Actor, gateway: str, typed: Mapping[str, str]) -> None:
    """Keep the keys of ``typed`` (by name, each as `key_rules.read_key` reads it) in place of the old ones.

    A key that was not typed stays, unless it belongs to the account or mode that is replaced.
    """
    check_manager(actor)
    key_rules.check_gateway(gateway)
    if gateway == HELLOASSO and spaces.lieu().legal_status != "association":
        raise AssociationsOnly()
    if is_on_server(gateway):
        raise KeysOnServer()
    read = {name: key_rules.read_key(name, typed[name]) for name in key_rules.FIELDS[gateway] if typed.get(name)}
    key_rules.check_address(read.get("secret_key"), settings().stripe_api_base)
    secret_box.make_key()
    with write_unit():
        is_new = inserted(GatewayKeys, gateway=gateway, secrets="", changed_at=now())
        row = db.session.scalars(locked(select(GatewayKeys).where(GatewayKeys.gateway == gateway))).one()
        old = {} if is_new else _opened(row) or {}
        keys = key_rules.merged(gateway, old, read)
        changed = sorted(name for name in {*old, *keys} if old.get(name) != keys.get(name))
        if changed:
            row.secrets = secret_box.encrypt(json.dumps(keys), about=_about(gateway))
            row.label = row.is_live = row.looked_at = None
            row.changed_at, row.changed_by_id = now(), actor.person_id
            audit.record(actor, "gateway.keys", ("lieu", 1), gateway=gateway, changed=changed)


def forget_keys(actor: Actor, gateway: str) -> None:
    """Delete the keys of ``gateway``; twice is fine. What was paid through it stays as it is."""
    check_manager(actor)
    with write_unit():
        row = db.session.scalars(locked(select(GatewayKeys).where(GatewayKeys.gateway == gateway))).one_or_none()
        if row is not None:
            db.session.delete(row)
            audit.record(actor, "gateway.forgotten", ("lieu", 1), gateway=gateway)


def note_look(actor: Actor, gateway: str, tried: str, found: GatewayAccount) -> None:
    """Keep what the keys opened whose row held the secrets ``tried``, unless they were replaced meanwhile."""
    check_manager(actor)
    with write_unit():
        row = db.session.scalars(locked(select(GatewayKeys).where(GatewayKeys.gateway == gateway))).one_or_none()
        if row is not None and row.secrets == tried:
            row.label, row.is_live, row.looked_at = found.name[:200], found.is_live, now()


def is_on_server(gateway: str) -> bool:
    """Whether the keys of ``gateway`` are set in the server's environment, which comes first."""
    given = settings()
    return {HELLOASSO: given.helloasso_client_id, key_rules.STRIPE: given.stripe_secret_key}[gateway] is not None


def _opened(row: GatewayKeys) -> dict[str, str] | None:
    """The keys in ``row``; None when they cannot be read: as if there were none, and the page says so."""
    try:
        keys = json.loads(secret_box.decrypt(row.secrets, about=_about(row.gateway)))
    except (secret_box.Unreadable, ValueError):
        return None
    return keys if isinstance(keys, dict) else None


def _about(gateway: str) -> str:
    return f"gateway_account:{gateway}"

"""What the database itself refuses and counts, declared once for both engines.

A guard is DDL that models cannot express: exclusion constraints and triggers (`coworking.core.guard_kinds`, `money_guards`,
`closing_guards`, `coworking.core.version_triggers`). Migrations call
`install` at their end, because Alembic's SQLite batch mode rebuilds tables and drops their triggers silently. `differences`
compares the live catalogue with this declaration; a test, ``/readyz`` and ``flask audit`` ask it.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection, text

from coworking.core.closing_guards import closing_follows
from coworking.core.guard_kinds import (
    REFUSAL,
    Guard,
    append_only,
    claim_long,
    claim_overlap,
    credit_within,
    ended_means,
    frozen_charge,
    frozen_day,
    frozen_hours,
    frozen_quote,
    frozen_sale,
)
from coworking.core.money_guards import (
    agreed_collection,
    frozen_payout,
    line_used_once,
    never_negative,
    pack_return_within,
    pack_within,
    payout_booked_once,
    shared_unit,
    trial_once,
    whole_payout,
)
from coworking.core.version_triggers import SHOWN_OF_LIEU, raises_day_version, raises_lieu_version

APPEND_ONLY = (
    "audit_entry",
    "monthly_return",
    "ledger_entry",
    "received_return",
    "attestation",
    "attestation_paper",
    "house_text",
    "text_acceptance",
)
"""Tables whose rows are written once: no UPDATE, no DELETE, no TRUNCATE."""

ISSUED = (
    "invoice",
    "payment",
    "pack",
    "pack_return",
    "withdrawal",
    "online_payment_part",
    "online_payment_step",
    "online_payout_part",
    "payer_credit",
    "debit_notice",
    "reminder",
    "reminder_line",
    "reminder_outcome",
    "bank_statement",
    "bank_line",
    "bank_match",
    "invoice_paper",
    "receipt",
    "receipt_paper",
    "door_sale",
    "deposit",
    "deposit_return",
    "drawer_count",
    "cash_movement",
    "closing",
    "chain_entry",
    "seal",
)
"""The same for what was issued, paid and signed."""

QUOTE_FROZEN = (
    "id",
    "public_id",
    "person_id",
    "payer_person_id",
    "payer_organisation_id",
    "cover",
    "subscription_id",
    "agreement_id",
    "pack_id",
    "price_group_id",
    "resource_id",
    "day",
    "half",
    "starts_at",
    "ends_at",
    "unit",
    "minutes",
    "unit_cents",
    "amount_cents",
    "basis",
    "vat_rate_bp",
    "created_at",
    "rest_id",
    "alone_cents",
)
"""Every column of a quote but its state and when it was released."""

SALE_FROZEN = (
    "id",
    "public_id",
    "subject_kind",
    "subject_id",
    "payer_person_id",
    "cents",
    "currency",
    "expires_at",
    "created_at",
    "created_by_id",
)
"""Every column of a sale but its state, when it was reached and what the payment made; ``lines`` and ``terms`` too."""

PAYOUT_FROZEN = (
    "id",
    "public_id",
    "gateway",
    "foreign_id",
    "is_live",
    "cents",
    "currency",
    "reference",
    "made_at",
    "noted_at",
)
"""Every column of a payout but its state and the day it arrives, when that changed, and whether it is explained."""

UNIQUE: dict[str, tuple[tuple[str, ...], ...]] = {
    "audit_entry": (),
    "monthly_return": (("month", "revision"),),
    "ledger_entry": (("quote_id", "kind"),),
    "received_return": (("network_lieu_id", "month", "revision"),),
    "attestation": (("public_id",), ("code",)),
    "attestation_paper": (("attestation_id", "locale"),),
    "house_text": (("public_id",), ("kind", "from_day")),
    "text_acceptance": (),
    "invoice": (("public_id",), ("seq",), ("number",), ("prev",)),
    "payment": (("public_id",), ("reverses_id",), ("online_payment_id", "invoice_id", "online_entry")),
    "pack": (("public_id",),),
    "pack_return": (("public_id",),),
    "withdrawal": (("public_id",), ("subscription_id",), ("pack_id",)),
    "online_payment_part": (("online_payment_id", "invoice_id"),),
    "online_payment_step": (("online_payment_id", "state"),),
    "online_payout": (("public_id",), ("gateway", "foreign_id")),
    "online_payout_part": (("foreign_id",),),
    "bank_statement": (("public_id",), ("sha256",)),
    "bank_line": (("public_id",), ("account", "key")),
    "bank_match": (("public_id",), ("payment_id",), ("credit_id",), ("reverses_id",)),
    "payer_credit": (("public_id",), ("payment_id",), ("reverses_id",)),
    "debit_notice": (("public_id",), ("saved_means_id", "invoice_id", "attempt", "debited_on")),
    "reminder": (("public_id",), ("payer_person_id", "sent_on"), ("payer_organisation_id", "sent_on")),
    "reminder_line": (("invoice_id", "step"), ("reminder_id", "invoice_id")),
    "reminder_outcome": (("reminder_id",),),
    "saved_means": (("public_id",), ("gateway", "checkout_id")),
    "invoice_paper": (),
    "receipt": (("public_id",), ("seq",), ("number",), ("corrects_id",), ("prev",)),
    "receipt_paper": (),
    "door_sale": (("public_id",), ("nonce",), ("cancels_id",)),
    "deposit": (("public_id",),),
    "deposit_return": (("deposit_id",),),
    "drawer_count": (("public_id",), ("seq",)),
    "cash_movement": (
        ("seq",),
        ("receipt_id",),
        ("payment_id",),
        ("deposit_return_id",),
        ("payer_credit_id",),
        ("online_refund_id",),
    ),
    "closing": (("public_id",), ("kind", "seq"), ("kind", "first_day"), ("kind", "prev")),
    "chain_entry": (("chain", "seq"),),
    "seal": (),
    "quote": (("public_id",), ("rest_id",)),
    "sale": (("public_id",),),
    "charge": (("public_id",), ("source", "source_id", "month")),
    "lieu_day": (("day",),),
    "open_span": (),
}
"""The unique keys of every guarded table, but a primary key that is SQLite's rowid: REPLACE must not write over any."""

GUARDS: tuple[Guard, ...] = (
    frozen_day(UNIQUE["lieu_day"]),
    frozen_hours(UNIQUE["open_span"]),
    claim_overlap(),
    claim_long(),
    *(append_only(table, UNIQUE[table]) for table in (*APPEND_ONLY, *ISSUED)),
    frozen_quote(QUOTE_FROZEN, UNIQUE["quote"]),
    closing_follows(),
    frozen_sale(SALE_FROZEN, ("lines", "terms"), UNIQUE["sale"]),
    frozen_charge(UNIQUE["charge"]),
    credit_within(),
    pack_within(),
    pack_return_within(),
    shared_unit(),
    line_used_once(),
    frozen_payout(PAYOUT_FROZEN, UNIQUE["online_payout"]),
    whole_payout(),
    payout_booked_once(),
    never_negative("payer_credit", "cents", {"payer_person_id": "person", "payer_organisation_id": "organisation"}),
    ended_means(UNIQUE["saved_means"]),
    agreed_collection(),
    trial_once(),
)

VERSIONS: tuple[Guard, ...] = (
    *(raises_lieu_version(table, columns) for table, columns in SHOWN_OF_LIEU.items()),
    raises_day_version("claim", {"INSERT": (), "DELETE": (), "UPDATE": ()}),
    raises_day_version("booking", {"DELETE": (), "UPDATE": ("public_id", "person_id", "title", "status")}),
    raises_day_version(
        "booking_unit", {"INSERT": (), "DELETE": (), "UPDATE": ("outcome",)}, inserted="NEW.outcome <> 'pending'"
    ),
)
"""What refuses nothing but counts: which change makes a kept page out of date."""

DECLARED = (*GUARDS, *VERSIONS)


def install(connection: Connection) -> None:
    """Create every guard whose table exists and that is not already there exactly as declared."""
    present, found = _tables(connection), _catalogue(connection)
    for guard in DECLARED:
        if not _fits(guard, present):
            continue
        if set(found).issuperset(_wanted(connection, guard).items()):
            continue
        _drop(connection, guard)
        for ddl in _ddl(connection, guard):
            connection.exec_driver_sql(ddl)


def remove(connection: Connection) -> None:
    """Drop every guard that is there."""
    present = _tables(connection)
    for guard in DECLARED:
        if guard.table in present:
            _drop(connection, guard)


def differences(connection: Connection) -> list[str]:
    """Guards that are missing, altered, disabled or unknown in the live catalogue; empty when all is well.

    A table that is not there (between two migrations) is not missed here.
    """
    present, found = _tables(connection), _catalogue(connection)
    declared = [(guard, name, form) for guard in DECLARED for name, form in _wanted(connection, guard).items()]
    wanted, names = {name: form for _, name, form in declared}, {name for name, _ in found}
    return [f"{name}: missing" for guard, name, _ in declared if _fits(guard, present) and name not in names] + [
        f"{name}: {'not declared' if name not in wanted else 'not as declared'}"
        for name, form in found
        if wanted.get(name) != form
    ]


def refused_by(error: BaseException) -> str | None:
    """The name of the guard that refused, read from a database error; None when it was something else."""
    if match := re.search(rf"{REFUSAL}(\w+)", str(error)):
        return match[1]
    diagnostics = getattr(getattr(error, "orig", error), "diag", None)
    name = getattr(diagnostics, "constraint_name", None)
    return name if name in {guard.name for guard in GUARDS} else None


def _fits(guard: Guard, present: set[str]) -> bool:
    """Whether every table is there that ``guard`` names."""
    return present.issuperset((guard.table, *guard.needs))


def _wanted(connection: Connection, guard: Guard) -> dict[str, str]:
    """What the catalogue must show for ``guard``, by object name."""
    if connection.dialect.name == "sqlite":
        return {name: _normal(ddl) for name, ddl in guard.sqlite.items()}
    return {name: _normal(form) for name, (_, form) in guard.postgresql.items()}


def _drop(connection: Connection, guard: Guard) -> None:
    if connection.dialect.name == "sqlite":
        for name in guard.sqlite:
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
        return
    for name in reversed(guard.postgresql):  # triggers before the function they call
        if name.endswith("()"):
            connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {name}")
        elif guard.postgresql[name][0].startswith("ALTER TABLE"):
            connection.exec_driver_sql(f"ALTER TABLE {guard.table} DROP CONSTRAINT IF EXISTS {name}")
        else:
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name} ON {guard.table}")


def _ddl(connection: Connection, guard: Guard) -> list[str]:
    if connection.dialect.name == "sqlite":
        return list(guard.sqlite.values())
    return [ddl for ddl, _ in guard.postgresql.values()]


def _tables(connection: Connection) -> set[str]:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if connection.dialect.name == "sqlite"
        else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
    return set(connection.execute(text(query)).scalars())


_PG_CATALOGUE = """
SELECT tgname, pg_get_triggerdef(t.oid) || CASE tgenabled WHEN 'O' THEN '' ELSE ' DISABLED' END
  FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT tgisinternal AND n.nspname = 'public'
UNION ALL
SELECT p.proname || '()', prosrc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname = 'public' AND p.prorettype = 'trigger'::regtype
UNION ALL
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'x'
UNION ALL
SELECT rulename, definition FROM pg_rules WHERE schemaname = 'public'
UNION ALL
SELECT name, setting FROM pg_settings WHERE name = 'session_replication_role' AND setting <> 'origin'
"""


def _catalogue(connection: Connection) -> list[tuple[str, str]]:
    """The guards found in the database, by name. PostgreSQL allows one name on several tables."""
    query = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        if connection.dialect.name == "sqlite"
        else _PG_CATALOGUE
    )
    return [(name, _normal(form)) for name, form in connection.execute(text(query))]


def _normal(form: str) -> str:
    return " ".join(form.split())

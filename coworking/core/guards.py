"""What the database itself refuses, declared once for both engines.

A guard is DDL that models cannot express: exclusion constraints and triggers. Migrations call `install` at their end,
because Alembic's SQLite batch mode rebuilds tables and drops their triggers silently. `differences` compares the live
catalogue with this declaration; a test, ``/readyz`` and ``flask audit`` ask it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Connection, text

LONG_CLAIM_MICROS = 24 * 3600 * 1_000_000
"""Claims longer than a day stand in an index of their own, so that looking for overlaps reads one day, not history."""

REFUSAL = "guard:"
"""Every refusal's text starts so; `refused_by` finds the guard's name behind it."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One rule of the database: its ``name``, ``table`` and, per engine, how it is made and how the catalogue shows it.

    ``sqlite`` maps trigger names to their DDL. ``postgresql`` maps object names to ``(DDL, catalogue form)``; functions
    come first, since triggers need them.
    """

    name: str
    table: str
    sqlite: dict[str, str]
    postgresql: dict[str, tuple[str, str]]


def _claim_overlap() -> Guard:
    def sqlite_trigger(name: str, event: str) -> str:
        # Two probes instead of one: `starts_at < :end AND ends_at > :start` alone reads the resource's whole past. Short
        # claims are found by `ix_claim_resource_id_starts_at`, long ones by `ix_claim_resource_id_ends_at`: the plus
        # keeps SQLite from taking the former for them too, which would read the whole past again.
        return f"""CREATE TRIGGER {name} {event} ON claim
WHEN NEW.live AND (
  EXISTS (SELECT 1 FROM claim AS c WHERE c.resource_id = NEW.resource_id AND c.live AND NOT c.long
          AND c.starts_at < NEW.ends_at AND c.starts_at >= NEW.starts_at - {LONG_CLAIM_MICROS}
          AND c.ends_at > NEW.starts_at AND c.id <> NEW.id)
  OR EXISTS (SELECT 1 FROM claim AS c WHERE c.resource_id = NEW.resource_id AND c.live AND c.long
             AND c.ends_at > NEW.starts_at AND +c.starts_at < NEW.ends_at AND c.id <> NEW.id))
BEGIN SELECT RAISE(ABORT, '{REFUSAL}claim_overlap'); END"""

    exclusion = (
        "EXCLUDE USING gist (int8range(resource_id, resource_id, '[]'::text) WITH =, "
        "tstzrange(starts_at, ends_at, '[)'::text) WITH &&) WHERE (live)"
    )
    return Guard(
        name="claim_overlap",
        table="claim",
        sqlite={
            # AFTER INSERT: the row's own id is only known then, and `c.id <> NEW.id` must hold for it.
            "claim_overlap_insert": sqlite_trigger("claim_overlap_insert", "AFTER INSERT"),
            "claim_overlap_update": sqlite_trigger(
                "claim_overlap_update", "AFTER UPDATE OF resource_id, starts_at, ends_at, live, long"
            ),
        },
        postgresql={"claim_overlap": (f"ALTER TABLE claim ADD CONSTRAINT claim_overlap {exclusion}", exclusion)},
    )


def _claim_long() -> Guard:
    """SQLite finds long claims by their flag: one that lies would hide a claim from `claim_overlap`."""
    names = {"claim_long_insert": "AFTER INSERT", "claim_long_update": "AFTER UPDATE OF starts_at, ends_at, long"}
    return Guard(
        name="claim_long",
        table="claim",
        sqlite={
            name: f"""CREATE TRIGGER {name} {event} ON claim
WHEN NEW.long <> (NEW.ends_at - NEW.starts_at > {LONG_CLAIM_MICROS})
BEGIN SELECT RAISE(ABORT, '{REFUSAL}claim_long'); END"""
            for name, event in names.items()
        },
        postgresql={},  # its exclusion constraint needs no flag
    )


def _append_only(table: str) -> Guard:
    """Rows of ``table`` are written once: no UPDATE, no DELETE, no TRUNCATE."""
    name = f"{table}_append_only"
    sqlite = {
        f"{name}_{event.lower()}": f"CREATE TRIGGER {name}_{event.lower()} BEFORE {event} ON {table}\n"
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}{name}'); END"
        for event in ("UPDATE", "DELETE")
    }
    body = f"BEGIN RAISE EXCEPTION '{REFUSAL}{name}' USING ERRCODE = '23000'; END"
    row = f"CREATE TRIGGER {name} BEFORE DELETE OR UPDATE ON public.{table} FOR EACH ROW EXECUTE FUNCTION {name}()"
    truncate = (
        f"CREATE TRIGGER {name}_truncate BEFORE TRUNCATE ON public.{table} FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
    )
    function = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard${body}$guard$"
    return Guard(
        name=name,
        table=table,
        sqlite=sqlite,
        postgresql={
            f"{name}()": (function, body),
            name: (row, row),
            f"{name}_truncate": (truncate, truncate),
        },
    )


def _frozen_day() -> Guard:
    """A day whose end has passed keeps the hours it had: ``lieu_day`` rows with ``frozen_at`` never change again."""
    name = "lieu_day_frozen"
    body = f"BEGIN RAISE EXCEPTION '{REFUSAL}{name}' USING ERRCODE = '23000'; END"
    trigger = (
        f"CREATE TRIGGER {name} BEFORE DELETE OR UPDATE ON public.lieu_day FOR EACH ROW "
        f"WHEN ((old.frozen_at IS NOT NULL)) EXECUTE FUNCTION {name}()"
    )
    function = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard${body}$guard$"
    return Guard(
        name=name,
        table="lieu_day",
        sqlite={
            f"{name}_{event.lower()}": f"CREATE TRIGGER {name}_{event.lower()} BEFORE {event} ON lieu_day\n"
            f"WHEN OLD.frozen_at IS NOT NULL BEGIN SELECT RAISE(ABORT, '{REFUSAL}{name}'); END"
            for event in ("UPDATE", "DELETE")
        },
        postgresql={f"{name}()": (function, body), name: (trigger, trigger)},
    )


def _frozen_hours() -> Guard:
    """The open spans of a frozen day are frozen with it."""
    name = "open_span_frozen"
    frozen = "EXISTS (SELECT 1 FROM lieu_day WHERE lieu_day.day = {row}.day AND lieu_day.frozen_at IS NOT NULL)"
    body = (
        "BEGIN IF (TG_OP <> 'INSERT' AND " + frozen.format(row="OLD") + ") "
        "OR (TG_OP <> 'DELETE' AND " + frozen.format(row="NEW") + ") THEN "
        f"RAISE EXCEPTION '{REFUSAL}{name}' USING ERRCODE = '23000'; END IF; "
        "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END"
    )
    trigger = (
        f"CREATE TRIGGER {name} BEFORE INSERT OR DELETE OR UPDATE ON public.open_span "
        f"FOR EACH ROW EXECUTE FUNCTION {name}()"
    )
    function = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard${body}$guard$"
    rows = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}
    return Guard(
        name=name,
        table="open_span",
        sqlite={
            f"{name}_{event.lower()}": f"CREATE TRIGGER {name}_{event.lower()} BEFORE {event} ON open_span\n"
            f"WHEN {' OR '.join(frozen.format(row=row) for row in touched)} "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}{name}'); END"
            for event, touched in rows.items()
        },
        postgresql={f"{name}()": (function, body), name: (trigger, trigger)},
    )


APPEND_ONLY = (
    "audit_entry",
    "monthly_return",
    "ledger_entry",
    "received_return",
    "attestation",
)
"""Tables whose rows are written once: no UPDATE, no DELETE, no TRUNCATE."""

ISSUED = (
    "invoice",
    "payment",
    "invoice_paper",
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
)
"""Every column of a quote but its state and when it was released."""


def _frozen_quote() -> Guard:
    """What was quoted stays: only the state goes on, from live to kept or released, and released for good."""
    name = "quote_frozen"
    back = "OLD.state = 'released' OR (NEW.state = 'live' AND OLD.state <> 'live')"
    sqlite_changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in QUOTE_FROZEN)
    old, new = (", ".join(f"{row}.{column}" for column in QUOTE_FROZEN) for row in ("OLD", "NEW"))
    body = (
        f"BEGIN IF TG_OP = 'UPDATE' THEN IF NOT ({back} OR ROW({new}) IS DISTINCT FROM ROW({old})) THEN "
        f"RETURN NEW; END IF; END IF; RAISE EXCEPTION '{REFUSAL}{name}' USING ERRCODE = '23000'; END"
    )
    function = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard${body}$guard$"
    row = f"CREATE TRIGGER {name} BEFORE DELETE OR UPDATE ON public.quote FOR EACH ROW EXECUTE FUNCTION {name}()"
    truncate = (
        f"CREATE TRIGGER {name}_truncate BEFORE TRUNCATE ON public.quote FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
    )
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}{name}'); END"
    return Guard(
        name=name,
        table="quote",
        sqlite={
            f"{name}_update": f"CREATE TRIGGER {name}_update BEFORE UPDATE ON quote\n"
            f"WHEN {back} OR {sqlite_changed}\n{refuse}",
            f"{name}_delete": f"CREATE TRIGGER {name}_delete BEFORE DELETE ON quote\n{refuse}",
        },
        postgresql={
            f"{name}()": (function, body),
            name: (row, row),
            f"{name}_truncate": (truncate, truncate),
        },
    )


def _frozen_charge() -> Guard:
    """What stands on an invoice stays: a charge with an ``invoice_id`` never changes and is never deleted."""
    name = "charge_frozen"
    body = f"BEGIN RAISE EXCEPTION '{REFUSAL}{name}' USING ERRCODE = '23000'; END"
    function = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard${body}$guard$"
    row = (
        f"CREATE TRIGGER {name} BEFORE DELETE OR UPDATE ON public.charge FOR EACH ROW "
        f"WHEN ((old.invoice_id IS NOT NULL)) EXECUTE FUNCTION {name}()"
    )
    truncate = (
        f"CREATE TRIGGER {name}_truncate BEFORE TRUNCATE ON public.charge FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
    )
    return Guard(
        name=name,
        table="charge",
        sqlite={
            f"{name}_{event.lower()}": f"CREATE TRIGGER {name}_{event.lower()} BEFORE {event} ON charge\n"
            f"WHEN OLD.invoice_id IS NOT NULL BEGIN SELECT RAISE(ABORT, '{REFUSAL}{name}'); END"
            for event in ("UPDATE", "DELETE")
        },
        postgresql={
            f"{name}()": (function, body),
            name: (row, row),
            f"{name}_truncate": (truncate, truncate),
        },
    )


GUARDS: tuple[Guard, ...] = (
    _frozen_day(),
    _frozen_hours(),
    _claim_overlap(),
    _claim_long(),
    *map(_append_only, APPEND_ONLY),
    *map(_append_only, ISSUED),
    _frozen_quote(),
    _frozen_charge(),
)


def install(connection: Connection) -> None:
    """Create every guard whose table exists and that is not already there exactly as declared."""
    present, found = _tables(connection), _catalogue(connection)
    for guard in GUARDS:
        if guard.table not in present:
            continue
        if all(found.get(name) == form for name, form in _wanted(connection, guard).items()):
            continue
        _drop(connection, guard)
        for ddl in _ddl(connection, guard):
            connection.exec_driver_sql(ddl)


def remove(connection: Connection) -> None:
    """Drop every guard that is there."""
    present = _tables(connection)
    for guard in GUARDS:
        if guard.table in present:
            _drop(connection, guard)


def differences(connection: Connection) -> list[str]:
    """Guards that are missing, altered, disabled or unknown in the live catalogue; empty when all is well.

    A table that is not there (between two migrations) is not missed here.
    """
    present, found = _tables(connection), _catalogue(connection)
    declared = [(guard, name, form) for guard in GUARDS for name, form in _wanted(connection, guard).items()]
    wanted = {name: form for _, name, form in declared}
    return [f"{name}: missing" for guard, name, _ in declared if guard.table in present and name not in found] + [
        f"{name}: {'not declared' if name not in wanted else 'not as declared'}"
        for name, form in found.items()
        if wanted.get(name) != form
    ]


def refused_by(error: BaseException) -> str | None:
    """The name of the guard that refused, read from a database error; None when it was something else."""
    if match := re.search(rf"{REFUSAL}(\w+)", str(error)):
        return match[1]
    diagnostics = getattr(getattr(error, "orig", error), "diag", None)
    name = getattr(diagnostics, "constraint_name", None)
    return name if name in {guard.name for guard in GUARDS} else None


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
"""


def _catalogue(connection: Connection) -> dict[str, str]:
    query = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        if connection.dialect.name == "sqlite"
        else _PG_CATALOGUE
    )
    return {name: _normal(form) for name, form in connection.execute(text(query))}


def _normal(form: str) -> str:
    return " ".join(form.split())

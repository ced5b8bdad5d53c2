"""The kinds of guards, as DDL of both engines; `coworking.core.guards` says which table gets which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LONG_CLAIM_MICROS = 24 * 3600 * 1_000_000
"""Claims longer than a day have an index of their own, so that the search for overlaps reads one day, not the history."""

REFUSAL = "guard:"
"""Every refusal's text starts so; `refused_by` finds the guard's name behind it."""


Keys = Sequence[Sequence[str]]
"""Unique keys, each as its columns."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One rule of the database: its ``name``, ``table`` and, per engine, how it is made and how the catalogue shows it.

    ``sqlite`` maps trigger names to their DDL. ``postgresql`` maps object names to ``(DDL, catalogue form)``; functions
    come first, since triggers need them. ``needs``: other tables without which it cannot be there.
    """

    name: str
    table: str
    sqlite: dict[str, str]
    postgresql: dict[str, tuple[str, str]]
    needs: tuple[str, ...] = ()


def claim_overlap() -> Guard:
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


def claim_long() -> Guard:
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


def _unreplaced(name: str, table: str, keys: Keys, *, updates: bool) -> dict[str, str]:
    """SQLite's triggers against REPLACE: ``table`` takes no row over one that is there, by rowid or by any of ``keys``.

    REPLACE deletes the row in the way without firing its DELETE trigger, unless the connection asks for that. So what is in
    the way is looked for before, whatever the connection says. Each look is a probe of a unique index; a rowid that SQLite
    has still to choose is -1 here. ``updates``: rows may be updated, and so must not move onto another one either.
    """

    def in_the_way(key: Sequence[str]) -> str:
        same = " AND ".join(f"{column} = NEW.{column}" for column in key)
        return f"SELECT 1 FROM {table} WHERE {same}"

    def moved(key: Sequence[str]) -> str:
        return " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in key)

    every = (("rowid",), *keys)
    inserted = "\n  OR ".join(f"EXISTS ({in_the_way(key)})" for key in every)
    updated = "\n  OR ".join(f"(({moved(key)}) AND EXISTS ({in_the_way(key)} AND rowid <> OLD.rowid))" for key in every)
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}{name}'); END"
    triggers = {"insert": f"BEFORE INSERT ON {table}\nWHEN {inserted}"}
    if updates:
        triggers["update"] = f"BEFORE UPDATE ON {table}\nWHEN {updated}"
    return {
        f"{name}_replace_{event}": f"CREATE TRIGGER {name}_replace_{event} {when}\n{refuse}"
        for event, when in triggers.items()
    }


def append_only(table: str, keys: Keys) -> Guard:
    """Rows of ``table`` are written once: no UPDATE, no DELETE, no TRUNCATE, no REPLACE."""
    name = f"{table}_append_only"
    sqlite = {
        f"{name}_{event.lower()}": f"CREATE TRIGGER {name}_{event.lower()} BEFORE {event} ON {table}\n"
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}{name}'); END"
        for event in ("UPDATE", "DELETE")
    } | _unreplaced(name, table, keys, updates=False)
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


def frozen_day(keys: Keys) -> Guard:
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
        }
        | _unreplaced(name, "lieu_day", keys, updates=True),
        postgresql={f"{name}()": (function, body), name: (trigger, trigger)},
    )


def frozen_hours(keys: Keys) -> Guard:
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
        }
        | _unreplaced(name, "open_span", keys, updates=True),
        postgresql={f"{name}()": (function, body), name: (trigger, trigger)},
    )


def frozen_quote(columns: Sequence[str], keys: Keys) -> Guard:
    """What was quoted stays: only the state goes on, from live to kept or released, and released for good."""
    back = "OLD.state = 'released' OR (NEW.state = 'live' AND OLD.state <> 'live')"
    return frozen("quote", back, columns, keys)


def frozen_sale(columns: Sequence[str], json: Sequence[str], keys: Keys) -> Guard:
    """What was sold stays: only the state goes on. What was paid is never open or expired again, what was refunded stays."""
    back = (
        "OLD.state = 'refunded' OR (NEW.state = 'open' AND OLD.state <> 'open') "
        "OR (NEW.state = 'expired' AND OLD.state = 'paid') OR (OLD.made_id IS NOT NULL AND NEW.made_id IS NULL)"
    )
    return frozen("sale", back, columns, keys, json)


def frozen(table: str, back: str, columns: Sequence[str], keys: Keys, json: Sequence[str] = ()) -> Guard:
    """Rows of ``table`` stay and keep their ``columns`` (``json``: those that PostgreSQL compares as text only); a change
    that goes ``back`` is refused."""
    name = f"{table}_frozen"
    sqlite_changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in (*columns, *json))
    old, new = (
        ", ".join([f"{row}.{column}" for column in columns] + [f"{row}.{column}::text" for column in json])
        for row in ("OLD", "NEW")
    )
    body = (
        f"BEGIN IF TG_OP = 'UPDATE' THEN IF NOT ({back} OR ROW({new}) IS DISTINCT FROM ROW({old})) THEN "
        f"RETURN NEW; END IF; END IF; RAISE EXCEPTION '{REFUSAL}{name}' USING ERRCODE = '23000'; END"
    )
    function = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard${body}$guard$"
    row = f"CREATE TRIGGER {name} BEFORE DELETE OR UPDATE ON public.{table} FOR EACH ROW EXECUTE FUNCTION {name}()"
    truncate = (
        f"CREATE TRIGGER {name}_truncate BEFORE TRUNCATE ON public.{table} FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
    )
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}{name}'); END"
    return Guard(
        name=name,
        table=table,
        sqlite={
            f"{name}_update": f"CREATE TRIGGER {name}_update BEFORE UPDATE ON {table}\n"
            f"WHEN {back} OR {sqlite_changed}\n{refuse}",
            f"{name}_delete": f"CREATE TRIGGER {name}_delete BEFORE DELETE ON {table}\n{refuse}",
        }
        | _unreplaced(name, table, keys, updates=True),
        postgresql={
            f"{name}()": (function, body),
            name: (row, row),
            f"{name}_truncate": (truncate, truncate),
        },
    )


def ended_means(keys: Keys) -> Guard:
    """A saved means that ended stays so, and none is deleted: what was withdrawn is not agreed to again."""
    name = "saved_means_ended"
    body = f"BEGIN RAISE EXCEPTION '{REFUSAL}{name}' USING ERRCODE = '23000'; END"
    function = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard${body}$guard$"
    update = (
        f"CREATE TRIGGER {name} BEFORE UPDATE ON public.saved_means FOR EACH ROW "
        f"WHEN ((((old.state)::text = 'ended'::text) AND ((new.state)::text <> 'ended'::text))) EXECUTE FUNCTION {name}()"
    )
    delete = f"CREATE TRIGGER {name}_delete BEFORE DELETE ON public.saved_means FOR EACH ROW EXECUTE FUNCTION {name}()"
    truncate = (
        f"CREATE TRIGGER {name}_truncate BEFORE TRUNCATE ON public.saved_means "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
    )
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}{name}'); END"
    return Guard(
        name=name,
        table="saved_means",
        sqlite={
            f"{name}_update": f"CREATE TRIGGER {name}_update BEFORE UPDATE ON saved_means\n"
            f"WHEN OLD.state = 'ended' AND NEW.state <> 'ended'\n{refuse}",
            f"{name}_delete": f"CREATE TRIGGER {name}_delete BEFORE DELETE ON saved_means\n{refuse}",
        }
        | _unreplaced(name, "saved_means", keys, updates=True),
        postgresql={
            f"{name}()": (function, body),
            name: (update, update),
            f"{name}_delete": (delete, delete),
            f"{name}_truncate": (truncate, truncate),
        },
    )


def frozen_charge(keys: Keys) -> Guard:
    """An invoiced charge (with an ``invoice_id``) never changes and is never deleted."""
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
        }
        | _unreplaced(name, "charge", keys, updates=True),
        postgresql={
            f"{name}()": (function, body),
            name: (row, row),
            f"{name}_truncate": (truncate, truncate),
        },
    )


def credit_within() -> Guard:
    """Credit notes take back no more of a line than the invoice holds.

    Both signed documents tell by themselves: a line of a credit note names the place of the invoice's line as ``of_line``;
    without it, it undoes the line at its own place.
    """
    name = "credit_within"
    sqlite = f"""CREATE TRIGGER {name} AFTER INSERT ON invoice
WHEN NEW.kind = 'credit_note' AND EXISTS (
  SELECT 1 FROM (
    SELECT COALESCE(json_extract(line.value, '$.of_line'), line.key) AS place,
           SUM(json_extract(line.value, '$.amount_cents')) AS cents
    FROM invoice AS note, json_each(note.payload, '$.lines') AS line
    WHERE note.corrects_id = NEW.corrects_id GROUP BY 1) AS taken
  LEFT JOIN (
    SELECT line.key AS place, json_extract(line.value, '$.amount_cents') AS cents
    FROM invoice AS original, json_each(original.payload, '$.lines') AS line
    WHERE original.id = NEW.corrects_id) AS billed ON billed.place = taken.place
  WHERE billed.cents IS NULL OR taken.cents * billed.cents > 0 OR abs(taken.cents) > abs(billed.cents))
BEGIN SELECT RAISE(ABORT, '{REFUSAL}{name}'); END"""
    # The lock lets two notes of one invoice come one after the other, so that the second sees the first.
    body = f"""BEGIN
PERFORM 1 FROM invoice WHERE id = NEW.corrects_id FOR UPDATE;
IF EXISTS (
  SELECT 1 FROM (
    SELECT COALESCE((line.value ->> 'of_line')::int, line.place::int - 1) AS place,
           SUM((line.value ->> 'amount_cents')::bigint) AS cents
    FROM invoice AS note, jsonb_array_elements(note.payload::jsonb -> 'lines') WITH ORDINALITY AS line (value, place)
    WHERE note.corrects_id = NEW.corrects_id GROUP BY 1) AS taken
  LEFT JOIN (
    SELECT line.place::int - 1 AS place, (line.value ->> 'amount_cents')::bigint AS cents
    FROM invoice AS original,
         jsonb_array_elements(original.payload::jsonb -> 'lines') WITH ORDINALITY AS line (value, place)
    WHERE original.id = NEW.corrects_id) AS billed ON billed.place = taken.place
  WHERE billed.cents IS NULL OR taken.cents * billed.cents > 0 OR abs(taken.cents) > abs(billed.cents))
THEN RAISE EXCEPTION '{REFUSAL}{name}' USING ERRCODE = '23000'; END IF;
RETURN NULL; END"""
    row = (
        f"CREATE TRIGGER {name} AFTER INSERT ON public.invoice FOR EACH ROW "
        f"WHEN (((new.kind)::text = 'credit_note'::text)) EXECUTE FUNCTION {name}()"
    )
    function = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard${body}$guard$"
    return Guard(
        name=name,
        table="invoice",
        sqlite={name: sqlite},
        postgresql={f"{name}()": (function, body), name: (row, row)},
    )

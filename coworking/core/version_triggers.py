"""Triggers that raise a version when what a page shows is changed, by whatever program.

Bulk statements and programs other than ours bypass the session's events, so the database itself keeps the versions. On
PostgreSQL a version is raised at COMMIT, when the unit holds every other lock: a version is locked last. SQLite has one
writer at a time and raises it at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from coworking.core.guard_kinds import Guard

SHOWN_OF_LIEU: Mapping[str, tuple[str, ...]] = {
    "lieu": (),
    "zone": (),
    "resource": (),
    "lieu_day": (),
    "open_span": (),
    "tariff": (),
    "tariff_price": (),
    "agreement": (),
    "price_group": (),
    "group_tariff": (),
    "group_price": (),
    "membership_settings": (),
    "house_text": (),
    "organisation": ("name",),
    "person": ("first_name", "last_name"),
}
"""The tables whose changes raise the lieu's version; of some only these columns."""

_EVENTS = ("INSERT", "DELETE", "UPDATE")  # in the order in which PostgreSQL's catalogue says them

_NEW_LIEU_VERSION_SQLITE = "INSERT OR REPLACE INTO lieu_version (id, version) VALUES (1, lower(hex(randomblob(16))));"
# The row that this transaction has written is left alone: a thousand changed days are one change.
_NEW_LIEU_VERSION_POSTGRESQL = (
    "INSERT INTO lieu_version (id, version) VALUES (1, gen_random_uuid()::text) ON CONFLICT (id) DO UPDATE "
    "SET version = excluded.version WHERE lieu_version.xmin <> pg_current_xact_id()::xid;"
)

_RAISED_DAYS = (
    "INSERT INTO day_version (day, version) SELECT day, 1 FROM lieu_day WHERE day BETWEEN {first} AND {last} "
    "AND starts_at < {row}.ends_at AND ends_at > {row}.starts_at ORDER BY day "
    "ON CONFLICT (day) DO UPDATE SET version = day_version.version + 1;"
)
"""Raise the version of every local date that a row's ``[starts_at, ends_at)`` touches.

Which these are, `lieu_day` knows. The dates in universal time, one more on either side, find its rows by their key: for a
BETWEEN of which it knows nothing PostgreSQL takes an index, for two comparisons it reads the table.
"""
_UTC_DATES = {
    "sqlite": (
        "date({row}.starts_at / 1000000, 'unixepoch', '-1 day')",
        "date({row}.ends_at / 1000000, 'unixepoch', '+1 day')",
    ),
    "postgresql": (
        "({row}.starts_at AT TIME ZONE 'UTC')::date - 1",
        "({row}.ends_at AT TIME ZONE 'UTC')::date + 1",
    ),
}


def raises_lieu_version(table: str, columns: Sequence[str] = ()) -> Guard:
    """Every change of ``table`` gives the lieu a new version; of its ``columns`` only, where they are named."""
    events: dict[str, tuple[str, ...]] = {"UPDATE": tuple(columns)} if columns else dict.fromkeys(_EVENTS, ())
    name = f"{table}_raises_lieu"
    return Guard(
        name=name,
        table=table,
        needs=("lieu_version",),
        sqlite={
            f"{name}_{event.lower()}": _sqlite(f"{name}_{event.lower()}", event, named, table, _NEW_LIEU_VERSION_SQLITE)
            for event, named in events.items()
        },
        postgresql=_postgresql(name, table, events, f"BEGIN {_NEW_LIEU_VERSION_POSTGRESQL} RETURN NULL; END"),
    )


def raises_day_version(table: str, events: Mapping[str, Sequence[str]], *, inserted: str | None = None) -> Guard:
    """A change of a row of ``table`` raises the version of the local dates from its ``starts_at`` to its ``ends_at``.

    ``events``: INSERT, DELETE or UPDATE, each with the columns that matter (none: all). ``inserted``: a condition on a
    new row, in the words of PostgreSQL's catalogue, without which its INSERT raises nothing.
    """
    name, raised = f"{table}_raises_day", {engine: _raised(engine) for engine in _UTC_DATES}
    rows = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}
    sqlite = {
        f"{name}_{event.lower()}": _sqlite(
            f"{name}_{event.lower()}",
            event,
            columns,
            table,
            "\n".join(raised["sqlite"].format(row=row) for row in rows[event]),
            when=f"WHEN {inserted}\n" if inserted and event == "INSERT" else "",
        )
        for event, columns in events.items()
    }
    old, new = (raised["postgresql"].format(row=row) for row in ("OLD", "NEW"))
    condition = f"TG_OP <> 'INSERT' OR {inserted}" if inserted else "TRUE"
    body = (
        f"BEGIN IF TG_OP <> 'INSERT' THEN {old} END IF; "
        f"IF TG_OP <> 'DELETE' THEN IF {condition} THEN {new} END IF; END IF; RETURN NULL; END"
    )
    return Guard(
        name=name,
        table=table,
        needs=("day_version", "lieu_day"),
        sqlite=sqlite,
        postgresql=_postgresql(name, table, events, body),
    )


def _raised(engine: str) -> str:
    first, last = _UTC_DATES[engine]
    return _RAISED_DAYS.replace("{first}", first).replace("{last}", last)


def _sqlite(name: str, event: str, columns: Sequence[str], table: str, body: str, when: str = "") -> str:
    named = f" OF {', '.join(columns)}" if columns else ""
    return f"CREATE TRIGGER {name} AFTER {event}{named} ON {table}\n{when}BEGIN {body} END"


def _postgresql(name: str, table: str, events: Mapping[str, Sequence[str]], body: str) -> dict[str, tuple[str, str]]:
    happens = " OR ".join(
        event + (f" OF {', '.join(events[event])}" if events[event] else "") for event in _EVENTS if event in events
    )
    function = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard${body}$guard$"
    trigger = (
        f"CREATE CONSTRAINT TRIGGER {name} AFTER {happens} ON public.{table} DEFERRABLE INITIALLY DEFERRED "
        f"FOR EACH ROW EXECUTE FUNCTION {name}()"
    )
    return {f"{name}()": (function, body), name: (trigger, trigger)}

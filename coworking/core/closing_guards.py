"""The guard of closings: each follows the one before, without a gap, an overlap or a total that begins anew."""

from __future__ import annotations

from coworking.core.guard_kinds import REFUSAL, Guard

SUMS = ("sales_cents", "gross_cents")


def closing_follows() -> Guard:
    """A closing begins where the last of its kind ended, and its perpetual totals are that one's and its own.

    A month or a year says what its days say. Two closings made at once: the unique keys (kind, seq), (kind, first_day) and
    (kind, prev) let one through.
    """
    name = "closing_follows"
    function = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard$"
    body = (
        f"BEGIN IF NOT {_right('c.last_day + 1', 'NEW.last_day - NEW.first_day + 1')} THEN "
        f"RAISE EXCEPTION '{REFUSAL}{name}' USING ERRCODE = '23000'; END IF; RETURN NEW; END"
    )
    row = f"CREATE TRIGGER {name} BEFORE INSERT ON public.closing FOR EACH ROW EXECUTE FUNCTION {name}()"
    right = _right(
        "date(c.last_day, '+1 day')",
        "CAST(julianday(NEW.last_day) - julianday(NEW.first_day) AS INTEGER) + 1",
    )
    return Guard(
        name=name,
        table="closing",
        sqlite={
            name: f"CREATE TRIGGER {name} BEFORE INSERT ON closing\nWHEN NOT {right}\n"
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}{name}'); END"
        },
        postgresql={f"{name}()": (f"{function}{body}$guard$", body), name: (row, row)},
    )


def _right(next_day: str, days: str) -> str:
    """What must hold of NEW. ``next_day``: the day after ``c.last_day``; ``days``: how many NEW has."""
    begun = " AND ".join(f"NEW.perpetual_{name} = NEW.{name}" for name in SUMS)
    added = " AND ".join(f"c.perpetual_{name} + NEW.{name} = NEW.perpetual_{name}" for name in SUMS)
    same = " AND ".join(f"sum(c.{name}) = NEW.{name}" for name in (*SUMS, "vat_cents"))
    first = f"(NEW.seq = 1 AND {begun} AND NOT EXISTS (SELECT 1 FROM closing AS c WHERE c.kind = NEW.kind))"
    following = (
        "EXISTS (SELECT 1 FROM closing AS c WHERE c.kind = NEW.kind AND c.seq = NEW.seq - 1"
        f" AND {next_day} = NEW.first_day AND c.ends_at = NEW.starts_at AND c.last_entry + 1 = NEW.first_entry"
        f" AND {added})"
    )
    of_days = (
        f"(NEW.kind = 'day' OR (SELECT count(*) = {days} AND {same} AND min(c.first_entry) = NEW.first_entry"
        " AND max(c.last_entry) = NEW.last_entry AND min(c.starts_at) = NEW.starts_at AND max(c.ends_at) = NEW.ends_at"
        " FROM closing AS c WHERE c.kind = 'day' AND c.first_day BETWEEN NEW.first_day AND NEW.last_day))"
    )
    return f"(({first} OR {following}) AND {of_days})"

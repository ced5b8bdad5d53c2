"""The guards of money that comes online or through the bank, and of prepaid units: collections, bank lines, credits,
payouts, packs."""

from __future__ import annotations

from collections.abc import Sequence

from coworking.core.guard_kinds import REFUSAL, Guard, Keys, frozen

_HELD = "CASE kind WHEN 'hold' THEN units WHEN 'release' THEN -units ELSE 0 END"
_OUT_OF_PACK = (
    f"((SELECT coalesce(sum({_HELD}), 0) FROM ledger_entry WHERE pack_id = NEW.pack_id)"
    " + (SELECT coalesce(sum(units), 0) FROM pack_return WHERE pack_id = NEW.pack_id))"
)
"""What is held of the pack that a new row is about, and what was given back of it."""


def agreed_collection() -> Guard:
    """A payment is collected only from a means that is active and its payer's own, and stays that means' for good."""
    name = "collection_agreed"
    agreed = (
        "EXISTS (SELECT 1 FROM saved_means AS m WHERE m.id = NEW.saved_means_id AND m.state = 'active' "
        "AND m.gateway = NEW.gateway AND m.is_live = NEW.is_live "
        "AND COALESCE(m.payer_person_id, 0) = COALESCE(NEW.payer_person_id, 0) "
        "AND COALESCE(m.payer_organisation_id, 0) = COALESCE(NEW.payer_organisation_id, 0))"
    )
    body = (
        f"BEGIN IF TG_OP = 'INSERT' AND (NEW.saved_means_id IS NULL OR {agreed}) THEN RETURN NEW; END IF; "
        "IF TG_OP = 'UPDATE' AND NEW.saved_means_id IS NOT DISTINCT FROM OLD.saved_means_id THEN RETURN NEW; END IF; "
        f"RAISE EXCEPTION '{REFUSAL}{name}' USING ERRCODE = '23000'; END"
    )
    function = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard${body}$guard$"
    row = (
        f"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON public.online_payment FOR EACH ROW EXECUTE FUNCTION {name}()"
    )
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}{name}'); END"
    return Guard(
        name=name,
        table="online_payment",
        sqlite={
            f"{name}_insert": f"CREATE TRIGGER {name}_insert BEFORE INSERT ON online_payment\n"
            f"WHEN NEW.saved_means_id IS NOT NULL AND NOT {agreed}\n{refuse}",
            f"{name}_update": f"CREATE TRIGGER {name}_update BEFORE UPDATE ON online_payment\n"
            f"WHEN NEW.saved_means_id IS NOT OLD.saved_means_id\n{refuse}",
        },
        postgresql={f"{name}()": (function, body), name: (row, row)},
        needs=("saved_means",),
    )


def never_negative(table: str, cents: str, groups: dict[str, str]) -> Guard:
    """The sum of ``cents`` over all rows of ``table`` that agree in a column of ``groups`` never falls below zero.

    ``groups``: each column and the table that it refers to, whose row PostgreSQL locks: of two inserts at once the second
    sees the first.
    """
    name = f"{table}_never_negative"
    looks = [
        f"NEW.{column} IS NOT NULL AND "
        f"(SELECT coalesce(sum({cents}), 0) FROM {table} WHERE {column} = NEW.{column}) + NEW.{cents} < 0"
        for column in groups
    ]
    wrong = " OR ".join(f"({look})" for look in looks)
    locks = [f"{referred} WHERE id = NEW.{column}" for column, referred in groups.items()]
    return _refused_row(name, table, wrong, locks, needs=tuple(groups.values()))


def pack_within() -> Guard:
    """What is held of a pack never comes to more than was bought, is held for its owner, within its dates.

    On PostgreSQL the pack's lock lets the second of two holds see the first.
    """
    name = "pack_within"
    used = _OUT_OF_PACK
    fits = (
        "EXISTS (SELECT 1 FROM pack AS p JOIN quote AS q ON q.id = NEW.quote_id "
        "WHERE p.id = NEW.pack_id AND p.person_id = NEW.person_id AND q.pack_id = p.id "
        f"AND q.day BETWEEN p.valid_from AND p.valid_until AND {used} + NEW.units <= p.units)"
    )
    wrong = f"NEW.pack_id IS NOT NULL AND NEW.kind = 'hold' AND NOT {fits}"
    needs = ("pack", "quote", "pack_return")
    return _refused_row(name, "ledger_entry", wrong, ["pack WHERE id = NEW.pack_id"], needs=needs)


def pack_return_within() -> Guard:
    """No more is given back of a pack than is left of it, nor for more than it cost."""
    paid = "(SELECT coalesce(sum(cents), 0) FROM pack_return WHERE pack_id = NEW.pack_id)"
    fits = (
        f"EXISTS (SELECT 1 FROM pack AS p WHERE p.id = NEW.pack_id AND {_OUT_OF_PACK} + NEW.units <= p.units "
        f"AND {paid} + NEW.cents <= p.cents)"
    )
    locks, needs = ["pack WHERE id = NEW.pack_id"], ("pack", "ledger_entry")
    return _refused_row("pack_return_within", "pack_return", f"NOT {fits}", locks, needs=needs)


def shared_unit() -> Guard:
    """The rest of an employer's quote is its person's part of the very same use."""
    name = "quote_shared"
    same = ("person_id", "resource_id", "day", "starts_at", "ends_at", "basis", "vat_rate_bp")
    fits = " AND ".join(f"r.{column} = NEW.{column}" for column in same)
    rest = f"EXISTS (SELECT 1 FROM quote AS r WHERE r.id = NEW.rest_id AND r.cover = 'share' AND {fits})"
    return _refused_row(name, "quote", f"NEW.rest_id IS NOT NULL AND NOT {rest}", [], needs=())


def trial_once() -> Guard:
    """Nobody has a second half-day to try while the first is booked or was used.

    On PostgreSQL the person's lock lets the second of two see the first.
    """
    had = (
        "EXISTS (SELECT 1 FROM quote AS q WHERE q.person_id = NEW.person_id AND q.cover = 'trial' "
        "AND q.state <> 'released')"
    )
    wrong = f"NEW.cover = 'trial' AND {had}"
    return _refused_row("quote_trial_once", "quote", wrong, ["person WHERE id = NEW.person_id"], needs=("person",))


def line_used_once() -> Guard:
    """What a bank line was used for never comes to more than the line, nor below nothing.

    A payment or a credit that was taken back does not count. On PostgreSQL the line's lock lets the second of two matches
    see the first.
    """
    name = "bank_match_within_line"
    used = (
        "(SELECT coalesce(sum(m.cents), 0) FROM bank_match AS m WHERE m.line_id = NEW.line_id"
        " AND NOT EXISTS (SELECT 1 FROM payment AS p WHERE p.reverses_id = m.payment_id)"
        " AND NOT EXISTS (SELECT 1 FROM payer_credit AS c WHERE c.reverses_id = m.credit_id))"
    )
    wrong = f"{used} + NEW.cents NOT BETWEEN 0 AND (SELECT l.cents FROM bank_line AS l WHERE l.id = NEW.line_id)"
    locks = ["bank_line WHERE id = NEW.line_id"]
    return _refused_row(name, "bank_match", wrong, locks, needs=("bank_line", "payment", "payer_credit"))


def _unexplained(row: str) -> str:
    """How much of a payout its parts leave unexplained (`billing.payout_rules.payout_totals`)."""
    known = (
        "kind IN ('fee', 'returned') OR (kind IN ('payment', 'refund', 'dispute') AND online_payment_id IS NOT NULL)"
    )
    return (
        f"({row}.cents - (SELECT coalesce(sum(CASE WHEN {known} THEN cents ELSE 0 END - fee_cents), 0)"
        f" FROM online_payout_part WHERE payout_id = {row}.id))"
    )


def frozen_payout(columns: Sequence[str], keys: Keys) -> Guard:
    """What a provider paid out stays: its state goes on, its parts are read once, what they leave is said to the cent."""
    back = (
        "(OLD.state = 'failed' AND NEW.state <> 'failed') OR (OLD.state = 'paid' AND NEW.state = 'under_way') "
        "OR (OLD.parts_read_at IS NOT NULL AND (NEW.parts_read_at IS NULL OR NEW.parts_read_at <> OLD.parts_read_at "
        "OR NEW.unexplained_cents IS NULL OR NEW.unexplained_cents <> OLD.unexplained_cents)) "
        f"OR (OLD.parts_read_at IS NULL AND NEW.parts_read_at IS NOT NULL "
        f"AND coalesce(NEW.unexplained_cents <> {_unexplained('NEW')}, true))"
    )
    return frozen("online_payout", back, columns, keys)


def _refused_row(name: str, table: str, wrong: str, locks: Sequence[str], needs: tuple[str, ...]) -> Guard:
    """A new row of ``table`` that is ``wrong`` is refused; PostgreSQL locks first the rows that ``locks`` name, in order."""
    locking = " ".join(f"PERFORM 1 FROM {rows} FOR NO KEY UPDATE;" for rows in locks)
    body = (
        f"BEGIN {locking} IF {wrong} THEN RAISE EXCEPTION '{REFUSAL}{name}' USING ERRCODE = '23000'; END IF; "
        "RETURN NEW; END"
    )
    function = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard${body}$guard$"
    row = f"CREATE TRIGGER {name} BEFORE INSERT ON public.{table} FOR EACH ROW EXECUTE FUNCTION {name}()"
    return Guard(
        name=name,
        table=table,
        sqlite={
            name: f"CREATE TRIGGER {name} BEFORE INSERT ON {table}\nWHEN {wrong}\n"
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}{name}'); END"
        },
        postgresql={f"{name}()": (function, body), name: (row, row)},
        needs=needs,
    )


def whole_payout() -> Guard:
    """Nothing is added to a payout whose parts were read."""
    read = "EXISTS (SELECT 1 FROM online_payout WHERE id = NEW.payout_id AND parts_read_at IS NOT NULL)"
    return _refused_row(
        "online_payout_whole",
        "online_payout_part",
        read,
        ["online_payout WHERE id = NEW.payout_id"],
        ("online_payout",),
    )


def payout_booked_once() -> Guard:
    """A bank line counts as a payout of just its amount, which did not fail, and no other line counts as the same one."""
    wrong = (
        "NEW.payout_id IS NOT NULL AND ("
        "NOT EXISTS (SELECT 1 FROM online_payout AS p WHERE p.id = NEW.payout_id AND p.cents = NEW.cents"
        " AND p.state <> 'failed')"
        " OR EXISTS (SELECT 1 FROM bank_match AS m WHERE m.payout_id = NEW.payout_id"
        " AND NOT EXISTS (SELECT 1 FROM bank_match AS u WHERE u.reverses_id = m.id)))"
    )
    return _refused_row(
        "bank_match_payout_once", "bank_match", wrong, ["online_payout WHERE id = NEW.payout_id"], ("online_payout",)
    )

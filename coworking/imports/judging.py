"""What becomes of each line of a file, against what is here at this moment: for the page before, and for the work itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import cast

from coworking.core.errors import N_, DomainError
from coworking.core.folding import listed_by
from coworking.core.months import month_of
from coworking.core.reading import normal_email
from coworking.imports import balances, bookings, plan_months, queries
from coworking.imports.balance_rules import BalanceEntry, MovedPack, balance_of, judge_balance
from coworking.imports.booking_rules import BookingEntry, DayIsOver, booking_of, judge_booking
from coworking.imports.carrying import LineEntry
from coworking.imports.column_rules import fields_of
from coworking.imports.models import ImportFile
from coworking.imports.organisation_rules import (
    OrganisationEntry,
    judge_organisation,
    organisation_of,
    organisations_twice,
)
from coworking.imports.person_rules import (
    DECISIONS,
    DoubtDecision,
    LineTwice,
    PersonEntry,
    Verdict,
    alike,
    judge,
    person_of,
    same_name,
    twice_in,
)
from coworking.imports.plan_month_rules import PlanMonthEntry, judge_plan_month, plan_month_of, with_entry
from coworking.imports.subscription_rules import SubscriptionEntry, judge_subscription, subscription_of
from coworking.imports.table_rules import ReadTable, TableLine, unpacked
from coworking.imports.who_rules import named_in
from coworking.spaces import queries as spaces

UNIT = 200
"""How many lines are worked through and committed together."""
UNIT_OF_BOOKINGS = 40
"""The same of bookings, each of which is some twenty statements: others must get their turn to write."""
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Judged:
    """A line, what it says (None: it cannot be read), and what becomes of it."""

    line: int
    name: str
    entry: LineEntry | None
    verdict: Verdict


@dataclass(slots=True)
class ImportOutlook:
    """What importing a file would do, with the first lines of each kind."""

    counts: Counter[str] = field(default_factory=Counter[str])
    added: list[Judged] = field(default_factory=list[Judged])
    changed: list[Judged] = field(default_factory=list[Judged])
    doubts: list[Judged] = field(default_factory=list[Judged])
    doubts_count: int = 0
    left_out: list[Judged] = field(default_factory=list[Judged])
    left_out_count: int = 0
    remarks: list[Judged] = field(default_factory=list[Judged])


def lines_at_once(subject: str) -> int:
    """How many lines of a file about ``subject`` are worked through and committed together."""
    return UNIT_OF_BOOKINGS if subject == "bookings" else UNIT


def table_of_file(file: ImportFile) -> ReadTable:
    """The lines of a file that is still kept. Raises `FileForgotten`."""
    if file.content is None:
        raise FileForgotten()
    return unpacked(file.content)


class FileForgotten(DomainError):
    code = "file_forgotten"
    status = 409
    message = N_("The file was deleted here after its time. Choose it again: the import goes on where it was.")
    field = "file"


def outlook(file: ImportFile, table: ReadTable) -> ImportOutlook:
    """What importing ``file`` would do now. Nothing is written."""
    found = ImportOutlook()
    for one in judged_lines(file, table):
        verdict = one.verdict
        found.counts[verdict.outcome] += 1
        if verdict.is_doubt:
            found.doubts_count += 1
            _keep(found.doubts, one)
        elif verdict.outcome == "left_out":
            found.left_out_count += 1
            _keep(found.left_out, one)
        elif verdict.why is not None:
            _keep(found.remarks, one)
        if verdict.outcome == "changed":
            _keep(found.changed, one)
        elif verdict.outcome == "added":
            _keep(found.added, one)
    return found


def _keep(kept: list[Judged], one: Judged) -> None:
    if len(kept) < SHOWN:
        kept.append(one)


def judged_lines(file: ImportFile, table: ReadTable) -> Iterator[Judged]:
    """Every line of ``file``, judged some hundred at a time."""
    twice = earlier_lines(file, table)
    unit = lines_at_once(file.subject)
    for start in range(0, len(table.lines), unit):
        yield from judged_unit(file, table.lines[start : start + unit], twice)


def judged_unit(file: ImportFile, lines: Sequence[TableLine], twice: Mapping[int, tuple[int, bool]]) -> list[Judged]:
    """These lines, each with what becomes of it; ``twice``: see `earlier_lines` (2 statements at most)."""
    read: list[tuple[TableLine, LineEntry | DomainError, str]] = []
    for line in lines:
        fields = fields_of(file.columns or [], line.cells or ())
        try:
            entry: LineEntry | DomainError = _READ[file.subject](line, fields)
        except DomainError as error:
            entry = error
        read.append((line, entry, _called(fields)))
    judged = _JUDGE[file.subject](file, [entry for _line, entry, _name in read], twice)
    found: list[Judged] = []
    for line, entry, name in read:
        if isinstance(entry, DomainError):
            found.append(Judged(line.number, name, None, Verdict("left_out", why=entry)))
        else:
            found.append(Judged(line.number, entry.name, entry, judged[line.number]))
    return found


def _people(file: ImportFile, read: Sequence[object], twice: Mapping[int, tuple[int, bool]]) -> dict[int, Verdict]:
    entries = [entry for entry in read if isinstance(entry, PersonEntry)]
    known = queries.acquaintances(entries)
    found: dict[int, Verdict] = {}
    for entry in entries:
        email = entry.email or ""
        found[entry.line] = judge(
            entry,
            twice=twice.get(entry.line),
            exact=known.exact.get(email),
            near=[one for one in known.near.get(alike(email), ()) if one.email != email] if email else [],
            namesakes=known.namesakes.get(same_name(entry.first_name, entry.last_name), ()),
            decision=decision_on(file, entry.line),
            replaces=file.replaces,
        )
    return found


def _organisations(
    file: ImportFile, read: Sequence[object], twice: Mapping[int, tuple[int, bool]]
) -> dict[int, Verdict]:
    known = queries.known_organisations()
    return {
        entry.line: judge_organisation(
            entry,
            twice=twice[entry.line][0] if entry.line in twice else None,
            known=known,
            decision=decision_on(file, entry.line),
            replaces=file.replaces,
        )
        for entry in read
        if isinstance(entry, OrganisationEntry)
    }


def _subscriptions(
    _file: ImportFile, read: Sequence[object], twice: Mapping[int, tuple[int, bool]]
) -> dict[int, Verdict]:
    entries = [entry for entry in read if isinstance(entry, SubscriptionEntry)]
    meant = queries.whom_they_mean(entries)
    held = queries.plans_held([person.public_id for people in meant.values() for person in people])
    plans, this_month = list(queries.plans_offered()), month_of(spaces.today())
    found: dict[int, Verdict] = {}
    for entry in entries:
        if entry.line in twice and twice[entry.line][1]:
            found[entry.line] = Verdict("left_out", why=LineTwice(line=twice[entry.line][0]))
        else:
            people = meant[entry.line]
            found[entry.line] = judge_subscription(entry, people=people, plans=plans, held=held, this_month=this_month)
    return found


def _balances(_file: ImportFile, read: Sequence[object], _twice: Mapping[int, tuple[int, bool]]) -> dict[int, Verdict]:
    entries = [entry for entry in read if isinstance(entry, BalanceEntry)]
    meant = queries.whom_they_mean(entries)
    moved = balances.moved_in([person.public_id for people in meant.values() for person in people])
    offers, today = balances.offers_named(), spaces.today()
    found: dict[int, Verdict] = {}
    for entry in entries:
        people = meant[entry.line]
        theirs = [one for person in people for one in moved.get(person.public_id, ())]
        verdict = judge_balance(entry, people=people, offers=offers, moved=theirs, today=today)
        if verdict.outcome == "added" and verdict.known is not None:  # what a later line says once more is here then
            offer = offers[listed_by(entry.pack)].public_id
            moved.setdefault(verdict.known.public_id, []).append(MovedPack(offer, entry.until or date.max))
        found[entry.line] = verdict
    return found


def _plan_months(
    _file: ImportFile, read: Sequence[object], _twice: Mapping[int, tuple[int, bool]]
) -> dict[int, Verdict]:
    entries = [entry for entry in read if isinstance(entry, PlanMonthEntry)]
    meant = queries.whom_they_mean(entries)
    left = plan_months.left_of({person.public_id for people in meant.values() for person in people})
    this_month = month_of(spaces.today())
    found: dict[int, Verdict] = {}
    for entry in entries:
        verdict = judge_plan_month(entry, people=meant[entry.line], left=left, this_month=this_month)
        if verdict.outcome == "added" and verdict.known is not None:  # what a later line says once more is here then
            who = verdict.known.public_id
            left[who] = with_entry(entry, left[who], this_month)
        found[entry.line] = verdict
    return found


def _bookings(_file: ImportFile, read: Sequence[object], _twice: Mapping[int, tuple[int, bool]]) -> dict[int, Verdict]:
    entries = [entry for entry in read if isinstance(entry, BookingEntry)]
    meant = queries.whom_they_mean(entries)
    there = bookings.context_of(entries, [person.public_id for people in meant.values() for person in people])
    today = spaces.today()
    return {
        entry.line: judge_booking(
            entry,
            people=meant[entry.line],
            places=there.places,
            span=there.spans.get(entry.line, DayIsOver()),
            own=[one for person in meant[entry.line] for one in there.own.get(person.public_id, ())],
            taken=there.taken,
            today=today,
        )
        for entry in entries
    }


_READ: dict[str, Callable[[TableLine, Mapping[str, str]], LineEntry]] = {
    "people": person_of,
    "organisations": organisation_of,
    "subscriptions": subscription_of,
    "plan_months": plan_month_of,
    "balances": balance_of,
    "bookings": booking_of,
}
_JUDGE: dict[str, Callable[[ImportFile, Sequence[object], Mapping[int, tuple[int, bool]]], dict[int, Verdict]]] = {
    "people": _people,
    "organisations": _organisations,
    "subscriptions": _subscriptions,
    "plan_months": _plan_months,
    "balances": _balances,
    "bookings": _bookings,
}


def earlier_lines(file: ImportFile, table: ReadTable) -> dict[int, tuple[int, bool]]:
    """By line the earlier one of the same file that is the same person or organisation, and whether that is certain."""
    if file.subject in (
        "plan_months",
        "balances",
        "bookings",
    ):  # one person has several months and packs, and books often
        return {}
    keys: list[tuple[int, str, str]] = []
    names: list[tuple[int, str, str]] = []
    for line in table.lines:
        fields = fields_of(file.columns or [], line.cells or ())
        if file.subject == "organisations":
            names.append((line.number, listed_by(fields.get("name", "")), "".join(fields.get("siret", "").split())))
            continue
        keys.append((line.number, normal_email(fields.get("email", "")), same_name(*named_in(fields))))
    return organisations_twice(names) if file.subject == "organisations" else twice_in(keys)


def decision_on(file: ImportFile, line: int) -> DoubtDecision:
    """What was decided about a doubt on ``line``."""
    decided = file.decisions.get(str(line), file.doubts)
    return cast(DoubtDecision, decided) if decided in DECISIONS else "skip"


def _called(fields: Mapping[str, str]) -> str:
    """How a line that cannot be read is called in the report."""
    name = f"{fields.get('first_name', '')} {fields.get('last_name', '')}".strip()
    return (name or fields.get("full_name", "") or fields.get("name", "") or fields.get("email", ""))[:80]

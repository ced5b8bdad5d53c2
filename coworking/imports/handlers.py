"""Working a file through, two hundred lines at a time, each unit committed with how far it got; and inviting its people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select

from coworking.accounts import emails
from coworking.accounts.access import by_public_id
from coworking.accounts.models import Person
from coworking.accounts.queries import person_by_id
from coworking.core import audit, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.policy import Actor, Role
from coworking.core.sql import table_of
from coworking.core.units import end_read, locked, write_unit
from coworking.imports import queries, services
from coworking.imports.carrying import carry_out
from coworking.imports.judging import UNIT, Judged, earlier_lines, judged_unit, lines_at_once, table_of_file
from coworking.imports.models import ImportFile, ImportLine
from coworking.imports.person_rules import Verdict
from coworking.imports.report_rules import kept_params
from coworking.imports.table_rules import ReadTable

UNITS = 10
"""How many units one piece of work carries out before other work gets its turn."""


@outbox.handler(services.RUN, can_wait=True)
def run(job: outbox.Job) -> None:
    """Work through the next lines, from where the import is: somebody may have done some of them, or stopped it."""
    public_id = job.payload["file"]
    file = queries.file_named(public_id)
    if file.state != "running":
        return
    at_once = lines_at_once(file.subject)
    actor = person_by_id(file.created_by_id).actor()
    if not actor.has(Role.MANAGER):
        raise outbox.GiveUp("whoever started the import is no manager any more")
    table = table_of_file(file)
    twice = earlier_lines(file, table)
    at = file.done
    end_read()
    for unit in range(UNITS):
        if not _work(actor, public_id, table, twice, at, is_last=unit == UNITS - 1):
            return
        at += at_once


def _work(
    actor: Actor,
    public_id: str,
    table: ReadTable,
    twice: Mapping[int, tuple[int, bool]],
    at: int,
    *,
    is_last: bool,
) -> bool:
    """Carry out the lines behind ``at`` in one unit, with how far it got; False: it ended, or somebody else goes on."""
    with write_unit():
        file = db.session.scalars(locked(select(ImportFile).where(ImportFile.public_id == public_id))).one()
        if file.state != "running" or file.done != at:
            return False
        lines = table.lines[at : at + lines_at_once(file.subject)]
        with db.session.no_autoflush:  # each person is stored at once, and all entries of the audit trail together
            rows = [_carry_out(actor, file, one) for one in judged_unit(file, lines, twice)]
        db.session.flush()
        _report(file, rows)
        file.done = at + len(lines)
        if file.done == file.lines:
            file.state, file.ended_at, file.content = "done", now(), None
            audit.record(actor, "import.done", ("import_file", file.id), lines=file.lines)
            return False
        if is_last:
            services.enqueue_run(file)
        return True


def _report(file: ImportFile, rows: list[dict[str, Any]]) -> None:
    """Write what became of these lines. Of a file that is imported once more, who was added by it stays added by it."""
    numbers = [row["line"] for row in rows]
    stands = set(
        db.session.scalars(
            select(ImportLine.line).where(
                ImportLine.file_id == file.id,
                ImportLine.line.in_(numbers),
                ImportLine.outcome.in_(("added", "changed")),
            )
        )
    )
    news = [row for row in rows if not (row["outcome"] == "same" and row["line"] in stands)]
    if news:
        changed = [row["line"] for row in news]
        db.session.execute(delete(ImportLine).where(ImportLine.file_id == file.id, ImportLine.line.in_(changed)))
        db.session.execute(insert(table_of(ImportLine)), news)


def _carry_out(actor: Actor, file: ImportFile, one: Judged) -> dict[str, Any]:
    """Do what a line asks for; the row of the report. What the product refuses concerns this line alone."""
    verdict, person_id = one.verdict, None
    try:
        if one.entry is not None and verdict.outcome in {"added", "changed", "same"}:
            done = carry_out(actor, one.entry, verdict)
            person_id = done.id if isinstance(done, Person) else None
    except DomainError as error:
        verdict = Verdict("left_out", why=error)
    why = verdict.why
    return {
        "file_id": file.id,
        "line": one.line,
        "outcome": verdict.outcome,
        "person_id": person_id,
        "name": one.name,
        "words": why.message if why else None,
        "params": kept_params(why.params) if why else None,
    }


@outbox.handler(services.INVITE, can_wait=True)
def invite(job: outbox.Job) -> None:
    """Write to the next people whom the file added; whoever signs in meanwhile needs no invitation."""
    public_id, at = job.payload["file"], job.payload["at"]
    with write_unit():
        file = db.session.scalars(locked(select(ImportFile).where(ImportFile.public_id == public_id))).one()
        if file.invited_at is None or file.invited != at:
            return
        found = queries.to_invite(file.id, at, UNIT)
        for _line, person in found:
            who = by_public_id(person)
            if who is not None:
                emails.enqueue(emails.INVITE, who)
        if found:
            file.invited = found[-1][0]
            services.enqueue_invitations(file)

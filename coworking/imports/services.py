"""Uploading a file, saying what its columns hold, starting its import, stopping it, inviting its people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import IO

from sqlalchemy import select

from coworking.core import audit, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import N_, DomainError, Forbidden, NotFound
from coworking.core.policy import Actor, Role
from coworking.core.reading import words_of
from coworking.core.units import end_read, locked, write_unit
from coworking.imports import queries
from coworking.imports.column_rules import SUBJECTS, Subject, check_columns
from coworking.imports.models import ImportFile
from coworking.imports.person_rules import DECISIONS
from coworking.imports.table_rules import (
    MOST_BYTES,
    TableTooLarge,
    packed,
    read_csv,
    table_from,
)
from coworking.imports.xlsx_rules import is_workbook, read_workbook

RUN, INVITE = "imports.run", "imports.invite"
MOST_DECISIONS = 500


class NotReady(DomainError):
    code = "import_not_ready"
    status = 409
    message = N_("This file is being imported or was imported already. Look at where it stands.")


class InvitedAlready(DomainError):
    code = "invited_already"
    status = 409
    message = N_("The people of this file were invited already.")


def upload(actor: Actor, subject: Subject, name: str, file: IO[bytes]) -> ImportFile:
    """Keep the lines of ``file``. The same file again is the import that it was, which goes on where it stood; one that is
    done can be checked and imported once more.

    Raises what `table_rules` and `xlsx_rules` name.
    """
    _check_manager(actor)
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise TableTooLarge(most=MOST_BYTES // 1_048_576)
    end_read()
    table = table_from(read_workbook(content)) if is_workbook(content[:4]) else read_csv(content)
    kept, digest = packed(table), sha256(content).hexdigest()
    with write_unit() as unit:
        found = queries.file_with(subject, digest)
        if found is None:
            found = ImportFile(
                subject=subject,
                file_name=words_of(name[:200], most=200),
                sha256=digest,
                content=kept,
                lines=len(table.lines),
                created_by_id=actor.person_id,
            )
            db.session.add(found)
            db.session.flush()
        elif found.state == "done":  # once more: what was left out may be settled by now
            found.content, found.created_at = kept, now()
            found.state, found.done, found.ended_at = "uploaded", 0, None
        elif found.content is None:
            found.content, found.created_at = kept, now()
        unit.result = found.public_id
        return found


def choose(actor: Actor, public_id: str, columns: Sequence[str], *, replaces: bool) -> None:
    """Say what each column holds. Raises `NotReady`, or what `check_columns` does."""
    with write_unit():
        file = _file(actor, public_id)
        if file.state != "uploaded":
            raise NotReady()
        check_columns(_subject(file), columns)
        file.columns, file.replaces = list(columns), replaces


def decide(actor: Actor, public_id: str, doubts: str, decisions: Mapping[int, str]) -> None:
    """Say what becomes of lines that may be somebody who is here: of some by number, and of all the others."""
    with write_unit():
        file = _file(actor, public_id)
        if file.state != "uploaded":
            raise NotReady()
        file.doubts = doubts if doubts in DECISIONS else "skip"
        kept = {str(line): said for line, said in decisions.items() if said in DECISIONS}
        file.decisions = dict(list(kept.items())[:MOST_DECISIONS])


def start(actor: Actor, public_id: str) -> None:
    """Import the file, or go on with it where it was stopped; twice is fine. The work is done by the worker."""
    with write_unit():
        file = _file(actor, public_id)
        if file.state in {"running", "done"}:
            return
        if file.columns is None or file.content is None:
            raise NotReady()
        file.state, file.run, file.started_at = "running", file.run + 1, file.started_at or now()
        file.created_by_id = actor.person_id  # whose rights the work has
        enqueue_run(file)
        audit.record(actor, "import.started", ("import_file", file.id), kind=file.subject, at=file.done)


def enqueue_run(file: ImportFile) -> None:
    """Ask in the open unit for the next lines of ``file`` to be worked through."""
    outbox.enqueue(RUN, f"{RUN}:{file.public_id}:{file.run}:{file.done}", {"file": file.public_id, "at": file.done})


def stop(actor: Actor, public_id: str) -> None:
    """Stop behind the lines that are being worked through; what was imported stays."""
    with write_unit():
        file = _file(actor, public_id)
        if file.state == "running":
            file.state = "stopped"
            audit.record(actor, "import.stopped", ("import_file", file.id), at=file.done)


def invite(actor: Actor, public_id: str) -> None:
    """Write once to everyone whom the file added. Raises `InvitedAlready`, `NotReady`."""
    with write_unit():
        file = _file(actor, public_id)
        if file.state != "done":
            raise NotReady()
        if file.invited_at is not None:
            raise InvitedAlready()
        file.invited_at = now()
        enqueue_invitations(file)
        audit.record(actor, "import.invited", ("import_file", file.id))


def enqueue_invitations(file: ImportFile) -> None:
    """Ask in the open unit for the next people of ``file`` to be written to."""
    key = f"{INVITE}:{file.public_id}:{file.invited}"
    outbox.enqueue(INVITE, key, {"file": file.public_id, "at": file.invited})


def forget(actor: Actor, public_id: str) -> None:
    """Delete a file that was never started, with all that is known of it."""
    with write_unit():
        file = _file(actor, public_id)
        if file.state != "uploaded" or file.run:
            raise NotReady()
        db.session.delete(file)


def _file(actor: Actor, public_id: str) -> ImportFile:
    _check_manager(actor)
    found = db.session.scalar(locked(select(ImportFile).where(ImportFile.public_id == public_id)))
    if found is None:
        raise NotFound()
    return found


def _check_manager(actor: Actor) -> None:
    if not actor.has(Role.MANAGER):
        raise Forbidden()


def _subject(file: ImportFile) -> Subject:
    return next(one for one in SUBJECTS if one == file.subject)

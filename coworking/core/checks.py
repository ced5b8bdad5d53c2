"""What ``flask audit`` asks: does every promise hold on the data as they are now?

Packages hang their checks in here. A check reads, never writes, and yields one sentence for each thing that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click
from flask import Flask
from flask.cli import with_appcontext
from sqlalchemy import select, text

from coworking.core import guards
from coworking.core.db import db
from coworking.core.outbox import OutboxRow
from coworking.core.settings import settings
from coworking.core.units import snapshot

FindFaults = Callable[[], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Check:
    """One promise looked at: its number in the design, what is claimed, and the look itself."""

    promise: int
    claim: str
    look: FindFaults


_checks: list[Check] = []


def check(promise: int, claim: str) -> Callable[[FindFaults], FindFaults]:
    """Register the decorated generator: it yields a sentence for each thing that breaks ``claim``."""

    def register(look: FindFaults) -> FindFaults:
        _checks.append(Check(promise, claim, look))
        return look

    return register


@check(6, "what this instance keeps is readable by its own user only")
def _private_files() -> Iterator[str]:
    folder = settings().data_dir
    for path in sorted(folder.glob("*")) if folder.stat().st_mode & 0o005 else ():
        with suppress(FileNotFoundError):  # it was there a moment ago
            if path.stat().st_mode & 0o004:
                yield f"every user of this machine may read {path}: chmod -R go= {folder}"
                return


def run() -> Iterator[tuple[Check, list[str]]]:
    """Every check in the order of the promises, with what it found; all look at the same instant."""
    with snapshot():
        for one in sorted(_checks, key=lambda one: (one.promise, one.claim)):
            yield one, list(_found(one))


def _found(one: Check) -> Iterator[str]:
    """What ``one`` finds. A row that cannot even be read stops no other check."""
    try:
        yield from one.look()
    except Exception as error:
        yield f"this could not be looked at to its end: {type(error).__name__}: {error}"


def init(app: Flask) -> None:
    """Register ``flask audit``."""
    app.cli.add_command(audit)


@click.command("audit")
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A backup's manifest, a saved weekly e-mail or a return: what it remembers of the chains must still be there.",
)
@with_appcontext
def audit(against: Path | None) -> None:
    """Check every promise on the live data; exit with 1 when one is broken."""
    kept = None if against is None else _remembered(against)
    broken = 0
    for one, found in (*run(), *([] if kept is None else [kept])):
        broken += bool(found)
        click.echo(f"{'BROKEN' if found else 'holds '}  {one.promise}  {one.claim}")
        for sentence in found[:20]:
            click.echo(f"           {sentence}")
        if len(found) > 20:
            click.echo(f"           and {len(found) - 20} more")
    if broken:
        raise SystemExit(1)


def _remembered(path: Path) -> tuple[Check, list[str]]:
    from coworking.core import against  # it reads the chains, which hang themselves in here

    try:
        heads = against.heads_in(path)
    except against.NoHeads as error:
        raise click.ClickException(str(error)) from error
    found = list(against.missing(heads))
    return Check(3, f"what {path.name} remembers of the chains is there", lambda: found), found


@check(1, "the database refuses what it is declared to refuse")
def _guards() -> Iterator[str]:
    yield from guards.differences(db.session.connection())


@check(2, "nothing that was to happen afterwards has been given up")
def _outbox() -> Iterator[str]:
    for row in db.session.scalars(select(OutboxRow).where(OutboxRow.state == "failed").order_by(OutboxRow.id)):
        yield f"{row.topic} {row.key}: {row.last_error}"


@check(2, "every row points at rows that are there")
def _foreign_keys() -> Iterator[str]:
    if db.engine.dialect.name == "sqlite":  # PostgreSQL cannot be told to look away
        for table, row, parent, _ in db.session.execute(text("PRAGMA foreign_key_check")):
            yield f"{table} {row} points at a {parent} that is gone"


@check(3, "indexes name the rows that their tables hold")
def _indexes() -> Iterator[str]:
    """An index that leaves a row out hides it from whoever looks it up, and not from whoever reads the whole table."""
    if db.engine.dialect.name == "sqlite":  # elsewhere the catalogue cannot be written by hand
        yield from (row for row in db.session.scalars(text("PRAGMA integrity_check(20)")) if row != "ok")

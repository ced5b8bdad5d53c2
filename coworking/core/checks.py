"""The checks of ``flask audit`` and of every night: does every promise hold on the present data?

Packages hang their checks in here. A check reads, never writes, and yields one sentence for each thing that is wrong.
"""

from __future__ import annotations

import logging
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
from coworking.core.units import is_passing, snapshot

log = logging.getLogger(__name__)

FindFaults = Callable[[], Iterable[str]]

MOST = 20
"""How many sentences of one check are kept; of the others, only how many they are."""


@dataclass(frozen=True, slots=True)
class Check:
    """One promise looked at: its number in the design, what is claimed, and the look itself.

    ``on_today``: what it finds stands on *Today* as soon as it happens, so that no nightly e-mail has to tell it.
    """

    promise: int
    claim: str
    look: FindFaults
    on_today: bool = False


_checks: list[Check] = []


def check(promise: int, claim: str, *, on_today: bool = False) -> Callable[[FindFaults], FindFaults]:
    """Register the decorated generator: it yields a sentence for each thing that breaks ``claim``."""

    def register(look: FindFaults) -> FindFaults:
        _checks.append(Check(promise, claim, look, on_today))
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
    """Every check in the order of the promises, with what it found (see `MOST`); all look at the same instant."""
    with snapshot():
        for one in sorted(_checks, key=lambda one: (one.promise, one.claim)):
            yield one, _found(one)


def _found(one: Check) -> list[str]:
    """What ``one`` finds. A row that cannot even be read stops no other check, and silences none: that is a fault too."""
    kept: list[str] = []
    more = 0
    try:
        for sentence in one.look():
            if len(kept) < MOST:
                kept.append(sentence)
            else:
                more += 1
    except Exception as error:
        if is_passing(error):  # this says nothing about what the database holds
            raise
        log.exception("the check that %s failed", one.claim)
        kept.append(f"this could not be looked at to its end ({type(error).__name__}, see the log)")
    return [*kept, f"and {more} more"] if more else kept


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
        for sentence in found:
            click.echo(f"           {sentence}")
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


@check(2, "nothing that was to happen afterwards has been given up", on_today=True)
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

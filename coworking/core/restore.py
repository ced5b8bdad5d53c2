"""Putting a backup in the place of what is there: verified first, and what it replaces is kept beside.

``flask backup`` and ``flask restore`` are defined here too.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import click
from flask import Flask
from flask.cli import with_appcontext
from sqlalchemy import make_url

from coworking.core import backup, dumps
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.dumps import BackupError
from coworking.core.migrating import newest_migration
from coworking.core.settings import settings


def restore(folder: Path, *, force: bool = False) -> list[str]:
    """Put the backup in ``folder`` in place; return where what it replaced is kept, in words.

    Raises `BackupError`, with nothing changed, when the backup is not whole, is another engine's or a newer version's,
    when the lieu is running, or when there are data already and ``force`` is not set.
    """
    folder = folder.resolve()
    url = settings().database_url
    engine = make_url(url).get_backend_name()
    manifest = backup.read_manifest(folder)
    if manifest.engine != engine:
        raise BackupError(f"This backup is of {manifest.engine}, and DATABASE_URL says {engine}: they do not mix.")
    backup.verify(folder)
    if manifest.migration > newest_migration():
        raise BackupError(
            f"This backup is at migration {manifest.migration}: install version {manifest.version} first."
        )
    db.session.remove()
    db.engine.dispose()
    users = dumps.is_in_use(url)
    if users and (engine == "sqlite" or not force):
        hint = "" if engine == "sqlite" else " (with --force they do not matter)"
        raise BackupError(f"The database is in use by {users}: stop web, worker and beat first{hint}.")
    rows = dumps.rows_in(url)
    if rows and not force:
        raise BackupError(f"There are data already ({rows} rows). With --force they are kept beside and replaced.")
    return _replace(folder, manifest, url)


def _replace(folder: Path, manifest: backup.Manifest, url: str) -> list[str]:
    data_dir, stamp = settings().data_dir, f"{now():%Y%m%dt%H%M%S}"
    incoming, aside = data_dir / f".restoring-{stamp}", data_dir / f"before-restore-{stamp}"
    moves: dict[Path, Path] = {data_dir / name: incoming / name for name in backup.KEPT}
    try:
        shutil.copytree(folder, incoming)
        backup.verify(incoming)  # the copy is what will be used
        said: list[str] = []
        if manifest.engine == "sqlite":
            database = Path(make_url(url).database or "")
            moves |= {Path(f"{database}{suffix}"): incoming / f"none{suffix}" for suffix in ("-wal", "-shm")}
            moves[database] = incoming / manifest.database
        elif schema := dumps.load_postgresql(url, incoming / manifest.database, stamp):
            said.append(f"schema {schema}")
        for place, new in moves.items():
            if place.exists():
                aside.mkdir(mode=0o700, exist_ok=True)
                place.rename(aside / place.name)
            if new.exists():
                new.rename(place)
        return [*said, *([str(aside)] if aside.exists() else [])]
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


def init(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(_backup)
    app.cli.add_command(_restore)


@click.command("backup")
@click.argument("parent", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@with_appcontext
def _backup(parent: Path) -> None:
    """Save everything into a new folder in DIR, read it back, and print its name. The lieu may go on working."""
    try:
        made = backup.make(parent.resolve())
    except BackupError as error:
        raise click.ClickException(str(error)) from error
    click.echo(made)


@click.command("restore")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace the data that are there; they are kept beside.")
@with_appcontext
def _restore(folder: Path, force: bool) -> None:
    """Put the backup in the folder DIR in the place of the data. Stop web, worker and beat first."""
    try:
        kept = restore(folder, force=force)
    except BackupError as error:
        raise click.ClickException(str(error)) from error
    click.echo("Restored. Now: flask --app wsgi db upgrade, flask --app wsgi audit, and start again.")
    for place in kept:
        click.echo(f"What was there before is kept in {place}.")

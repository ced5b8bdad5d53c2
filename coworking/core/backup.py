"""A backup: the database at one instant, the keys, and the mails written to files, in a folder that describes itself.

``manifest.json`` names every file with its digest, counts the rows of every table and holds the chains' heads. A folder
gets its name once everything in it has been read back and agrees. `core.restore` goes the other way.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import file_digest
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core import chain, dumps, place
from coworking.core.alone import alone
from coworking.core.clock import now
from coworking.core.db import Model, db
from coworking.core.dumps import BackupError
from coworking.core.migrating import newest_migration
from coworking.core.settings import settings
from coworking.core.types import BigId, BigInt, UTCDateTime
from coworking.core.units import end_read, snapshot, write_unit
from coworking.core.version import VERSION

FORMAT = "coworking-backup/1"
MANIFEST = "manifest.json"
KEPT = ("keys", "secret_key", "mail")
"""What a backup holds of the data directory besides the database. Queues and schedules are created again."""

FIRST_HOUR = 2
"""The nightly backup is made at this hour of the lieu's clock, or as soon afterwards as the worker runs."""

TOO_OLD = timedelta(days=2)
"""A backup older than this is reported: two nightly backups have failed."""

_NAME = re.compile(r"coworking-\d{8}T\d{6}Z")


class BackupMade(Model):
    """A backup that was made and verified. ``folder`` is where it was written; it may have been moved or deleted since."""

    __tablename__ = "backup_made"

    id: Mapped[BigId]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    folder: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInt)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of a backup. ``files``: path → ``{"sha256": …, "bytes": …}``; ``tables``: name → rows."""

    format: str
    version: str
    engine: str
    migration: str
    created: str
    lieu: str
    tables: dict[str, int]
    chain_heads: dict[str, dict[str, Any]]
    files: dict[str, dict[str, Any]]

    @property
    def database(self) -> str:
        """The path of the database's file."""
        return dumps.FILES[self.engine]


def make(parent: Path) -> Path:
    """Write a backup into a new folder in ``parent``, read it back, and return the folder. Safe while the lieu is in use."""
    created = now().astimezone(UTC)
    folder = parent / f"coworking-{created:%Y%m%dT%H%M%SZ}"
    draft = parent / f".making-{os.getpid()}-{folder.name}"
    try:
        draft.mkdir(mode=0o700, parents=True)
        if folder.exists():
            raise BackupError(f"{folder} is there already.")
        manifest = _fill(draft, created)
        _write(draft / MANIFEST, json.dumps(asdict(manifest), indent=1, sort_keys=True).encode())
        verify(draft)
        for path in (*draft.rglob("*"), draft):
            _sync(path)
        draft.rename(folder)
        _sync(parent)
    except OSError as error:
        raise BackupError(f"The backup cannot be written: {error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    with write_unit():
        size = sum(file["bytes"] for file in manifest.files.values())
        db.session.add(BackupMade(created_at=created, folder=str(folder), size_bytes=size))
    return folder


def _fill(draft: Path, created: datetime) -> Manifest:
    name = place.name()
    with snapshot():
        connection = db.session.connection()
        engine = connection.dialect.name
        facts, heads = dumps.facts_of(connection), chain.heads()
        dumps.write(connection, draft / dumps.FILES[engine])
    # The files come after the database: keys are only ever added, so each key the database names is among them.
    for kept in KEPT:
        _copy(settings().data_dir / kept, draft / kept)
    return Manifest(
        format=FORMAT,
        version=VERSION,
        engine=engine,
        migration=facts.migration,
        created=created.isoformat(),
        lieu=name,
        tables=facts.tables,
        chain_heads=heads,
        files={path: _description(draft / path) for path in _files(draft)},
    )


def verify(folder: Path) -> Manifest:
    """Read the whole backup in ``folder``; raises `BackupError` naming what is missing, altered or damaged."""
    manifest = read_manifest(folder)
    found = {path: _description(folder / path) for path in _files(folder)}
    wrong = [f"{path} is missing" for path in sorted(manifest.files.keys() - found.keys())]
    wrong += [f"{path} does not belong to it" for path in sorted(found.keys() - manifest.files.keys())]
    wrong += [f"{path} was altered" for path, said in sorted(manifest.files.items()) if found.get(path, said) != said]
    if manifest.database not in manifest.files:
        wrong.append("it holds no database")
    if not wrong:
        facts, problems = dumps.read(manifest.engine, folder / manifest.database)
        if manifest.migration != newest_migration():  # its guards are another version's
            problems = [line for line in problems if not line.startswith("guard ")]
        wrong += problems
        if facts.migration != manifest.migration:
            wrong.append(f"the database is at migration {facts.migration}, not {manifest.migration}")
        wrong += [
            f"{name} has {facts.tables.get(name, 'no')} rows, not {count}"
            for name, count in sorted(manifest.tables.items())
            if facts.tables.get(name) != count
        ]
    if wrong:
        raise BackupError(f"{folder} is not a whole backup: {'; '.join(wrong[:20])}.")
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """What the backup in ``folder`` says of itself; raises `BackupError` when there is none that can be read."""
    try:
        said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if said.get("format") != FORMAT:
            raise BackupError(f"{folder} has the format {said.get('format')!r}; this version reads {FORMAT!r}.")
        manifest = Manifest(**said)
    except FileNotFoundError as error:
        inside = ", ".join(path.name for path in complete(folder)[:3])
        hint = f" It holds backups, the newest first: {inside}." if inside else ""
        raise BackupError(f"{folder} holds no {MANIFEST}.{hint}") from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BackupError(f"{folder / MANIFEST} cannot be read: {error}") from error
    if manifest.engine not in dumps.FILES:
        raise BackupError(f"{folder} is of the engine {manifest.engine!r}, which is unknown here.")
    return manifest


# Every night ----------------------------------------------------------------------------------------------------------


def nightly() -> Path | None:
    """Make tonight's backup in ``BACKUP_DIR`` when it is due, and delete the oldest beyond ``BACKUP_KEEP``."""
    parent = settings().backup_dir
    local = now().astimezone(place.clock())
    if parent is None or not place.name() or not is_due(local, _newest(parent)):
        return None
    end_read()
    with alone(parent / ".lock") as mine:
        if not mine or not is_due(local, _newest(parent)):
            return None
        for leftover in parent.glob(".making-*"):  # of a machine that lost its power: nobody else is making one now
            shutil.rmtree(leftover, ignore_errors=True)
        made = make(parent)
        for old in complete(parent)[settings().backup_keep :]:
            shutil.rmtree(old)
        return made


def is_due(local: datetime, newest: datetime | None) -> bool:
    """Whether a backup should be made at ``local`` (the lieu's clock) when the last one is of ``newest``."""
    if newest is None:
        return True
    return local.hour >= FIRST_HOUR and newest.astimezone(local.tzinfo).date() < local.date()


def last() -> BackupMade | None:
    """The last backup that was made, wherever."""
    return db.session.scalars(select(BackupMade).order_by(BackupMade.created_at.desc()).limit(1)).one_or_none()


def complete(parent: Path) -> list[Path]:
    """The backups in ``parent``, the newest first."""
    if not parent.is_dir():
        return []
    return sorted((p for p in parent.iterdir() if _NAME.fullmatch(p.name) and (p / MANIFEST).exists()), reverse=True)


def _newest(parent: Path) -> datetime | None:
    found = complete(parent)
    return datetime.strptime(found[0].name, "coworking-%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if found else None


# Files ----------------------------------------------------------------------------------------------------------------


def _files(folder: Path) -> list[str]:
    """Every file of ``folder`` but the manifest, as paths from there."""
    found = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    return sorted(path for path in found if path != MANIFEST)


def _description(path: Path) -> dict[str, Any]:
    if path.is_symlink():  # it could lead anywhere
        return {"sha256": "", "bytes": 0}
    with path.open("rb") as file:
        return {"sha256": file_digest(file, "sha256").hexdigest(), "bytes": path.stat().st_size}


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder's files, readable by their owner alone. What vanishes meanwhile was not kept."""
    if source.is_dir():
        target.mkdir(mode=0o700, exist_ok=True)
        for path in sorted(source.iterdir()):
            if not path.name.startswith("."):  # a key that is just being made
                _copy(path, target / path.name)
    elif source.is_file():
        with suppress(FileNotFoundError):
            _write(target, source.read_bytes())


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _sync(path: Path) -> None:
    """Flush it to disk: a power cut must not leave an empty file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

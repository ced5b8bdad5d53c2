"""The real programs of the ``Procfile``, started with an environment of their own and ended with all they started."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

from config import ROOT
from coworking.serve import procfile
from tests.support.redis import free_port

PATIENCE_S = 60


class Program:
    """One running program in a process group of its own; what it says goes to the file ``log``."""

    def __init__(self, name: str, command: list[str], environ: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=dict(environ), stdout=log, stderr=log, start_new_session=True
            )

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, what: str, ready: Callable[[], bool]) -> None:
        """Wait until ``ready``; raises with the program's log when it ends before, or takes too long."""
        deadline = time.monotonic() + PATIENCE_S
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                state = "ended" if self.process.poll() is not None else "is late"
                raise AssertionError(f"{self.name} {state} before {what}:\n{self.said()}")
            time.sleep(0.05)

    def kill(self) -> None:
        """As a power cut would: the whole group at once, nothing is handed back."""
        self._signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        """Ask it to end; kill what is left of the group."""
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        self._signal(signal.SIGKILL)
        self.process.wait(10)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


class Clock:
    """A clock that processes share through a file: `set` moves it, and from there it runs on."""

    def __init__(self, file: Path, start: datetime) -> None:
        self._file = file
        self.set(start)

    @property
    def environ(self) -> dict[str, str]:
        """What a process needs to live by this clock."""
        return {
            "TEST_CLOCK": str(self._file),
            "PYTHONPATH": f"{ROOT / 'tests' / 'support' / 'clocked'}{os.pathsep}{ROOT}",
        }

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self._file.read_text()))

    def set(self, instant: datetime) -> None:
        ahead = (instant - datetime.now(UTC)).total_seconds()
        new = self._file.with_suffix(".new")
        new.write_text(str(ahead))
        new.replace(self._file)


class Instance:
    """One lieu's programs on ``database`` with the data directory ``folder``; ``redis`` is the broker when given."""

    def __init__(
        self, database: str, folder: Path, *, redis: str | None = None, port: int | None = None, **environ: str
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.programs: list[Program] = []
        folder.mkdir(parents=True, exist_ok=True)
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TZ", "TMPDIR") if name in os.environ}
        self.environ = kept | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONUNBUFFERED": "1",
            "ENV_FILE": os.devnull,
            "PORT": str(self.port),
            "WEB_CONCURRENCY": "1",
            "DATABASE_URL": database,
            "DATA_DIR": str(folder),
            "SECRET_KEY": "t" * 40,
            "BASE_URL": self.url,
            **({"REDIS_URL": redis} if redis else {}),
            **environ,
        }

    def web(self) -> Program:
        """Start the web server; it answers when this returns."""
        program = self._start("web")
        program.wait_for("answering", lambda: _answers(f"{self.url}/healthz"))
        return program

    def worker(self) -> Program:
        """Start a worker; it takes messages when this returns."""
        program = self._start("worker")
        program.wait_for("taking messages", lambda: " ready." in program.said())
        return program

    def beat(self) -> Program:
        program = self._start("beat")
        program.wait_for("sending", lambda: "beat: Starting" in program.said())
        return program

    def browser(self) -> Browser:
        return Browser(self.url)

    def _start(self, name: str) -> Program:
        program = Program(name, procfile()[name], self.environ, self.folder)
        self.programs.append(program)
        return program


@contextmanager
def instance(
    database: str, folder: Path, *, redis: str | None = None, port: int | None = None, **environ: str
) -> Iterator[Instance]:
    """Give an `Instance`; end its programs, and show what they said when the block raises."""
    lieu = Instance(database, folder, redis=redis, port=port, **environ)
    try:
        yield lieu
    except BaseException:
        for program in lieu.programs:
            print(f"--- {program.name}\n{program.said()}")
        raise
    finally:
        for program in lieu.programs:
            program.stop()


class Browser:
    """The least of a browser: cookies, and forms with their hidden token."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar())).open

    def get(self, path: str) -> str:
        with self._open(self._base + path, timeout=30) as response:
            return str(response.read().decode())

    def post(self, path: str, form: str | None = None, **fields: str) -> str:
        """Fill in the form of the page ``form`` (by default ``path`` itself) and send it to ``path``."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(form or path))
        assert token, "the page has no form"
        data = urlencode({"csrf_token": token[1], **fields}).encode()
        with self._open(self._base + path, data, timeout=30) as response:
            return str(response.read().decode())


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False

"""README's commands, word by word, by someone who is not root, in a fresh clone."""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.support.processes import Browser
from tests.support.redis import free_port

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
PATIENCE_S = 90
PATH = "/usr/local/bin:/usr/bin:/bin"
ANSWERS = (
    *("L’Établi", "2 quai des Bateliers", "67000", "Strasbourg", "association", "n", "", "1 2 3 4 5", "9:00", "18:00"),
    *("n", "y", "y", "y", "y", "13:00", "12", "Plateau", "Salle bleue, 8", "", "accueil@demo.example", "", ""),
    *("Odile", "Kern", "odile@demo.example", "le pont sur la Durolle", "le pont sur la Durolle"),
)


def commands() -> str:
    """The code block under README's "Run your own lieu"."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Run your own lieu")[2]
    found = re.search(r"```\n(.+?)```", section, re.S)
    assert found is not None
    return found[1]


@pytest.fixture
def clone() -> Iterator[Path]:
    """The project's files as a clone would hold them, owned by nobody when the tests run as root.

    What ``make setup`` would fetch is linked, and marked as fetched; everything else it does is done.
    """
    home = Path(tempfile.mkdtemp(prefix="stranger-", dir="/tmp"))
    folder = home / "clone"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    _environment(folder / ".venv", home)
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", home], check=True)
    yield folder
    shutil.rmtree(home)


def _open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)


def _environment(target: Path, home: Path) -> None:
    """A virtual environment at ``target`` like this one, of files that every user can reach."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    interpreter = Path(sys.base_prefix) / "bin" / name
    if not _open_to_all(interpreter):
        found = shutil.which(name, path=PATH)
        copied = home / "python"
        interpreter = Path(found) if found else shutil.copytree(sys.base_prefix, copied, symlinks=True) / "bin" / name
    subprocess.run([interpreter, "-m", "venv", "--without-pip", target], check=True)
    packages = Path("lib") / name / "site-packages"
    (target / packages).rmdir()
    if _open_to_all(Path(sys.prefix) / packages):
        (target / packages).symlink_to((Path(sys.prefix) / packages).resolve())
    else:
        shutil.copytree(Path(sys.prefix) / packages, target / packages, symlinks=True)
    for program in ("flask", "gunicorn", "celery"):
        lines = (Path(sys.prefix) / "bin" / program).read_text().partition("\n")
        (target / "bin" / program).write_text(f"#!{target}/bin/python\n{lines[2]}")
        (target / "bin" / program).chmod(0o755)
    (target / ".stamps").mkdir()
    for stamp in ("uv", "runtime", "pdf"):
        (target / ".stamps" / stamp).touch()


class Terminal:
    """A shell that runs ``script`` in ``folder`` at a terminal of its own, with nothing of this process's environment."""

    def __init__(self, script: str, folder: Path, environ: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        os.set_blocking(self._master, False)
        self.said = ""
        as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        if as_nobody:
            os.fchown(slave, NOBODY, NOBODY)
        # setsid(1) makes the terminal the one that getpass and Ctrl-C go to.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", "bash", "-c", script],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env={"PATH": PATH, "HOME": str(folder.parent), "LANG": "C.UTF-8", **environ},
            start_new_session=True,
            **as_nobody,
        )
        os.close(slave)

    def wait_for(self, pattern: str, since: int = 0) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            ended = self.process.poll()
            with suppress(BlockingIOError, OSError):
                while read := os.read(self._master, 65536):
                    self.said += read.decode(errors="replace")
            if re.search(pattern, self.said[since:]):
                return
            assert ended is None, f"ended ({ended}) before {pattern}:\n{self.said}"
            assert time.monotonic() < deadline, f"never said {pattern}:\n{self.said}"
            time.sleep(0.02)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def close(self) -> None:
        for process in psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else ():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        os.close(self._master)


def wait_until(ready: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_commands_of_the_readme_serve_an_own_lieu(clone: Path):
    port = free_port()
    (clone / ".env").write_text(f"# my lieu\nPORT={port}\nDATA_DIR=data\nWEB_CONCURRENCY=1\n")
    if os.geteuid() == 0:
        os.chown(clone / ".env", NOBODY, NOBODY)
    terminal = Terminal(commands(), clone, {})
    try:
        so_far = 0
        for answer in ANSWERS:
            terminal.wait_for(r"(?s)\n.*: $", so_far)  # the next prompt, behind the echo of the last answer
            so_far = len(terminal.said)
            terminal.type(answer + "\n")
        terminal.wait_for("Ctrl-C ends it")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
            assert (answer.status, "L’Établi" in answer.read().decode()) == (200, True)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=30) as answer:
            assert answer.status == 200
        Browser(f"http://127.0.0.1:{port}").post("/forgotten", email="odile@demo.example")
        audit = Terminal(".venv/bin/flask --app wsgi audit && echo all holds", clone, {})
        try:
            audit.wait_for("all holds")
        finally:
            audit.close()
        wait_until(lambda: list((clone / "data" / "mail").glob("*.eml")))  # the worker wrote it
        programs = psutil.Process(terminal.process.pid).children(recursive=True)
        said = " ".join(word for program in programs for word in program.cmdline())
        assert all(name in said for name in ("gunicorn", "tasks.worker", "tasks.beat"))
        assert (clone / "data" / "coworking.db").exists()
        assert not (clone / "var").exists()
        terminal.type("\x03")
        assert psutil.wait_procs(programs, timeout=30)[1] == []
    finally:
        terminal.close()

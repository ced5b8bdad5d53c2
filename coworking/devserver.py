"""``python -m coworking.devserver``: the demo lieu with web, worker and beat, until Ctrl-C.

What runs stands in the ``Procfile``, as on a server. The demo has a database of its own under ``var/demo`` unless
``DATABASE_URL`` names one. Every process stays in this one's process group, and dies with it.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path

from config import ROOT, Config, ConfigError
from coworking.demo.cast import PASSWORD

PATIENCE_S = 15
"""How long processes may take to end before they are killed."""

ACCOUNTS = ("member", "colleague", "stranger", "host", "manager", "accountant", "lead")


class DemoError(Exception):
    """The demo cannot be served; the text says why and what would help."""


def main() -> int:
    """Serve the demo; return the exit status."""
    try:
        environ = environment(os.environ)
        port = free_port(environ["PORT"])
        prepare(environ)
    except (DemoError, ConfigError) as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return serve(environ, port)


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """What every process gets: ``given``, this Python's programs first in the path, and the demo's own data."""
    environ = dict(given)
    environ.setdefault("PORT", "8000")
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ.get('PATH', '')}"
    environ["PYTHONUNBUFFERED"] = "1"
    if not environ.get("DATABASE_URL"):
        environ.setdefault("DATA_DIR", str(ROOT / "var" / "demo"))
    elif not environ.get("SECRET_KEY"):
        # All processes run here: the data directory's own secret is shared enough.
        environ["SECRET_KEY"] = Config.from_env({**environ, "DATABASE_URL": ""}).secret_key
    return environ


def free_port(text: str) -> int:
    """The port number in ``text``; raises `DemoError` when it is none, or taken."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise DemoError(f"PORT must be a number between 1 and 65535, not {text!r}.")
    port = int(text)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise DemoError(
                f"Port {port} cannot be used ({error.strerror}). "
                f"Stop what runs there or take another: PORT={port + 1} make run"
            ) from error
    return port


def prepare(environ: dict[str, str]) -> None:
    """Make the demo where it is not made yet, and bring its tables up to date where it is."""
    data_dir = Path(environ.get("DATA_DIR") or ROOT / "var").resolve()
    if environ.get("DATABASE_URL"):
        print("Looking at the demo's database (a new one takes about a minute to fill).", flush=True)
        _make(environ)
    elif (data_dir / "coworking.db").exists():
        _make(environ)
    else:
        # Beside its place, and moved there when whole: a demo that was interrupted is not taken for the demo.
        print("Making the demo: a year of an invented lieu, lived day by day. Once only, about a minute.", flush=True)
        unfinished = data_dir.with_name(data_dir.name + ".making")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _make(environ | {"DATA_DIR": str(unfinished)})
        data_dir.mkdir(parents=True, exist_ok=True)
        for path in sorted(unfinished.iterdir(), key=lambda path: path.name == "coworking.db"):
            if path.name != "broker":
                path.replace(data_dir / path.name)
        shutil.rmtree(unfinished)


def _make(environ: dict[str, str]) -> None:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "demo"]
    done = subprocess.run(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, preexec_fn=_die_with_parent
    )
    if done.returncode != 0:
        raise DemoError(f"{done.stdout}The demo could not be made.")


def serve(environ: dict[str, str], port: int) -> int:
    """Run the ``Procfile`` until a signal comes or one process ends by itself; then end all of it."""
    signalled: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: signalled.append(received))
    processes: dict[str, subprocess.Popen[bytes]] = {}
    status = 0
    try:
        for name, command in procfile().items():
            processes[name] = subprocess.Popen(quiet(command), cwd=ROOT, env=environ, preexec_fn=_die_with_parent)
        greeted = False
        while not signalled:
            if ended := [name for name, process in processes.items() if process.poll() is not None]:
                print(f"{', '.join(ended)} ended by itself; ending the rest.", file=sys.stderr)
                status = 1
                break
            if not greeted and answers(port):
                greeted = True
                welcome(port)
            time.sleep(0.2)
    finally:
        end(processes.values())
    return status


def procfile() -> dict[str, list[str]]:
    """The commands of the ``Procfile`` by name."""
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    return {name: shlex.split(command) for name, _, command in (line.partition(":") for line in lines) if command}


def quiet(command: list[str]) -> list[str]:
    """``command`` telling what goes wrong and not each task done: the sign-ins should stay in sight."""
    return ["WARNING" if word == "INFO" else word for word in command]


def answers(port: int) -> bool:
    """Whether the web server answers yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def welcome(port: int) -> None:
    """Say where the demo is and who may sign in."""
    accounts = "\n".join(f"  {account}@demo.example" for account in ACCOUNTS)
    print(
        f"\nThe demo lieu is on http://127.0.0.1:{port}\n\nSign in as one of\n{accounts}\n"
        f"with the password {PASSWORD}\n\nCtrl-C ends it.\n",
        flush=True,
    )


def end(processes: Iterable[subprocess.Popen[bytes]]) -> None:
    """Ask each of ``processes`` to end, kill what does not, and wait until all are gone."""
    running = [process for process in processes if process.poll() is None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + PATIENCE_S
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _die_with_parent() -> None:
    """Between fork and exec: ask Linux to end this process when its parent is killed outright."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())

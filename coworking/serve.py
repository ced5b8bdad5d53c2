"""``python -m coworking.serve``: web, worker and beat of this lieu until Ctrl-C; with a name, that one program alone.

The ``Procfile`` says what runs. Every process finds this Python's programs first in its path, stays in this one's process
group and dies with it. On a server systemd does the same; see ``docs/operations.md``.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from config import ROOT, Config, ConfigError, environment

PATIENCE_S = 15
"""How long processes may take to end before they are killed."""


class ServeError(Exception):
    """The lieu cannot be served; the text says why and what would help."""


def main() -> int:
    """Serve the lieu; return the exit status."""
    try:
        environ = with_programs(environment())
        base_url = Config.from_env(environ).base_url
        if sys.argv[1:]:
            return become(sys.argv[1], environ)
        port = free_port(environ.get("PORT") or "8000", "make serve", environ.get("BIND_HOST") or "127.0.0.1")
    except (ServeError, ConfigError) as trouble:
        print(trouble, file=sys.stderr)
        return 1

    def greet() -> None:
        print(f"\nThe lieu is on http://127.0.0.1:{port} (people type {base_url}). Ctrl-C ends it.\n", flush=True)

    return serve(environ, port, greet)


def become(name: str, environ: Mapping[str, str]) -> int:
    """Replace this process by the program ``name`` of the ``Procfile``, as a service manager wants it."""
    commands = procfile()
    if name not in commands:
        raise ServeError(f"There is no program {name!r}: it is one of {', '.join(commands)}.")
    os.chdir(ROOT)
    os.execvpe(commands[name][0], commands[name], dict(environ))  # noqa: S606 - no shell is wanted


def with_programs(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` with this Python's programs first in the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{environ.get('PATH', '')}"
    return {**environ, "PATH": path, "PYTHONUNBUFFERED": "1"}


def free_port(text: str, command: str, host: str = "127.0.0.1") -> int:
    """The port number in ``text``; raises `ServeError` when it is none, or taken."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ServeError(f"PORT must be a number between 1 and 65535, not {text!r}.")
    port = int(text)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ServeError(
                f"Port {port} cannot be used ({error.strerror}). "
                f"Stop what runs there or take another: PORT={port + 1} {command}"
            ) from error
    return port


def serve(
    environ: Mapping[str, str], port: int, greet: Callable[[], None], commands: Mapping[str, list[str]] | None = None
) -> int:
    """Run ``commands`` (by default the ``Procfile``) until a signal comes or one ends by itself; then end all of it.

    ``greet`` is called once the web server answers.
    """
    signalled: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: signalled.append(received))
    processes: dict[str, subprocess.Popen[bytes]] = {}
    status = 0
    try:
        for name, command in (commands or procfile()).items():
            processes[name] = subprocess.Popen(command, cwd=ROOT, env=dict(environ), preexec_fn=die_with_parent)
        greeted = False
        while not signalled:
            if ended := [name for name, process in processes.items() if process.poll() is not None]:
                print(f"{', '.join(ended)} ended by itself; ending the rest.", file=sys.stderr)
                status = 1
                break
            if not greeted and answers(port):
                greeted = True
                greet()
            time.sleep(0.2)
    finally:
        end(processes.values())
    return status


def procfile() -> dict[str, list[str]]:
    """The commands of the ``Procfile`` by name."""
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    return {name: shlex.split(command) for name, _, command in (line.partition(":") for line in lines) if command}


def answers(port: int) -> bool:
    """Whether the web server answers yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


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


def die_with_parent() -> None:
    """Between fork and exec: ask Linux to end this process when its parent is killed outright."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())

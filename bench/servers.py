"""The programs that are measured: real processes on free ports, each engine with a database of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from config import ROOT
from coworking.serve import procfile

PROBES = {"web": "/healthz", "twin": "/healthz", "stripe": "/stripe-double.css"}
"""What is asked until the program answers."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(database: str, folder: Path) -> dict[str, str]:
    """What every process of one engine's turn gets."""
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "HOME": os.environ.get("HOME", str(folder)),
        "DATABASE_URL": database,
        "DATA_DIR": str(folder),
        "SECRET_KEY": "b" * 40,
        "ENV_FILE": os.devnull,
        "LOG_LEVEL": "warning",
    }


@contextmanager
def running(
    environ: Mapping[str, str], program: str, *, workers: int = 2, port: int | None = None
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """``program`` of the ``Procfile``, ``twin`` or ``stripe`` (its double) with ``workers``; gives its port and process."""
    port = port or free_port()
    command = (procfile() | _others(port))[program]
    log = Path(environ["DATA_DIR"]) / f"{program}.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**environ, "PORT": str(port), "WEB_CONCURRENCY": str(workers), "BASE_URL": f"http://127.0.0.1:{port}"},
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        if program in PROBES:
            _wait(process, f"http://127.0.0.1:{port}{PROBES[program]}", log)
        yield port, process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _others(port: int) -> dict[str, list[str]]:
    """What is measured against: no part of the product's own processes."""
    double = [sys.executable, "-m", "coworking.demo.stripe_double", "--port", str(port)]
    return {"twin": ["gunicorn", "bench.twin:app"], "stripe": double}


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")


def family(pid: int) -> list[int]:
    """``pid`` and all its descendants."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += family(int(child))
    return found


def pss_mb(pid: int) -> float:
    """Proportional set size of one process in MB (its own memory and its share of what is shared)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0

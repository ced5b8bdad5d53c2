"""What a process asks for itself before it loads the product."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from types import SimpleNamespace

from config import ROOT
from coworking.server import process
from coworking.server.process import web_processes

GROWTH = """
import threading
from argon2 import PasswordHasher
from coworking.server.process import prepare

def held():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")) // 1024

if {prepared}:
    prepare()
hasher = PasswordHasher(time_cost=1, memory_cost=19 * 1024, parallelism=1)
kept = hasher.hash("right")
before, gate, over = held(), threading.Barrier(9), threading.Barrier(9)

def work():
    gate.wait()
    for _ in range(4):
        hasher.verify(kept, "right")
    over.wait()

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
gate.wait()
over.wait()
print(held() - before)
"""


def _growth(*, prepared: bool) -> int:
    done = subprocess.run([sys.executable, "-c", GROWTH.format(prepared=prepared)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_checking_passwords_leaves_no_memory_behind():
    """Megabytes held after eight threads checked four passwords each; without preparation a thread keeps what it freed."""
    assert _growth(prepared=True) < 30 < _growth(prepared=False)


TRIM = """
from coworking.server.process import give_free_memory_back, prepare

def held():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")) // 1024

prepare()
blocks = [bytes(100_000) for _ in range(1_000)]
last = bytes(100_000)  # above all that is freed: glibc gives back only what lies above the last block in use
del blocks
before = held()
give_free_memory_back()
print(before - held())
"""


def test_free_memory_between_what_is_used_goes_back_when_asked():
    done = subprocess.run([sys.executable, "-c", TRIM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50


def test_a_web_process_gives_free_memory_back_now_and_then(monkeypatch):
    monkeypatch.setattr(process, "prepare", lambda: None)  # not for this process
    settings = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    asked: list[int] = []
    number = 0
    settings["post_request"].__globals__["give_free_memory_back"] = lambda: asked.append(number)
    for number in range(1, 501):
        settings["post_request"](SimpleNamespace(nr=number), None, None, None)
    assert asked == [250, 500]


def test_a_crash_says_where_it_happened():
    crash = "from coworking.server.process import prepare; prepare(); import ctypes; ctypes.string_at(0)"
    done = subprocess.run([sys.executable, "-c", crash], capture_output=True, text=True)
    assert done.returncode < 0
    assert "Fatal Python error: Segmentation fault" in done.stderr and 'File "<string>", line 1' in done.stderr


def test_a_small_server_runs_one_web_process():
    assert [web_processes(memory) for memory in (512 * 1024**2, 1024**3, 8 * 1024**3)] == [1, 2, 2]
    assert web_processes() in {1, 2}


def test_a_web_process_loads_nothing_that_it_never_uses(tmp_path):
    """Alembic brings a language of templates and one of colours; a lieu on SQLite has no PostgreSQL to talk to."""
    unused = {"alembic", "mako", "pygments", "psycopg", "weasyprint"}
    program = f"import sys, wsgi; print(*({unused} & sys.modules.keys()))"
    environ = {"PATH": "", "ENV_FILE": os.devnull, "SECRET_KEY": "t" * 40, "DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environ | {"DATABASE_URL": f"sqlite:///{tmp_path}/coworking.db"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []

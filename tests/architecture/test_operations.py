"""What docs/operations.md shows to be copied works as it stands."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config import Config, read_env
from coworking.serve import procfile

ROOT = Path(__file__).resolve().parents[2]
DOC = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def example(language: str) -> str:
    found = re.search(rf"```{language}\n(.+?)```", DOC, re.S)
    assert found is not None
    return found[1]


def test_the_unit_is_one_that_systemd_understands(tmp_path: Path):
    unit = example("ini")
    for line in re.findall(r"^Exec\w+=(.+)$", unit, re.M):
        program = line.replace("/srv/lieu/app/.venv/bin/", "")
        assert program.startswith(("flask --app wsgi ", "python -m coworking.serve "))
        unit = unit.replace(line, f"{sys.executable} -c pass")
    if shutil.which("systemd-analyze"):
        file = tmp_path / "lieu@.service"
        file.write_text(re.sub(r"^(User|Group|WorkingDirectory)=.*\n", "", unit, flags=re.M))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", file], capture_output=True, text=True)
        complaints = [line for line in done.stderr.splitlines() if "lieu@" in line]
        assert complaints == [], done.stderr


def test_every_program_of_the_procfile_is_started_by_the_unit():
    enabled = re.search(r"systemctl enable --now (.+?)`", DOC)
    assert enabled is not None
    assert {name.removeprefix("lieu@") for name in enabled[1].split()} == set(procfile())


def test_the_proxy_uses_the_default_port():
    port = re.search(r"reverse_proxy 127\.0\.0\.1:(\d+)", example("caddy"))
    assert port is not None
    assert port[1] == read_env((ROOT / ".env.example").read_text())["PORT"]
    assert Config.from_env({"DATA_DIR": "var"}).base_url.endswith(f":{port[1]}")


@pytest.mark.parametrize("names", [["other"], ["web; true"]])
def test_an_unknown_program_is_named(names: list[str]):
    done = subprocess.run([sys.executable, "-m", "coworking.serve", *names], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, "one of web, worker, beat" in done.stderr) == (1, True)

"""The settings' file: what it may hold, who may read it, and that the environment wins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from config import ROOT, Config, ConfigError, environment, read_env

FILE = """\
# A lieu
PORT=8010
export BASE_URL = "https://lieu.example"

SMTP_URL='smtps://lieu:a b#c@mail.example:465'
EMPTY=
PASSWORD=a#b=c"""


def write(folder: Path, text: str, mode: int = 0o600) -> str:
    file = folder / "lieu.env"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return str(file)


def test_a_file_holds_names_and_values():
    assert read_env(FILE) == {
        "PORT": "8010",
        "BASE_URL": "https://lieu.example",
        "SMTP_URL": "smtps://lieu:a b#c@mail.example:465",
        "EMPTY": "",
        "PASSWORD": "a#b=c",
    }
    assert read_env("\r\nPORT=8010\r\n") == {"PORT": "8010"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("PORT", "write NAME=value"),
        ("PORT 8010", "write NAME=value"),
        ("8PORT=1", "write NAME=value"),
        ('NAME="half', "quotes around all of the value"),
        ("NAME='half\" ", "quotes around all of the value"),
        ("NAME=two # a remark", "put the remark on a line of its own"),
        ("HOST=twice", "HOST was set on an earlier line"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line(line: str, said: str):
    with pytest.raises(ConfigError, match=rf"line 3.*{said}"):
        read_env(f"# settings\nHOST=one\n{line}\n")


def test_the_environment_wins_over_the_file(tmp_path: Path):
    file = write(tmp_path, "PORT=8010\nBASE_URL=https://file.example\n")
    found = environment({"ENV_FILE": file, "PORT": "8020"})
    assert (found["PORT"], found["BASE_URL"]) == ("8020", "https://file.example")


def test_a_named_file_must_be_there(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be read"):
        environment({"ENV_FILE": str(tmp_path / "none.env")})


@pytest.mark.parametrize(("mode", "refused"), [(0o600, False), (0o640, False), (0o644, True), (0o606, True)])
def test_a_file_with_secrets_is_not_for_every_user(tmp_path: Path, mode: int, refused: bool):
    assert environment({"ENV_FILE": write(tmp_path, "PORT=1\nSECRET_KEY=\n", mode)})["PORT"] == "1"
    file = write(tmp_path, f"SECRET_KEY={'k' * 40}\n", mode)
    if refused:
        with pytest.raises(ConfigError, match="chmod 600"):
            environment({"ENV_FILE": file})
    else:
        assert environment({"ENV_FILE": file})["SECRET_KEY"]


def test_a_relative_data_directory_lies_in_the_project():
    assert Config.from_env({"DATA_DIR": "var"}).data_dir == ROOT / "var"


def test_a_wrong_setting_is_said_without_a_traceback(tmp_path: Path):
    environ = {"ENV_FILE": write(tmp_path, "DATA_DIR\n"), "PATH": "/usr/bin:/bin"}
    for program in (["flask", "--app", "wsgi", "audit"], ["coworking.serve"]):
        done = subprocess.run([sys.executable, "-m", *program], cwd=ROOT, env=environ, capture_output=True, text=True)
        assert (done.returncode, "line 1" in done.stderr) == (1, True)
        assert "Traceback" not in done.stderr


def test_the_file_stays_out_of_the_repository_and_the_image():
    for name in (".gitignore", ".dockerignore"):
        assert ".env" in (ROOT / name).read_text().splitlines()
    assert subprocess.run(["git", "check-ignore", "-q", ".env"], cwd=ROOT).returncode == 0


def test_the_example_can_be_read_and_names_what_is_read():
    known = read_env((ROOT / ".env.example").read_text())
    assert known["DATA_DIR"] == "var"
    assert Config.from_env({"DATA_DIR": "var", "PORT": known["PORT"]}).base_url == known["BASE_URL"]


@pytest.mark.parametrize(
    "base", ["127.0.0.1:12111", "ftp://stripe.test", "http://", "http://[", "http://stripe.test:0"]
)
def test_another_address_of_stripes_must_be_one(tmp_path: Path, base: str):
    with pytest.raises(ConfigError, match="STRIPE_API_BASE"):
        Config.from_env({"DATA_DIR": str(tmp_path), "STRIPE_API_BASE": base})


def test_a_live_key_and_another_address_do_not_go_together(tmp_path: Path):
    environ = {"DATA_DIR": str(tmp_path), "STRIPE_API_BASE": "http://127.0.0.1:12111/"}
    assert Config.from_env(environ | {"STRIPE_SECRET_KEY": "sk_test_x"}).stripe_api_base == "http://127.0.0.1:12111"
    with pytest.raises(ConfigError, match="for test keys"):
        Config.from_env(environ | {"STRIPE_SECRET_KEY": "rk_live_x"})


def test_helloassos_keys_are_set_together(tmp_path: Path):
    keys = {"HELLOASSO_CLIENT_ID": "id", "HELLOASSO_CLIENT_SECRET": "secret", "HELLOASSO_ORGANISATION": "le-pont"}
    found = Config.from_env({"DATA_DIR": str(tmp_path)} | keys)
    assert (found.helloasso_client_id, found.helloasso_organisation) == ("id", "le-pont")
    for name in keys:
        with pytest.raises(ConfigError, match=f"{name} is missing"):
            Config.from_env({"DATA_DIR": str(tmp_path)} | keys | {name: " "})

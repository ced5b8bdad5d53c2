"""`make run`'s program: it says where the demo is and who may sign in, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

import psutil
import pytest

from config import Config
from coworking import devserver, serve
from coworking.billing.gateways.helloasso_gateway import HelloAssoGateway
from coworking.billing.gateways.port import CheckoutWanted, GatewayRefused
from coworking.billing.gateways.stripe_gateway import StripeGateway
from coworking.demo.cast import PASSWORD
from tests import factories
from tests.conftest import make_app
from tests.support.processes import Program
from tests.support.redis import free_port


@pytest.fixture
def environ(tmp_path: Path, databases) -> dict[str, str]:
    """An environment whose data directory holds a small demo."""
    database = databases("sqlite").removeprefix("sqlite:///")
    Path(database).rename(tmp_path / "coworking.db")
    app = make_app(f"sqlite:///{tmp_path / 'coworking.db'}", tmp_path)
    with app.app_context():
        factories.make_place(is_simulation=True)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {"DATA_DIR": str(tmp_path), "PORT": str(free_port()), "WEB_CONCURRENCY": "1"}


def run(environ: dict[str, str], folder: Path) -> Program:
    return Program("devserver", [sys.executable, "-m", "coworking.devserver"], environ, folder)


def settings_of_processes(program: Program, word: str) -> list[dict[str, str]]:
    """The environment of each process under ``program`` whose command holds ``word``."""
    children = psutil.Process(program.process.pid).children(recursive=True)
    return [child.environ() for child in children if any(word in part for part in child.cmdline())]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_it_serves_the_demo_and_leaves_no_process_behind(environ, tmp_path, number):
    program = run(environ, tmp_path)
    try:
        program.wait_for("greeting", lambda: "Ctrl-C ends it." in program.said())
        said = program.said()
        assert f"http://127.0.0.1:{environ['PORT']}" in said
        assert PASSWORD in said
        for account in ("member", "colleague", "stranger", "host", "manager", "accountant", "lead"):
            assert f"{account}@demo.example" in said
        children = psutil.Process(program.process.pid).children(recursive=True)
        said_by_all = " ".join(word for child in children for word in child.cmdline())
        assert all(name in said_by_all for name in ("gunicorn", "tasks.worker", "tasks.beat", "stripe_double"))
        assert "test card 4242 4242 4242 4242" in said
        os.kill(program.process.pid, number)
        assert program.process.wait(30) == (-number if number == signal.SIGKILL else 0)
        _, alive = psutil.wait_procs(children, timeout=20)
        assert alive == []
    finally:
        program.stop()


def test_a_program_that_ends_by_itself_ends_the_rest(environ, tmp_path):
    program = run(environ, tmp_path)
    try:
        program.wait_for("greeting", lambda: "Ctrl-C ends it." in program.said())
        children = psutil.Process(program.process.pid).children()
        next(child for child in children if "worker" in child.cmdline()).kill()
        assert program.process.wait(30) == 1
        assert "worker ended by itself" in program.said()
        assert psutil.wait_procs(children, timeout=5)[1] == []
    finally:
        program.stop()


def test_all_processes_reach_one_double_of_each_gateway(environ, tmp_path):
    program = run(environ, tmp_path)
    try:
        program.wait_for("greeting", lambda: "Ctrl-C ends it." in program.said())
        found = [settings_of_processes(program, word) for word in ("gunicorn", "tasks.worker", "tasks.beat")]
        keys = {tuple(seen[name] for name in devserver.STRIPE) for each in found for seen in each}
        assert all(found) and len(keys) == 1
        secret_key, webhook_secret, address = keys.pop()
        gateway = StripeGateway(secret_key, webhook_secret, address)
        account = gateway.look()
        assert (account.is_live, account.means) == (False, ("card", "debit"))
        with pytest.raises(GatewayRefused) as refused:
            gateway.fetch("cs_test_before_the_demo_was_restarted")
        assert refused.value.code == "resource_missing"
        (keys,) = {tuple(seen[name] for name in devserver.HELLOASSO) for each in found for seen in each}
        opened = HelloAssoGateway(*keys).open_checkout(
            CheckoutWanted("a" * 16, 900, "EUR", "Facture", None, "fr", "https://back.test", "https://back.test")
        )
        assert int(opened.checkout_id) > 1_000_000_000, "a demo started again would give its old numbers"
    finally:
        program.stop()


def test_what_stripe_settings_a_person_gives_are_kept(tmp_path):
    for name in devserver.STRIPE:
        given = {"PORT": "8000", "ENV_FILE": os.devnull, name: "given"}
        assert devserver.double_of_stripe(given) == {}
        assert given == {"PORT": "8000", "ENV_FILE": os.devnull, name: "given"}
    (tmp_path / "demo.env").write_text("STRIPE_SECRET_KEY=sk_test_of_a_person\n")
    (tmp_path / "demo.env").chmod(0o600)
    given = {"PORT": "8000", "ENV_FILE": str(tmp_path / "demo.env")}
    assert devserver.double_of_stripe(given) == {}
    assert "STRIPE_API_BASE" not in given


@pytest.mark.parametrize(
    ("base_url", "told"), [("", "http://127.0.0.1:8000"), ("https://lieu.test/", "https://lieu.test")]
)
def test_the_double_tells_the_demo_of_payments_at_its_address(base_url, told):
    environ = {"PORT": "8000", "ENV_FILE": os.devnull, "BASE_URL": base_url, "no_proxy": "intern.test"}
    command = devserver.double_of_stripe(environ)["stripe"]
    assert command[-1] == f"{told}/pay/notifications/stripe"
    assert environ["STRIPE_SECRET_KEY"].startswith("sk_test_")
    assert (environ["no_proxy"], environ["NO_PROXY"]) == ("intern.test,127.0.0.1", "127.0.0.1")


def test_what_helloasso_settings_a_person_gives_are_kept():
    for name in devserver.HELLOASSO:
        given = {"PORT": "8000", "ENV_FILE": os.devnull, name: "given"}
        assert devserver.double_of_helloasso(given) == {}
        assert given == {"PORT": "8000", "ENV_FILE": os.devnull, name: "given"}


def test_a_taken_port_is_said_before_anything_is_made(environ, tmp_path):
    with socket.create_server(("127.0.0.1", int(environ["PORT"]))):
        program = run(environ, tmp_path)
        assert program.process.wait(30) == 1
    assert f"Port {environ['PORT']} cannot be used" in program.said()
    assert "make run" in program.said()
    assert "Traceback" not in program.said()


@pytest.mark.parametrize("port", ["", "http", "0", "65536", "-1"])
def test_a_port_is_a_number(port):
    with pytest.raises(serve.ServeError, match="PORT must be a number"):
        serve.free_port(port, "make run")


def test_a_database_that_is_no_demo_is_left_alone(environ, tmp_path):
    app = make_app(f"sqlite:///{tmp_path / 'coworking.db'}", tmp_path)
    with app.app_context():
        from coworking.core.db import db
        from coworking.core.units import write_unit
        from coworking.spaces.models import Lieu

        with write_unit():
            db.session.execute(db.update(Lieu).values(is_simulation=False))
    program = run(environ, tmp_path)
    assert program.process.wait(30) == 1
    assert "give the demo one of its own" in program.said()


def test_a_demo_on_a_server_database_shares_one_secret(tmp_path):
    given = {"DATABASE_URL": "postgresql://demo@127.0.0.1/demo", "DATA_DIR": str(tmp_path)}
    first, second = devserver.environment(given), devserver.environment(given)
    assert first["SECRET_KEY"] == second["SECRET_KEY"]
    assert Config.from_env(first).database_url.startswith("postgresql+psycopg://")


def test_the_demo_has_data_of_its_own_unless_configured_otherwise():
    assert devserver.environment({})["DATA_DIR"].endswith("var/demo")
    assert devserver.environment({"DATA_DIR": "/elsewhere"})["DATA_DIR"] == "/elsewhere"

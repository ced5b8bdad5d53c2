"""``python -m coworking.devserver``: the demo lieu with web, worker and beat, until Ctrl-C.

The demo has a database of its own under ``var/demo`` unless ``DATABASE_URL`` names one, and settings of its own: the
``.env`` of a real lieu beside it is not read. Unless keys are given, doubles of Stripe and of HelloAsso run beside it,
so that invoices can be paid with a test card or on a page of HelloAsso's kind.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping

from config import ROOT, Config, ConfigError
from config import environment as settings_of
from coworking.demo.cast import PASSWORD
from coworking.demo.helloasso_double import CLIENT_ID, CLIENT_SECRET, ORGANISATION
from coworking.demo.stripe_double.cards import GOOD_CARD
from coworking.serve import ServeError, die_with_parent, free_port, procfile, serve, with_programs

STRIPE = ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE")
HELLOASSO = ("HELLOASSO_CLIENT_ID", "HELLOASSO_CLIENT_SECRET", "HELLOASSO_ORGANISATION", "HELLOASSO_API_BASE")
ACCOUNTS = ("member", "colleague", "stranger", "contact", "host", "manager", "accountant", "lead")


def main() -> int:
    """Serve the demo; return the exit status."""
    try:
        environ = environment(os.environ)
        port = free_port(environ["PORT"], "make run")
        prepare(environ)
        doubles = double_of_stripe(environ) | double_of_helloasso(environ)
    except (ServeError, ConfigError) as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    commands = doubles | {name: quiet(command) for name, command in procfile().items()}
    return serve(environ, port, lambda: welcome(port, pays_by_test_card="stripe" in doubles), commands)


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """What every process gets: ``given``, this Python's programs first in the path, and the demo's own data."""
    environ = with_programs(given)
    environ.setdefault("PORT", "8000")
    environ.setdefault("ENV_FILE", os.devnull)
    if not environ.get("DATABASE_URL"):
        environ.setdefault("DATA_DIR", str(ROOT / "var" / "demo"))
    elif not environ.get("SECRET_KEY"):
        # All processes run here: the data directory's own secret is shared enough.
        environ["SECRET_KEY"] = Config.from_env({**environ, "DATABASE_URL": ""}).secret_key
    return environ


def prepare(environ: dict[str, str]) -> None:
    """Make the demo where it is not made yet, and bring its tables up to date where it is."""
    data_dir = (ROOT / (environ.get("DATA_DIR") or "var")).resolve()
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
    done = subprocess.run(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
    if done.returncode != 0:
        raise ServeError(f"{done.stdout}The demo could not be made.")


def double_of_stripe(environ: dict[str, str]) -> dict[str, list[str]]:
    """The command of the double of Stripe, by its name; ``environ`` gets the keys that open it. Empty: keys are given.

    Every process reaches the same double: a payment page is opened by the web server and looked at by the worker.
    """
    given = settings_of(environ)
    if any(given.get(name) for name in STRIPE):
        return {}
    port = _port_for_a_double(environ)
    environ["STRIPE_SECRET_KEY"] = f"sk_test_{secrets.token_hex(16)}"
    environ["STRIPE_WEBHOOK_SECRET"] = f"whsec_{secrets.token_hex(16)}"
    environ["STRIPE_API_BASE"] = f"http://127.0.0.1:{port}"
    base_url = (given.get("BASE_URL") or f"http://127.0.0.1:{environ['PORT']}").rstrip("/")
    return {"stripe": _double("coworking.demo.stripe_double", port, f"{base_url}/pay/notifications/stripe")}


def double_of_helloasso(environ: dict[str, str]) -> dict[str, list[str]]:
    """The same for the double of HelloAsso: the demo's lieu is an association."""
    given = settings_of(environ)
    if any(given.get(name) for name in HELLOASSO):
        return {}
    port = _port_for_a_double(environ)
    environ["HELLOASSO_CLIENT_ID"], environ["HELLOASSO_ORGANISATION"] = CLIENT_ID, ORGANISATION
    environ["HELLOASSO_CLIENT_SECRET"] = CLIENT_SECRET
    environ["HELLOASSO_API_BASE"] = f"http://127.0.0.1:{port}"
    notified = f"http://127.0.0.1:{environ['PORT']}/pay/notifications/helloasso"
    return {"helloasso": _double("coworking.demo.helloasso_double", port, notified)}


def _port_for_a_double(environ: dict[str, str]) -> str:
    """A free port on this machine; whoever calls other machines through a proxy still reaches it."""
    for name in ("NO_PROXY", "no_proxy"):
        known = [host for host in (environ.get(name) or "").split(",") if host and host != "127.0.0.1"]
        environ[name] = ",".join([*known, "127.0.0.1"])
    with socket.create_server(("127.0.0.1", 0)) as found:
        return str(found.getsockname()[1])


def _double(module: str, port: str, notify_url: str) -> list[str]:
    return [sys.executable, "-m", module, "--port", port, "--notify-url", notify_url]


def quiet(command: list[str]) -> list[str]:
    """``command`` telling what goes wrong and not each task done: the sign-ins should stay in sight."""
    return ["WARNING" if word == "INFO" else word for word in command]


def welcome(port: int, *, pays_by_test_card: bool) -> None:
    """Say where the demo is, who may sign in, and how to pay."""
    paying = f"\nInvoices are paid with the test card {GOOD_CARD}; no money moves.\n" if pays_by_test_card else ""
    accounts = "\n".join(f"  {account}@demo.example" for account in ACCOUNTS)
    print(
        f"\nThe demo lieu is on http://127.0.0.1:{port}\n\nSign in as one of\n{accounts}\n"
        f"with the password {PASSWORD}\n{paying}\nCtrl-C ends it.\n",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())

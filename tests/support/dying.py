"""A process that collects or settles, and is killed with -9 at one step: ``python -m tests.support.dying ORDER.json``.

It runs on the test's own database and keyring. Its gateway's memory is a file, so that what was charged outlives the kill.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event

from config import ROOT, Config
from tests.support.gateway import MemoryGateway

OF_GATEWAY = ("facts", "back")
OF_MEANS = ("savings", "means", "calls", "charged", "customers", "asked_for", "forgotten")


@dataclass
class Order:
    """What the process does. ``act``: ``collect`` or ``settle`` (the checkout ``of``). ``dies``: at which step.

    ``intent``: before the intent to collect is committed. ``call`` and ``answer``: before and after the gateway is
    called. ``outcome`` and ``done``: before and after what it answered is committed.
    """

    database: str
    data_dir: str
    at: str
    gateway: str
    act: str
    dies: str
    of: str = ""


def keep(gateway: MemoryGateway, file: Path) -> None:
    """Write down what a gateway remembers."""
    held = {name: getattr(gateway, name) for name in OF_GATEWAY}
    held |= {name: getattr(gateway.saved_means, name) for name in OF_MEANS}
    file.write_bytes(pickle.dumps(held))


def recall(gateway: MemoryGateway, file: Path) -> None:
    """Let a gateway remember what was written down."""
    held: dict[str, Any] = pickle.loads(file.read_bytes())
    for name in OF_GATEWAY:
        setattr(gateway, name, held[name])
    for name in OF_MEANS:
        setattr(gateway.saved_means, name, held[name])


def killed(order: Order) -> str:
    """Run the process until it is killed; what it said. Raises `AssertionError` where it ended otherwise."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.support.dying", json.dumps(asdict(order))],
        cwd=ROOT,
        env=os.environ | {"ENV_FILE": os.devnull, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == -signal.SIGKILL, f"it ended with {run.returncode}:\n{run.stdout}{run.stderr}"
    return run.stdout


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(order: Order) -> None:
    from coworking.app import create_app
    from coworking.billing import collecting, online
    from coworking.billing.gateways import registry
    from coworking.core import clock, units
    from coworking.core.db import db

    app = create_app(
        Config.from_env(
            {
                "DATABASE_URL": order.database,
                "DATA_DIR": order.data_dir,
                "SECRET_KEY": "t" * 40,
                "BASE_URL": "http://lieu.test",
            }
        )
    )
    file, gateway, has_answered = Path(order.gateway), MemoryGateway(), False
    recall(gateway, file)

    def around(call: Callable[[str | Any], Any]) -> Callable[[Any], Any]:
        def called(what: Any) -> Any:
            nonlocal has_answered
            if order.dies == "call":
                _die()
            answer = call(what)
            keep(gateway, file)
            if order.dies == "answer":
                _die()
            has_answered = True
            return answer

        return called

    def in_the_unit(_unit: object) -> None:
        if order.dies == ("outcome" if has_answered else "intent"):
            _die()

    def committed(session: Any) -> None:
        if order.dies == "done" and has_answered and "unit" in session.info:
            _die()

    gateway.saved_means.collect = around(gateway.saved_means.collect)
    gateway.fetch = around(gateway.fetch)
    registry.gateways = lambda: [gateway]
    registry.gateway_named = {gateway.name: gateway}.get
    units.last_before_commit.append(in_the_unit)
    instant = datetime.fromisoformat(order.at)
    with clock.frozen_at(instant), app.app_context():
        event.listen(db.session.session_factory, "after_commit", committed)
        if order.act == "collect":
            print(collecting.collect_due())
        else:
            print(online.settle(gateway.name, order.of))


if __name__ == "__main__":
    main(Order(**json.loads(sys.argv[1])))

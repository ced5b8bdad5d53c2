"""The ``flask`` commands, thin over the services."""

from __future__ import annotations

from flask import Flask

from coworking.accounting import commands as accounting
from coworking.accounts import commands as accounts
from coworking.billing import commands as billing
from coworking.core import checks, restore
from coworking.demo import commands as demo
from coworking.frontdesk import commands as frontdesk
from coworking.network import commands as network
from coworking.statistics import commands as statistics


def init_cli(app: Flask) -> None:
    """Register every command."""
    accounting.init(app)
    accounts.init(app)
    checks.init(app)
    restore.init(app)
    billing.init(app)
    demo.init(app)
    frontdesk.init(app)
    network.init(app)
    statistics.init(app)

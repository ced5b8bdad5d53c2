"""``flask statistics``."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from coworking.core.errors import DomainError
from coworking.core.months import read_month, write_month
from coworking.core.policy import SYSTEM
from coworking.core.web import say
from coworking.statistics import services

statistics = AppGroup("statistics", help="A month's figures.")


def init(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(statistics)


@statistics.command("close")
@click.argument("month", metavar="YYYY-MM")
@click.option("--reason", help="Why a month that was closed for good is stated again.")
def close(month: str, reason: str | None) -> None:
    """Close a month: keep its figures and send them to the network head."""
    try:
        row = services.close(SYSTEM, read_month(month), reason=reason)
    except DomainError as error:
        raise click.ClickException(f"{error.code}: {say(error)}") from error
    click.echo(f"{write_month(row.month)} r{row.revision} {row.status} {row.figures_sha256}")

"""``flask billing``."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from coworking.billing import services
from coworking.core.errors import DomainError
from coworking.core.keyring import public_keys
from coworking.core.months import read_month
from coworking.core.policy import SYSTEM
from coworking.core.web import say

billing = AppGroup("billing", help="Invoices.")


def init(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(billing)


@billing.command("run")
@click.argument("month", metavar="YYYY-MM")
def run(month: str) -> None:
    """Issue the invoices of a month that has begun: one per payer, numbered and sent."""
    try:
        done = services.run(SYSTEM, read_month(month))
    except DomainError as error:
        raise click.ClickException(f"{error.code}: {say(error)}") from error
    for invoice in done.issued:
        click.echo(f"{invoice.number} {invoice.payable_cents / 100:.2f} {invoice.currency}")
    for name in done.carried:
        click.echo(f"carried over, nothing to pay: {name}")
    for name, problem in done.problems:
        click.echo(f"not issued: {name}: {problem.code}: {say(problem)}", err=True)
    if done.problems:
        raise click.exceptions.Exit(1)


@billing.command("check")
def check() -> None:
    """Check the chain of issued documents against the keyring; fail when one was altered, dropped or slipped in."""
    found = services.chain_problems(public_keys())
    for problem in found:
        click.echo(problem, err=True)
    if found:
        raise click.exceptions.Exit(1)
    click.echo("Every document is as it was issued.")

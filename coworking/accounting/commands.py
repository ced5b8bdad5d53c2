"""``flask billing close``."""

from __future__ import annotations

import click
from flask import Flask

from coworking.accounting import closing_queries, closings
from coworking.billing.commands import billing
from coworking.core.errors import DomainError
from coworking.core.months import month_days, read_month
from coworking.core.web import say


def init(_app: Flask) -> None:
    """The group stands in billing; importing this module adds the command to it."""


@billing.command("close")
@click.argument("month", metavar="YYYY-MM")
def close(month: str) -> None:
    """Close the takings of each day of a month that is over and not closed yet, as the worker does every night.

    With its last day the month is closed too, and with 31 December the year. Running it again closes nothing.
    """
    try:
        first, last = month_days(read_month(month))
    except DomainError as error:
        raise click.ClickException(f"{error.code}: {say(error)}") from error
    if not closing_queries.has_closings():
        raise click.ClickException("This lieu is not liable to VAT: it closes nothing.")
    done = closings.close_due(last)
    click.echo(f"{done} days closed.")
    for day, wrong in closings.held_back():
        if day <= last:
            raise click.ClickException(f"{day} is not closed, for {wrong}. `flask audit` says more.")
    for row in closing_queries.closings_between(first, last, "month"):
        click.echo(
            f"{month}: sales {row.sales_cents / 100:.2f}, since the first closing {row.perpetual_sales_cents / 100:.2f}"
        )

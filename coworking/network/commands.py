"""``flask network …``, for whoever administers the server of a lieu or of a network head."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup

from coworking.core.errors import DomainError
from coworking.core.i18n import in_language
from coworking.core.months import read_month, write_month
from coworking.core.policy import SYSTEM
from coworking.core.web import say
from coworking.network.head import census_rules, directory_import
from coworking.network.head.import_labels import remark_words
from coworking.network.lieu import sending, services
from coworking.network.lieu.labels import trouble
from coworking.statistics import queries as statistics

network = AppGroup("network", help="The network of lieux: the monthly returns and the directory.")


def init(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(network)


@network.command("import-lieux")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing.")
def import_lieux(file: Path, dry_run: bool) -> None:
    """Put the places of FILE (CSV, UTF-8, columns of the 2019 census of tiers-lieux) into the directory.

    A row that cannot be used is reported with its line and does not stop the others. Doing it again changes nothing, and
    never what was edited by hand.
    """
    try:
        with file.open("rb") as source:
            reading = census_rules.read(source.read(census_rules.MOST_BYTES + 1))
        done = directory_import.import_places(reading, dry_run=dry_run, file_name=file.name)
    except DomainError as error:
        with in_language("en"):
            raise click.ClickException(say(error)) from error
    with in_language("en"):
        for remark in done.remarks:
            click.echo(f"line {remark.line}: {remark_words(remark)}", err=True)
    without = Counter(remark.code.removeprefix("no_") for remark in done.remarks if remark.code in census_rules.DROPPED)
    verb = "would be " if dry_run else ""
    click.echo(
        f"{done.added} {verb}added, {done.changed} {verb}changed, {done.same} as they were, {done.left_out} left out."
    )
    if done.remarks and not dry_run:
        click.echo("The lead finds these remarks in the directory, under Imports.")
    if without:
        click.echo(f"Imported without: {', '.join(f'{name} {count}' for name, count in sorted(without.items()))}.")


@network.command("send")
@click.argument("month", metavar="YYYY-MM")
def send(month: str) -> None:
    """Send a closed month's highest revision to the network head, now."""
    try:
        first = read_month(month)
        services.send_again(SYSTEM, first)
        delivery = sending.send(first, statistics.closed(first).revision)
        if delivery is not None and delivery.state == "replaced":  # the head knew of a later one: the month went on
            delivery = sending.send(first, statistics.closed(first).revision)
    except DomainError as error:
        raise click.ClickException(f"{error.code}: {say(error)}") from error
    except (sending.NotYet, sending.Refused) as error:
        raise click.ClickException(trouble(str(error))) from error
    assert delivery is not None
    click.echo(f"{write_month(first)} r{delivery.revision} {delivery.state} {delivery.digest}")

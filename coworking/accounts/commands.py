"""``flask create-manager``, ``flask token`` and ``flask reset-second-step``, for whoever administers the server."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import with_appcontext

from coworking.accounts import api_tokens, queries, rules, second_step, staff
from coworking.core.errors import DomainError
from coworking.core.i18n import in_language
from coworking.core.reading import ChoiceUnknown, normal_email
from coworking.core.settings import settings
from coworking.core.web import say


def init(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(create_manager)
    app.cli.add_command(token)
    app.cli.add_command(reset_second_step)


@click.command("create-manager")
@click.argument("email")
@click.option("--first-name", default="", help="Otherwise the part of the address before the @.")
@click.option("--last-name", default="")
@with_appcontext
def create_manager(email: str, first_name: str, last_name: str) -> None:
    """Make the person with EMAIL a manager and print a link to choose a password."""
    try:
        _person, link = staff.create_manager(email, first_name=first_name, last_name=last_name)
    except DomainError as error:
        raise _plain(error) from error
    click.echo(f"{settings().base_url}/reset/{link}")


@click.command("token")
@click.argument("email")
@click.option("--scopes", default=" ".join(rules.SCOPES), show_default=True, help="Separated by spaces or commas.")
@click.option("--name", default="flask token", show_default=True, help="Under which the person sees it.")
@click.option("--days", default=rules.TOKEN_DAYS, show_default=True, help="How long it lasts.")
@with_appcontext
def token(email: str, scopes: str, name: str, days: int) -> None:
    """Print a new API token of the person with EMAIL, alone."""
    person = queries.person_by_email(normal_email(email))
    if person is None or not person.is_active:
        raise click.ClickException(f"Nobody here has the address {email}.")
    try:
        wanted = frozenset(scopes.replace(",", " ").split())
        text = api_tokens.issue(person.actor(), name=name, scopes=wanted, days=days)
    except ChoiceUnknown as error:
        raise click.ClickException(f"Scopes are: {', '.join(rules.SCOPES)}.") from error
    except DomainError as error:
        raise _plain(error) from error
    click.echo(text)


@click.command("reset-second-step")
@click.argument("email")
@with_appcontext
def reset_second_step(email: str) -> None:
    """Take the second step of the person with EMAIL away: for a manager who lost the phone and the recovery codes."""
    if not second_step.reset_by_server(normal_email(email)):
        raise click.ClickException(f"Nobody here with the address {email} has a second step.")
    click.echo(f"{email} signs in without a second step, is signed out everywhere and gets an e-mail that says so.")


def _plain(error: DomainError) -> click.ClickException:
    with in_language("en"):
        return click.ClickException(say(error))

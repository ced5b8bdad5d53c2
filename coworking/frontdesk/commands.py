"""`flask setup`: the database, then the same questions as in the browser, at the terminal or from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from flask import Flask, g
from flask.cli import with_appcontext

from coworking.accounts.passwords import hash_password
from coworking.core import retention
from coworking.core.errors import DomainError
from coworking.core.formats import minutes_range, raised, weekday_names
from coworking.core.i18n import LANGUAGES, _
from coworking.core.migrating import upgrade
from coworking.core.sender import default_address
from coworking.core.units import end_read
from coworking.core.web import say
from coworking.frontdesk import keeping_pages, questions
from coworking.spaces import queries

_STATUS = click.Choice(["association", "company", "public", "individual"])


def init(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(setup)
    app.cli.add_command(purge)
    privacy.add_command(purge)
    app.cli.add_command(privacy)


@click.group("privacy")
def privacy() -> None:
    """What the lieu holds about people."""


@click.command("purge")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@with_appcontext
def purge(dry_run: bool) -> None:
    """Let go of what is over its time, as the lieu chose it; also as ``flask privacy purge``."""
    for line in keeping_pages.lines():
        day = f" ({line.next_on.isoformat()})" if line.next_on is not None else ""
        exempt = f" ({line.exempt} exempt)" if line.exempt else ""
        click.echo(f"{line.rows:>8}  {line.kind}: {line.days} d{exempt}{day}")
    if not dry_run:
        click.echo(f"{retention.purge():>8}  gone")


@click.command("setup")
@click.option(
    "--answers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='A JSON object with one object of inputs per question: {"1": {"name": …}, …}.',
)
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="fr", show_default=True, help="Asks in this language."
)
@with_appcontext
def setup(answers: Path | None, language: str) -> None:
    """Make the database and the lieu: a few questions, then it is ready to be booked."""
    g.language = language
    upgrade()
    if queries.lieu_or_none() is not None:
        raise click.ClickException(_("This lieu is set up already."))
    typed = _read_file(answers) if answers else _ask_all()
    end_read()
    try:
        person = questions.finish(typed, hash_password(typed[questions.LAST]["password"]))
    except DomainError as error:
        raise click.ClickException(say(error)) from error
    click.echo(_("Ready. Start the lieu with “make serve” and sign in as %(email)s.", email=person.email))


def _read_file(path: Path) -> dict[str, dict[str, str]]:
    try:
        typed: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise click.ClickException(f"{path}: {error}") from error
    if not isinstance(typed, dict) or not all(isinstance(part, dict) for part in typed.values()):
        raise click.ClickException(_("The file must hold one object of inputs per question."))
    inputs = {key: {n: str(v) for n, v in typed.get(key, {}).items()} for key in questions.BY_KEY}
    wrong = [
        f"{key}.{name}: {text}"
        for key, question in questions.BY_KEY.items()
        for name, text in questions.read(question, inputs[key], inputs).errors.items()
    ]
    if wrong:
        raise click.ClickException("\n".join(wrong))
    return inputs


def _ask_all() -> dict[str, dict[str, str]]:
    typed: dict[str, dict[str, str]] = {}
    for question in questions.QUESTIONS:
        title = _(question.title)
        click.secho(f"\n{question.number}/{questions.COUNT}  {title}", bold=True)
        while True:
            inputs = _ASK[question.key](typed)
            errors = questions.read(question, inputs, typed).errors
            if not errors and (question.key != "4" or _agrees(inputs)):
                break
            for name, text in errors.items():
                click.secho(f"{name}: {text}", fg="red")
        typed[question.key] = inputs
    return typed


def _agrees(inputs: dict[str, str]) -> bool:
    """Show the week that these hours make, and ask."""
    click.echo(_("The week as it will be"))
    week = questions.resulting_week({"4": inputs})
    colon = _(": ")
    for name, hours in zip(weekday_names(), week.values(), strict=True):
        said = ", ".join(minutes_range(start, end) for start, end in hours) or _("closed")
        click.echo(f"  {raised(name)}{colon}{said}")
    return click.confirm(_("Is this right?"), default=True)


def _text(label: str, default: str | None = None) -> str:
    return str(click.prompt(label, default=default, show_default=bool(default)))


def _place(_typed: questions.Typed) -> dict[str, str]:
    return {
        "name": _text(_("Name of the place")),
        "address": _text(_("Street and number"), ""),
        "postcode": _text(_("Postcode")),
        "city": _text(_("Town")),
    }


def _legal(_typed: questions.Typed) -> dict[str, str]:
    return {"legal_status": click.prompt(_("Who runs it?"), type=_STATUS, default="association")}


def _vat(typed: questions.Typed) -> dict[str, str]:
    asked = {
        "association": _("Is your association subject to commercial taxes?"),
        "public": _("Are the place\u2019s prices subject to VAT?"),
    }.get(questions.legal_status(typed), _("Do you add VAT to your prices?"))
    return {"taxed": "yes" if click.confirm(asked, default=False) else "no"}


def _week(_typed: questions.Typed) -> dict[str, str]:
    days = _text(_("Open days, 1 = Monday to 7 = Sunday"), "1 2 3 4 5")
    opens, closes = _text(_("Opens at"), "9:00"), _text(_("Closes at"), "18:00")
    inputs = {"staffed": "same"}
    for digit in sorted(set(days) & set("1234567")):
        weekday = int(digit) - 1
        inputs |= {f"open_{weekday}": "1", f"from_{weekday}": opens, f"to_{weekday}": closes}
    if click.confirm(_("Closed at lunchtime?"), default=False):
        inputs |= {
            "lunch": "1",
            "lunch_from": _text(_("From"), "12:30"),
            "lunch_to": _text(_("Until"), "13:30"),
        }
    if not click.confirm(_("Is someone there during all these hours?"), default=True):
        if click.confirm(_("Is someone there during part of them?"), default=True):
            inputs |= {
                "staffed": "part",
                "staffed_from": _text(_("From"), "9:00"),
                "staffed_to": _text(_("Until"), "12:00"),
            }
        else:
            inputs["staffed"] = "none"
    return inputs


def _desks(_typed: questions.Typed) -> dict[str, str]:
    return {
        "desks": _text(_("Number of desks"), "10"),
        "zone": _text(_("Name of the area where they are"), _("Open space")),
    }


def _rooms(_typed: questions.Typed) -> dict[str, str]:
    lines: list[str] = []
    while line := _text(_("A room and its seats, such as: Blue room, 8 (empty when done)"), ""):
        lines.append(line)
    return {"rooms": "\n".join(lines)}


def _holidays(typed: questions.Typed) -> dict[str, str]:
    if not click.confirm(_("Closed on public holidays?"), default=True):
        return {}
    inputs = {"holidays": "1"}
    if questions.proposed_area(typed) and click.confirm(_("Those of your area too?"), default=True):
        inputs["local_holidays"] = "1"
    return inputs


def _sender(_typed: questions.Typed) -> dict[str, str]:
    click.echo(_("Left empty, e-mails come from %(address)s.", address=default_address()))
    return {
        "reply_to": _text(_("Answers go to"), ""),
        "from_address": _text(_("Address of the sender"), ""),
        "from_name": _text(_("Name of the sender"), ""),
    }


def _manager(_typed: questions.Typed) -> dict[str, str]:
    return {
        "first_name": _text(_("First name")),
        "last_name": _text(_("Last name")),
        "email": _text(_("E-mail address")),
        "password": str(click.prompt(_("Password"), hide_input=True, confirmation_prompt=True)),
    }


_ASK = {
    "1": _place,
    "2": _legal,
    "2b": _vat,
    "3": lambda _typed: {"siret": _text(_("SIRET number (empty if there is none yet)"), "")},
    "4": _week,
    "4b": _holidays,
    "5": lambda _typed: {"split": _text(_("The morning ends at"), "13:00")},
    "6": _desks,
    "7": _rooms,
    "7b": _sender,
    "8": _manager,
}

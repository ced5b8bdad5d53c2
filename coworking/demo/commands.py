"""``flask demo``."""

from __future__ import annotations

import gc

import click
from flask import Flask

from coworking.accounts.passwords import hash_password
from coworking.core.clock import now
from coworking.core.db import db, hurry
from coworking.core.migrating import upgrade
from coworking.demo import make
from coworking.demo.cast import PASSWORD


def init(app: Flask) -> None:
    """Register the command."""

    @app.cli.command("demo")
    @click.option("--months", default=12, show_default=True, help="How many months of history.")
    @click.option("--seed", default=1, show_default=True, help="Another seed, another year.")
    def demo(months: int, seed: int) -> None:
        """Make the demo lieu in an empty database of its own."""
        upgrade()
        try:
            if make.is_made():
                click.echo("The demo is already there.")
                return
        except make.NotADemo as error:
            raise click.ClickException(str(error)) from error
        db.session.rollback()
        hurry(db.engine)  # it can be made again: no need to wait for the disk
        gc.freeze()  # a year leaves little garbage that counts references cannot: do not look for it all the time
        gc.set_threshold(50_000, 20, 100)
        make.make(password_hash=hash_password(PASSWORD), until=now(), months=months, seed=seed)
        click.echo(f"The demo is ready. Every account's password: {PASSWORD}")

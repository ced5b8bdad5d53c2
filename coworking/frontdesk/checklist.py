"""What a manager still has to set up so that invoices, e-mails and backups work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from flask import url_for

from coworking.billing import drafts
from coworking.billing import queries as billing
from coworking.billing.documents import VAT_NUMBER
from coworking.core import backup, legal, sender
from coworking.core.clock import now
from coworking.core.i18n import _, ngettext
from coworking.core.policy import Actor, Role
from coworking.core.settings import settings
from coworking.pricing import queries as pricing
from coworking.spaces import queries as spaces


@dataclass(frozen=True, slots=True)
class MissingItem:
    """One missing setting: what it is, why it matters, and the link to its page (None: on the server)."""

    what: str
    why: str
    act: str | None
    url: str | None


def items(actor: Actor) -> list[MissingItem]:
    """What is missing, for a manager; nothing for anyone else, and in a simulation."""
    lieu = spaces.lieu()
    if not actor.has(Role.MANAGER) or lieu.is_simulation:
        return []
    return [*_house(), *_money(lieu.legal_status), *_mail(), *_notice(), *_saved()]


def _house() -> Iterator[MissingItem]:
    today = spaces.today()
    if not spaces.resources(day=today):
        yield MissingItem(
            _("No desk or room can be booked."),
            _("Add desks and rooms in the settings of the areas."),
            _("Add desks and rooms"),
            url_for("spaces.spaces"),
        )
    if not any(row.open() for row in spaces.days(today, today + timedelta(days=13)).values()):
        yield MissingItem(
            _("The lieu is closed for the next two weeks."),
            _("Desks are booked within the opening hours."),
            _("Set the opening hours"),
            url_for("spaces.hours"),
        )
    if pricing.tariff_on(today) is None:
        yield MissingItem(
            _("No prices are set: everything is free."),
            _("Even if everything is free, set prices of 0 €."),
            _("Set the prices"),
            url_for("pricing.prices"),
        )


def _money(legal_status: str) -> Iterator[MissingItem]:
    row = billing.settings_row()
    if missing := drafts.missing():
        yield MissingItem(
            _(
                "Invoices cannot be issued before these are known: %(what)s.",
                what=", ".join(_(name) for name in missing),
            ),
            _("The law wants it on each of them."),
            _("Complete the place"),
            url_for("billing.settings" if missing == [VAT_NUMBER] else "spaces.lieu"),
        )
    if legal_status == "company" and not row.legal_mention:
        yield MissingItem(
            _("Legal form, capital and register are missing."),
            _("A company shows them on each invoice."),
            _("Complete the invoices"),
            url_for("billing.settings"),
        )
    if not row.iban:
        yield MissingItem(
            _("No bank account: invoices do not say how to pay."),
            _("With IBAN and BIC an invoice also carries a code to pay with a phone."),
            _("Add the IBAN"),
            url_for("billing.settings"),
        )
    elif not row.bic:
        yield MissingItem(
            _("The BIC of the bank account is missing."),
            _("Some banks ask for it."),
            _("Add the BIC"),
            url_for("billing.settings"),
        )


def _mail() -> Iterator[MissingItem]:
    row = sender.mail_settings()
    if settings().smtp_url is None:
        yield MissingItem(
            _("E-mails are not sent."),
            _("They are written to files until SMTP_URL is set in the file .env on the server."),
            _("See the e-mails’ settings"),
            url_for("mail.edit"),
        )
    elif not row.tried_well:
        yield MissingItem(
            _("Nobody knows yet whether e-mails arrive."),
            _("They come from %(address)s.", address=row.from_address or sender.default_address()),
            _("Try the sender"),
            url_for("mail.edit"),
        )


def _notice() -> Iterator[MissingItem]:
    if missing := legal.missing():
        yield MissingItem(
            _("The legal notice lacks %(what)s.", what=", ".join(_(name) for name in missing)),
            _("The law wants it on every site."),
            _("Complete the notice"),
            url_for("privacy.legal"),
        )


def _saved() -> Iterator[MissingItem]:
    last = backup.last()
    age = now() - last.created_at if last else None
    if age is not None and age < backup.TOO_OLD:
        return
    yield MissingItem(
        _("No backup was made yet.")
        if age is None
        else ngettext("The last backup is %(num)s day old.", "The last backup is %(num)s days old.", age.days),
        _("On the server: set BACKUP_DIR in the file .env for one every night, or run “flask backup”."),
        None,
        None,
    )

"""What the membership pages share."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect
from flask.typing import ResponseReturnValue

from coworking.core.errors import DomainError
from coworking.core.forms import Form
from coworking.core.web import refusal
from coworking.membership import queries
from coworking.membership.models import PackOffer
from coworking.spaces import queries as spaces

blueprint = Blueprint("membership", __name__)


@blueprint.app_template_global()
def pack_cents(offer: PackOffer) -> int:
    """What buying an offer comes to, with its VAT."""
    return queries.pack_cents(offer)


def is_taxable() -> bool:
    """Whether the lieu charges VAT at all: who does not never meets it."""
    return spaces.lieu().vat_status == "taxable"


def done(form: Form, action: Callable[[], object], said: str, *, field: str) -> bool:
    """Run ``action`` unless something typed is wrong, and say so; a refusal lands at its ``field``."""
    if form.is_good:
        with form.trying(at=field):
            action()
            flash(said)
            return True
    return False


def tried(
    action: Callable[[], object], said: str, *, back: str, page: Callable[[], ResponseReturnValue]
) -> ResponseReturnValue:
    """Run ``action``, say so and go ``back``; what it refuses is said on ``page``."""
    try:
        action()
    except DomainError as error:
        return refusal(error, page)
    flash(said)
    return redirect(back, 303)

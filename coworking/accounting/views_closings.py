"""Closings: a month's days beside months and years, one closing as page and PDF, and a year to keep or hand over."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from coworking.accounting import closing_formats, closing_pages, closing_queries, closings
from coworking.accounting.closing_formats import SignedClosing
from coworking.accounts.session import require_proof
from coworking.billing.pdf import LANGUAGE
from coworking.core import pdf
from coworking.core.errors import N_, NotFound
from coworking.core.keyring import public_keys
from coworking.core.months import read_month
from coworking.core.policy import Role, requires
from coworking.core.units import end_read
from coworking.core.version import VERSION

blueprint = Blueprint("closings", __name__, url_prefix="/closings")

MOVED_WORDS = {
    "receipt": N_("receipts"),
    "payment": N_("payments of invoices"),
    "deposit_return": N_("deposits given back"),
    "payer_credit": N_("credits given back"),
    "online_refund": N_("online payments given back"),
    "float": N_("change put in"),
    "bank": N_("taken to the bank"),
    "difference": N_("differences found by counting"),
}
"""What moved cash, as closings name it."""


@blueprint.get("")
@requires(Role.ACCOUNTANT)
def index() -> ResponseReturnValue:
    """The days of a month, the newest one unless another is asked for, beside the months of its year and all years."""
    _check_closes()
    asked = request.args.get("month", "")
    return render_template(
        "accounting/closings.html",
        page=closing_pages.closings_page(read_month(asked) if asked else None),
        so_far=closings.so_far(),
        version=VERSION,
        moved_words=MOVED_WORDS,
    )


@blueprint.get("/<public_id>")
@requires(Role.ACCOUNTANT)
def one(public_id: str) -> ResponseReturnValue:
    shown = closing_pages.shown(closing_queries.closing(public_id))
    return render_template(
        "accounting/closing.html", shown=shown, doc=_readable(shown.content), moved_words=MOVED_WORDS
    )


@blueprint.get("/<public_id>.pdf")
@requires(Role.ACCOUNTANT)
def one_pdf(public_id: str) -> ResponseReturnValue:
    """Drawn anew each time from what was signed: nothing is sent, so nothing needs to be kept."""
    row = closing_queries.closing(public_id)
    doc, link = _readable(closing_queries.closing_text(row)), closing_queries.closing_link(row)
    name = f"cloture-{row.kind}-{row.last_day:%Y-%m-%d}.pdf"
    html = pdf.html(
        "accounting/closing_pdf.html", locale=LANGUAGE, doc=doc, link=link, place=doc["seller"], moved_words=MOVED_WORDS
    )
    end_read()
    with pdf.turn() as draw:
        answer = Response(draw(html), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return answer


@blueprint.get("/<int:year>.zip")
@requires(Role.ACCOUNTANT)
def export(year: int) -> ResponseReturnValue:
    _check_closes()
    require_proof()
    if not closing_queries.has_closings_of(year):
        raise NotFound()
    rows = closing_queries.closings_between(date(year, 1, 1), date(year, 12, 31))
    signed = [
        SignedClosing(closing_queries.closing_link(row), row.payload, closing_queries.closing_text(row)) for row in rows
    ]
    answer = Response(closing_formats.archive(year, signed, public_keys()), mimetype="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="clotures-{year}.zip"'
    return answer


@blueprint.app_template_global()
def closes_takings() -> bool:
    """Whether pages show the way to closings: also to a lieu that is no longer liable to VAT, where some were made."""
    return closing_queries.has_closings()


def _check_closes() -> None:
    """A lieu that never was liable to VAT never meets closings."""
    if not closing_queries.has_closings():
        raise NotFound()


def _readable(content: dict[str, Any]) -> dict[str, Any]:
    """The content of a closing with its dates and instants as such, for templates."""
    days = {name: date.fromisoformat(content[name]) for name in ("first_day", "last_day")}
    instants = {name: datetime.fromisoformat(content[name]) for name in ("starts_at", "ends_at", "closed_at")}
    return content | days | instants

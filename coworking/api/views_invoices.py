"""Invoices and credit notes, to be read."""

from __future__ import annotations

from typing import Any

from apiflask import FileSchema
from flask import Response

from coworking.api import queries, render
from coworking.api.pages import blueprint
from coworking.api.render import Json
from coworking.api.schemas.invoices import Invoice, Invoices, InvoicesQuery
from coworking.billing import pdf
from coworking.billing import queries as billing
from coworking.core.errors import NotFound
from coworking.core.policy import current_actor, requires


@blueprint.get("/invoices/<invoice_id>")
@requires(scope="invoices:read")
@blueprint.output(Invoice())
def invoice(invoice_id: str) -> Json:
    """One invoice or credit note"""
    return render.invoice(billing.standing_for(current_actor(), invoice_id))


@blueprint.get("/invoices")
@requires(scope="invoices:read")
@blueprint.input(InvoicesQuery(), location="query", unknown=None)
@blueprint.output(Invoices())
def list_invoices(query_data: dict[str, Any]) -> Json:
    """Issued invoices and credit notes, the latest first

    One's own and those of an organisation whose contact one is; managers and accountants read all of them.
    """
    cursor = query_data.get("cursor")
    try:
        last = str(queries.decode_cursor(cursor, str)[0]) if cursor is not None else None
        rows, following = billing.documents(
            current_actor(),
            billing.Filters(month=query_data.get("month")),
            after=last,
            limit=query_data["limit"],
        )
    except NotFound as error:
        raise queries.InvalidCursor() from error
    return {
        "items": [render.invoice(row) for row in rows],
        "next": queries.encode_cursor(following) if following is not None else None,
    }


@blueprint.get("/invoices/<invoice_id>.pdf")
@requires(scope="invoices:read")
@blueprint.output(FileSchema(type="string", format="binary"), content_type="application/pdf")
def invoice_pdf(invoice_id: str) -> Response:
    """The PDF of an invoice or credit note

    The same bytes whenever it is asked for. 503 `pdf_unavailable` where the server cannot make PDFs.
    """
    row = billing.standing_for(current_actor(), invoice_id).invoice
    return Response(pdf.pdf_of(row), mimetype="application/pdf")

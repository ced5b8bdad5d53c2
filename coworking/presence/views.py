"""« Mes attestations de présence », their PDFs, and the public page that verifies one."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import queries as accounts
from coworking.core.errors import DomainError
from coworking.core.i18n import language
from coworking.core.months import read_month, write_month
from coworking.core.policy import current_actor, public, signed_in
from coworking.core.web import say
from coworking.presence import attestation as attestations_of_presence
from coworking.presence import pdf
from coworking.presence.attestation import Statement, issue, issued_to, months_of, of_oneself, statement_of
from coworking.presence.attested import NoSuchAttestation, normal_code
from coworking.spaces import queries as spaces

blueprint = Blueprint("presence", __name__)


@blueprint.get("/me/attestations")
@signed_in
def attestations() -> ResponseReturnValue:
    return _list()


@blueprint.post("/me/attestations")
@signed_in
def issue_attestation() -> ResponseReturnValue:
    """For oneself only: nothing that is sent names a person."""
    try:
        month = read_month(request.form.get("month"))
        made = issue(
            current_actor(), month, employer=request.form.get("employer") or None, only_paid="only_paid" in request.form
        )
    except DomainError as error:
        if error.status != 422:
            raise
        return _list(error), 422
    return redirect(url_for("presence.attestation", public_id=made.public_id), 303)


@blueprint.get("/me/attestations/<public_id>")
@signed_in
def attestation(public_id: str) -> ResponseReturnValue:
    return render_template("presence/attestation.html", statement=statement_of(of_oneself(current_actor(), public_id)))


@blueprint.get("/me/attestations/<public_id>/attestation.pdf")
@signed_in
def attestation_pdf(public_id: str) -> ResponseReturnValue:
    found = of_oneself(current_actor(), public_id)
    name = f"attestation-presence-{write_month(found.month)}.pdf"
    response = Response(pdf.pdf_of(found, language()), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@blueprint.get("/verify")
@public
def verify_form() -> ResponseReturnValue:
    code = normal_code(request.args.get("code", ""))
    if code:
        return redirect(url_for("presence.verify", code=code), 303)
    return _verified(None)


@blueprint.get("/verify/<code>")
@public
def verify(code: str) -> ResponseReturnValue:
    """The attestation with this code, for anybody who has the code."""
    try:
        found = attestations_of_presence.verify(code, request.remote_addr)
    except NoSuchAttestation as error:
        return _verified(None, code=code[:40], error=say(error)), 404
    return _verified(statement_of(found))


def _list(error: DomainError | None = None) -> str:
    person_id = current_actor().person_id or 0
    months, today = months_of(person_id), spaces.today()
    return render_template(
        "presence/attestations.html",
        months=months,
        employers=accounts.organisations_between(person_id, months[-1], today) if months else [],
        issued=[statement_of(row) for row in issued_to(person_id)],
        typed=request.form,
        error=error,
        wrong=say(error) if error is not None else None,
    )


def _verified(statement: Statement | None, *, code: str = "", error: str | None = None) -> Response:
    response = make_response(render_template("presence/verify.html", statement=statement, code=code, error=error))
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Cache-Control"] = "no-store"
    return response

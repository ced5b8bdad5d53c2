"""Setting a lieu up, one question a screen. The pages exist until there is a lieu, for who has read the server's log."""

from __future__ import annotations

from flask import (
    Blueprint,
    flash,
    redirect,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from coworking.accounts.pages import visitor_address
from coworking.accounts.password_rules import MIN_PASSWORD
from coworking.accounts.passwords import hash_password
from coworking.accounts.session import begin_as
from coworking.core.errors import NotFound
from coworking.core.formats import weekday_names
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.place import NotSetUp
from coworking.core.policy import public
from coworking.core.sender import default_address
from coworking.core.units import end_read
from coworking.core.web import problem, say, wants_problem
from coworking.frontdesk import questions, setup_code
from coworking.spaces import queries

blueprint = Blueprint("setup", __name__, url_prefix="/setup")

KEPT = "setup"
"""Under this name the session keeps the answers given so far (never the password)."""
OPENED = "setup_opened"
"""Under this name the session keeps that this browser gave the server's code."""


@blueprint.app_errorhandler(NotSetUp)
def lead_to_setup(error: NotSetUp) -> ResponseReturnValue:
    """Redirect every page to the setup questions."""
    if wants_problem():
        return problem(error.status, error.code, say(error))
    return redirect(url_for("setup.start"))


@blueprint.before_request
def only_once_and_with_the_code() -> ResponseReturnValue | None:
    if queries.lieu_or_none() is not None:
        raise NotFound()
    if not session.get(OPENED) and request.endpoint not in ("setup.code", "setup.give_code"):
        return redirect(url_for("setup.code"), 303)
    return None


@blueprint.get("/code")
@public
def code() -> ResponseReturnValue:
    return form_page("frontdesk/setup/code.html", Form())


@blueprint.post("/code")
@public
def give_code() -> ResponseReturnValue:
    form = Form(request.form)
    with form.trying(at="code"):
        setup_code.prove(form["code"], visitor_address())
        session[OPENED] = True
        return redirect(url_for("setup.start"), 303)
    return form_page("frontdesk/setup/code.html", form)


@blueprint.get("")
@public
def start() -> ResponseReturnValue:
    return redirect(url_for("setup.ask", key=questions.first_unanswered(session.get(KEPT, {})).key))


@blueprint.get("/<key>")
@public
def ask(key: str) -> ResponseReturnValue:
    question, typed = _question(key), session.get(KEPT, {})
    first = questions.first_unanswered(typed)
    if questions.QUESTIONS.index(question) > questions.QUESTIONS.index(first):
        return redirect(url_for("setup.ask", key=first.key))
    return _page(question, Form(typed.get(key, questions.usual(question))))


@blueprint.post("/<key>")
@public
def answer(key: str) -> ResponseReturnValue:
    question, typed = _question(key), session.get(KEPT, {})
    inputs = {name: value[:4000] for name, value in request.form.items() if name != "csrf_token"}
    form = questions.read(question, inputs, typed)
    if not form.is_good:
        return _page(question, form)
    if key == questions.LAST:
        return _finish(typed, inputs)
    session[KEPT] = typed | {key: inputs}
    following = questions.neighbour(key, 1) or question
    return redirect(url_for("setup.ask", key=following.key), 303)


def _finish(typed: questions.Typed, inputs: dict[str, str]) -> ResponseReturnValue:
    missing = questions.first_unanswered(typed)
    if missing.key != questions.LAST:
        return redirect(url_for("setup.ask", key=missing.key), 303)
    end_read()  # hashing takes a while
    password_hash = hash_password(inputs["password"])
    person = questions.finish({**typed, questions.LAST: inputs}, password_hash)
    begin_as(person)
    flash(_("Your place is ready, and next week can be booked."))
    return redirect(url_for("frontdesk.today"), 303)


def _question(key: str) -> questions.Question:
    if key not in questions.BY_KEY:
        raise NotFound()
    return questions.BY_KEY[key]


def _page(question: questions.Question, form: Form) -> ResponseReturnValue:
    typed = session.get(KEPT, {})
    return form_page(
        f"frontdesk/setup/{question.key}.html",
        form,
        weekdays=weekday_names(),
        question=question,
        count=questions.COUNT,
        before=questions.neighbour(question.key, -1),
        legal_status=questions.legal_status(typed),
        area=questions.proposed_area(typed),
        week=questions.resulting_week(typed) if question.key == "4b" else {},
        default_sender=default_address(),
        min_password=MIN_PASSWORD,
    )

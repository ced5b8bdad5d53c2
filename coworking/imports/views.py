"""Importing a spreadsheet, for managers: choose the file, say what its columns hold, check, start, read the report."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts.session import require_proof
from coworking.core import exports
from coworking.core.errors import N_, DomainError
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.policy import Actor, Role, current_actor, requires
from coworking.core.web import large_body, refusal, say
from coworking.imports import judging, queries, services
from coworking.imports.column_rules import FIELDS, SUBJECTS, Subject, guessed_columns
from coworking.imports.models import ImportFile
from coworking.imports.pages import (
    DECISION_WORDS,
    FIELD_WORDS,
    OUTLOOK,
    REPORT,
    STATE_WORDS,
    SUBJECT_HINTS,
    SUBJECT_WORDS,
    blueprint,
    change_words,
    counted_words,
    line_words,
)
from coworking.imports.table_rules import MOST_BYTES, MOST_COLUMNS, MOST_LINES

SHOWN = 100


@blueprint.get("")
@requires(Role.MANAGER)
def index() -> ResponseReturnValue:
    wanted = request.args.get("subject", "")
    return _index(Form({"subject": wanted if wanted in SUBJECTS else "people"}))


def _index(form: Form) -> ResponseReturnValue:
    files = queries.files()
    return form_page(
        "imports/index.html",
        form,
        files=files,
        outcomes=queries.outcomes_of([file.id for file in files]),
        subjects=[(name, _(SUBJECT_WORDS[name]), _(SUBJECT_HINTS[name])) for name in SUBJECTS],
        subject_words=SUBJECT_WORDS,
        states=STATE_WORDS,
        most_lines=MOST_LINES,
        most_mb=MOST_BYTES // 1_048_576,
    )


@blueprint.post("")
@requires(Role.MANAGER)
@large_body(MOST_BYTES + 65_536)
def upload() -> ResponseReturnValue:
    form, file = Form(request.form), request.files.get("file")
    chosen = form.choice("subject", SUBJECTS)
    subject: Subject = next(one for one in SUBJECTS if one == chosen)
    if file is None or not file.filename:
        form.refuse("file", _("Choose a file."))
    elif form.is_good:
        with form.trying(at="file"):
            found = services.upload(current_actor(), subject, file.filename, file.stream)
            if found.state == "uploaded" and found.run:
                flash(_("This file was imported before. What is here already is not added twice."))
            return redirect(_place(found.public_id), 303)
    return _index(form)


@blueprint.get("/<public_id>")
@requires(Role.MANAGER)
def one(public_id: str) -> ResponseReturnValue:
    """Where an import stands: its columns before it begins, its progress, its report."""
    file = queries.file_named(public_id)
    if kind := exports.asked():
        require_proof()
        return exports.list_answer(kind, N_("Import"), REPORT, queries.lines_of(file.id))
    return _columns(file, Form()) if file.state == "uploaded" else _report(file)


def _columns(file: ImportFile, form: Form) -> ResponseReturnValue:
    table = None if file.content is None else judging.table_of_file(file)
    proposed = file.columns or ([] if table is None else guessed_columns(_subject(file), table))
    form.over({f"column-{at}": field for at, field in enumerate(proposed)})
    form.over({"replaces": "1" if file.replaces else "0"})
    return form_page(
        "imports/columns.html",
        form,
        file=file,
        table=table,
        choices=[(name, _(FIELD_WORDS[name])) for name in ("", *FIELDS[_subject(file)])],
    )


@blueprint.post("/<public_id>/columns")
@requires(Role.MANAGER)
def choose(public_id: str) -> ResponseReturnValue:
    form, file = Form(request.form), queries.file_named(public_id)
    fields = ("", *FIELDS[_subject(file)])
    columns = [form[f"column-{at}"] for at in range(MOST_COLUMNS) if f"column-{at}" in form]
    with form.trying(at="columns"):
        services.choose(
            current_actor(),
            public_id,
            [name if name in fields else "" for name in columns],
            replaces=form["replaces"] == "1",
        )
        return redirect(url_for("imports.check", public_id=public_id), 303)
    return _columns(queries.file_named(public_id), form)


def _subject(file: ImportFile) -> Subject:
    return next(one for one in SUBJECTS if one == file.subject)


@blueprint.get("/<public_id>/check")
@requires(Role.MANAGER)
def check(public_id: str) -> ResponseReturnValue:
    """What importing the file would do."""
    file = queries.file_named(public_id)
    if file.state != "uploaded" or file.columns is None:
        return redirect(_place(public_id), 303)
    table = judging.table_of_file(file)
    if kind := exports.asked():
        require_proof()
        return exports.list_answer(kind, N_("Import"), OUTLOOK, judging.judged_lines(file, table))
    return form_page(
        "imports/check.html",
        Form({"doubts": file.doubts}),
        file=file,
        found=judging.outlook(file, table),
        decisions=[(name, _(words)) for name, words in DECISION_WORDS.items()],
        decided=file.decisions,
        field_words=FIELD_WORDS,
        say=say,
        counted=counted_words,
        change_words=change_words,
    )


@blueprint.post("/<public_id>/start")
@requires(Role.MANAGER)
def start(public_id: str) -> ResponseReturnValue:
    """Keep what was decided about doubts; begin, unless it is only to be checked again."""
    form = Form(request.form)
    decisions = {int(name[6:]): said for name, said in form.typed.items() if _is_decision(name) and said}
    try:
        services.decide(current_actor(), public_id, form["doubts"], decisions)
        if form["then"] == "check":
            return redirect(url_for("imports.check", public_id=public_id), 303)
        services.start(current_actor(), public_id)
    except DomainError as error:
        return refusal(error, lambda: one(public_id))
    return redirect(_place(public_id), 303)


def _is_decision(name: str) -> bool:
    digits = name.removeprefix("doubt-")
    return name.startswith("doubt-") and digits.isascii() and digits.isdigit() and len(digits) < 7


@blueprint.post("/<public_id>/go-on")
@requires(Role.MANAGER)
def go_on(public_id: str) -> ResponseReturnValue:
    return _done(public_id, services.start, _("The import goes on where it was."))


@blueprint.post("/<public_id>/stop")
@requires(Role.MANAGER)
def stop(public_id: str) -> ResponseReturnValue:
    return _done(public_id, services.stop, _("Stopped. What was imported stays."))


@blueprint.post("/<public_id>/invite")
@requires(Role.MANAGER)
def invite(public_id: str) -> ResponseReturnValue:
    return _done(public_id, services.invite, _("The invitations are on their way."))


@blueprint.post("/<public_id>/forget")
@requires(Role.MANAGER)
def forget(public_id: str) -> ResponseReturnValue:
    try:
        services.forget(current_actor(), public_id)
    except DomainError as error:
        return refusal(error, lambda: one(public_id))
    flash(_("The file is deleted here."))
    return redirect(url_for("imports.index"), 303)


def _done(public_id: str, action: Callable[[Actor, str], None], said: str) -> ResponseReturnValue:
    try:
        action(current_actor(), public_id)
    except DomainError as error:
        return refusal(error, lambda: one(public_id))
    flash(said)
    return redirect(_place(public_id), 303)


def _report(file: ImportFile) -> ResponseReturnValue:
    counts = queries.outcomes_of([file.id])[file.id]
    return render_template(
        "imports/report.html",
        file=file,
        counts=counts,
        state=STATE_WORDS[file.state],
        noted=queries.noted_lines(file.id, SHOWN),
        line_words=line_words,
        counted=counted_words,
        to_invite=queries.count_to_invite(file.id)
        if file.subject == "people" and file.state == "done" and file.invited_at is None
        else 0,
    )


def _place(public_id: str) -> str:
    return url_for("imports.one", public_id=public_id)

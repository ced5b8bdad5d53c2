"""Settings, Reminders: whether they leave, when each step does, and its words."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from coworking.billing import reminding_by_hand
from coworking.billing.reminder_rules import (
    FORMAL,
    LEAST_DAYS,
    LEAST_GAP,
    MOST_DAYS,
    MOST_GAP,
    NO_COSTS,
    PLACEHOLDERS,
    STEPS,
    LateCosts,
    check_words,
    half_year,
    read_rate,
)
from coworking.billing.reminder_step_queries import Reminding, reminding
from coworking.billing.reminder_text import OwedLine, compose
from coworking.billing.reminder_words import STEP_MEANINGS, STEP_NAMES, Words
from coworking.core.errors import DomainError, NotFound
from coworking.core.formats import decimal
from coworking.core.forms import Form, form_page
from coworking.core.i18n import LANGUAGES, _
from coworking.core.policy import Role, current_actor, requires
from coworking.core.settings import settings as environment
from coworking.spaces import queries as spaces

blueprint = Blueprint("reminder_settings", __name__, url_prefix="/settings/reminders")

MOST_SUBJECT, MOST_TEXT = 150, 4000


@blueprint.get("")
@requires(Role.MANAGER)
def index() -> ResponseReturnValue:
    chosen = reminding()
    typed = {"is_on": ("on" if chosen.is_on else "off") if chosen.was_asked else "", "gap_days": str(chosen.gap_days)}
    return _page(Form(typed), chosen)


def _page(form: Form, chosen: Reminding) -> ResponseReturnValue:
    half = half_year(spaces.today())
    known = chosen.ecb.get(half)
    return form_page(
        "billing/reminder_settings.html",
        form.over({"ecb": decimal(known) if known is not None else ""}),
        chosen=chosen,
        names=STEP_NAMES,
        meanings=STEP_MEANINGS,
        half=half,
        is_known=known is not None,
    )


@blueprint.post("")
@requires(Role.MANAGER)
def save() -> ResponseReturnValue:
    form = Form(request.form)
    is_on = form.choice("is_on", ("on", "off")) == "on"
    gap, bp = form.integer("gap_days", LEAST_GAP, MOST_GAP), form.maybe("ecb", read_rate)
    if form.is_good:
        with form.trying():
            rates = {half_year(spaces.today()): bp} if bp is not None else {}
            reminding_by_hand.choose(current_actor(), is_on=is_on, gap_days=gap, ecb_rates=rates)
            flash(
                _("Reminders leave by themselves, from tomorrow on.") if is_on else _("No reminder leaves by itself.")
            )
            return redirect(url_for("reminder_settings.index"), 303)
    return _page(form, reminding())


@blueprint.get("/<number>")
@requires(Role.MANAGER)
def step(number: str) -> ResponseReturnValue:
    return _step_page(_step(number), Form())


def _step(number: str) -> int:
    """The step that an address names; raises `NotFound`."""
    found = next((one for one in STEPS if str(one) == number), None)
    if found is None:
        raise NotFound()
    return found


def _step_page(number: int, form: Form) -> ResponseReturnValue:
    one = reminding().steps[number]
    usual = {"days": str(one.days)} | ({"is_used": "1"} if one.is_used and not form.typed else {})
    for language, words in one.words.items():
        usual |= {f"subject_{language}": words.subject, f"text_{language}": words.text}
    form.over(usual)
    return form_page(
        "billing/reminder_step.html",
        form,
        step=one,
        name=STEP_NAMES[number],
        meaning=STEP_MEANINGS[number],
        previews=_previews(number, _words_of(form)),
        known={
            language: [name for name, means in names.items() if means != "costs" or number == FORMAL]
            for language, names in PLACEHOLDERS.items()
        },
    )


def _words_of(form: Form) -> dict[str, Words]:
    return {
        language: Words(
            " ".join(form[f"subject_{language}"].split()), form[f"text_{language}"].replace("\r\n", "\n").strip()
        )
        for language in LANGUAGES
    }


def _previews(number: int, words: dict[str, Words]) -> dict[str, Words]:
    """What a payer would read, by language; those that hold a name which stands for nothing are left out.

    To an organisation where the step may say what lateness costs.
    """
    found: dict[str, Words] = {}
    for language, given in words.items():
        try:
            check_words(language, given.subject, given.text, step=number)
        except DomainError:
            continue
        today = spaces.today()
        due = today - timedelta(days=reminding().steps[number].days)
        costs = LateCosts(4000, 89) if number == FORMAL else NO_COSTS
        line = OwedLine(f"F{due.year}-0042", due - timedelta(days=30), due, 6600, 6600, number, costs)
        found[language] = compose(
            given,
            language,
            payer="Ateliers Dupont",
            place=spaces.lieu().name,
            link=f"{environment().base_url}/pay/…",
            currency="EUR",
            lines=[line],
            today=today,
        )
    return found


@blueprint.post("/<number>")
@requires(Role.MANAGER)
def save_step(number: str) -> ResponseReturnValue:
    """Its days and words; with ``preview`` only what they would look like, with ``usual`` the usual words again."""
    form, step = Form(request.form), _step(number)
    if "preview" in form:
        for language, words in _words_of(form).items():
            with form.trying():
                check_words(language, words.subject, words.text, step=step)
        return _step_page(step, form)
    days = form.integer("days", LEAST_DAYS, MOST_DAYS)
    for language in LANGUAGES:
        form.text(f"subject_{language}", most=MOST_SUBJECT)
        form.lines(f"text_{language}", most=MOST_TEXT)
    if form.is_good:
        with form.trying():
            words = None if "usual" in form else _words_of(form)
            reminding_by_hand.change_step(
                current_actor(), step, days=days, is_used=form.checked("is_used"), words=words
            )
            flash(_("Saved. What was sent keeps its words."))
            return redirect(url_for("reminder_settings.index"), 303)
    return _step_page(step, form)

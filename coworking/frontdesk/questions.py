"""The questions that make a lieu: what each asks, how its answer is read, and what all of them make together.

The page asks one at a time, the terminal all in a row. Answers travel as the plain text of their inputs, so that both
read them in the same way and a wrong one can be shown again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coworking.accounts.bootstrap import add_manager
from coworking.accounts.models import Person
from coworking.accounts.password_rules import check_password
from coworking.accounts.rules import name_of
from coworking.core import sender
from coworking.core.forms import Form
from coworking.core.i18n import N_, _
from coworking.core.reading import email_of, postcode_of, siret_of
from coworking.core.units import write_unit
from coworking.spaces import services
from coworking.spaces.forms import LEGAL_STATUSES, WEEKDAYS, read_rooms, read_split, read_week
from coworking.spaces.rules import ACCESSIBLE, place_of, weekly

Answers = dict[str, Any]
Typed = Mapping[str, Mapping[str, str]]
"""What was typed, per question key."""

LAST = "8"


@dataclass(frozen=True, slots=True)
class Question:
    """``key`` is its address; ``2b`` belongs to number 2. ``read`` coerces its inputs into settings by name."""

    key: str
    title: str
    read: Callable[[Form, Typed], Answers]

    @property
    def number(self) -> int:
        return int(self.key[0])


def _place(form: Form, _typed: Typed) -> Answers:
    return {
        "name": form.text("name", most=120),
        "address": form.optional("address") or "",
        "postcode": form.check("postcode", postcode_of) or "",
        "city": form.text("city", most=120),
    }


def _legal(form: Form, _typed: Typed) -> Answers:
    return {"legal_status": form.choice("legal_status", LEGAL_STATUSES)}


def _vat(form: Form, typed: Typed) -> Answers:
    """A non-profit or public body that pays no commercial taxes is exempt; a small business is in *franchise*."""
    taxed = form.choice("taxed", ("yes", "no"))
    untaxed = "exempt" if legal_status(typed) in ("association", "public") else "franchise"
    return {"vat_status": "taxable" if taxed == "yes" else untaxed}


def _siret(form: Form, _typed: Typed) -> Answers:
    return {"siret": form.maybe("siret", siret_of)}


def _week(form: Form, _typed: Typed) -> Answers:
    return {"openings": read_week(form)}


def _holidays(form: Form, typed: Typed) -> Answers:
    return {
        "observes_holidays": form.checked("holidays"),
        "holiday_area": proposed_area(typed) if form.checked("local_holidays") else None,
    }


def _split(form: Form, _typed: Typed) -> Answers:
    return {"split_minute": read_split(form)}


def _desks(form: Form, _typed: Typed) -> Answers:
    count = form.integer("desks", 1, 300)
    return {
        "desk_names": [_("Desk %(number)s", number=number) for number in range(1, count + 1)],
        "zone_name": form.text("zone", most=80),
    }


def _rooms(form: Form, _typed: Typed) -> Answers:
    return {"rooms": read_rooms(form, "rooms"), "rooms_zone_name": _("Meeting rooms")}


def _manager(form: Form, typed: Typed) -> Answers:
    first, last = (form.check(name, name_of) or "" for name in ("first_name", "last_name"))
    email = form.email("email")
    form.check("password", check_password, email, (first, last, typed.get("1", {}).get("name", "")))
    return {"first_name": first, "last_name": last, "email": email}


def _sender(form: Form, _typed: Typed) -> Answers:
    return {"sender": read_sender(form)}


def read_sender(form: Form) -> dict[str, str | None]:
    """Who e-mails come from, as `core.sender` takes it. What is left empty is None: the usual."""
    name = form.optional("from_name", most=80)
    if name and "@" in name:
        form.refuse("from_name", _("A name, not an address."))
    return {
        "from_name": name,
        "from_address": form.maybe("from_address", email_of),
        "reply_to": form.maybe("reply_to", email_of),
    }


QUESTIONS = (
    Question("1", N_("What is your place called, and where is it?"), _place),
    Question("2", N_("Who runs it?"), _legal),
    Question("2b", N_("And taxes?"), _vat),
    Question("3", N_("What is its SIRET number?"), _siret),
    Question("4", N_("When may people come in?"), _week),
    Question("4b", N_("And on public holidays?"), _holidays),
    Question("5", N_("When does the morning end?"), _split),
    Question("6", N_("How many desks are there?"), _desks),
    Question("7", N_("Which meeting rooms?"), _rooms),
    Question("7b", N_("Who do e-mails come from?"), _sender),
    Question(LAST, N_("And who are you?"), _manager),
)
BY_KEY = {question.key: question for question in QUESTIONS}
COUNT = QUESTIONS[-1].number


def usual(question: Question) -> dict[str, str]:
    """The usual answers, shown where nothing has been typed yet."""
    week = {"staffed": "same", "lunch_from": "12:30", "lunch_to": "13:30"}
    for weekday in WEEKDAYS:
        week |= {f"open_{weekday}": "1"} if weekday < 5 else {}
        week |= {f"from_{weekday}": "09:00", f"to_{weekday}": "18:00"}
    answers = {
        "4": week,
        "5": {"split": "13:00"},
        "6": {"desks": "10", "zone": _("Open space")},
        "4b": {"holidays": "1", "local_holidays": "1"},
    }
    return answers.get(question.key, {})


def resulting_week(typed: Typed) -> dict[int, Sequence[tuple[int, int]]]:
    """When people may come in, by weekday, as the answers so far say it: what is going to be saved."""
    return weekly(read_week(Form(typed.get("4", {}))), ACCESSIBLE)


def legal_status(typed: Typed) -> str:
    """The legal status answered so far."""
    return typed.get("2", {}).get("legal_status", "association")


def proposed_area(typed: Typed) -> str | None:
    """The holiday area that goes with the postcode answered so far (Alsace-Moselle, overseas), if it has its own."""
    return place_of(typed.get("1", {}).get("postcode", ""))[0]


def neighbour(key: str, step: int) -> Question | None:
    """The question ``step`` places after (or before) ``key``."""
    position = QUESTIONS.index(BY_KEY[key]) + step
    return QUESTIONS[position] if 0 <= position < len(QUESTIONS) else None


def first_unanswered(typed: Typed) -> Question:
    """The first question without an answer; the last one when only it remains."""
    return next((question for question in QUESTIONS if question.key not in typed), QUESTIONS[-1])


def read(question: Question, inputs: Mapping[str, str], typed: Typed) -> Form:
    """One answer as a form that says what is wrong with it."""
    form = Form(inputs)
    question.read(form, typed)
    return form


def finish(typed: Typed, password_hash: str) -> Person:
    """Make the lieu and its first manager out of every answer, in one unit; return the manager.

    The answers have been read without complaint before. Raises `NotFound` when there is a lieu already.
    """
    answers: Answers = {}
    for question in QUESTIONS:
        answers |= question.read(Form(typed[question.key]), typed)
    sent_by = answers.pop("sender")
    who = {name: answers.pop(name) for name in ("first_name", "last_name", "email")}
    with write_unit():
        services.set_up(services.SetUp(**answers))
        sender.set_sender(**sent_by)
        return add_manager(**who, password_hash=password_hash)

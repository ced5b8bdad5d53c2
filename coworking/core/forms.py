"""One toolkit for forms: read each input, say at each one what is wrong, and show again what was typed.

A view reads a `Form`, calls a service when it is good, and answers with the page otherwise::

    form = Form(request.form)
    name, since = form.text("name", most=80), form.day("since")
    if form.is_good:
        with form.trying(at="name"):
            services.add(current_actor(), name=name, since=since)
            return redirect(url_for("…"), 303)
    return form_page("package/page.html", form)

The page draws its inputs with the macros of ``_components/field.html``, which take the form and an input's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any, TypeVar

from flask import Response, make_response, render_template
from werkzeug.datastructures import MultiDict

from coworking.core import reading
from coworking.core.displaced import Toll, toll_of
from coworking.core.errors import DomainError
from coworking.core.web import say

T = TypeVar("T")

_SHOWN_ON_FORM = frozenset({409, 422, 429})
WHOLE = "form"
"""Under this name stands what is wrong with no single input."""


class Form:
    """The inputs of one form by name: ``typed`` to show again, ``errors`` in the reader's language, ``status`` to answer.

    What a method reads is to be used only when `is_good`: for an input that is wrong it gives a stand-in of the right
    type.
    """

    def __init__(self, typed: Mapping[str, str] | None = None) -> None:
        self._lists = typed if isinstance(typed, MultiDict) else None
        self.typed = {name: text.replace("\x00", "") for name, text in (typed or {}).items()}
        self.errors: dict[str, str] = {}
        self.status = 200
        self.retry_after: int | None = None
        self.toll: Toll | None = None  # what it would do to bookings, to be agreed to first

    # What was typed

    def __getitem__(self, name: str) -> str:
        return self.typed.get(name, "")

    def __contains__(self, name: str) -> bool:
        return name in self.typed

    def raw(self, name: str) -> str:
        """What was typed, trimmed, without control characters."""
        return reading.printable(self[name])

    def several(self, name: str) -> list[str]:
        """Each value of an input that may be sent more than once, such as boxes to tick."""
        return self._lists.getlist(name) if self._lists is not None else [self[name]] if name in self else []

    @property
    def agreed(self) -> Toll:
        """What the page said would become of bookings; nothing when it said nothing."""
        return toll_of(self.raw("agreed"))

    def over(self, usual: Mapping[str, str]) -> Form:
        """This form, showing ``usual`` where it was not sent with an input of that name."""
        self.typed = {**usual, **self.typed}
        return self

    # What is wrong

    @property
    def is_good(self) -> bool:
        return not self.errors

    def refuse(self, name: str | None, reason: DomainError | str) -> None:
        """Say ``reason`` at the input ``name`` (None: at the one the error names); the first complaint stays."""
        error = reason if isinstance(reason, DomainError) else None
        at = name or (error.at_field if error else None) or WHOLE
        self.errors.setdefault(at, reason if isinstance(reason, str) else say(reason))
        self.status = self.status if self.status != 200 else error.status if error else 422
        seconds = error.extra.get("retry_after") if error else None
        self.retry_after = seconds if isinstance(seconds, int) else self.retry_after

    @contextmanager
    def trying(self, *, at: str | None = None) -> Iterator[None]:
        """Show what a service refuses at the input it names, else ``at``; not found and forbidden go on as pages."""
        try:
            yield
        except DomainError as error:
            if error.status not in _SHOWN_ON_FORM:
                raise
            self.refuse(error.at_field or at, error)

    # Reading: `check` and `maybe` take any function of `coworking.core.reading` or of a package's rules

    def check(self, name: str, read: Callable[..., T], *args: Any, **options: Any) -> T | None:
        """What ``read(text, …)`` makes of the input ``name``; None when it refuses, which is said there."""
        try:
            return read(self[name], *args, **options)
        except DomainError as error:
            self.refuse(name, error)
            return None

    def maybe(self, name: str, read: Callable[..., T], *args: Any, **options: Any) -> T | None:
        """The same for an input that may be left empty: None then."""
        return self.check(name, read, *args, **options) if self.raw(name) else None

    def checked(self, name: str) -> bool:
        """Whether the box ``name`` is ticked."""
        return name in self

    def text(self, name: str, *, most: int = 200) -> str:
        """One line that must be filled in."""
        return self.check(name, reading.words_of, most=most, required=True) or ""

    def optional(self, name: str, *, most: int = 200) -> str | None:
        """One line; None when left empty."""
        return self.check(name, reading.words_of, most=most) or None

    def lines(self, name: str, *, most: int = 2000) -> str | None:
        """Text of several lines; None when left empty."""
        return self.check(name, reading.lines_of, most=most) or None

    def choice(self, name: str, among: tuple[str, ...]) -> str:
        """One of ``among``."""
        return self.check(name, lambda text: reading.one_of(among, text)) or among[0]

    def integer(self, name: str, least: int, most: int) -> int:
        """A whole number between both bounds."""
        found = self.check(name, reading.number_of, least, most)
        return least if found is None else found

    def day(self, name: str) -> date:
        """A date."""
        return self.check(name, reading.day_of) or date.min

    def minute(self, name: str) -> int | None:
        """Minutes after midnight; None when left empty."""
        return self.maybe(name, reading.minute_of)

    def email(self, name: str) -> str:
        """An e-mail address."""
        return self.check(name, reading.email_of) or ""


def form_page(template: str, form: Form, /, **context: object) -> Response:
    """The page that shows ``form`` (under that name unless ``context`` says otherwise), with its status."""
    response = make_response(render_template(template, **({"form": form} | context)), form.status)
    response.vary.add("HX-Request")  # a form may open in a sheet, which is the inside of its page
    if form.retry_after is not None:
        response.headers["Retry-After"] = str(form.retry_after)
    return response

"""Typed text on its way to the services: every input is checked before one is refused, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from coworking.accounts import rules
from coworking.accounts.models import Person
from coworking.core.errors import DomainError
from coworking.core.web import say

T = TypeVar("T")

_SHOWN_ON_FORM = frozenset({409, 422, 429})
WHOLE = "form"
"""Under this name stands what is wrong with no single input."""


class Form:
    """Inputs by name: ``typed`` to show again, ``errors`` in the reader's language, ``status`` of the answer."""

    def __init__(self, typed: Mapping[str, str] | None = None) -> None:
        self.typed = {name: text.replace("\x00", "") for name, text in (typed or {}).items()}
        self.errors: dict[str, str] = {}
        self.status = 200
        self.retry_after: int | None = None

    def __getitem__(self, name: str) -> str:
        return self.typed.get(name, "")

    def __contains__(self, name: str) -> bool:
        return name in self.typed

    def check(self, name: str, rule: Callable[..., object], *args: Any, **options: Any) -> None:
        """Note what ``rule(text, …)`` refuses beside the input ``name``."""
        try:
            rule(self[name], *args, **options)
        except DomainError as error:
            self.refuse(error, name)

    def refuse(self, error: DomainError, name: str | None = None) -> None:
        self.errors.setdefault(name or error.at_field or WHOLE, say(error))
        self.status = self.status if self.status != 200 else error.status
        seconds = error.extra.get("retry_after")
        self.retry_after = seconds if isinstance(seconds, int) else None

    @property
    def is_good(self) -> bool:
        return not self.errors

    @contextmanager
    def trying(self) -> Iterator[None]:
        """Show what a service refuses on the form; what concerns the whole page (not found, forbidden) goes on."""
        try:
            yield
        except DomainError as error:
            if error.status not in _SHOWN_ON_FORM:
                raise
            self.refuse(error)


def sign_up_form(typed: Mapping[str, str]) -> Form:
    form = Form(typed)
    form.check("first_name", rules.name_of)
    form.check("last_name", rules.name_of)
    form.check("email", rules.email_of)
    form.check("password", rules.check_password, rules.normal_email(form["email"]))
    return form


def profile_form(typed: Mapping[str, str]) -> Form:
    form = Form(typed)
    form.check("first_name", rules.name_of)
    form.check("last_name", rules.name_of, required=False)
    form.check("phone", rules.phone_of)
    form.check("locale", lambda text: rules.one_of(rules.LOCALES, text))
    form.check("reminder", lambda text: rules.one_of(rules.REMINDERS, text))
    return form


def person_form(typed: Mapping[str, str]) -> Form:
    """What staff types about someone."""
    form = Form(typed)
    form.check("first_name", rules.name_of)
    form.check("last_name", rules.name_of, required=False)
    form.check("email", rules.optional_email_of)
    form.check("phone", rules.phone_of)
    form.check("note", rules.note_of)
    return form


def postal_form(typed: Mapping[str, str]) -> Form:
    """Where someone's invoices are addressed to."""
    form = Form(typed)
    form.check("address", rules.address_line_of)
    form.check("postcode", rules.postcode_of)
    form.check("city", rules.address_line_of)
    return form


def postal_form_of(person: Person) -> Form:
    return Form({"address": person.address or "", "postcode": person.postcode or "", "city": person.city or ""})

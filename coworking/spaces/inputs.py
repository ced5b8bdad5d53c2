"""Reading one form, input by input."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from stdnum.exceptions import ValidationError
from stdnum.fr import siret as siret_number

from coworking.core.displaced import agreed_of
from coworking.core.i18n import _

_CLOCK = re.compile(r"(\d{1,2})\s*(?:[:hH]\s*(\d{2})?)?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


class Reader:
    """Reads the inputs of one form by name.

    ``errors`` map input names to a sentence in the reader's language; nothing is done while there are any, and the page
    shows again what was typed.
    """

    def __init__(self, form: Mapping[str, str]) -> None:
        self.form = form
        self.errors: dict[str, str] = {}

    def refuse(self, name: str, text: str) -> None:
        """Say ``text`` at input ``name``; the first complaint stays."""
        self.errors.setdefault(name, text)

    @property
    def agreed(self) -> int:
        """How many bookings the page said would lose their place; 0 when it said nothing."""
        return agreed_of(self.raw("agreed"))

    def raw(self, name: str) -> str:
        """What was typed, trimmed, without the control characters that neither letters nor papers can hold."""
        typed = self.form.get(name, "")
        return "".join(char for char in typed if char.isprintable() or char.isspace()).strip()

    def checked(self, name: str) -> bool:
        return name in self.form

    def text(self, name: str, *, required: bool = True, most: int = 200) -> str:
        """Text in one line: it may come to stand in a letter's header."""
        return self._limited(name, " ".join(self.raw(name).split()), required=required, most=most)

    def optional(self, name: str, *, most: int = 200) -> str | None:
        return self.text(name, required=False, most=most) or None

    def lines(self, name: str, *, most: int = 2000) -> str | None:
        """Text of several lines; None when left empty."""
        return self._limited(name, self.raw(name), required=False, most=most) or None

    def _limited(self, name: str, value: str, *, required: bool, most: int) -> str:
        if required and not value:
            self.refuse(name, _("Fill this in."))
        if len(value) > most:
            self.refuse(name, _("%(most)s characters at most.", most=most))
        return value

    def choice(self, name: str, among: tuple[str, ...]) -> str:
        value = self.raw(name)
        if value not in among:
            self.refuse(name, _("Choose one of these."))
        return value

    def integer(self, name: str, least: int, most: int) -> int:
        """A whole number; ``least`` stands in for one that cannot be read."""
        value = self.raw(name)
        if value.isdecimal() and len(value) < 9 and least <= int(value) <= most:
            return int(value)
        self.refuse(name, _("A whole number from %(least)s to %(most)s.", least=least, most=most))
        return least

    def day(self, name: str) -> date:
        """A date; ``date.min`` stands in for one that cannot be read, or that no calendar here reaches."""
        value = self.raw(name)
        try:
            day = date.fromisoformat(value)
        except ValueError:
            self.refuse(name, _("A date, such as 2027-03-28."))
            return date.min
        if not 2000 <= day.year < 2200:
            self.refuse(name, _("Choose a date between 2000 and 2199."))
        return day

    def minute(self, name: str) -> int | None:
        """Minutes after midnight of « 9:30 », « 9 h 30 » or « 24:00 »; None when empty or unreadable."""
        value = self.raw(name)
        if not value:
            return None
        match = _CLOCK.fullmatch(value)
        minute = int(match[1]) * 60 + int(match[2] or 0) if match else -1
        if match is None or int(match[2] or 0) > 59 or minute > 1440:
            self.refuse(name, _("A time, such as 9:30."))
            return None
        return minute

    def email(self, name: str, *, required: bool = True) -> str | None:
        value = self.text(name, required=required, most=254).lower()
        if value and not _EMAIL.fullmatch(value):
            self.refuse(name, _("An e-mail address, such as name@example.org."))
        return value or None

    def postcode(self, name: str, *, required: bool = True) -> str:
        value = "".join(self.text(name, required=required, most=12).split())
        if value and not re.fullmatch(r"\d{5}", value, re.ASCII):
            self.refuse(name, _("Five digits, such as 63300."))
        return value

    def siret(self, name: str) -> str | None:
        """Fourteen digits with a right check digit, or None when left empty."""
        value = self.raw(name)
        if not value:
            return None
        try:
            return str(siret_number.validate(value))
        except ValidationError:
            self.refuse(name, _("This is not a SIRET: fourteen digits, found on any official letter."))
            return None

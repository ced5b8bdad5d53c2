"""Who a line of an import means: read in one way, whatever else the line is about. No database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coworking.core.errors import N_, DomainError
from coworking.core.reading import email_of, maybe, words_of
from coworking.imports.person_rules import KnownPerson, LineUnreadable, names_in
from coworking.imports.table_rules import TableLine

_LONGEST_NAME = 200


class WhoNeeded(DomainError):
    code = "who_needed"
    message = N_("This line does not say who: write an e-mail address or a name.")


class NobodyOfThat(DomainError):
    code = "nobody_of_that"
    message = N_("Nobody here is called or has the address %(said)s. Import the people first.")


class SeveralOfThat(DomainError):
    code = "several_of_that"
    message = N_("Several people here are called %(said)s. Write the e-mail address on this line.")


@dataclass(frozen=True, slots=True)
class WhoMeant:
    """By which ``email`` or name a line means somebody; ``said``: as it stands there."""

    said: str
    email: str | None
    first_name: str
    last_name: str


def who_of(line: TableLine, fields: Mapping[str, str]) -> WhoMeant:
    """Whom a line means; raises `LineUnreadable`, `WhoNeeded`, or what is wrong with the address."""
    if line.cells is None:
        raise LineUnreadable()
    first, last = named_in(fields)
    email = maybe(email_of, fields.get("email", ""))
    said = words_of(f"{first} {last}".strip() or email or "", most=_LONGEST_NAME)
    if not said:
        raise WhoNeeded()
    return WhoMeant(said, email, first, last)


def named_in(fields: Mapping[str, str]) -> tuple[str, str]:
    """First and last name, each in its own column or both in one."""
    first, last = fields.get("first_name", ""), fields.get("last_name", "")
    return (first, last) if first or last else names_in(fields.get("full_name", ""))


def the_one(who: WhoMeant, people: Sequence[KnownPerson]) -> KnownPerson:
    """The person, of those whom the line may mean; raises `NobodyOfThat` or `SeveralOfThat`."""
    if not people:
        raise NobodyOfThat(said=who.email or who.said)
    if len(people) > 1:
        raise SeveralOfThat(said=who.said)
    return people[0]

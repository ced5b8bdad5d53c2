"""A line about a person: what it says, who they may be already, and what becomes of it. No database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from coworking.accounts.rules import MAX_NAME, NameMissing, address_line_of, name_of, note_of
from coworking.core.errors import N_, DomainError
from coworking.core.folding import fold, listed_by
from coworking.core.reading import email_of, maybe, phone_of, postcode_of, words_of
from coworking.imports.status_rules import StatusUnknown, status_of
from coworking.imports.table_rules import TableLine

Outcome = Literal["added", "changed", "same", "left_out"]
DoubtDecision = Literal["skip", "same", "new"]
DECISIONS: tuple[DoubtDecision, ...] = ("skip", "same", "new")

FILLED = ("first_name", "last_name", "email", "phone", "address", "postcode", "city", "staff_note", "status", "commune")
"""The columns of a person that a line may fill."""
MAX_ORGANISATION = 120


class LineUnreadable(DomainError):
    code = "line_unreadable"
    message = N_("This line cannot be read: a cell is too long, or a quote is missing. Look at it in the file.")


class NameNeeded(DomainError):
    code = "name_needed"
    message = N_("There is no name on this line. Write at least a first name.")


class LineTwice(DomainError):
    code = "line_twice"
    message = N_("Line %(line)s is the same person already. Keep one of them.")


class PersonIsStaff(DomainError):
    code = "person_is_staff"
    message = N_("This person works here with rights of their own: nothing was changed. Change it on their page.")


class AccountIsClosed(DomainError):
    code = "account_is_closed"
    message = N_("The account of this person is closed. Open it again first, then import the file again.")


class Namesake(DomainError):
    code = "namesake"
    message = N_("Somebody of that name is here already (%(known)s). Say whether it is the same person.")


class AddressAlike(DomainError):
    code = "address_alike"
    message = N_("%(known)s is nearly the same address. Say whether it is the same person.")


class CalledByAddress(DomainError):
    code = "called_by_address"
    message = N_("There is no name on this line: the person will be called “%(name)s”, after the address.")


class CellLeftOut(DomainError):
    """The line was taken without one of its cells."""

    code = "cell_left_out"
    message = N_("“%(value)s” was left out: it is no telephone number or French postcode.")


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """What a line says of a person; ``remark``: a cell that was left out."""

    line: int
    first_name: str
    last_name: str
    email: str | None
    phone: str | None = None
    address: str | None = None
    postcode: str | None = None
    city: str | None = None
    staff_note: str | None = None
    organisation: str | None = None
    status: str | None = None
    commune: str | None = None
    remark: DomainError | None = None

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Somebody who is here already. ``is_staff``: they have a role beyond member. ``organisations``: those they belong to,
    as `listed_by` has their names."""

    public_id: str
    first_name: str
    last_name: str
    email: str | None
    phone: str | None
    address: str | None
    postcode: str | None
    city: str | None
    staff_note: str | None
    is_staff: bool
    is_closed: bool
    status: str | None = None
    commune: str | None = None
    organisations: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class Known(Protocol):
    """A person or an organisation that is here already."""

    @property
    def public_id(self) -> str: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a line. ``changes``: the columns it fills in ``known``; ``why``: what is wrong, or what to know.

    ``is_doubt``: whether a person's decision would make it something else.
    """

    outcome: Outcome
    known: Known | None = None
    changes: tuple[str, ...] = ()
    why: DomainError | None = None
    is_doubt: bool = False


def person_of(line: TableLine, fields: Mapping[str, str]) -> PersonEntry:
    """What a line says; raises the `DomainError` that its reader should put right."""
    if line.cells is None:
        raise LineUnreadable()
    first, last = fields.get("first_name", ""), fields.get("last_name", "")
    if not (first or last) and fields.get("full_name"):
        first, last = names_in(fields["full_name"])
    if not first:
        first, last = last, ""
    email = maybe(email_of, fields.get("email", ""))
    called: DomainError | None = None
    if not first and email:
        first = email.partition("@")[0][:MAX_NAME]
        called = CalledByAddress(name=first)
    try:
        first_name, last_name = name_of(first), name_of(last, required=False)
    except NameMissing:
        raise NameNeeded() from None
    phone, no_phone = lenient(phone_of, with_zero(fields.get("phone", ""), 9))
    status, no_status = _status(fields.get("status", ""))
    postcode, no_postcode = lenient(postcode_of, with_zero(fields.get("postcode", ""), 4))
    return PersonEntry(
        line=line.number,
        first_name=first_name,
        last_name=last_name,
        email=email,
        phone=phone,
        address=address_line_of(fields.get("address", "")),
        postcode=postcode,
        city=address_line_of(fields.get("city", "")),
        staff_note=note_of(fields.get("note", "")),
        organisation=words_of(fields.get("organisation", ""), most=MAX_ORGANISATION) or None,
        status=status,
        commune=address_line_of(fields.get("commune", "")),
        remark=called or no_phone or no_postcode or no_status,
    )


def _status(text: str) -> tuple[str | None, DomainError | None]:
    try:
        return status_of(text), None
    except StatusUnknown as unknown:
        return None, unknown


def names_in(text: str) -> tuple[str, str]:
    """First and last name in « Anne Marchand », « MARCHAND Anne » or « Marchand, Anne »."""
    before, comma, behind = text.partition(",")
    if comma and behind.strip():
        return behind.strip(), before.strip()
    words = text.split()
    capital = [word for word in words if len(word) > 1 and word.isupper()]
    if capital and len(capital) < len(words):
        return " ".join(word for word in words if word not in capital), " ".join(capital)
    return (words[0] if words else ""), " ".join(words[1:])


def with_zero(text: str, digits: int) -> str:
    """``text`` with the zero in front that a spreadsheet took from a number of so many digits."""
    bare = text.replace(" ", "")
    return f"0{bare}" if bare.isascii() and bare.isdigit() and len(bare) == digits else text


def lenient(read: Callable[[str], str], text: str) -> tuple[str | None, DomainError | None]:
    """What ``read`` makes of ``text``, or nothing and why the cell is left out."""
    try:
        return maybe(read, text), None
    except DomainError:
        return None, CellLeftOut(value=text[:60])


def alike(email: str) -> str:
    """What two addresses share that one person may well have: no accents, nothing behind a plus."""
    local, _at, domain = email.partition("@")
    return f"{fold(local).partition('+')[0]}@{domain}"


def same_name(first: str, last: str) -> str:
    """A whole name without case, accents and signs, whichever part stands first."""
    return " ".join(sorted("".join(char if char.isalnum() else " " for char in fold(f"{first} {last}")).split()))


def twice_in(entries: Sequence[tuple[int, str, str]]) -> dict[int, tuple[int, bool]]:
    """By line the earlier line that is the same person, and whether that is certain: the same address, or the same name
    without any. ``entries``: (line, e-mail or nothing, name as `same_name` has it)."""
    emails: dict[str, int] = {}
    near: dict[str, int] = {}
    names: dict[str, int] = {}
    found: dict[int, tuple[int, bool]] = {}
    for line, email, name in entries:
        if email:
            key = alike(email)
            if email in emails:
                found[line] = (emails[email], True)
            elif key in near:
                found[line] = (near[key], False)
            emails.setdefault(email, line)
            near.setdefault(key, line)
        elif name:
            if name in names:
                found[line] = (names[name], True)
            names.setdefault(name, line)
    return found


def judge(
    entry: PersonEntry,
    *,
    twice: tuple[int, bool] | None,
    exact: KnownPerson | None,
    near: Sequence[KnownPerson],
    namesakes: Sequence[KnownPerson],
    decision: DoubtDecision,
    replaces: bool,
) -> Verdict:
    """What becomes of a line.

    ``exact`` has its address, ``near`` nearly the same, ``namesakes`` its name. A namesake with the same telephone or the
    same address is the same person; any other one is a doubt, which ``decision`` settles. ``replaces``: values that are
    here already give way to what the file says; else only empty ones are filled.
    """
    if twice is not None and twice[1]:
        return Verdict("left_out", why=LineTwice(line=twice[0]))
    known = exact or next((one for one in namesakes if _is_same(entry, one)), None)
    if known is None:
        doubt, other = _doubt(entry, twice, near, namesakes)
        if doubt is not None and decision != "new":
            if decision == "skip" or other is None:
                return Verdict("left_out", other, why=doubt, is_doubt=True)
            known = other
    if known is None:
        return Verdict("added", why=entry.remark)
    if known.is_closed:
        return Verdict("left_out", known, why=AccountIsClosed())
    if known.is_staff:
        return Verdict("same", known, why=PersonIsStaff())
    changes = changes_of(entry, known, replaces=replaces)
    remark = None if isinstance(entry.remark, CalledByAddress) else entry.remark  # they keep the name that they have
    return Verdict("changed" if changes else "same", known, changes, remark)


def changes_of(entry: PersonEntry, known: KnownPerson, *, replaces: bool) -> tuple[str, ...]:
    """The columns of ``known`` that the line fills. An empty cell changes nothing, and an address stays whose it is."""
    found: list[str] = []
    for name in FILLED:
        new, old = getattr(entry, name), getattr(known, name)
        if not new or new == old:
            continue
        if not old or (replaces and name != "email"):
            found.append(name)
    if entry.organisation and listed_by(entry.organisation) not in known.organisations:
        found.append("organisation")
    return tuple(found)


def _is_same(entry: PersonEntry, known: KnownPerson) -> bool:
    if entry.email and known.email and entry.email != known.email:
        return False
    phones = {"".join(filter(str.isdigit, text))[-9:] for text in (entry.phone, known.phone) if text}
    same_phone = bool(entry.phone and known.phone) and len(phones) == 1
    lives = bool(entry.address and known.address) and fold(entry.address or "") == fold(known.address or "")
    return same_phone or (lives and entry.postcode == known.postcode)


def _doubt(
    entry: PersonEntry, twice: tuple[int, bool] | None, near: Sequence[KnownPerson], namesakes: Sequence[KnownPerson]
) -> tuple[DomainError | None, KnownPerson | None]:
    if near:
        return AddressAlike(known=near[0].email), near[0]
    if namesakes:
        return Namesake(known=namesakes[0].email or namesakes[0].name), namesakes[0]
    if twice is not None:
        return LineTwice(line=twice[0]), None
    return None, None

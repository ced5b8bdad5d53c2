"""Rules of the drawer: what is refused. Pure."""

from __future__ import annotations

from coworking.core.errors import N_, DomainError

CASH = "cash"
"""The counter of cash movements, which all that touches the drawer locks."""
DRAWER = "drawer"
"""The counter of its openings and closings."""

MAX_NOTE = 120


class DrawerIsOpen(DomainError):
    code = "drawer_open"
    status = 409
    message = N_("The drawer is open already.")


class DrawerIsClosed(DomainError):
    code = "drawer_closed"
    status = 409
    message = N_("The drawer is closed. Open it first.")


class DifferenceUnexplained(DomainError):
    """``expected``: what should be there."""

    code = "difference_unexplained"
    message = N_("There should be %(expected)s. Count once more, or say in a few words why it differs.")
    field = "note"


class NoteInvalid(DomainError):
    code = "note_invalid"
    message = N_("Write %(most)s characters at most.")
    field = "note"


class AmountMissing(DomainError):
    code = "amount_missing"
    message = N_("Write an amount above 0.")
    field = "cents"


class NotSoMuch(DomainError):
    code = "not_so_much"
    message = N_("There is not so much in the drawer.")
    field = "cents"


def check_note(text: str) -> str | None:
    """``text`` trimmed; None when empty. Raises `NoteInvalid`."""
    note = " ".join(text.split())
    if len(note) > MAX_NOTE or not note.isprintable():
        raise NoteInvalid(most=MAX_NOTE)
    return note or None

"""General terms and house rules: which kinds there are, what is wrong with a version, and how its text is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from coworking.core.errors import N_, DomainError

KINDS = ("terms", "rules")
"""The general terms, the house rules; in the order in which they are shown."""
MOST_CHARACTERS = 60_000


class TextMissing(DomainError):
    code = "text_missing"
    status = 422
    message = N_("Write the text that holds from that day on.")


class TextTooEarly(DomainError):
    """A version would hold from a day that is over, when nobody could have read it."""

    code = "text_too_early"
    status = 422
    message = N_("A version holds from today on at the earliest.")


class TextExists(DomainError):
    code = "text_exists"
    status = 409
    message = N_("A version holds from that day on already, and a version never changes. Choose a later day.")


class NotAccepted(DomainError):
    """Terms and house rules must be accepted to make an account."""

    code = "not_accepted"
    status = 422
    message = N_("Read them and tick the box to go on.")


class TextsChanged(DomainError):
    """Another version came into force while somebody read the one before."""

    code = "texts_changed"
    status = 409
    message = N_("Another version holds since a moment ago. Please read it before you accept it.")


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A part of a text: its ``lines`` are a heading (one line), the points of a list, or a paragraph."""

    kind: Literal["heading", "list", "paragraph"]
    lines: Sequence[str]


def blocks_of(text: str) -> list[TextBlock]:
    """The parts of what a manager typed.

    A line that begins with « # » is a heading, lines that begin with « - » are points, an empty line ends a paragraph.
    """
    found: list[tuple[Literal["heading", "list", "paragraph"], list[str]]] = []
    open_kind: str | None = None
    for line in (line.strip() for line in text.splitlines()):
        kind = _kind_of(line)
        if kind is None:
            open_kind = None
            continue
        words = line.lstrip("#").strip() if kind == "heading" else line[1:].strip() if kind == "list" else line
        if kind == open_kind and kind != "heading":
            found[-1][1].append(words)
        else:
            found.append((kind, [words]))
        open_kind = kind
    return [TextBlock(kind, tuple(lines)) for kind, lines in found]


def _kind_of(line: str) -> Literal["heading", "list", "paragraph"] | None:
    if not line.strip("#- "):
        return None
    if line.startswith("#"):
        return "heading"
    return "list" if line.startswith("- ") else "paragraph"

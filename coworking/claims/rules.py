"""The rules of taking the time of a resource, without a database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from coworking.core.errors import N_, DomainError
from coworking.core.timespan import Span

LONG = timedelta(hours=24)


class ClaimConflict(DomainError):
    """Someone else has it. ``extra`` may name what is free instead."""

    code = "claim_conflict"
    status = 409
    message = N_("Someone else has just taken it.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One resource wanted for ``use``, guarded for ``buffer_after`` minutes longer."""

    resource_id: int
    use: Span
    buffer_after: int = 0

    @property
    def guarded(self) -> Span:
        return self.use.widened(before=timedelta(), after=timedelta(minutes=self.buffer_after))


def is_long(span: Span) -> bool:
    """Whether ``span`` belongs into the index of long claims."""
    return span.end - span.start > LONG

"""Rules that both sides of a network share."""

from __future__ import annotations

from typing import Any, TypeGuard
from uuid import UUID

from coworking.core.errors import N_, DomainError


class NetworkLoop(DomainError):
    """A head would count itself."""

    code = "network_loop"
    status = 409
    message = N_("This network cannot be a member of itself.")


def is_uuid(value: Any) -> TypeGuard[str]:
    """Whether ``value`` is the text of a UUID in lower case."""
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False

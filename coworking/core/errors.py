"""Named errors of rules, shown as a page or as a problem document.

A rule raises; nobody catches on the way but the application, which answers with ``status`` and, in the reader's
language, ``message`` filled with the error's parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


def N_(text: str) -> str:  # noqa: N802 - the customary name, known to catalogue extractors
    """Mark ``text`` for translation without translating it: rules know no reader."""
    return text


class DomainError(Exception):
    """Base of everything the product refuses on purpose.

    ``code`` is stable and part of the API; ``status`` is the HTTP status; ``message`` is an English message id with
    ``%(name)s`` places; ``field`` names the input at fault, when it is one.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 422
    message: ClassVar[str] = N_("This cannot be done.")
    field: ClassVar[str | None] = None

    def __init__(self, *, field: str | None = None, extra: dict[str, object] | None = None, **params: object) -> None:
        super().__init__(self.code)
        self.params = params
        self.at_field = field or type(self).field
        self.extra = extra or {}
        """Members added to the problem document, for programs (what is free instead, the highest revision…)."""

    def __str__(self) -> str:
        return f"{self.code}: {self.message % self.params}" if self.params else f"{self.code}: {self.message}"


@contextmanager
def at_field(field: str) -> Iterator[None]:
    """What is refused inside is the fault of the input ``field``."""
    try:
        yield
    except DomainError as error:
        error.at_field = field
        raise


class NotFound(DomainError):
    """Nothing here for this reader: absent, or not theirs (a stranger's id must not be told apart)."""

    code = "not_found"
    status = 404
    message = N_("There is nothing at this address.")


class Forbidden(DomainError):
    code = "forbidden"
    status = 403
    message = N_("Your role does not allow this.")


class ScopeMissing(Forbidden):
    """The token's owner may, the token may not."""

    code = "missing_scope"
    message = N_("This token lacks the scope %(scope)s.")


class SignInRequired(DomainError):
    code = "sign_in_required"
    status = 401
    message = N_("Sign in first.")


class PasswordNeeded(DomainError):
    """Signed in, but the password was not typed for a while: what comes next is worth asking for it again."""

    code = "password_needed"
    status = 403
    message = N_("Type your password once more first.")


class InvalidInput(DomainError):
    """One input cannot be read; ``reason`` says what would be right."""

    code = "invalid_input"
    status = 422
    message = N_("%(reason)s")


class Busy(DomainError):
    """The database had to wait too long for a lock; nothing was changed."""

    code = "busy"
    status = 503
    message = N_("The lieu is very busy just now. Nothing was changed: please try again.")


class Gone(DomainError):
    code = "gone"
    status = 410
    message = N_("This link is no longer valid.")

"""The errors that Stripe answers with, as it spells them."""

from __future__ import annotations

from typing import Any


class StripeRefusal(Exception):
    """An answer other than 200: ``status`` and the fields of Stripe's error object, ``more`` of them by name.

    ``is_kept``: something happened before it, so the same key is answered with it again.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str = "",
        param: str = "",
        more: dict[str, Any] | None = None,
        is_kept: bool = False,
    ) -> None:
        super().__init__(message)
        self.status, self.kind, self.code, self.param = status, kind, code, param
        self.more, self.is_kept = more or {}, is_kept

    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        fields = {"type": self.kind, "message": str(self), "code": self.code, "param": self.param}
        return {"error": {name: value for name, value in fields.items() if value} | self.more}


def missing_object(kind: str, object_id: str, param: str = "id") -> StripeRefusal:
    """There is no object of that kind with this id."""
    words = kind.replace(".", " ").replace("_", " ")
    return StripeRefusal(404, f"No such {words}: '{object_id}'", code="resource_missing", param=param)


def missing_parameter(name: str) -> StripeRefusal:
    """A parameter that must be there is not."""
    return StripeRefusal(400, f"Missing required param: {name}.", code="parameter_missing", param=name)


def invalid_parameter(name: str, why: str, code: str = "parameter_invalid") -> StripeRefusal:
    """A parameter has a value that Stripe does not take."""
    return StripeRefusal(400, f"Invalid {name}: {why}", code=code, param=name)

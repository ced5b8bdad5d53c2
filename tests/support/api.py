"""A program that calls ``/api/v1`` with a bearer token."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from coworking.accounts import api_tokens
from coworking.accounts.models import Person
from coworking.accounts.rules import SCOPES

PREFIX = "/api/v1"


class Program:
    """Calls ``app`` with a token of ``person``'s (None: with none); threads may share one."""

    def __init__(self, app: Flask, person: Person | None, *scopes: str) -> None:
        self.app = app
        self.headers = {"Accept-Language": "en"}
        if person is not None:
            with app.app_context():
                token = api_tokens.issue(person.actor(), name="test", scopes=frozenset(scopes or SCOPES))
            self.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: Any) -> TestResponse:
        """GET ``path`` under the API's prefix; ``from_`` is the parameter ``from``."""
        parameters = {name.rstrip("_"): value for name, value in query.items()}
        return self.app.test_client().get(PREFIX + path, query_string=parameters, headers=self.headers)

    def post(self, path: str, body: Any = None, *, key: str | None = None, **options: Any) -> TestResponse:
        """POST ``body`` as JSON (None: ``{}``), under the Idempotency-Key ``key`` when given."""
        headers = self.headers | ({"Idempotency-Key": key} if key is not None else {})
        if "data" not in options:
            options["json"] = {} if body is None else body
        return self.app.test_client().post(PREFIX + path, headers=headers, **options)

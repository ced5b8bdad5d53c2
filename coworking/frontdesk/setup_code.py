"""The code that opens the setup pages: printed in the server's log, so that only the server's administrator can set it up.

It is derived from ``SECRET_KEY``, so every process and machine of this lieu knows the same one and nothing is stored. It
ends with the pages, once there is a lieu.
"""

from __future__ import annotations

import hmac
import logging
from hashlib import sha256

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from coworking.accounts import throttle
from coworking.core.errors import N_, DomainError
from coworking.core.settings import settings
from coworking.core.units import write_unit
from coworking.presence.attested import normal_code
from coworking.spaces import queries

log = logging.getLogger(__name__)


class SetupCodeWrong(DomainError):
    code = "setup_code_wrong"
    status = 422
    message = N_("This is not the code in the server’s log. Copy it whole; each start prints it again.")
    field = "code"


def setup_code() -> str:
    """Sixteen figures and letters in groups of four (64 bits)."""
    digest = hmac.new(settings().secret_key.encode(), b"the code that opens the setup pages", sha256)
    return normal_code(digest.hexdigest()[:16])


def prove(typed: str, address: str | None) -> None:
    """Accept the code as someone typed it. Tries are counted by internet ``address``.

    Raises `SetupCodeWrong`, or `TooManyAttempts` without looking.
    """
    with write_unit():
        attempt = throttle.count(throttle.setup_buckets(address))
    if not hmac.compare_digest(normal_code(typed).encode(), setup_code().encode()):
        raise SetupCodeWrong()
    with write_unit():
        throttle.succeeded(attempt)


def announce(app: Flask) -> None:
    """Write the code into the log while there is no lieu. Says nothing where the database is not made yet."""
    with app.app_context():
        try:
            if queries.lieu_or_none() is not None:
                return
        except SQLAlchemyError:
            return
        log.warning("No lieu is set up here yet. %s/setup asks for this code: %s", settings().base_url, setup_code())

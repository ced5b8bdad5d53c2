"""``Idempotency-Key`` on every POST: the same request again is answered from what the first one made."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, after_this_request, request

from coworking.api.render import Json
from coworking.core import idempotency
from coworking.core.errors import N_, DomainError
from coworking.core.policy import Actor, current_actor
from coworking.core.units import end_read

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


class KeyInvalid(DomainError):
    code = "idempotency_key_invalid"
    status = 422
    message = N_("An Idempotency-Key has 1 to 200 visible ASCII characters.")
    field = HEADER


def idempotent(
    replay: Callable[[Actor, str], Json], *, of: str | None = None
) -> Callable[[Callable[..., Json]], Callable[..., Json]]:
    """Let a POST view be repeated; ``replay`` renders what the first one made, from its public id.

    ``of``: the part of the address that is this id, where the service changes what is named there.

    A refused request leaves no key behind: it may be put right and sent again under the same one. Two at once: one is
    done, the other gets a 409 and finds the answer when it asks again.
    """

    def decorate(view: Callable[..., Json]) -> Callable[..., Json]:
        @wraps(view)
        def answered(**arguments: Any) -> Json:
            key = request.headers.get(HEADER)
            if key is None:
                return view(**arguments)
            if not _KEY.fullmatch(key):
                raise KeyInvalid()
            actor = current_actor()
            assert actor.person_id is not None, "the system has no token"
            use = (actor.person_id, key, request.path, _fingerprint())
            earlier = idempotency.find(*use)
            if earlier is not None and earlier.result is not None:
                after_this_request(_say_replayed)
                return replay(actor, earlier.result)
            end_read()
            idempotency.remember(*use, about=None if of is None else arguments[of])
            try:
                return view(**arguments)
            except DomainError as refusal:
                end_read()  # what refused may be this very request, which won under the same key a moment ago
                if idempotency.find(*use) is not None:
                    raise idempotency.KeyInFlight() from refusal
                raise

        return answered

    return decorate


def _fingerprint() -> str:
    """A digest of the body's meaning: spaces and the order of names do not matter."""
    try:
        body = json.dumps(request.get_json(silent=True), sort_keys=True).encode()
    except RecursionError:  # sent where no body is read, so nobody has looked at it
        body = request.get_data()
    return hashlib.sha256(body).hexdigest()


def _say_replayed(response: Response) -> Response:
    response.headers[REPLAYED] = "true"
    return response

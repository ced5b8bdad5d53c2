"""Join a network: the manager pastes the head's link, and the lieu answers with its own key."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from coworking.core.clock import now
from coworking.core.errors import N_, DomainError
from coworking.core.keyring import signing_key
from coworking.core.policy import Actor
from coworking.core.settings import settings
from coworking.core.units import end_read
from coworking.network.exchange import protocol
from coworking.network.exchange.join_messages import JOIN_PATH, join_request, read_head_answer
from coworking.network.exchange.protocol import MessageUnreadable
from coworking.network.lieu import planning, posting
from coworking.network.lieu.models import HeadLink
from coworking.spaces import queries as spaces

_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,128}", re.ASCII)


class LinkUnreadable(DomainError):
    code = "link_unreadable"
    message = N_(
        "This is not an enrolment link. It looks like https://head.example/network/join/… and is pasted whole."
    )
    field = "url"


class HeadRefused(DomainError):
    """What follows is said in our words, by the code of the answer: anyone may have written those of the answer."""

    code = "head_refused"
    status = 409
    message = N_("The network head refused: %(reason)s")
    field = "url"


class HeadIsPrivate(DomainError):
    code = "head_is_private"
    status = 422
    message = N_(
        "This link leads to an address inside a private network, which is not called from here. "
        "Whoever administers this server can allow it."
    )
    field = "url"


class HeadUnreachable(DomainError):
    code = "head_unreachable"
    status = 502
    message = N_("The network head cannot be reached just now. Nothing was changed: try again later.")
    field = "url"


class HeadUnclear(DomainError):
    """Whatever answers there is no network head."""

    code = "head_unclear"
    status = 502
    message = N_("What answers at this address is not a network head.")
    field = "url"


_REASONS = {
    "gone": N_("This link is no longer valid."),
    "already_enrolled": N_("This place is already in the network under another name."),
    "too_many_attempts": N_("Too many attempts. Wait a little and try again."),
}


def join(actor: Actor, url: str, *, since: date | None = None) -> HeadLink:
    """Enrol this lieu with the head whose link is ``url`` and return the new link to it.

    The months closed before, from ``since`` on, are sent to it as well; None: only those closed from now on.

    Raises `LinkUnreadable`, `HeadIsPrivate`, `HeadUnreachable`, `HeadRefused`, `HeadUnclear`. Joining another head ends
    the link to the one before; joining the same again renews it.
    """
    url, token = _read_url(url)
    lieu, key = spaces.lieu(), signing_key()
    own_id = lieu.uuid
    payload = join_request(
        lieu_id=own_id,
        name=lieu.name,
        siret=lieu.siret,
        code_insee=lieu.code_insee,
        public=key.public,
        token=token,
        at=now(),
    )
    end_read()
    try:
        answer = posting.post(url, protocol.sign(payload, protocol.JOIN, key))
    except posting.AddressNotAllowed as error:
        raise HeadIsPrivate() from error
    except posting.Unreachable as error:
        raise HeadUnreachable() from error
    if answer.status >= 500:
        raise HeadUnreachable()
    if answer.status != 200:
        raise HeadRefused(reason=_REASONS.get(answer.code, answer.code)) if answer.code else HeadUnclear()
    values = _read_head(answer.document, url, own_id) | {
        "way": "software",
        "email": None,
        "enrolled_at": now(),
        "ended_at": None,
    }
    return planning.keep_head(actor, values, since)


def _read_url(text: str) -> tuple[str, str]:
    """A pasted link without what people add to it, and its token."""
    text = text.strip().strip("<>«»\"' \u202f\u00a0")
    try:
        parts = urlsplit(text)
        port_is_good = parts.port is None or parts.port > 0
    except ValueError as error:
        raise LinkUnreadable() from error
    token = parts.path.rpartition("/")[2]
    good = (
        parts.scheme in _schemes(parts.hostname)
        and port_is_good
        and parts.hostname
        and not parts.username
        and parts.path.endswith(f"{JOIN_PATH}{token}")
        and _TOKEN.fullmatch(token)
        and text.isascii()
        and text.isprintable()
        and " " not in text
    )
    if not good:
        raise LinkUnreadable()
    return f"{parts.scheme}://{parts.netloc}{parts.path}", token


def _schemes(host: str | None) -> set[str]:
    """Plain http only to this very machine, or where this lieu is served without TLS itself (a trial)."""
    if host in {"localhost", "127.0.0.1", "::1"} or not settings().cookies_secure:
        return {"https", "http"}
    return {"https"}


def _read_head(document: Any, url: str, own_id: str) -> dict[str, Any]:
    """What the head's answer says, as columns of `HeadLink`; raises `HeadUnclear`, `NetworkLoop`."""
    try:
        head = read_head_answer(document, link=url, own_id=own_id)
    except MessageUnreadable as error:
        raise HeadUnclear() from error
    return {
        "url": head.returns_url,
        "head_id": head.head_id,
        "name": head.name,
        "public_key": protocol.encode_key(head.public),
    }

"""Signed links for e-mails, and bearer tokens for programs."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer

from coworking.accounts.models import Person
from coworking.core.clock import now
from coworking.core.errors import Gone
from coworking.core.settings import settings

CONFIRM, RESET, INVITE, SIGN_IN = "confirm", "reset", "invite", "sign-in"
LIFETIMES = {
    CONFIRM: timedelta(days=7),
    RESET: timedelta(hours=2),
    INVITE: timedelta(days=14),
    SIGN_IN: timedelta(minutes=15),
}
ADDRESS, OBJECT = "address", "object"
"""Purposes of links about a change of address; they last as long as it is open."""
EMPLOYER = "employer"
"""The purpose of a link that invites someone to belong to an organisation; the invitation says how long."""

_KNOWN_S = 365 * 24 * 3600

PREFIX = "lieu_"
"""Bearer tokens begin with this, so that people and secret scanners recognise one that leaked."""


class _Signer(TimestampSigner):
    """Signs with the injected clock's time."""

    def get_timestamp(self) -> int:
        return int(now().timestamp())


@dataclass(frozen=True, slots=True)
class EmailLink:
    """What a link says: whose it is, made in which epoch for which address."""

    purpose: str
    person: str
    epoch: int
    email_digest: str

    def fits(self, person: Person | None) -> bool:
        """Whether the link still holds: it dies with the address it was sent to, and with every change of password."""
        return (
            person is not None
            and person.is_active
            and person.session_epoch == self.epoch
            and _digest(person.email or "") == self.email_digest
        )


def make_link(purpose: str, person: Person) -> str:
    """The token of a link for ``person``; see `LIFETIMES`."""
    data = [person.public_id, person.session_epoch, _digest(person.email or "")]
    return str(_serializer(purpose).dumps(data))


def read_link(token: str, *purposes: str) -> EmailLink:
    """What ``token`` says, when it was made for one of ``purposes`` and is not too old; raises `Gone`."""
    for purpose in purposes:
        try:
            person, epoch, digest = _serializer(purpose).loads(token, max_age=int(LIFETIMES[purpose].total_seconds()))
        except BadSignature:  # of another purpose, changed on the way, or too old
            continue
        return EmailLink(purpose, person, epoch, digest)
    raise Gone()


def make_change_link(purpose: str, change_public_id: str) -> str:
    """The token of a link about a change of address, or an invitation."""
    return str(_serializer(purpose).dumps(change_public_id))


def read_change(token: str, purpose: str) -> str:
    """The public id of the change or invitation that ``token`` is about; raises `Gone`."""
    try:
        return str(_serializer(purpose).loads(token))
    except BadSignature:
        raise Gone() from None


def signed_up_mark(email: str, password_hash: str) -> str:
    """What a browser keeps of having signed up with ``email``, and may be signed in by once that address is confirmed.

    It fits the account that was made with this very hash. Where there was an account already, the hash was kept nowhere
    and the mark fits nothing, which nobody can tell by looking at it.
    """
    said = f"{email} {password_hash}".encode()
    return hmac.new(settings().secret_key.encode(), said, hashlib.sha256).hexdigest()


def fits_mark(mark: str | None, person: Person) -> bool:
    """Whether the browser that keeps ``mark`` made this account, and its password is still the one chosen then."""
    if mark is None or person.email is None or person.password_hash is None:
        return False
    return hmac.compare_digest(mark, signed_up_mark(person.email, person.password_hash))


def make_known(email: str) -> str:
    """A mark for a browser on which the account of ``email`` was signed in; each has another."""
    return str(_serializer("known").dumps([_digest(email), secrets.token_urlsafe(9)]))


def read_known(mark: str, email: str) -> str | None:
    """What tells this browser from others, when ``mark`` was made for the account of ``email``; None otherwise."""
    try:
        digest, name = _serializer("known").loads(mark, max_age=_KNOWN_S)
    except (BadSignature, ValueError, TypeError):
        return None
    return name if digest == _digest(email) else None


ADD, ENTER, PROVE = "passkey-add", "passkey-enter", "passkey-prove"
"""What a passkey is asked for."""
CHALLENGE_LASTS = timedelta(minutes=5)


def make_challenge(purpose: str, who: str) -> str:
    """A challenge for a passkey: random, and signed with what it is for and for whom (a public id, or nobody yet)."""
    return str(_serializer(purpose).dumps([who, secrets.token_urlsafe(24)]))


def read_challenge(challenge: str, purpose: str, who: str) -> None:
    """Raise `Gone` unless ``challenge`` was made here, for this and for them, less than five minutes ago."""
    try:
        made_for, _random = _serializer(purpose).loads(challenge, max_age=int(CHALLENGE_LASTS.total_seconds()))
    except (BadSignature, ValueError, TypeError):
        raise Gone() from None
    if made_for != who:
        raise Gone()


def new_bearer() -> tuple[str, str]:
    """A new bearer token and the digest to keep."""
    token = PREFIX + secrets.token_urlsafe(32)
    return token, bearer_digest(token)


def bearer_digest(token: str) -> str:
    """SHA-256 is enough for 256 random bits: there is nothing to guess."""
    return hashlib.sha256(token.encode()).hexdigest()


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().secret_key, salt=f"accounts.{purpose}", signer=_Signer)


def _digest(email: str) -> str:
    return hashlib.sha256(email.encode()).hexdigest()[:16]

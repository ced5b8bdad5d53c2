"""Argon2id, always outside units of work: a hash takes some 30 ms and 19 MiB."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from coworking.accounts.password_rules import MAX_PASSWORD

# OWASP's parameters for small machines: sixteen threads of RFC 9106's 64 MiB would fill a 1 GB server.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_decoy = _hasher.hash(secrets.token_urlsafe())


def hash_password(password: str) -> str:
    """The hash to keep."""
    return _hasher.hash(password)


def verify(password_hash: str | None, password: str) -> bool:
    """Whether ``password`` is right. Without a hash the same work is done and the answer is no."""
    if len(password) > MAX_PASSWORD:
        password_hash, password = None, ""
    try:
        _hasher.verify(password_hash or _decoy, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether ``password_hash`` was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)

"""Secrets that the database keeps, such as the keys of a payment provider: encrypted text, and that text back.

AES-256-GCM under a key of its own in the keyring (``keys/secrets.key``). A copy of the database alone opens nothing; a
backup holds both. What a secret belongs to is authenticated with it: moved to another row, it cannot be read.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from coworking.core import keyring

KEY_FILE = "secrets.key"
_FORMAT = "1:"
_NONCE_BYTES = 12


class Unreadable(Exception):
    """The text cannot be decrypted: the keyring is another one or lost, or the text was altered or moved."""


def make_key() -> None:
    """Make the key if there is none yet. Call it before a unit that encrypts: making a key writes to the disk."""
    keyring.made_once(KEY_FILE, lambda: AESGCM.generate_key(256))


def encrypt(text: str, *, about: str) -> str:
    """``text`` as ASCII that only this lieu can read again. ``about`` names what it belongs to, such as its row."""
    make_key()
    nonce = os.urandom(_NONCE_BYTES)
    sealed = nonce + AESGCM(_key()).encrypt(nonce, text.encode(), about.encode())
    return _FORMAT + urlsafe_b64encode(sealed).decode()


def decrypt(text: str, *, about: str) -> str:
    """What was encrypted about the same thing; raises `Unreadable`. It makes no key: a new one would open nothing."""
    try:
        if not text.startswith(_FORMAT):
            raise ValueError
        sealed = urlsafe_b64decode(text.removeprefix(_FORMAT))
        return AESGCM(_key()).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about.encode()).decode()
    except (InvalidTag, ValueError, OSError) as error:
        raise Unreadable(about) from error


def _key() -> bytes:
    """Read each time: it is asked for rarely, and a keyring that was restored counts at once."""
    return keyring.kept(KEY_FILE).read_bytes()

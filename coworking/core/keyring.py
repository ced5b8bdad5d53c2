"""The lieu's signing keys: Ed25519, one file each in a keyring of their own, apart from the database.

What is signed (the invoices' chain, monthly returns) names its key, so a key may be replaced and what the old one signed
can still be checked. The keyring belongs in the backup: without it nothing old is lost, but nobody can tell that a new
signature comes from the same lieu.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from flask import current_app

from coworking.core.settings import settings

_PEM = {
    "encoding": serialization.Encoding.PEM,
    "format": serialization.PrivateFormat.PKCS8,
    "encryption_algorithm": serialization.NoEncryption(),
}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and its ``key_id``: the first 16 hex digits of the SHA-256 of the raw public key."""

    key_id: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The 32 raw bytes of the public key."""
        return self.private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the Ed25519 signature of ``message`` (RFC 8032)."""
        return self.private.sign(message)


def key_id_of(public: bytes) -> str:
    """How a public key (32 raw bytes) is named wherever something is signed."""
    return sha256(public).hexdigest()[:16]


def signing_key() -> SigningKey:
    """The key to sign with now, made at the first call. Read once per application.

    Do not call it first inside a write unit: making a key writes to the disk.
    """
    cached: SigningKey | None = current_app.extensions.get("signing_key")
    if cached is None:
        cached = _read(made_once("current.pem", _new_key))
        current_app.extensions["signing_key"] = cached
    return cached


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is that of ``message`` by the holder of ``public`` (32 raw bytes)."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_keys() -> dict[str, bytes]:
    """The public keys of the whole keyring by key id: what this lieu ever signed can be checked with them."""
    return {key.key_id: key.public for key in map(_read, sorted(_folder().glob("*.pem")))}


def _folder() -> Path:
    folder = settings().data_dir / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def made_once(name: str, make: Callable[[], bytes]) -> Path:
    """The keyring's file ``name``, readable by its owner alone; where there is none yet, with what ``make`` gives.

    Several processes may start at once: the one that links the name first has made the file.
    """
    folder = _folder()
    path = folder / name
    if path.exists():
        return path
    made = folder / f".new-{os.getpid()}-{token_hex(8)}"
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(make())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(made, path)
    except FileExistsError:
        pass
    finally:
        made.unlink()
    return path


def kept(name: str) -> Path:
    """Where the keyring's file ``name`` stands, or would stand."""
    return _folder() / name


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(**_PEM)


def _read(path: Path) -> SigningKey:
    private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(private, Ed25519PrivateKey):
        raise TypeError(f"{path} holds no Ed25519 key")
    return SigningKey(key_id_of(private.public_key().public_bytes_raw()), private)

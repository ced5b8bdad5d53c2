"""The chain of issued documents: each entry signs its content and the entry before.

Entry: ``{"seq", "prev", "sha256", "key_id", "signature"}``. ``sha256`` is the hex digest of the document's payload,
``prev`` the hex digest of the entry before (64 zeros for the first), ``signature`` the hex Ed25519 signature by ``key_id``
of the other four as RFC 8785 JSON. An entry's digest is the SHA-256 of all five. So nobody can alter, drop or slip in a
document without the lieu's key, and with the public keys anyone can check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import rfc8785

from coworking.core.keyring import SigningKey, verify

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One link, as stored."""

    seq: int
    prev: str
    sha256: str
    key_id: str
    signature: str

    @property
    def digest(self) -> str:
        """What the next entry holds as ``prev``."""
        return digest_of(rfc8785.dumps(_signed(self) | {"signature": self.signature}))


def canonical(document: Mapping[str, Any]) -> str:
    """``document`` as RFC 8785 text."""
    return rfc8785.dumps(dict(document)).decode()


def digest_of(content: bytes) -> str:
    return sha256(content).hexdigest()


def link(key: SigningKey, seq: int, prev: str, payload: str) -> Entry:
    """The entry of ``payload`` behind the one whose digest is ``prev``."""
    unsigned = Entry(seq, prev, digest_of(payload.encode()), key.key_id, "")
    return Entry(seq, prev, unsigned.sha256, key.key_id, key.sign(rfc8785.dumps(_signed(unsigned))).hex())


def problems(
    entries: Iterable[tuple[Entry, str]],
    public_key: Callable[[str], bytes | None],
    *,
    seq: int = 0,
    prev: str = GENESIS,
) -> list[str]:
    """What is wrong with entries and their payloads, in order, after the one numbered ``seq`` with digest ``prev``."""
    found: list[str] = []
    for entry, payload in entries:
        if entry.seq != seq + 1:
            found.append(f"{entry.seq}: follows {seq}")
        if entry.prev != prev:
            found.append(f"{entry.seq}: does not continue the entry before")
        if digest_of(payload.encode()) != entry.sha256:
            found.append(f"{entry.seq}: its content was altered")
        key = public_key(entry.key_id)
        if key is None:
            found.append(f"{entry.seq}: the key {entry.key_id} is not in the keyring")
        elif not _verified(key, entry):
            found.append(f"{entry.seq}: the signature is not the lieu's")
        seq, prev = entry.seq, entry.digest
    return found


def _signed(entry: Entry) -> dict[str, Any]:
    return {"seq": entry.seq, "prev": entry.prev, "sha256": entry.sha256, "key_id": entry.key_id}


def _verified(key: bytes, entry: Entry) -> bool:
    try:
        signature = bytes.fromhex(entry.signature)
    except ValueError:
        return False
    return verify(key, rfc8785.dumps(_signed(entry)), signature)

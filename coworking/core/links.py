"""Signed links: what makes a row of entries a chain that nobody can alter without the lieu's key.

A link is ``{"seq", "prev", "sha256", "key_id", "signature"}``. ``sha256`` is the hex digest of the entry's payload, ``prev``
the digest of the link before (64 zeros for the first), ``signature`` the hex Ed25519 signature by ``key_id`` of the other
four as RFC 8785 JSON. A link's digest is the SHA-256 of all five. Whoever has the public keys can check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import rfc8785

from coworking.core.keyring import SigningKey, verify

GENESIS = "0" * 64
"""``prev`` of the first link."""


@dataclass(frozen=True, slots=True)
class ChainLink:
    """One link, as stored."""

    seq: int
    prev: str
    sha256: str
    key_id: str
    signature: str

    @property
    def digest(self) -> str:
        """``prev`` of the next link."""
        return digest_of(rfc8785.dumps(_signed(self) | {"signature": self.signature}))


def canonical_payload(document: Mapping[str, Any]) -> str:
    """``document`` as RFC 8785 text."""
    return rfc8785.dumps(dict(document)).decode()


def digest_of(content: bytes) -> str:
    return sha256(content).hexdigest()


def link_behind(key: SigningKey, seq: int, prev: str, payload: str) -> ChainLink:
    """The link of ``payload`` behind the one whose digest is ``prev``."""
    unsigned = ChainLink(seq, prev, digest_of(payload.encode()), key.key_id, "")
    return ChainLink(seq, prev, unsigned.sha256, key.key_id, key.sign(rfc8785.dumps(_signed(unsigned))).hex())


def problems(
    links: Iterable[tuple[ChainLink, str]],
    public_key: Callable[[str], bytes | None],
    *,
    seq: int = 0,
    prev: str = GENESIS,
) -> list[str]:
    """What is wrong with links and their payloads, in order, after the one numbered ``seq`` with digest ``prev``."""
    found: list[str] = []
    for one, payload in links:
        if one.seq != seq + 1:
            found.append(f"{one.seq}: follows {seq}")
        if one.prev != prev:
            found.append(f"{one.seq}: does not continue the entry before")
        if digest_of(payload.encode()) != one.sha256:
            found.append(f"{one.seq}: its content was altered")
        key = public_key(one.key_id)
        if key is None:
            found.append(f"{one.seq}: the key {one.key_id} is not in the keyring")
        elif not _verified(key, one):
            found.append(f"{one.seq}: the signature is not the lieu's")
        seq, prev = one.seq, one.digest
    return found


def _signed(one: ChainLink) -> dict[str, Any]:
    return {"seq": one.seq, "prev": one.prev, "sha256": one.sha256, "key_id": one.key_id}


def _verified(key: bytes, one: ChainLink) -> bool:
    try:
        signature = bytes.fromhex(one.signature)
    except ValueError:
        return False
    return verify(key, rfc8785.dumps(_signed(one)), signature)

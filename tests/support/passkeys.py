"""A device that makes passkeys and answers with them, by hand: every byte of an answer can be made wrong."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

ORIGIN, RP_ID = "http://localhost", "localhost"
UP, UV, AT = 0x01, 0x04, 0x40


def text(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def content(given: str) -> bytes:
    return urlsafe_b64decode(given + "=" * (-len(given) % 4))


@dataclass
class Device:
    """One passkey of one person; ``count`` is what it says it has signed so far (a synced one always says 0)."""

    handle: str = ""
    counts: bool = True
    count: int = 0
    credential_id: bytes = field(default_factory=lambda: os.urandom(16))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, options: dict[str, Any], **wrong: Any) -> str:
        """The answer to ``navigator.credentials.create``; ``wrong``: ``origin``, ``rp_id``, ``flags``, ``challenge``."""
        self.handle = content(options["user"]["id"]).decode()
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor2.dumps(public)
        data = self._data(wrong, AT) + attested
        return self._answer(
            {
                "clientDataJSON": text(self._client("webauthn.create", options, wrong)),
                "attestationObject": text(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
            }
        )

    def answer(self, options: dict[str, Any], **wrong: Any) -> str:
        """The answer to ``navigator.credentials.get``; ``wrong`` as above, and ``handle``."""
        self.count += self.counts
        data, client = self._data(wrong), self._client("webauthn.get", options, wrong)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": text(client),
                "authenticatorData": text(data),
                "signature": text(signature),
                "userHandle": text(wrong.get("handle", self.handle).encode()),
            }
        )

    def _data(self, wrong: dict[str, Any], more: int = 0) -> bytes:
        rp = hashlib.sha256(wrong.get("rp_id", RP_ID).encode()).digest()
        return rp + bytes([wrong.get("flags", UP | UV) | more]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, options: dict[str, Any], wrong: dict[str, Any]) -> bytes:
        said = {
            "type": wrong.get("type", kind),
            "challenge": wrong.get("challenge", options["challenge"]),
            "origin": wrong.get("origin", ORIGIN),
            "crossOrigin": wrong.get("cross_origin", False),
        }
        return json.dumps(said).encode()

    def _answer(self, response: dict[str, str]) -> str:
        named = text(self.credential_id)
        return json.dumps({"id": named, "rawId": named, "type": "public-key", "response": response})

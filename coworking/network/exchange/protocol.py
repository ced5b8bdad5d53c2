"""Messages between a lieu and its head: compact JWS (RFC 7515) of canonical JSON, signed with Ed25519 only.

The header has exactly ``alg`` (always ``EdDSA``), ``kid`` (see `coworking.core.keyring.key_id_of`) and ``typ``, which
says what the message is for, so that one can never stand for another. Nothing of the payload is looked at before the
signature is verified, except to enrol, where the key itself is inside (`own_key`).
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwa import EdDSAAlgorithm, JWSAlgModel
from joserfc.jwk import OKPKey

from coworking.core.errors import N_, DomainError
from coworking.core.keyring import SigningKey, key_id_of

ALGORITHM = "EdDSA"
JOIN, RETURN, ACK = "enrolment+jwt", "monthly-return+jwt", "return-ack+jwt"
"""The messages' types: a lieu's request to be let in, one revision of a month, the head's acknowledgement."""

MOST_BYTES = 1024 * 1024
"""Of a signed return; a real one has some ten thousand."""
MOST_JOIN_BYTES = 16 * 1024
_MOST_HEADER = 1024
_KEY = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_KID = re.compile(r"[0-9a-f]{16}", re.ASCII)


class MessageUnreadable(DomainError):
    code = "jws_unreadable"
    status = 400
    message = N_("This is not a signed message that can be read: %(reason)s.")


class MessageTooLarge(DomainError):
    code = "too_large"
    status = 413
    message = N_("This is too large: 1 MB at most.")


class AlgorithmRefused(DomainError):
    code = "algorithm_refused"
    status = 400
    message = N_("Messages are signed with EdDSA (Ed25519) and nothing else.")
    field: ClassVar[str | None] = "alg"


class SignatureInvalid(DomainError):
    code = "signature_invalid"
    status = 401
    message = N_("The signature is not that of this message by this key.")


class _Ed25519(EdDSAAlgorithm):
    """``EdDSA`` of RFC 8037.

    RFC 9864 deprecates that name because it leaves the curve open; here every key is of Ed25519.
    """

    security_warning = None


class _OnlyEdDSA(jws.JWSRegistry):
    """Knows one algorithm: none other can be asked for, whatever a header says."""

    algorithms: dict[str, JWSAlgModel] = {ALGORITHM: _Ed25519()}  # noqa: RUF012 - declared so by the class above
    max_header_length = _MOST_HEADER
    max_payload_length = MOST_BYTES


_REGISTRY = _OnlyEdDSA(algorithms=[ALGORITHM])


@dataclass(frozen=True, slots=True)
class Message:
    """A message whose header was read and whose signature was not yet: ``kid`` says by whom it claims to be."""

    text: str
    kid: str


def sign(payload: Mapping[str, Any], typ: str, key: SigningKey) -> str:
    """``payload`` as a compact JWS of the type ``typ`` by ``key``."""
    header = {"alg": ALGORITHM, "kid": key.key_id, "typ": typ}
    private = OKPKey.import_key(key.private)
    return jws.serialize_compact(header, rfc8785.dumps(dict(payload)), private, registry=_REGISTRY)


def read(body: bytes, typ: str, *, most: int = MOST_BYTES) -> Message:
    """Read the header of the compact JWS ``body``.

    Raises `MessageTooLarge`, `MessageUnreadable` and, where it is not EdDSA, `AlgorithmRefused`.
    """
    if len(body) > most:
        raise MessageTooLarge()
    try:
        text = body.decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise MessageUnreadable(reason=N_("it is not in ASCII")) from error
    parts = text.split(".")
    if len(parts) != 3:
        raise MessageUnreadable(reason=N_("it does not have three parts"))
    header = _header(parts[0])
    if header.get("alg") != ALGORITHM:
        raise AlgorithmRefused()
    if header.keys() != {"alg", "kid", "typ"}:
        raise MessageUnreadable(reason=N_("its header must have alg, kid and typ"))
    if header["typ"] != typ:
        raise MessageUnreadable(reason=N_("its typ is that of another message"))
    kid = header["kid"]
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise MessageUnreadable(reason=N_("its kid does not name a key"))
    return Message(text, kid)


def verified(message: Message, public: bytes) -> dict[str, Any]:
    """The payload of ``message`` when the holder of ``public`` (32 raw bytes) signed it; raises `SignatureInvalid`."""
    try:
        opened = jws.deserialize_compact(message.text, public_key(public), registry=_REGISTRY)
    except (JoseError, ValueError) as error:
        raise SignatureInvalid() from error
    if key_id_of(public) != message.kid:
        raise SignatureInvalid()
    return load(opened.payload)


def own_key(message: Message) -> bytes:
    """The raw public key that ``message`` itself brings in its ``jwk``: to enrol, where it proves to hold it."""
    payload = load(_decoded(message.text.split(".")[1]))
    return read_jwk(payload.get("jwk"))


def load(data: bytes) -> dict[str, Any]:
    """The JSON object ``data``, strictly: UTF-8, no name twice, no NaN, no number or nesting without end."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise MessageUnreadable(reason=N_("it does not hold JSON")) from error
    if not isinstance(value, dict):
        raise MessageUnreadable(reason=N_("it does not hold an object"))
    return value


def jwk(public: bytes) -> dict[str, str]:
    """A public key of 32 raw bytes as a JSON Web Key (RFC 8037)."""
    return {"kty": "OKP", "crv": "Ed25519", "x": encode_key(public)}


def read_jwk(value: Any) -> bytes:
    """The 32 raw bytes of the JSON Web Key ``value``; raises `MessageUnreadable`."""
    if not isinstance(value, dict) or (value.get("kty"), value.get("crv")) != ("OKP", "Ed25519") or "d" in value:
        raise MessageUnreadable(reason=N_("its jwk is not a public Ed25519 key"))
    x = value.get("x")
    if not isinstance(x, str) or not _KEY.fullmatch(x):
        raise MessageUnreadable(reason=N_("its jwk is not a public Ed25519 key"))
    return decode_key(x)


def encode_key(public: bytes) -> str:
    """32 raw bytes in base64url without padding."""
    return urlsafe_b64encode(public).rstrip(b"=").decode()


def decode_key(text: str) -> bytes:
    """What `encode_key` wrote."""
    return urlsafe_b64decode(text + "=")


def public_key(public: bytes) -> OKPKey:
    """32 raw bytes as a key to verify with."""
    return OKPKey.import_key(Ed25519PublicKey.from_public_bytes(public))


def token_digest(token: str) -> str:
    """The SHA-256 of a link's token, which is all that is kept of it."""
    return hashlib.sha256(token.encode()).hexdigest()


def _header(segment: str) -> dict[str, Any]:
    if len(segment) > _MOST_HEADER:
        raise MessageUnreadable(reason=N_("its header is too long"))
    return load(_decoded(segment))


def _decoded(segment: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9_-]*", segment, re.ASCII) or len(segment) % 4 == 1:
        raise MessageUnreadable(reason=N_("it is not in base64url"))
    return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice")
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")

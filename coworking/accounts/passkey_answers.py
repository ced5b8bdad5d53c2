"""Passkeys as browsers speak them: what to ask one for, and whether its answer is right.

The only file that loads ``webauthn``, when a passkey is first used: its parsers take memory that most lieux never need.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from coworking.accounts import rules
from coworking.core.settings import settings

MOST_BYTES = 16_000
"""An answer has some 1,500."""


@dataclass(frozen=True, slots=True)
class Site:
    """Whose passkeys they are: the host (``rp_id``), and the only ``origin`` on which they may be asked for."""

    rp_id: str
    origin: str


@dataclass(frozen=True, slots=True)
class Made:
    """A passkey that a browser has just made."""

    credential_id: str
    public_key: bytes
    sign_count: int
    backed_up: bool


def site() -> Site | None:
    """Where `BASE_URL` says the lieu is; None where browsers make no passkeys: without TLS, or under a bare address."""
    parts = urlsplit(settings().base_url)
    host = (parts.hostname or "").lower()
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    origin = f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, usual) else "")
    if not host or _is_ip(host) or not (parts.scheme == "https" or host == "localhost"):
        return None
    return Site(host, origin)


def the_site() -> Site:
    """The same; raises `PasskeysImpossible`."""
    found = site()
    if found is None:
        raise rules.PasskeysImpossible()
    return found


def options_to_make(
    challenge: bytes, *, place: str, handle: str, email: str, name: str, have: Iterable[str]
) -> dict[str, Any]:
    """What ``navigator.credentials.create`` is asked with. ``handle`` names the account, ``have`` its passkeys so far."""
    from webauthn import generate_registration_options
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=the_site().rp_id,
        rp_name=place or the_site().rp_id,
        user_id=handle.encode(),
        user_name=email,
        user_display_name=name,
        challenge=challenge,
        timeout=120_000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in have],
    )
    return _as_json(options)


def options_to_ask(challenge: bytes, *, among: Iterable[str] = ()) -> dict[str, Any]:
    """What ``navigator.credentials.get`` is asked with; ``among`` which passkeys (none: whichever the person has here)."""
    from webauthn import generate_authentication_options
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=the_site().rp_id,
        challenge=challenge,
        timeout=120_000,
        user_verification=UserVerificationRequirement.REQUIRED,
        allow_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in among],
    )
    return _as_json(options)


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer says before it is verified: of which passkey it is, of whose account, to which challenge."""

    credential_id: str
    handle: str | None
    challenge: bytes


def read(answer: str) -> Said:
    """What ``answer`` says; raises `PasskeyWrong` for what is none. Nothing of it is believed yet."""
    from webauthn.helpers import base64url_to_bytes, parse_client_data_json

    if len(answer) > MOST_BYTES:
        raise rules.PasskeyWrong()
    try:
        given = json.loads(answer)
        client = parse_client_data_json(base64url_to_bytes(given["response"]["clientDataJSON"]))
        handle = given["response"].get("userHandle")
        if client.cross_origin:
            raise rules.PasskeyWrong()  # asked for inside another site's page
        return Said(
            credential_id=str(given["id"]),
            handle=base64url_to_bytes(handle).decode() if handle else None,
            challenge=client.challenge,
        )
    except rules.PasskeyWrong:
        raise
    except Exception as error:  # whatever a stranger's bytes do to the parsers
        raise rules.PasskeyWrong() from error


def made(answer: str, challenge: bytes) -> Made:
    """The passkey of ``answer``, made on our site for ``challenge`` by whom the device knows; raises `PasskeyWrong`."""
    from webauthn import verify_registration_response
    from webauthn.helpers import bytes_to_base64url

    here = the_site()
    try:
        found = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=here.rp_id,
            expected_origin=here.origin,
            require_user_verification=True,
        )
    except Exception as error:  # the library's own errors, and what a stranger's bytes do to its parsers
        raise rules.PasskeyWrong() from error
    return Made(
        bytes_to_base64url(found.credential_id),
        found.credential_public_key,
        found.sign_count,
        found.credential_backed_up,
    )


def check(answer: str, challenge: bytes, *, public_key: bytes, sign_count: int) -> int:
    """Verify that ``answer`` is signed by the passkey on our site, for ``challenge``, by somebody whom the device knows.

    Returns its new count of signatures; raises `PasskeyWrong`, also for a count that did not grow: then there are two of it.
    """
    from webauthn import verify_authentication_response

    here = the_site()
    try:
        found = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=here.rp_id,
            expected_origin=here.origin,
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except Exception as error:  # the library's own errors, and what a stranger's bytes do to its parsers
        raise rules.PasskeyWrong() from error
    return found.new_sign_count


def _as_json(options: Any) -> dict[str, Any]:
    from webauthn.helpers import options_to_json_dict

    return options_to_json_dict(options)


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True

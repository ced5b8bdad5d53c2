"""Links to pay without an account: signed, for these invoices alone."""

from __future__ import annotations

from collections.abc import Sequence

from itsdangerous import BadSignature, URLSafeSerializer

from coworking.core.errors import NotFound
from coworking.core.settings import settings

_SEPARATOR = "."


def pay_token(invoices: Sequence[str]) -> str:
    """The token of a link to pay ``invoices`` (public ids of one payer's). It needs no end: a paid invoice asks nothing."""
    return str(_signer().dumps(_SEPARATOR.join(sorted(invoices))))


def pay_url(invoices: Sequence[str]) -> str:
    """The whole address, as an e-mail shows it."""
    return f"{settings().base_url}/pay/{pay_token(invoices)}"


def invoices_of(token: str) -> list[str]:
    """The public ids that ``token`` is for; raises `NotFound` for one that this lieu did not sign."""
    try:
        return str(_signer().loads(token)).split(_SEPARATOR)
    except BadSignature as error:
        raise NotFound() from error


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(settings().secret_key, salt="billing.pay")

"""Links to pay without an account: signed, for these invoices or this sale alone."""

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


def sale_token(sale: str) -> str:
    """The token of a link to pay a ``sale`` (its public id). It needs no end: a sale that is over asks nothing."""
    return str(_signer("billing.sale").dumps(sale))


def sale_url(sale: str) -> str:
    """The whole address of that link, as an e-mail and a QR code show it."""
    return f"{settings().base_url}/pay/first/{sale_token(sale)}"


def sale_id_of(token: str) -> str:
    """The public id of the sale that ``token`` is for; raises `NotFound` for one that this lieu did not sign."""
    try:
        return str(_signer("billing.sale").loads(token))
    except BadSignature as error:
        raise NotFound() from error


def _signer(salt: str = "billing.pay") -> URLSafeSerializer:
    return URLSafeSerializer(settings().secret_key, salt=salt)

"""What the product asks of a means of payment, whoever provides it.

An adapter translates between these values and one provider's API. It keeps nothing and writes nothing: what becomes of a
payment is decided and stored by `coworking.billing.online`. A notification is only a hint that something changed; the
object itself is fetched again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

CheckoutState = Literal["open", "pending", "paid", "failed", "expired"]
"""``open``: the payer may still pay. ``pending``: the payer has done their part, and the bank has not answered (SEPA)."""

Means = Literal["card", "debit"]


class GatewayUnavailable(Exception):
    """The provider did not answer, or not sensibly: the same call may be tried again later."""


class GatewayRefused(Exception):
    """The provider understood and refuses: ``code`` in its own words, the text for the manager."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class NotExpirable(Exception):
    """The checkout cannot be ended: it is over already (paid, perhaps), or the provider has no such call."""


class NotificationInvalid(Exception):
    """What was received is no notification of this provider."""


@dataclass(frozen=True, slots=True)
class CheckoutWanted:
    """A payment to be asked for on the provider's page. ``key`` is ours: the same key is the same checkout, however often.

    ``cents`` of ``currency`` (ISO 4217). ``label``: what the payer reads, at most 250 characters. ``return_url``: where the
    payer comes back to after paying, ``cancel_url``: after turning back.
    """

    key: str
    cents: int
    currency: str
    label: str
    email: str | None
    locale: str
    return_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class OpenedCheckout:
    """Where the payer pays, and until when; ``expires_at`` None: the provider does not say."""

    checkout_id: str
    url: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class CheckoutFact:
    """What the provider says of one checkout now.

    ``key``: the one it was opened with; None: it was opened by another program. ``payment_id``: the provider's name of the
    money that moved. ``reason``: why it failed, in the provider's code. ``is_live``: real money.
    """

    checkout_id: str
    key: str | None
    state: CheckoutState
    cents: int
    currency: str
    is_live: bool
    means: Means | None = None
    payment_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """A hint from the provider. ``id`` is the same however often it comes; ``checkout_id`` None: it is about no checkout."""

    id: str
    kind: str
    checkout_id: str | None
    is_live: bool


@dataclass(frozen=True, slots=True)
class GatewayAccount:
    """Whose account the keys open, whether it moves real money, and what it may be paid with there."""

    name: str
    is_live: bool
    means: tuple[Means, ...]


class Gateway(Protocol):
    """One provider. Every method that calls it raises `GatewayUnavailable` or `GatewayRefused`; none runs inside a unit."""

    name: str
    """As stored: ``stripe``, ``helloasso``."""
    least_cents: int
    """The smallest amount it accepts."""
    pages: tuple[str, ...]
    """The origins of its own pages, which ours may send people to."""

    @property
    def is_live(self) -> bool:
        """Whether its keys move real money."""
        ...

    def look(self) -> GatewayAccount:
        """What the keys open: for the manager who has just typed them."""
        ...

    def open_checkout(self, wanted: CheckoutWanted) -> OpenedCheckout:
        """Where the payer pays. The same ``wanted.key`` opens one checkout, also after an answer was lost."""
        ...

    def expire_checkout(self, checkout_id: str) -> None:
        """Let nobody pay there any more; raises `NotExpirable`."""
        ...

    def fetch(self, checkout_id: str) -> CheckoutFact:
        """How it stands now."""
        ...

    def opened_since(self, instant: datetime) -> Iterator[CheckoutFact]:
        """All checkouts opened since ``instant``, ours and others', in any order."""
        ...

    def read_notification(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        """What was sent to our notification address, verified where the provider signs; raises `NotificationInvalid`."""
        ...

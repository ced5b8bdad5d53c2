"""What the product asks of a means of payment, whoever provides it.

An adapter translates between these values and one provider's API. It keeps nothing and writes nothing: what becomes of a
payment is decided and stored by `coworking.billing.online`. A notification is only a hint that something changed; the
object itself is fetched again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
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
    payer comes back to after paying, ``cancel_url``: after turning back. ``cards_only``: nothing that a bank may still
    refuse days later. ``ends_at``: when the page ends by itself, where the provider can be told so; None: its own time.
    """

    key: str
    cents: int
    currency: str
    label: str
    email: str | None
    locale: str
    return_url: str
    cancel_url: str
    cards_only: bool = False
    ends_at: datetime | None = None


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
    money that moved. ``reason``: why it failed, in the provider's code. ``is_live``: real money. ``has_money_back``: some of
    it was refunded or is disputed (`Gateway.money_back`).
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
    has_money_back: bool = False


RefundState = Literal["pending", "done", "failed"]
DisputeState = Literal["open", "won", "lost"]


@dataclass(frozen=True, slots=True)
class RefundFact:
    """What the provider says of one refund. ``key``: ours; None: it was made on the provider's own site.

    A ``done`` one may still become ``failed`` days later: the payer's bank sent the money back.
    """

    refund_id: str
    key: str | None
    state: RefundState
    cents: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class DisputeFact:
    """What the provider says of a payer's bank that wants money back. ``respond_by``: until when one may answer."""

    dispute_id: str
    state: DisputeState
    cents: int
    reason: str | None = None
    respond_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class MoneyBack:
    """All that went back of one payment, or is asked back."""

    refunds: tuple[RefundFact, ...] = ()
    disputes: tuple[DisputeFact, ...] = ()


@dataclass(frozen=True, slots=True)
class Notification:
    """A hint from the provider. ``id`` is the same however often it comes; ``checkout_id`` None: it is about no checkout.

    ``saving_id``: the page to save a means on that it is about; ``means_id``: the saved means; ``payment_id``: the money of
    which some went back or is disputed; ``payout_id``: what the provider pays out.
    """

    id: str
    kind: str
    checkout_id: str | None
    is_live: bool
    saving_id: str | None = None
    means_id: str | None = None
    payment_id: str | None = None
    payout_id: str | None = None


PayoutState = Literal["under_way", "paid", "failed"]
PayoutPartKind = Literal["payment", "refund", "dispute", "fee", "returned", "other"]
"""``fee``: one that stands by itself. ``returned``: an earlier payout that came back. ``other``: the provider names it
otherwise."""


@dataclass(frozen=True, slots=True)
class PayoutFact:
    """What the provider says of one transfer to the lieu's bank. ``cents`` below 0: it took money from the bank.

    A ``paid`` one may still become ``failed`` days later: the bank sent it back. ``listed``: whether the provider says what
    it consists of: ``later`` while it is still adding up, ``never`` for one that was ordered by hand. ``reference``: what
    the bank line may say.
    """

    payout_id: str
    state: PayoutState
    cents: int
    currency: str
    is_live: bool
    made_at: datetime
    arrives_on: date
    listed: Literal["now", "later", "never"]
    reference: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class PayoutPartFact:
    """One movement within a payout: ``cents`` before the fee, below 0 for what left; ``fee_cents`` as the provider states
    it, below 0 where a fee was given back. ``payment_id``: the payment that it is of; ``key``: ours, of its opening.
    """

    part_id: str
    kind: PayoutPartKind
    cents: int
    fee_cents: int
    currency: str
    moved_at: datetime
    payment_id: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class GatewayAccount:
    """Whose account the keys open, whether it moves real money, and what it may be paid with there."""

    name: str
    is_live: bool
    means: tuple[Means, ...]


SavingState = Literal["open", "saved", "expired"]


@dataclass(frozen=True, slots=True)
class SavingWanted:
    """A means to be saved on the provider's page, to be charged while its owner is away.

    ``key`` is ours: the same key is the same page, however often. ``name``, ``email``: the payer's. ``label``: what it is
    for. ``return_url`` and ``cancel_url``: where the payer comes back to after saving, and after turning back.
    """

    key: str
    name: str
    email: str | None
    label: str
    currency: str
    locale: str
    return_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class OpenedSaving:
    """Where the payer saves a means; ``customer_id``: the provider's name of who pays with it."""

    customer_id: str
    checkout_id: str
    url: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class MeansFact:
    """What the provider says of a means. ``brand``: of a card; an account's bank code. ``expires_on``: a card's last day.

    ``mandate``: the reference of the permission to debit, as its payer reads it on the bank statement. ``is_usable``
    False: it was removed there, or the bank ended the mandate.
    """

    means_id: str
    kind: Means
    brand: str
    last4: str
    is_usable: bool
    is_live: bool
    expires_on: date | None = None
    mandate_id: str | None = None
    mandate: str | None = None


@dataclass(frozen=True, slots=True)
class SavingFact:
    """How a page to save a means stands now. ``means``: once it is ``saved``."""

    checkout_id: str
    state: SavingState
    means: MeansFact | None = None


@dataclass(frozen=True, slots=True)
class CollectionWanted:
    """A charge of a saved means while its owner is away. ``key`` is ours, one per attempt: the same key charges once.

    ``debited_on``: the day on which an account is to be debited; None: as soon as the bank can.
    """

    key: str
    cents: int
    currency: str
    label: str
    customer_id: str
    means_id: str
    mandate_id: str | None = None
    debited_on: date | None = None


class SavesMeans(Protocol):
    """A provider's saved means. Every method calls it: see `Gateway`."""

    def begin_saving(self, wanted: SavingWanted) -> OpenedSaving:
        """Where the payer saves a card or an account."""
        ...

    def fetch_saving(self, checkout_id: str) -> SavingFact:
        """How the page stands now, and what was saved there."""
        ...

    def fetch_means(self, means_id: str, mandate_id: str | None) -> MeansFact:
        """What is known of a saved means now."""
        ...

    def forget(self, means_id: str) -> None:
        """Let it never be charged again; twice is fine."""
        ...

    def collect(self, wanted: CollectionWanted) -> CheckoutFact:
        """Charge it. A refusal by the bank is a fact whose state is ``failed``, not an error."""
        ...

    def earlier(self, customer_id: str, since: datetime, key: str) -> CheckoutFact | None:
        """The charge that was made with ``key`` since then; None: there is none. Asked after an answer was lost."""
        ...


class TellsPayouts(Protocol):
    """What a provider says of its transfers to the lieu's bank. Every method calls it: see `Gateway`."""

    def since(self, instant: datetime) -> Iterator[PayoutFact]:
        """All payouts that were made since ``instant``, in any order."""
        ...

    def fetch(self, payout_id: str) -> PayoutFact:
        """How one stands now."""
        ...

    def parts(self, payout_id: str) -> tuple[PayoutPartFact, ...]:
        """What a payout consists of whose fact says that it is listed ``now``."""
        ...


class Gateway(Protocol):
    """One provider. Every method that calls it raises `GatewayUnavailable` or `GatewayRefused`; none runs inside a unit."""

    name: str
    """As stored: ``stripe``, ``helloasso``."""
    least_cents: int
    """The smallest amount it accepts."""
    refunds_by_key: bool
    """Whether it gives our key back with a refund; else refunds are told apart by their amounts."""
    pages: tuple[str, ...]
    """The origins of its own pages, which ours may send people to."""

    @property
    def saved_means(self) -> SavesMeans | None:
        """Its saved means; None: this provider has none."""
        ...

    @property
    def payouts(self) -> TellsPayouts | None:
        """What it says of its payouts; None: it says nothing."""
        ...

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

    def refund(self, payment_id: str, cents: int, key: str, known: Collection[str]) -> RefundFact:
        """Give back ``cents`` of a payment to whoever paid it. The same key refunds once, also after an answer was lost.

        ``known``: the provider's names of the payment's other refunds, which cannot be this one.
        """
        ...

    def money_back(self, payment_id: str) -> MoneyBack:
        """What went back of a payment so far, and what is disputed."""
        ...

    def money_back_since(self, instant: datetime) -> Iterator[str]:
        """The provider's names of payments of which money went back, or was asked back, since ``instant``."""
        ...

    def read_notification(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        """What was sent to our notification address, verified where the provider signs; raises `NotificationInvalid`."""
        ...

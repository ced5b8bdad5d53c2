"""A lieu that sells at the door."""

from __future__ import annotations

from coworking.billing import selling
from coworking.billing.door_models import DoorSale
from coworking.pricing import article_services
from tests import factories
from tests.support.billing import BillingLieu


class Shop:
    """A taxable lieu whose half-days cost 9 €, with a coffee and a key deposit."""

    def __init__(self, lieu: BillingLieu) -> None:
        """Inside an application context."""
        factories.make_tariff()
        manager = lieu.manager
        coffee = article_services.add_article(manager, "Café", "goods", cents=150, vat_rate_bp=1000, account="707")
        key = article_services.add_article(manager, "Caution clé", "deposit", cents=2000, vat_rate_bp=0, account="165")
        self.lieu, self.coffee, self.key = lieu, f"a:{coffee.public_id}", f"a:{key.public_id}"
        self.host = lieu.cast.host.actor()
        self.nonce = 0

    def sell(self, wanted, cents, *, person=None, method="cash", nonce=None, first=None) -> DoorSale:
        self.nonce += 1
        order = selling.Order(person and person.public_id, wanted, method)
        return selling.sell(self.host, order, shown_cents=cents, nonce=nonce or self.nonce, first=first)

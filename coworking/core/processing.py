"""What is done with personal data and why, as each package declares it: the register of processing (RGPD, article 30).

A declaration (`Activity`) says why; what is held, who sees it and for how long is read from what packages already declare
(`core.holdings`, `core.privacy`, `core.retention`), so that the register is never older than the code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from coworking.core import holdings, retention
from coworking.core.db import db
from coworking.core.errors import N_
from coworking.core.holdings import Holds
from coworking.core.privacy import SELF, VIEWERS, seen_by
from coworking.core.retention import Keeps

CONTRACT = N_("the contract with the person (RGPD, art. 6(1)(b))")
DUTY = N_("a legal duty (RGPD, art. 6(1)(c))")
INTEREST = N_("a legitimate interest of the lieu (RGPD, art. 6(1)(f))")
CONSENT = N_("the person’s consent, which they can take back (RGPD, art. 6(1)(a))")

MAIL_SERVER = N_("the server that sends e-mails")
PAYMENT_PROVIDER = N_("the payment provider, where one pays online")
TAX = N_("the tax authorities, where they ask")

WHO = {
    "colleagues": N_("colleagues of the same organisation, where both agreed"),
    "other members": N_("other members"),
    "who books for them": N_("the member who books for the person"),
    "the payer's contact": N_("who speaks for the organisation that pays"),
    "hosts": N_("the hosts"),
    "accountants": N_("the accountants"),
    "managers": N_("the managers"),
    "leads": N_("who looks after the network"),
    "visitors": N_("everyone"),
    "holders of the link": N_("whoever the person gives a link or code to"),
}
"""What people call each viewer of `core.privacy`."""


@dataclass(frozen=True, slots=True)
class Activity:
    """Something done with data of the tables of some ``packages``: its ``title``, ``purpose`` and ``bases``.

    ``also``: who sees dates, times and amounts (viewers of `core.privacy`, whose declarations are of words alone);
    ``outside``: who receives some of it beyond the lieu. ``stays``: how long what no `Keeps` names is kept. All words are
    marked with `N_`.
    """

    key: str
    title: str
    purpose: str
    bases: tuple[str, ...]
    packages: tuple[str, ...]
    stays: str
    also: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()

    def holds(self) -> list[Holds]:
        """What is held of people."""
        return [one for one in holdings.declared() if package_of(one.model) in self.packages]

    def keeps(self) -> list[Keeps]:
        """What goes by itself."""
        return [one for one in retention.declared() if package_of(one.model) in self.packages]

    def seen_by(self) -> list[str]:
        """Who at the lieu sees some of it, but for the person, as `WHO` has it."""
        tables = {one.table for one in self.holds()}
        return viewers_of(tables, self.also)


_declared: list[Activity] = []


def declare(*activities: Activity) -> None:
    """Register what a package does with personal data; each module that does is imported once (`coworking.app`)."""
    _declared.extend(activities)


def declared() -> Sequence[Activity]:
    """Every declaration."""
    return tuple(_declared)


def package_of(model: type) -> str:
    """The package that a table belongs to."""
    return model.__module__.split(".")[1]


def viewers_of(tables: Iterable[str], also: Iterable[str] = ()) -> list[str]:
    """Who sees some column of ``tables``, and who else, in the order of `core.privacy`."""
    wanted = set(tables)
    found = {*also} | {
        who for name, seen in seen_by(db.metadata).items() if name.split(".")[0] in wanted for who in seen
    }
    return [who for who in VIEWERS if who in found and who != SELF]

"""What the demo sells at the door on Tuesdays and Fridays: coffee, prints, half-days, key deposits; and its drawer."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from coworking.accounting import drawer, drawer_queries
from coworking.billing import door_queries, door_rules, selling
from coworking.core.months import month_before
from coworking.core.policy import Actor
from coworking.core.timespan import local_minute
from coworking.pricing import article_queries
from coworking.spaces import queries as spaces

DAYS = (1, 4)
MONTHS = 4
"""Since so many months; before, the lieu sold nothing at the door."""
FLOAT = 5000
TO_THE_BANK = 15000
"""What is in the drawer beyond its float is taken to the bank from this sum on."""
MISCOUNTED = 0.08
KEPT_FOR = timedelta(days=9)
"""After so many days a key comes back and its deposit is given back."""

Event = tuple[datetime, Callable[[], object]]


def events(host: Actor, day: date, today: date, people: Callable[[], list[str]]) -> Iterator[Event]:
    """What happens at the door on an open ``day``, by the clock; ``people``: public ids of who might buy something."""
    if day.weekday() not in DAYS or day < month_before(today, MONTHS):
        return
    zone, draw = spaces.lieu().tz, random.Random(f"door:{day.isoformat()}")

    def at(minute: int, act: Callable[[], object]) -> Event:
        return local_minute(day, minute, zone), act

    yield at(9 * 60 + 2, lambda: _open(host))
    yield at(10 * 60 + draw.randrange(30), lambda: _sell(host, draw, {"Café": draw.randint(1, 3)}))
    if draw.random() < 0.6:
        yield at(11 * 60 + draw.randrange(40), lambda: _sell(host, draw, {"h": 1, "Café": 1}))
    if draw.random() < 0.5:
        prints = {"Impression, une page": draw.randint(2, 20)}
        yield at(14 * 60 + draw.randrange(50), lambda: _sell(host, draw, prints, person=draw.choice(people())))
    if draw.random() < 0.25:
        yield at(15 * 60, lambda: _sell(host, draw, {"Caution de clé": 1}, person=draw.choice(people()), cash=True))
    yield at(16 * 60, lambda: _give_back(host, day))
    yield at(16 * 60 + 50, lambda: _close(host, draw))


def _sell(
    host: Actor, draw: random.Random, wanted: dict[str, int], *, person: str | None = None, cash: bool = False
) -> None:
    """Sell pieces of articles by their label (``h``: a half-day) for what they come to."""
    keys = {article.label: f"a:{article.public_id}" for article in article_queries.articles()} | {"h": "h"}
    order = {keys[name]: count for name, count in wanted.items()}
    cents = door_rules.bill(door_queries.lines(order, None)).payable_cents
    method = "cash" if cash else draw.choice(("cash", "cash", "card"))
    selling.sell(host, selling.Order(person, order, method), shown_cents=cents, nonce=draw.randrange(1, 1 << 40))


def _give_back(host: Actor, day: date) -> None:
    for deposit in door_queries.deposits_held()[:1]:
        if deposit.taken_on <= day - KEPT_FOR:
            selling.give_back(host, deposit.public_id, "cash")


def _open(host: Actor) -> None:
    is_first = drawer_queries.last_count() is None
    drawer.open_drawer(host, FLOAT if is_first else drawer_queries.expected_cents())


def _close(host: Actor, draw: random.Random) -> None:
    opening = drawer_queries.open_drawer()
    assert opening is not None, "it was opened this morning"
    expected = drawer_queries.expected_cents()
    if expected - FLOAT >= TO_THE_BANK:
        drawer.take_to_bank(host, opening.public_id, expected - FLOAT, "Dépôt hebdomadaire")
        expected = FLOAT
    if draw.random() < MISCOUNTED:
        drawer.close_drawer(host, opening.public_id, expected - draw.choice((10, 50, 100)), "Rendu de monnaie")
    else:
        drawer.close_drawer(host, opening.public_id, expected)

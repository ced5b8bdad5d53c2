"""The people of the demo: invented names, and how each of them uses the lieu."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from coworking.booking.rules import Half

PASSWORD = "atelier-du-pont"

FIRST_NAMES = (
    "Anne Karim Lise Hugo Paul Nadia Émile Sofia Thomas Inès Marc Jade Yann Clara Mehdi Lucie Bruno Awa "
    "Denis Élodie Samuel Chloé Rachid Maud Victor Hélène Ibrahim Zoé Gaël Nora Simon Margot Tariq Agathe "
    "Léon Camille Pierrick Fatou Rémi Solène Adrien Mina Gaspard Ophélie Younes Rose Basile Ondine Malik "
    "Perrine Florent Salomé Tristan Aïcha Loïc"
).split()
LAST_NAMES = (
    "Marchand Benali Vidal Faure Rey Chassagne Dufour Keita Morel Lacombe Pradier Sauvage Cissé Barthe "
    "Roussel Vernet Fayolle Haddad Garnier Lemoine Brunel Diallo Astier Coudert Meunier Sabatier Traoré "
    "Gimel Paturel Valette Chabrol"
).split()
EMPLOYERS = ("Coutellerie Durand SA", "Mutuelle des Trois Vallées", "Dore & Durolle Ingénierie")


@dataclass(frozen=True, slots=True)
class Habit:
    """How one person uses the lieu: which weekdays, which halves, and how surely.

    ``since`` is their first day; ``likely`` the chance of booking on one of ``weekdays``; ``forgets`` the chance of not
    saying « Je suis là »; ``rooms`` the chance of a meeting that day.
    """

    first_name: str
    last_name: str
    email: str | None
    employer: str | None
    weekdays: frozenset[int]
    halves: frozenset[Half]
    likely: float
    forgets: float
    rooms: float
    since: date

    def comes(self, day: date, draw: random.Random) -> bool:
        season = 0.45 if day.month == 8 else 0.8 if day.month in {5, 7, 12} else 1.0
        return day >= self.since and day.weekday() in self.weekdays and draw.random() < self.likely * season


def habits(
    draw: random.Random, first: date, last: date, count: int = 60, *, taken: Collection[tuple[str, str]] = ()
) -> list[Habit]:
    """``count`` people who join between ``first`` and ``last``, most of them early; the demo's accounts come first."""
    span = (last - first).days
    everyone = frozenset(range(5))
    whole: frozenset[Half] = frozenset({"am", "pm"})
    accounts = [
        Habit(
            "Anne",
            "Marchand",
            "member@demo.example",
            EMPLOYERS[0],
            frozenset({0, 1, 3}),
            whole,
            0.9,
            0.02,
            0.05,
            first,
        ),
        Habit(
            "Karim",
            "Benali",
            "colleague@demo.example",
            EMPLOYERS[0],
            frozenset({1, 3}),
            whole,
            0.9,
            0.05,
            0.05,
            first,
        ),
        Habit(
            "Lise",
            "Vidal",
            "stranger@demo.example",
            None,
            frozenset({0, 2, 4}),
            frozenset({"am"}),
            0.7,
            0.1,
            0,
            first,
        ),
    ]
    names = {*taken, *((habit.first_name, habit.last_name) for habit in accounts)}
    others: list[Habit] = []
    while len(others) < count - len(accounts):
        name = (draw.choice(FIRST_NAMES), draw.choice(LAST_NAMES))
        if name in names:
            continue
        names.add(name)
        number = len(others)
        regular = draw.random() < 0.6
        days = draw.sample(sorted(everyone), k=draw.choice((2, 3) if regular else (1, 2)))
        if draw.random() < 0.12:
            days.append(5)
        halves: frozenset[Half] = draw.choice((whole, whole, frozenset({"am"}), frozenset({"pm"})))
        others.append(
            Habit(
                *name,
                email=None if draw.random() < 0.07 else f"person{number + 1}@demo.example",
                employer=draw.choice(EMPLOYERS) if draw.random() < 0.35 else None,
                weekdays=frozenset(days),
                halves=halves,
                likely=draw.uniform(0.7, 1.0) if regular else draw.uniform(0.2, 0.5),
                forgets=draw.choice((0.02, 0.05, 0.15)),
                rooms=0.2 if regular else 0.06,
                since=first + timedelta(days=0 if draw.random() < 0.45 else draw.randrange(span)),
            )
        )
    return accounts + others

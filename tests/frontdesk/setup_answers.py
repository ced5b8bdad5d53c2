"""What somebody answers who sets up a lieu."""

from __future__ import annotations

PASSWORD = "le pont sur la Durolle"
WEEK = {f"open_{n}": "1" for n in range(5)} | {
    f"{end}_{n}": clock for n in range(7) for end, clock in (("from", "09:00"), ("to", "18:00"))
}
PERSONAL = {"first_name": "Odile", "last_name": "Kern", "email": "o@demo.example", "password": "Kern-l’Établi-1"}
"""A password made of the names of the person and of the place."""
ANSWERS: dict[str, dict[str, str]] = {
    "1": {"name": "L’Établi", "address": "2 quai des Bateliers", "postcode": "67000", "city": "Strasbourg"},
    "2": {"legal_status": "association"},
    "2b": {"taxed": "no"},
    "3": {"siret": ""},
    "4": WEEK | {"staffed": "part", "staffed_from": "09:00", "staffed_to": "12:00"},
    "4b": {"holidays": "1", "local_holidays": "1"},
    "5": {"split": "13:00"},
    "6": {"desks": "12", "zone": "Plateau"},
    "7": {"rooms": "Salle bleue, 8\nCabine : 1"},
    "7b": {"reply_to": "accueil@demo.example", "from_address": "", "from_name": ""},
    "8": {
        "first_name": "Odile",
        "last_name": "Kern",
        "email": "Odile@Demo.example",
        "password": PASSWORD,
    },
}

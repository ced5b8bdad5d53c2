"""What charges are called."""

from __future__ import annotations

from datetime import date

import pytest

from coworking.billing import labels


@pytest.mark.parametrize(
    ("kind", "name", "fr", "en"),
    [
        ("room", "Salle bleue", "Salle bleue, à l’heure", "Salle bleue, by the hour"),
        ("room", "Blue Room", "Blue Room, à l’heure", "Blue Room, by the hour"),
        ("room", "Atelier", "Salle Atelier, à l’heure", "Room Atelier, by the hour"),
        ("office", "Bureau 2", "Bureau 2, à l’heure", "Bureau 2, by the hour"),
        ("office", "Mezzanine", "Bureau Mezzanine, à l’heure", "Office Mezzanine, by the hour"),
    ],
)
def test_a_place_is_never_called_twice_what_it_is(inside, kind, name, fr, en):
    assert [labels.by_the_hour(kind, name, locale) for locale in ("fr", "en")] == [fr, en]


@pytest.mark.parametrize(
    ("name", "halfdays", "fr", "en"),
    [
        (
            "Mi-temps",
            10,
            "Abonnement Mi-temps, novembre 2026\u202f: 10 demi-journées de poste",
            "Mi-temps plan, November 2026: 10 half-days at a desk",
        ),
        (
            "Formule découverte",
            1,
            "Formule découverte, novembre 2026\u202f: 1 demi-journée de poste",
            "Formule découverte, November 2026: 1 half-day at a desk",
        ),
        (
            "Étudiant",
            None,
            "Abonnement Étudiant, novembre 2026\u202f: poste sans limite",
            "Étudiant plan, November 2026: desk without limit",
        ),
    ],
)
def test_a_plan_says_what_it_is_and_for_which_month(inside, name, halfdays, fr, en):
    said = [labels.subscription(name, date(2026, 11, 1), halfdays, locale) for locale in ("fr", "en")]
    assert said == [fr, en]


def test_an_adhesion_says_from_when_to_when(inside):
    days = date(2026, 12, 1), date(2027, 11, 30)
    assert labels.adhesion(*days, "fr") == "Adhésion annuelle, du 1er décembre 2026 au 30 novembre 2027"
    assert labels.adhesion(*days, "en") == "Annual membership, 1 December 2026 to 30 November 2027"

"""Rows and files of a directory of places."""

from __future__ import annotations

import csv
import io

from config import ROOT
from coworking.network.head.census_rules import COLUMNS

HEADER = [*COLUMNS, "TYPO", "PRECISION"]
TOWNS = [("63430", "Thiers", 45.856, 3.547), ("63003", "Ambert", 45.55, 3.742), ("2A004", "Ajaccio", 41.919, 8.738)]


def row(number: int, **more: str) -> dict[str, str]:
    insee, town, north, east = TOWNS[number % len(TOWNS)]
    return {
        "ID": str(number),
        "NOM_TL": f"L’Étape n° {number}",
        "ADRESSE": f"{number} rue de l’Église",
        "CP": "63300",
        "INSEECOM": insee,
        "NOMCOM": town,
        "WEB": "www.etape.example",
        "LAT": str(north),
        "LONG": str(east),
        "TYPO": "Tiers lieux à dominante coworking",
        "PRECISION": "0.9",
    } | more


def file_of(*rows: dict[str, str], header: list[str] = HEADER) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, header, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def a_census() -> bytes:
    """The census itself where it lies beside the repository, a file of its shape elsewhere."""
    real = ROOT.parent / "shared" / "data" / "tiers-lieux-2019.csv"
    return real.read_bytes() if real.exists() else file_of(*(row(number) for number in range(1, 1513)))

"""Closed months as documents: as JSON for machines and as a table for people."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

from coworking.core.months import write_month
from coworking.core.tables import csv_text
from coworking.statistics.labels import LABELS
from coworking.statistics.models import MonthlyReturn
from coworking.statistics.schema import COUNTED_FROM, SCHEMA, Figures


def envelope(row: MonthlyReturn) -> dict[str, Any]:
    """The whole ``monthly-return/1`` of ``row``: the same for the same row, whenever it is asked for."""
    partial = {} if row.counted_from is None else {COUNTED_FROM: row.counted_from.isoformat()}
    return {
        "schema": SCHEMA,
        "lieu_id": row.lieu_id,
        "siret": row.siret,
        "name": row.name,
        "code_insee": row.code_insee,
        "month": write_month(row.month),
        "status": row.status,
        "revision": row.revision,
        "reason": row.reason,
        "generated_at": row.generated_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "software_version": row.software_version,
        "figures_sha256": row.figures_sha256,
        "figures": json.loads(row.figures),
        **partial,
    }


def flat(figures: Figures) -> list[tuple[str, str, str]]:
    """Name, value and reason of every number, for a spreadsheet; hours are ``by_weekday_hour.<weekday>.<hour>.booked``."""
    rows: list[tuple[str, str, str]] = []
    reasons = figures["null_reasons"]
    for name in LABELS:
        value = figures[name]
        if isinstance(value, dict):
            rows += [
                (f"{name}.{key}", "" if inner is None else str(inner), reasons.get(f"{name}.{key}", ""))
                for key, inner in sorted(value.items())
            ]
        else:
            rows.append((name, "" if value is None else str(value), reasons.get(name, "")))
    for day, hours in enumerate(figures["by_weekday_hour"] or ()):
        for hour, pair in enumerate(hours):
            for what, minutes in zip(("booked", "offered"), pair, strict=True):
                rows.append((f"by_weekday_hour.{day}.{hour}.{what}", str(minutes), ""))
    return rows


def figures_table(row: MonthlyReturn) -> str:
    """The figures of ``row`` as CSV; see `flat`."""
    partial = [] if row.counted_from is None else [(COUNTED_FROM, row.counted_from.isoformat(), "")]
    return csv_text([("figure", "value", "null_reason"), *partial, *flat(json.loads(row.figures))])


def file_name(row: MonthlyReturn, kind: str) -> str:
    """``2026-10-r2.json``."""
    return f"{write_month(row.month)}-r{row.revision}.{kind}"

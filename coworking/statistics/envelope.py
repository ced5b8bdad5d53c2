"""Closed months as documents."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

from coworking.core.months import write_month
from coworking.statistics.models import MonthlyReturn
from coworking.statistics.schema import SCHEMA


def envelope(row: MonthlyReturn) -> dict[str, Any]:
    """The whole ``monthly-return/1`` of ``row``: the same for the same row, whenever it is asked for."""
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
    }

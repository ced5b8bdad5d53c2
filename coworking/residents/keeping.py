"""A place that is assigned to somebody shows that they are still there."""

from __future__ import annotations

from coworking.accounts import leaving
from coworking.residents.models import Residency

leaving.sign(Residency.person_id, Residency.last_day)

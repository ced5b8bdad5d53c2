"""What of somebody's presences shows that they are still there. `coworking.statistics.keeping` says when they go."""

from __future__ import annotations

from coworking.accounts import leaving
from coworking.membership import trials
from coworking.presence.models import Attestation, PastVisits, Presence

leaving.sign(Presence.person_id, Presence.day)
trials.trace(Presence.person_id)
leaving.sign(PastVisits.person_id, PastVisits.last_day)
trials.trace(PastVisits.person_id)
leaving.sign(Attestation.person_id, Attestation.created_at)

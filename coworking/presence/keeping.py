"""What of somebody's presences shows that they are still there. Presences are counted in closed months, and stay."""

from __future__ import annotations

from coworking.accounts import leaving
from coworking.membership import trials
from coworking.presence.models import Attestation, Presence

leaving.sign(Presence.person_id, Presence.day)
trials.trace(Presence.person_id)
leaving.sign(Attestation.person_id, Attestation.created_at)

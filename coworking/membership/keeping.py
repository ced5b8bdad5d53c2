"""What of somebody's plan and packs shows that they are still there."""

from __future__ import annotations

from coworking.accounts import leaving
from coworking.membership.models import Adhesion, Pack, Subscription

leaving.sign(Adhesion.person_id, Adhesion.valid_until)
leaving.sign(Pack.person_id, Pack.valid_until)
leaving.sign(Subscription.person_id, Subscription.last_month)

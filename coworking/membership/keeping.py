"""What of somebody's plan and packs shows that they are still there, and how long what they asked for is kept."""

from __future__ import annotations

from sqlalchemy import select

from coworking.accounts import leaving
from coworking.core import retention
from coworking.core.errors import N_
from coworking.core.retention import Keeps
from coworking.membership.models import Adhesion, Pack, Subscription
from coworking.membership.pack_request_models import PackRequest

leaving.sign(Adhesion.person_id, Adhesion.valid_until)
leaving.sign(Pack.person_id, Pack.valid_until)
leaving.sign(Subscription.person_id, Subscription.last_month)
retention.declare(
    Keeps(
        "pack_requests",
        N_("Requests to give packs back, after the pack’s last day"),
        N_("To answer questions about what was decided."),
        PackRequest,
        select(Pack.valid_until).where(Pack.id == PackRequest.pack_id).scalar_subquery(),
        365,
        choices=(92, 365, 730),
    )
)

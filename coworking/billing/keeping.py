"""What of somebody's payments shows that they are still there. Money's rows stay: the law wants them for ten years."""

from __future__ import annotations

from coworking.accounts import leaving
from coworking.billing.models import Charge, Invoice

leaving.sign(Invoice.payer_person_id, Invoice.issued_at)
leaving.sign(Charge.payer_person_id, Charge.day)

"""Why the lieu holds what was used, invoiced and paid."""

from __future__ import annotations

from coworking.core import processing
from coworking.core.errors import N_
from coworking.core.privacy import ACCOUNTANT, MANAGER
from coworking.core.processing import CONTRACT, DUTY, MAIL_SERVER, PAYMENT_PROVIDER, TAX, Activity

processing.declare(
    Activity(
        "billing",
        N_("Prices, invoices and payments"),
        N_("To invoice what is used, to be paid, to remind who owes, and to keep the books."),
        (CONTRACT, DUTY),
        ("billing", "pricing", "accounting"),
        N_(
            "Ten years, as the law wants (code de commerce, art. L123-22), with the name they were made with. E-mails about "
            "them go then; invoices and payments stay, for they are signed one into the next."
        ),
        (ACCOUNTANT, MANAGER),
        (PAYMENT_PROVIDER, MAIL_SERVER, TAX),
    ),
)

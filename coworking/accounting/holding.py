"""Why no line of the lieu's own accounts is in the copy of somebody's data."""

from __future__ import annotations

from coworking.accounting.bank_models import BankLine, BankMatch, BankUpload
from coworking.accounting.models import CashMovement
from coworking.core import holdings
from coworking.core.errors import N_
from coworking.core.holdings import OTHERS, THE_LIEU

holdings.leave(OTHERS, N_("Lines of the lieu’s bank"), BankLine, BankMatch, BankUpload)
holdings.leave(THE_LIEU, N_("The lieu’s cash drawer"), CashMovement)

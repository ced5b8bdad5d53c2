"""What a payer was invoiced, paid and owes."""

from __future__ import annotations

from coworking.api import render
from coworking.api.pages import blueprint
from coworking.api.render import Json
from coworking.api.schemas.payers import Account
from coworking.billing import account_queries
from coworking.core.policy import current_actor, requires


@blueprint.get("/payers/<payer_id>/account")
@requires(scope="payments:read")
@blueprint.output(Account())
def payer_account(payer_id: str) -> Json:
    """A payer's account: everything invoiced and paid, in time order

    The payer is a person or an organisation, by its id. One's own and that of an organisation whose contact one is;
    managers and accountants read all of them.
    """
    return render.payer_account(account_queries.account_for(current_actor(), payer_id))

"""All that the lieu sells on one page: what it costs now, who has it, and where it is changed."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from coworking.core.policy import Role, requires
from coworking.membership import queries
from coworking.membership.pages import blueprint, is_taxable
from coworking.pricing import article_queries, group_queries
from coworking.pricing.queries import tariffs
from coworking.spaces import queries as spaces


@blueprint.get("/settings/sold")
@requires(Role.MANAGER)
def sold() -> ResponseReturnValue:
    today, dated = spaces.today(), tariffs()
    return render_template(
        "membership/sold.html",
        current=next((tariff for tariff in dated if tariff.valid_from <= today), None),
        coming=[tariff for tariff in reversed(dated) if tariff.valid_from > today],
        resources={row.id: row for row in spaces.resources()},
        plans=queries.plans(),
        plan_holders=queries.plan_holders(),
        packs=queries.pack_offers(),
        pack_holders=queries.pack_holders(),
        year=queries.settings().adhesion_cents,
        adherents=queries.adherents_on(today),
        groups=group_queries.groups(),
        belonging=group_queries.members_count(today),
        articles=article_queries.articles(),
        taxable=is_taxable(),
        today=today,
    )

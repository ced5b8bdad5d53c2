"""Mentions on invoices that the lieu writes in its own words."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from coworking.billing import queries, services
from coworking.billing.models import BillingSettings
from coworking.core.audit import AuditEntry
from coworking.core.errors import NotFound
from coworking.core.units import write_unit
from tests.support.billing import NOVEMBER, OCTOBER


def test_the_lieu_s_own_mention_is_printed_until_the_standard_one_is_restored(billing_lieu, session):
    services.replace_mention(billing_lieu.manager, "penalty", "Pénalités\u00a0: 12\u00a0%.")
    first = services.run(billing_lieu.manager, OCTOBER).issued
    employer = next(row for row in first if row.payer_organisation_id)
    assert "Pénalités\u00a0: 12\u00a0%." in queries.content(employer)["notes"]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "billing.mention")).one()
    assert entry.details["changed"] == {"penalty": [None, "Pénalités\u00a0: 12\u00a0%."]}
    services.replace_mention(billing_lieu.manager, "penalty", None)
    services.credit(billing_lieu.manager, employer.public_id, "Facturé par erreur", again=True)
    (again,) = services.run(billing_lieu.manager, NOVEMBER).issued
    assert any("10 points" in note for note in queries.content(again)["notes"])
    assert "Pénalités\u00a0: 12\u00a0%." in queries.content(employer)["notes"], "what is issued keeps its words"
    assert queries.settings_row().mentions is None
    with pytest.raises(NotFound):
        services.replace_mention(billing_lieu.manager, "nonesuch", "x")


def test_own_mentions_in_the_former_columns_still_count(billing_lieu, session):
    with write_unit():
        row = session.get(BillingSettings, 1)
        row.exemption, row.penalty = "Mes mots", "Mes pénalités"
    assert queries.replaced_mentions("exempt") == {"exempt": "Mes mots", "penalty": "Mes pénalités"}
    assert queries.replaced_mentions("taxable") == {"penalty": "Mes pénalités"}
    services.replace_mention(billing_lieu.manager, "penalty", None)
    assert queries.replaced_mentions("taxable") == {}

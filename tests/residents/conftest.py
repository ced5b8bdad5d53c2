"""A lieu with four desks and a closed office, and its cast; Tuesday 24 November 2026."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from coworking.accounts.models import Organisation, OrganisationMember
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.spaces.models import Resource
from tests.factories import LONG_AGO, make_tariff


@pytest.fixture
def lieu(inside, place, cast):
    return _make(place, cast)


@pytest.fixture
def site(app, place, cast):
    """The same for pages: requests open their own application context."""
    with app.app_context():
        return _make(place, cast)


def _make(place, cast):
    """``office``, ``desk``, ``other``: places; ``durand``: the employer, whose contact is the colleague."""
    make_tariff()
    with write_unit():
        durand = db.session.scalars(select(Organisation)).one()
        contact = select(OrganisationMember).where(OrganisationMember.person_id == cast.colleague.id)
        db.session.scalars(contact).one().is_contact = True
        zone = place.rooms[0].zone_id
        office = Resource(zone_id=zone, kind="office", name="Bureau Lavande", seats=3, in_service_from=LONG_AGO)
        db.session.add(office)
    return SimpleNamespace(
        office=office.public_id,
        desk=place.desks[0].public_id,
        desk_id=place.desks[0].id,
        other=place.desks[1].public_id,
        room=place.rooms[0].public_id,
        durand=durand.public_id,
        member=cast.member,
        colleague=cast.colleague,
        stranger=cast.stranger,
        manager=cast.manager.actor(),
        cast=cast,
        today=date(2026, 11, 24),
    )

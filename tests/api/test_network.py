"""What a network's lead reads of a month."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import rfc8785

from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.network.head.filing import columns_of
from coworking.network.head.models import NetworkLieu, ReceivedReturn
from tests.statistics.returns import plain


@pytest.fixture
def lead(program, cast):
    return program(cast.lead)


def receive(app, number: int, revision: int = 1, **envelope) -> dict:
    """A return of October of the lieu ``number``, kept as one typed in behind a link."""
    uuid = f"3f0c8f0e-6a4b-4c57-9a53-0a8e6f6a2f{number:02}"
    document = plain(lieu_id=uuid, revision=revision, **envelope)
    with app.app_context(), write_unit():
        lieu = db.session.scalar(db.select(NetworkLieu).where(NetworkLieu.lieu_uuid == uuid))
        if lieu is None:
            lieu = NetworkLieu(name=f"Lieu {number}", city="Ambert", source="hand", lieu_uuid=uuid, way="link")
            db.session.add(lieu)
            db.session.flush()
        db.session.add(
            ReceivedReturn(
                network_lieu_id=lieu.id,
                month=date(2026, 10, 1),
                revision=revision,
                status=document["status"],
                reason=document["reason"],
                digest=document["figures_sha256"],
                document=rfc8785.dumps(document).decode(),
                way="link",
                received_at=datetime(2026, 11, 5, 8, tzinfo=UTC),
                **columns_of(document),
            )
        )
    return document


def test_the_highest_revision_of_each_lieu_and_what_they_add_up_to(app, lead):
    receive(app, 1)
    second = receive(app, 1, revision=2, status="restatement", reason="Corrigé")
    receive(app, 2)
    answer = lead.get("/network/returns", month="2026-10").get_json()
    assert [(one["lieu"]["name"], one["revision"]) for one in answer["items"]] == [("Lieu 1", 2), ("Lieu 2", 1)]
    assert answer["items"][0]["figures"] == second["figures"]
    assert answer["items"][0]["received_at"] == "2026-11-05T09:00:00+01:00"
    assert [member["revision"] for member in answer["aggregate"]["members"]] == [2, 1]
    assert answer["aggregate"]["rates"]["desk_booked"]["denominator"] == 920
    assert answer["aggregate"]["distinct_people"] is None
    assert lead.get("/network/returns", month="2026-09").get_json()["items"] == []
    assert lead.get("/network/returns", month="2026-13").status_code == 422


def test_it_takes_as_many_statements_for_four_lieux_as_for_two(app, lead, count_statements):
    counts = []
    lead.get("/lieu")  # notes that the token is in use, once an hour
    for pair in ((1, 2), (3, 4)):
        for number in pair:
            receive(app, number)
        with count_statements() as seen:
            assert len(lead.get("/network/returns", month="2026-10").get_json()["items"]) == pair[1]
        counts.append(len(seen))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("who", ["member", "host", "manager", "accountant"])
def test_a_network_s_figures_are_its_lead_s(program, cast, who):
    answer = program(getattr(cast, who)).get("/network/returns", month="2026-10")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")


def test_the_scope_is_wanted_too(program, cast):
    answer = program(cast.lead, "statistics:read").get("/network/returns", month="2026-10")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "missing_scope")
    assert program(None).get("/network/returns", month="2026-10").status_code == 401

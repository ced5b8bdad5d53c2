"""What migrations do with the rows of before: each step that writes data, tried with old rows on both engines."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import date, timedelta
from email import message_from_bytes, policy

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from coworking.accounts.models import ApiToken
from coworking.booking import services
from coworking.core import checks, outbox
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.network.head.filing import columns_of
from coworking.network.head.models import NetworkLieu, ReceivedReturn
from coworking.network.lieu.models import Delivery, HeadLink
from coworking.presence import attestation, pdf
from coworking.presence import services as presence
from coworking.presence.models import Attestation, AttestationPdf
from tests import factories
from tests.migrations.conftest import populate, revision_before
from tests.statistics.returns import plain_figures


def test_tokens_of_before_go_on_for_a_year_with_their_owners_roles(migrated, clock):
    before = revision_before(migrated, "devices_and_token_ends")
    populate()
    downgrade(revision=before)
    unconfirmed = "UPDATE person SET email_confirmed_at = NULL WHERE email = 'stranger@demo.example'"
    with db.engine.begin() as connection:
        connection.execute(text(unconfirmed))
        for person_id in (1, 3, 5):
            connection.execute(
                text(
                    "INSERT INTO api_token (public_id, person_id, name, digest, scopes, created_at) VALUES "
                    "(:name, :person, 'badge', :name, 'lieu:read', (SELECT created_at FROM person WHERE id = 1))"
                ),
                {"name": f"t{person_id}", "person": person_id},
            )
    upgrade()
    rows = {row.person_id: row for row in db.session.scalars(select(ApiToken))}
    assert {person_id: row.roles for person_id, row in rows.items()} == {1: "member", 3: "member", 5: "manager member"}
    assert {person_id: row.revoked_at is None for person_id, row in rows.items()} == {1: True, 3: False, 5: True}
    assert all(row.ends_at == clock.now + timedelta(days=365) for row in rows.values())


def test_booking_emails_that_wait_are_sent_after_the_upgrade(migrated, clock, tmp_path):
    """They wait under topics that nothing handles any more; what waits is told once, what was told is not told again."""
    before = revision_before(migrated, "booking_news")
    place, cast = factories.make_place(), factories.make_cast()
    factories.make_tariff()
    actor, halves = cast.stranger.actor(), frozenset({"am"})

    def book(day: int) -> str:
        resource = place.desks[0].public_id
        return services.book_half_days(actor, date(2026, 12, day), halves, resource=resource).public_id

    known, gone, closed = book(1), book(2), book(3)
    clock.advance(minutes=11)
    outbox.run_due()
    new, failed = book(4), book(7)
    services.cancel(actor, gone)
    services.cancel(actor, closed)
    with db.engine.begin() as connection:
        connection.execute(
            text("UPDATE booking SET cancelled_because = 'closed' WHERE public_id = :public"), {"public": closed}
        )
    db.session.remove()
    downgrade(revision=before)
    with db.engine.begin() as connection:
        connection.execute(
            text("UPDATE outbox SET state = 'failed' WHERE key LIKE :key"), {"key": f"booking-confirmed:{failed}:%"}
        )
        rows = connection.execute(text("SELECT topic, state FROM outbox WHERE state IN ('waiting', 'failed')"))
        assert sorted(map(tuple, rows)) == [
            ("booking.cancelled", "waiting"),
            ("booking.confirmed", "failed"),
            ("booking.confirmed", "waiting"),
            ("booking.displaced", "waiting"),
        ]
    upgrade()
    clock.advance(minutes=11)
    outbox.run_due()
    (retried,) = outbox.failed()
    with write_unit():
        outbox.retry(retried.public_id)
    outbox.run_due()
    assert outbox.failed() == []
    first, body = (
        message_from_bytes(path.read_bytes(), policy=policy.default).get_body(("plain",)).get_content()
        for path in sorted((tmp_path / "mail").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    )
    assert known in first
    assert body.count("Réservé") == 2
    assert (body.count("Annulé"), body.count("Annulé par")) == (2, 1)
    assert new in body
    assert failed in body
    assert known not in body


def test_older_attestations_get_their_pdf_on_request(migrated, clock):
    before = revision_before(migrated, "attestation_papers")
    factories.make_place()
    anne = factories.make_cast().member
    presence.arrive(anne.actor())
    issued = attestation.issue(anne.actor(), clock.now.date()).public_id
    db.session.remove()
    downgrade(revision=before)
    upgrade()

    def asked() -> bytes:
        return pdf.pdf_of(db.session.scalars(select(Attestation)).one(), "fr")

    drawn = asked()
    assert drawn.startswith(b"%PDF") and asked() == drawn
    assert [said for one, found in checks.run() if one.promise in (3, 6) for said in found] == []
    db.session.remove()
    downgrade(revision=before)
    upgrade()
    assert db.session.scalars(select(Attestation)).one().public_id == issued
    assert db.session.scalar(select(func.count(AttestationPdf.id))) == 0
    assert asked().startswith(b"%PDF")


def month(number: int) -> date:
    return date(2026, number, 1)


def test_lieux_of_before_are_awaited_from_the_first_month_they_sent(migrated, clock):
    before = revision_before(migrated, "network_returns")
    awaited = {"sent earlier": 9, "sent later": 3, "sent nothing": 6, "awaited from no month": None}
    sent = {"sent earlier": (8, 7, 10), "sent later": (5,), "awaited from no month": (4,)}
    with write_unit():
        for name, since in awaited.items():
            lieu = NetworkLieu(name=name, source="hand", way="link", expected_from=since and month(since))
            db.session.add(lieu)
            db.session.flush()
            for number in sent.get(name, ()):
                values = {"status": "final", "digest": "0" * 64, "document": "{}", "way": "link"}
                of_when = {"month": month(number), "revision": 1, "received_at": clock.now}
                db.session.add(ReceivedReturn(network_lieu_id=lieu.id, **values, **of_when))
    db.session.remove()
    downgrade(revision=before)
    upgrade()
    found = {row.name: row.expected_from for row in db.session.scalars(select(NetworkLieu))}
    assert found == {
        "sent earlier": month(7),
        "sent later": month(3),
        "sent nothing": month(6),
        "awaited from no month": None,
    }
    assert {row.doubts for row in db.session.scalars(select(ReceivedReturn))} == {None}


@pytest.mark.parametrize(
    ("way", "recipient"), [("software", "head-of-today"), ("mail", "mailto:lead@demo.example"), (None, None)]
)
def test_revisions_of_before_were_sent_to_who_signed_or_to_the_head_of_then(migrated, clock, way, recipient):
    before = revision_before(migrated, "delivery_recipient")
    claims = urlsafe_b64encode(json.dumps({"iss": "head-of-then", "month": "2026-05"}).encode()).decode().rstrip("=")
    hour = timedelta(hours=1)
    with write_unit():
        if way is not None:
            key = {"url": "https://head.example", "head_id": "head-of-today", "public_key": "x"}
            how = key if way == "software" else {"email": "lead@demo.example"}
            db.session.add(HeadLink(name="Réseau", way=way, enrolled_at=clock.now, **how))
        acknowledged = {"state": "acknowledged", "ack": f"e30.{claims}.signature", "acknowledged_at": clock.now}
        for number, values in {
            5: acknowledged | {"sent_at": clock.now - hour},
            6: {"state": "mailed", "sent_at": clock.now - hour},
            7: {"state": "mailed", "sent_at": clock.now + hour},
            8: {"state": "waiting"},
        }.items():
            db.session.add(Delivery(month=month(number), revision=1, digest="0" * 64, **values))
    db.session.remove()
    downgrade(revision=before)
    upgrade()
    assert {row.month.month: row.recipient for row in db.session.scalars(select(Delivery))} == {
        5: "head-of-then",
        6: None,  # sent before this head was joined: nobody knows to whom
        7: recipient,
        8: recipient,
    }


def test_returns_of_before_get_their_figures_beside_their_documents(migrated, clock):
    before = revision_before(migrated, "received_figures")
    figures = plain_figures(distinct_people=None, desk_booked_halfdays=217)
    whole = {"lieu_id": "lieu-of-before", "figures": figures, "chain_heads": {"money": {"seq": 4, "digest": "0" * 64}}}
    with write_unit():
        lieu = NetworkLieu(name="La Doyenne", source="hand", way="link")
        db.session.add(lieu)
        db.session.flush()
        for number, document in enumerate((whole, {})):
            values = {"status": "final", "digest": "0" * 64, "document": json.dumps(document), "way": "link"}
            of_when = {"month": month(number + 1), "revision": 1, "received_at": clock.now}
            db.session.add(ReceivedReturn(network_lieu_id=lieu.id, **values, **of_when))
    db.session.remove()
    downgrade(revision=before)
    upgrade()
    filled, odd = db.session.scalars(select(ReceivedReturn).order_by(ReceivedReturn.month))
    assert {name: getattr(filled, name) for name in columns_of(whole)} == columns_of(whole)
    assert (filled.desk_booked_halfdays, filled.distinct_people, filled.lieu_uuid) == (217, None, "lieu-of-before")
    assert filled.chain_heads and json.loads(filled.chain_heads)["money"]["seq"] == 4
    assert odd.lieu_uuid is None and odd.desk_booked_halfdays is None
    with pytest.raises(DBAPIError), write_unit():
        db.session.execute(text("UPDATE received_return SET distinct_people = 3"))

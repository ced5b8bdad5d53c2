"""A month on its way: once per revision for the head, for days if need be, and on after a restored backup."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import text

from coworking.core import mail, outbox
from coworking.core.db import db
from coworking.core.outbox import OutboxRow
from coworking.core.policy import SYSTEM
from coworking.core.units import snapshot, write_unit
from coworking.network.exchange import protocol
from coworking.network.head import checks as head_checks
from coworking.network.head import queries as network
from coworking.network.head.models import NetworkLieu, ReceivedReturn
from coworking.network.head.overview import overview
from coworking.network.lieu import joining, queries, services
from coworking.network.lieu.models import Delivery, HeadLink
from coworking.statistics import return_rules
from coworking.statistics.models import MonthlyReturn
from coworking.statistics.page import month_page
from coworking.statistics.recipients import recipient
from tests.network.conftest import NOVEMBER
from tests.support import emails as golden


def deliveries(here) -> list[tuple[int, str]]:
    return [(row.revision, row.state) for row in here.rows(Delivery, Delivery.revision)]


def forget(app, table: str, condition: str = "1 = 1") -> None:
    """Delete rows past the guards, as restoring an older backup does."""
    with app.app_context():
        raw = db.engine.raw_connection()
        try:
            cursor = raw.cursor()
            if db.engine.dialect.name == "sqlite":
                guards = cursor.execute(
                    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)
                ).fetchall()
                for name, _sql in guards:
                    cursor.execute(f"DROP TRIGGER {name}")
                cursor.execute(f"DELETE FROM {table} WHERE {condition}")
                for _name, sql in guards:
                    cursor.execute(sql)
            else:
                cursor.execute("SET session_replication_role = replica")
                cursor.execute(f"DELETE FROM {table} WHERE {condition}")
                cursor.execute("SET session_replication_role = DEFAULT")
            raw.commit()
        finally:
            raw.close()


def book_late(here) -> None:
    """Something changes in the month that was closed."""
    from coworking.booking.models import BookingUnit

    with here.app.app_context():
        with write_unit():
            unit = db.session.scalars(db.select(BookingUnit).order_by(BookingUnit.id).limit(1)).one()
            day, unit.outcome = unit.day, "absent"
            db.session.execute(text("UPDATE day_version SET version = version + 1 WHERE day = :day"), {"day": day})


def test_closing_sends_and_the_head_signs_for_it(joined, head):
    row = joined.close()
    joined.work()
    received = head.rows(ReceivedReturn)
    assert [(one.revision, one.status, one.digest, one.way) for one in received] == [
        (1, row.status, row.figures_sha256, "software")
    ]
    assert json.loads(received[0].document)["figures"] == json.loads(row.figures)
    (delivery,) = joined.rows(Delivery, Delivery.month)
    assert delivery.state == "acknowledged"
    (link,) = joined.rows(HeadLink, HeadLink.id)
    claims = protocol.verified(protocol.read(delivery.ack.encode(), protocol.ACK), protocol.decode_key(link.public_key))
    assert (claims["iss"], claims["revision"], claims["digest"]) == (head.lieu_id, 1, row.figures_sha256)
    told = joined.do(recipient, NOVEMBER)
    assert (told.name, told.revision, told.trouble) == ("Fabrique de territoire Livradois", 1, None)


def test_sending_again_changes_nothing_and_is_signed_for_again(joined, head):
    joined.close()
    joined.work()
    before = [(one.id, one.received_at, one.jws) for one in head.rows(ReceivedReturn)]
    ack = joined.rows(Delivery, Delivery.month)[0].ack
    joined.do(services.send_again, joined.cast.manager.actor(), NOVEMBER)
    joined.work()
    assert [(one.id, one.received_at, one.jws) for one in head.rows(ReceivedReturn)] == before
    assert joined.rows(Delivery, Delivery.month)[0].ack == ack
    assert joined.rows(Delivery, Delivery.month)[0].attempts == 2


def test_a_head_that_is_down_gets_it_later(joined, head, clock):
    head.stop()
    joined.close()
    joined.work()
    assert deliveries(joined) == [(1, "waiting")]
    assert "injoignable" in joined.do(recipient, NOVEMBER).trouble
    for _ in range(60):  # sixteen days of nothing
        clock.advance(hours=6, minutes=30)
        joined.work()
    assert deliveries(joined) == [(1, "waiting")]
    (row,) = [one for one in joined.rows(OutboxRow, OutboxRow.id) if one.topic == "network.send"]
    assert row.state == "waiting"
    assert row.attempts > outbox.MAX_ATTEMPTS
    head.start()
    clock.advance(hours=7)
    joined.work()
    assert deliveries(joined) == [(1, "acknowledged")]
    assert len(head.rows(ReceivedReturn)) == 1
    assert joined.do(recipient, NOVEMBER).trouble is None


def test_only_the_latest_revision_travels(joined, head, clock):
    head.stop()
    joined.close()
    joined.work()
    book_late(joined)
    joined.close(reason="Une présence corrigée")
    head.start()
    clock.advance(minutes=2)
    joined.work()
    assert deliveries(joined) == [(1, "replaced"), (2, "acknowledged")]
    assert [(one.revision, one.status, one.reason) for one in head.rows(ReceivedReturn)] == [
        (2, "restatement", "Une présence corrigée")
    ]


def test_after_a_restored_backup_the_next_revision_follows_the_heads(joined, head, clock):
    joined.close()
    joined.work()
    book_late(joined)
    joined.close(reason="Une présence corrigée")
    joined.work()
    assert [one.revision for one in head.rows(ReceivedReturn)] == [1, 2]
    for table in ("monthly_return", "delivery"):
        forget(joined.app, table)
    forget(joined.app, "outbox", "topic IN ('return.closed', 'network.send')")
    joined.close()
    joined.work()
    assert [(one.revision, one.status) for one in joined.rows(MonthlyReturn, MonthlyReturn.revision)] == [
        (1, "final"),
        (3, "restatement"),
    ]
    assert deliveries(joined) == [(1, "replaced"), (3, "acknowledged")]
    rows = head.rows(ReceivedReturn)
    assert [(one.revision, one.status) for one in rows] == [(1, "final"), (2, "restatement"), (3, "restatement")]
    assert "sauvegarde" in rows[-1].reason
    assert joined.do(queries.delivery, NOVEMBER, 3).ack


def test_a_head_that_was_restored_takes_what_it_lost(joined, head):
    joined.close()
    joined.work()
    forget(head.app, "received_return")
    joined.do(services.send_again, SYSTEM, NOVEMBER)
    joined.work()
    assert [one.revision for one in head.rows(ReceivedReturn)] == [1]
    assert deliveries(joined) == [(1, "acknowledged")]


def test_what_the_head_refuses_is_shown_and_not_repeated(joined, head, clock):
    with head.app.app_context(), write_unit():
        db.session.execute(text("UPDATE network_lieu SET left_at = created_at"))
    joined.close()
    joined.work()
    (delivery,) = joined.rows(Delivery, Delivery.month)
    assert delivery.state == "failed"
    assert delivery.last_error.startswith("lieu_unknown")
    assert [one.state for one in joined.rows(OutboxRow, OutboxRow.id) if one.topic == "network.send"] == ["failed"]
    clock.advance(hours=8)
    joined.work()
    assert joined.rows(Delivery, Delivery.month)[0].attempts == 1
    assert "lien" in joined.do(recipient, NOVEMBER).trouble


def test_a_receipt_that_is_not_the_head_s_is_no_receipt(joined, head, clock):
    with joined.app.app_context():
        stranger = protocol.encode_key(b"\x01" * 32)
        with write_unit():
            db.session.execute(text("UPDATE head_link SET public_key = :key"), {"key": stranger})
    joined.close()
    joined.work()
    (delivery,) = joined.rows(Delivery, Delivery.month)
    assert (delivery.state, delivery.last_error) == ("waiting", "not_acknowledged")


@pytest.fixture
def partial(joined):
    """The lieu began on 2 November: nothing is known of the 1st, a Sunday."""
    for table in ("open_span", "lieu_day"):
        forget(joined.app, table, "day = '2026-11-01'")
    return joined


def test_a_part_of_a_month_is_marked_at_the_head(partial, head):
    partial.close()
    partial.work()
    (received,) = head.rows(ReceivedReturn)
    assert json.loads(received.document)["counted_from"] == "2026-11-02"
    assert received.counted_from == date(2026, 11, 2)
    (lieu,) = head.rows(NetworkLieu)
    with head.app.app_context():
        assert [row.counted_from for row in overview(NOVEMBER).rows] == [date(2026, 11, 2)]
        assert network.held_and_before(lieu.id, date(2026, 12, 1))[1] == [], "no whole month is measured by it"
        with snapshot():
            assert list(head_checks.documents()) == []


def test_a_head_that_does_not_know_the_mark_gets_the_return_without_it(partial, head, monkeypatch):
    row = partial.close()
    monkeypatch.setattr(return_rules, "OPTIONAL", ())  # as before any optional member was known
    partial.work()
    (received,) = head.rows(ReceivedReturn)
    assert received.digest == row.figures_sha256
    assert not {"counted_from", "chain_heads"} & json.loads(received.document).keys()
    assert deliveries(partial) == [(1, "acknowledged")]


def test_without_a_network_nothing_is_sent(here):
    here.close()
    here.work()
    assert here.rows(Delivery, Delivery.month) == []
    assert here.do(recipient, NOVEMBER) is None
    with pytest.raises(services.NoNetwork):
        here.do(services.send_again, SYSTEM, NOVEMBER)


def test_a_head_without_the_software_gets_an_email(here, mailbox):
    here.do(services.send_by_email, here.cast.manager.actor(), name="Réseau du Livradois", email="reseau@example.org")
    row = here.close()
    here.work()
    (email,) = mailbox()
    assert email["To"] == "reseau@example.org"
    golden.check(email, "network/return")
    files = {part.get_filename(): part.get_content() for part in email.iter_attachments()}
    assert set(files) == {"2026-11-r1.csv", "2026-11-r1.json"}
    document = files["2026-11-r1.json"]
    assert json.loads(document)["figures_sha256"] == row.figures_sha256
    assert deliveries(here) == [(1, "mailed")]
    with here.app.test_request_context(headers={"Accept-Language": "fr"}):
        assert "Envoyé à Réseau du Livradois par e-mail" in [step.title for step in month_page(NOVEMBER).steps]


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize(
    ("name", "revision", "reason"), [("network/return", 1, None), ("network/return-again", 2, "Oubli")]
)
def test_the_email_reads(here, name, revision, reason, language):
    context = {"place": "La Fabrique du Pont", "month": NOVEMBER, "digest": "a" * 64}
    with here.app.app_context():
        email = mail.render(
            "x",
            template="network/return",
            to="reseau@example.org",
            locale=language,
            context=context | {"revision": revision, "reason": reason},
        )
    golden.check(email, name)


def test_a_lieu_that_left_sends_nothing(joined, head):
    head.stop()
    joined.close()
    joined.work()
    joined.do(services.leave, joined.cast.manager.actor())
    joined.do(services.leave, joined.cast.manager.actor())
    head.start()
    joined.work()
    assert head.rows(ReceivedReturn) == []


def test_sending_from_the_command_line(joined, head):
    joined.close()
    result = joined.app.test_cli_runner().invoke(args=["network", "send", "2026-11"])
    assert (result.exit_code, result.output.split()[:3]) == (0, ["2026-11", "r1", "acknowledged"]), result.output
    assert joined.app.test_cli_runner().invoke(args=["network", "send", "2026-09"]).exit_code == 1
    head.stop()
    down = joined.app.test_cli_runner().invoke(args=["network", "send", "2026-11"])
    assert down.exit_code == 1
    assert deliveries(joined) == [(1, "acknowledged")]  # what was acknowledged stays so


def test_a_lieu_that_joins_sends_the_months_it_closed_before(here, head):
    here.close()
    here.work()
    assert here.do(recipient, NOVEMBER) is None
    here.do(joining.join, here.cast.manager.actor(), head.link(head.add()), since=NOVEMBER)
    assert here.do(recipient, NOVEMBER).sent_at is None, "nothing is received before the head signs for it"
    here.work()
    assert [one.month for one in head.rows(ReceivedReturn)] == [NOVEMBER]
    assert here.do(recipient, NOVEMBER).sent_at is not None


def test_it_may_also_send_none_of_them_and_do_so_later(here, head, sign_in):
    here.close()
    here.work()
    browser = sign_in(here.cast.manager)
    page = browser.get("/settings/network").text
    assert "Mois déjà clos" in page and '<option value="2026-11" selected>' not in page
    answer = browser.post("/settings/network/join", data={"url": head.link(head.add()), "since": "none"})
    assert answer.status_code == 303
    here.work()
    assert head.rows(ReceivedReturn) == []
    with here.app.test_request_context(headers={"Accept-Language": "fr"}):
        assert "Reçu par" not in " ".join(step.title for step in month_page(NOVEMBER).steps)
    assert "1 mois clos n’a jamais été envoyé" in browser.get("/settings/network").text
    for _ in range(2):
        assert browser.post("/settings/network/past", data={"since": "2026-11"}).status_code == 303
    here.work()
    assert [one.month for one in head.rows(ReceivedReturn)] == [NOVEMBER]
    assert "jamais été envoyé" not in browser.get("/settings/network").text


def test_by_default_all_of_them_go(here, head, sign_in):
    here.close()
    here.work()
    answer = sign_in(here.cast.manager).post("/settings/network/join", data={"url": head.link(head.add())})
    assert answer.status_code == 303
    here.work()
    assert deliveries(here) == [(1, "acknowledged")]


def test_what_one_network_received_another_has_not(joined, head, mailbox):
    joined.close()
    joined.work()
    assert joined.do(recipient, NOVEMBER).sent_at is not None
    actor = joined.cast.manager.actor()
    joined.do(services.send_by_email, actor, name="Réseau du Livradois", email="reseau@example.org")
    assert joined.do(recipient, NOVEMBER).sent_at is None, "only the head before has it"
    joined.do(services.send_by_email, actor, name="Réseau du Livradois", email="reseau@example.org", since=NOVEMBER)
    joined.work()
    told = joined.do(recipient, NOVEMBER)
    assert told.by_email and told.sent_at is not None
    assert len(mailbox()) == 1


def test_what_was_on_its_way_to_another_head_goes_nowhere(joined, head, mailbox):
    head.stop()
    joined.close()
    joined.work()
    actor = joined.cast.manager.actor()
    joined.do(services.send_by_email, actor, name="Réseau du Livradois", email="reseau@example.org")
    head.start()
    joined.work()
    assert head.rows(ReceivedReturn) == [] and mailbox() == []

"""Promise 2 where workers are slow, die, or are overtaken: only the holder of a lease says how its work ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from coworking.core import outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.outbox import OutboxRow
from coworking.core.units import write_unit


@pytest.fixture
def handle(inside, monkeypatch):
    """``handle(function)``: put one row with key ``k`` into the outbox, carried out by ``function``."""

    def put(function) -> None:
        monkeypatch.setitem(outbox._handlers, "test", function)
        with write_unit():
            outbox.enqueue("test", "k", {})

    return put


def change(**values) -> None:
    with write_unit():
        db.session.execute(update(OutboxRow).values(**values))


def row() -> OutboxRow:
    db.session.rollback()
    return db.session.scalars(select(OutboxRow)).one()


def test_a_worker_overtaken_by_another_does_not_end_the_others_lease(handle, clock):
    """It was slow and then failed; were the row set waiting, a third would begin while the second is at work."""
    until = now() + timedelta(hours=1)

    def slow(job):
        change(lease="the successor", attempts=2, leased_until=until)
        raise OSError("too late")

    handle(slow)
    outbox.run_due(limit=1)
    assert (row().lease, row().leased_until, row().state, row().last_error) == ("the successor", until, "waiting", None)


@pytest.mark.parametrize("ends", [None, OSError("away"), outbox.GiveUp("never")])
def test_a_row_deleted_while_it_is_carried_out_stays_deleted(handle, ends):
    def dropped_meanwhile(job):
        with write_unit():
            outbox.drop("k")
        if ends is not None:
            raise ends

    handle(dropped_meanwhile)
    outbox.run_due()
    assert row().state == "dropped"
    assert outbox.failed() == []


def test_a_row_that_kills_its_workers_ends_with_a_person(handle):
    """A killed worker reports nothing: only its attempts are counted, and they must not go on for ever."""
    ran = []
    handle(ran.append)
    change(attempts=outbox.MAX_ATTEMPTS)
    assert outbox.run_due() == 1
    assert (row().state, ran) == ("failed", [])

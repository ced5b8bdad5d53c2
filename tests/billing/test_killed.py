"""A process is killed with -9 at each step of a collection and of a settlement: nothing is lost, nothing is doubled."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from coworking.billing import collecting, means, online, online_opening, queries
from coworking.billing.models import Payment
from coworking.billing.online_models import OnlinePayment
from coworking.core import checks
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.units import end_read
from tests.support.dying import Order, keep, killed, recall


@pytest.fixture
def dies(gateway, app, tmp_path):
    """``dies(act, step, of="")``: another process begins ``act`` and is killed at ``step``; its gateway remembers."""
    settings, file = app.extensions["settings"], tmp_path / "gateway"

    def run(act: str, step: str, of: str = "") -> None:
        end_read()
        keep(gateway, file)
        killed(
            Order(
                database=settings.database_url,
                data_dir=str(Path(settings.data_dir).resolve()),
                at=now().isoformat(),
                gateway=str(file),
                act=act,
                dies=step,
                of=of,
            )
        )
        recall(gateway, file)

    return run


def attempts() -> list[tuple[str, str | None]]:
    end_read()
    db.session.expire_all()
    return [(row.state, row.reason) for row in db.session.scalars(select(OnlinePayment).order_by(OnlinePayment.id))]


def received() -> list[int]:
    end_read()
    return list(db.session.scalars(select(Payment.cents).order_by(Payment.id)))


def wrong() -> list[str]:
    """What `flask audit` finds wrong about money; the days of this lieu are not closed by any worker."""
    end_read()
    found = [fault for one, faults in checks.run() if one.promise == 3 for fault in faults]
    return [fault for fault in found if "is not closed" not in fault]


@pytest.mark.parametrize(
    ("step", "found"),
    [("intent", []), ("call", ["opening"]), ("answer", ["opening"]), ("outcome", ["opening"]), ("done", ["paid"])],
)
def test_a_collection_killed_at_each_step_is_charged_once(gateway, billing_lieu, invoice, clock, dies, step, found):
    row = means.begin(billing_lieu.cast.stranger.actor(), "me", agrees=True, agreed_to="I agree.", locale="fr")
    gateway.saved_means.save(row.checkout_id, "card")
    means.finish(row.public_id)
    clock.advance(days=1)
    dies("collect", step)
    assert [state for state, _reason in attempts()] == found
    charged = dict(gateway.saved_means.charged)
    assert bool(charged) == (step in {"answer", "outcome", "done"})
    collecting.collect_due()
    if step != "intent":  # the killed run may still be waiting for its answer
        assert gateway.saved_means.charged == charged
    clock.advance(minutes=3)
    collecting.collect_due()
    collecting.collect_due()
    assert len(gateway.saved_means.charged) == 1
    assert (attempts(), received()) == ([("paid", None)], [6600])
    assert queries.standings_of([invoice.public_id])[0].open_cents == 0
    assert wrong() == []


@pytest.mark.parametrize("step", ["call", "answer", "outcome", "done"])
def test_a_settlement_killed_at_each_step_is_written_once(gateway, invoice, dies, run_outbox, clock, step):
    page = online_opening.open_payment([invoice.public_id], "stripe", pay_url="http://lieu.test/pay/x", locale="fr")
    checkout = page.checkout_id
    gateway.become(checkout, "paid")
    dies("settle", step, checkout)
    assert received() == ([6600] if step == "done" else [])
    clock.advance(minutes=31)
    run_outbox()  # the lieu's own look, as after a notification that was lost
    online.settle("stripe", checkout)
    assert (attempts(), received()) == ([("paid", None)], [6600])
    assert wrong() == []

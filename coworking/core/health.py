"""``/healthz`` (the process answers), ``/readyz`` (it can do its work) and ``/metrics`` (Prometheus)."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select, text

from coworking.core import guards, migrating
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.outbox import OutboxRow
from coworking.core.policy import public
from coworking.core.settings import settings

blueprint = Blueprint("health", __name__)

checks: dict[str, Callable[[], str | None]] = {}
"""Further readiness checks by name, hung in by packages above: None when well, else what is wrong."""


hints: dict[str, Callable[[], str | None]] = {}
"""What an administrator should know though the instance does its work, by name; None when there is nothing to say."""


@blueprint.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """200 when every check passes, else 503; `_is_ours` learns which ones."""
    results = {"database": _database(), "migrations": None, "guards": None}
    if results["database"] is None:
        results["migrations"] = _migrations()
        results["guards"] = "; ".join(guards.differences(db.session.connection())) or None
    results |= {name: check() for name, check in checks.items()}
    failing = {name: problem for name, problem in results.items() if problem is not None}
    body: dict[str, object] = {"status": "ready" if not failing else "not ready"}
    if _is_ours():
        body["checks"] = {name: problem or "ok" for name, problem in results.items()}
        body |= {"hints": said} if (said := _hints()) else {}
    return jsonify(body), 503 if failing else 200


@blueprint.get("/metrics")
@public
def metrics() -> ResponseReturnValue:
    """Gauges of the work that waits, for a scraper on this machine or one that has the token."""
    if not _is_ours():
        raise NotFound()
    rows = dict(db.session.execute(select(OutboxRow.state, func.count()).group_by(OutboxRow.state)).all())
    overdue = db.session.scalar(select(func.count()).where(OutboxRow.state == "waiting", OutboxRow.due_at <= now()))
    registry = CollectorRegistry()  # one per scrape: the values come from the database, whichever worker answers
    by_state = Gauge("coworking_outbox_rows", "Outbox rows by state.", ["state"], registry=registry)
    for state, count in rows.items():
        by_state.labels(state).set(count)
    Gauge("coworking_outbox_overdue", "Waiting outbox rows that are due.", registry=registry).set(overdue or 0)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _hints() -> dict[str, str]:
    return {name: hint for name, tell in hints.items() if (hint := tell()) is not None}


def _is_ours() -> bool:
    """Whether a program of this machine asks, or one that shows ``METRICS_TOKEN``.

    What a proxy on this machine passes on comes from here too, but says for whom.
    """
    token = settings().metrics_token
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if token and scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode()):
        return True
    passed_on = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip"))
    return request.remote_addr in {"127.0.0.1", "::1"} and not passed_on


def _database() -> str | None:
    try:
        db.session.execute(text("SELECT 1"))
    except Exception as error:
        return type(error).__name__
    return None


def _migrations() -> str | None:
    reached, newest = migrating.reached_migration(), migrating.newest_migration()
    return None if reached == newest else f"at {reached}, the newest is {newest}"

"""The minimal versions to compare with: the same pages and bookings without anything else.

A Flask application on the same tables that signs people in by a signed cookie and loads them at each request. Its
timeline is raw SQL and joined strings; its booking locks the resource, looks for an overlap and inserts booking and claim
by the ORM. No rules, entitlement, audit, e-mails, languages, themes, cross-site protection nor page versions.
"""

from __future__ import annotations

import os
from datetime import date, datetime, time, timedelta
from html import escape
from zoneinfo import ZoneInfo

from flask import Flask, Response, g, redirect, request, session
from sqlalchemy import BigInteger, ForeignKey, Integer, MetaData, create_engine, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from bench.history import CLOSES, OPENS
from config import Config
from coworking.core.db import engine_options, prepare_engine
from coworking.core.types import UTCDateTime, public_id

ZONE = ZoneInfo("Europe/Paris")
Id = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    metadata = MetaData()


class Person(Base):
    __tablename__ = "person"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    email: Mapped[str | None]
    first_name: Mapped[str]


class Resource(Base):
    __tablename__ = "resource"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str]


class Booking(Base):
    __tablename__ = "booking"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    day: Mapped[date]
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    guests: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(default="confirmed")
    source: Mapped[str] = mapped_column(default="api")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    cancelled_late: Mapped[bool] = mapped_column(default=False)


class Claim(Base):
    __tablename__ = "claim"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"))
    holder_kind: Mapped[str] = mapped_column(default="booking")
    holder_id: Mapped[int] = mapped_column(Id)
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    use_starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    use_ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    live: Mapped[bool] = mapped_column(default=True)
    long: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


config = Config.from_env(os.environ)
engine = create_engine(config.database_url, **engine_options(config.database_url))
prepare_engine(engine)
app = Flask(__name__)
app.secret_key = config.secret_key


@app.before_request
def load_person() -> Response | None:
    if request.endpoint in {"sign_in", "healthz"}:
        return None
    writes = request.method == "POST"
    g.db = Session(engine, expire_on_commit=False, info={"unit": True})  # our own guard watches every session
    g.db.connection(execution_options={"write_unit": writes})
    g.person = g.db.get(Person, session.get("person", 0))
    return None if g.person is not None else Response("sign in", 403)


@app.teardown_request
def close(_error: BaseException | None) -> None:
    if "db" in g:
        g.db.close()


@app.get("/healthz")
def healthz() -> str:
    return "ok"


@app.post("/sign-in")
def sign_in() -> Response:
    with Session(engine) as db:
        session["person"] = db.scalars(select(Person.id).where(Person.email == request.form["email"])).one()
    return redirect("/planning")  # type: ignore[return-value]


@app.get("/planning")
def planning() -> Response:
    day = date.fromisoformat(request.args["day"])
    starts = datetime.combine(day, time(), tzinfo=ZONE)
    return Response(_page(day, starts, starts + timedelta(days=1)), mimetype="text/html")


def _page(day: date, starts: datetime, ends: datetime) -> str:
    first, last = _stored(starts), _stored(ends)
    resources = g.db.execute(
        text(
            "SELECT r.id, r.public_id, r.name, r.kind, r.seats, z.id, z.name FROM resource r JOIN zone z ON z.id = r.zone_id"
            " ORDER BY z.position, r.position"
        )
    ).all()
    bars: dict[int, list[tuple[datetime, datetime, str, str]]] = {}
    for resource, start, end, booking, name, surname in g.db.execute(
        text(
            "SELECT c.resource_id, c.use_starts_at, c.use_ends_at, b.public_id, p.first_name, p.last_name FROM claim c"
            " JOIN booking b ON b.id = c.holder_id JOIN person p ON p.id = b.person_id"
            " WHERE c.live AND c.holder_kind = 'booking' AND c.starts_at >= :first AND c.starts_at < :last"
            " ORDER BY c.resource_id, c.starts_at"
        ),
        {"first": first, "last": last},
    ):
        bars.setdefault(resource, []).append((_read(start), _read(end), booking, f"{name} {surname[:1]}."))
    out = [
        "<!doctype html><html lang=fr><head><meta charset=utf-8><title>Planning</title>"
        '<link rel="stylesheet" href="/static/css/base.css"></head><body><header><a href="/">Banc de mesure</a>'
        f"<span>{escape(g.person.first_name)}</span></header><main><h1>{day}</h1>"
    ]
    zone = None
    opens, closes = starts + timedelta(minutes=OPENS), starts + timedelta(minutes=CLOSES)
    for id_, public, name, kind, seats, zone_id, zone_name in resources:
        if zone_id != zone:
            out.append(f"{'</ul></details>' if zone else ''}<details open><summary>{escape(zone_name)}</summary><ul>")
            zone = zone_id
        small = f"<small>{seats} places</small>" if kind != "desk" else ""
        out.append(f'<li><span class="name">{escape(name)}{small}</span><div class="lane">')
        at = opens
        for start, end, booking, who in bars.get(id_, ()):
            if start > at:
                out.append(_free(public, day, starts, at, start))
            left, right = _quarter(starts, start), _quarter(starts, end)
            until = f"{right // 4}:{right % 4 * 15:02d}"
            out.append(
                f'<a class="is-taken c{left} w{right - left}" href="/bookings/{booking}" title="{escape(who)}, {until}">'
                f"<b>{escape(who)}</b><i>{until}</i></a>"
            )
            at = end
        if at < closes:
            out.append(_free(public, day, starts, at, closes))
        out.append("</div></li>")
    out.append("</ul></details></main></body></html>")
    return "".join(out)


def _free(public: str, day: date, starts: datetime, start: datetime, end: datetime) -> str:
    left, right = _quarter(starts, start), _quarter(starts, end)
    return (
        f'<a class="f c{left} w{right - left}" href="/new/{public}?day={day}&amp;from={left // 4:02d}:{left % 4 * 15:02d}'
        f'&amp;to={right // 4:02d}:{right % 4 * 15:02d}">+ {left // 4} h</a>'
    )


def _quarter(starts: datetime, instant: datetime) -> int:
    return int((instant - starts).total_seconds()) // 900


@app.post("/bookings")
def book() -> Response:
    body = request.get_json()
    start, end = datetime.fromisoformat(body["starts_at"]), datetime.fromisoformat(body["ends_at"])
    db: Session = g.db
    resource = db.scalars(
        select(Resource).where(Resource.public_id == body["resource_id"]).with_for_update(key_share=True)
    ).one()
    taken = db.scalars(
        select(Claim.id).where(
            Claim.resource_id == resource.id,
            Claim.live.is_(True),
            Claim.starts_at < end,
            Claim.starts_at > start - timedelta(days=1),
            Claim.ends_at > start,
        )
    ).first()
    if taken is not None:
        return Response('{"code": "claim_conflict"}', 409, mimetype="application/json")
    instant = datetime.now(ZONE)
    booking = Booking(
        person_id=g.person.id, day=start.astimezone(ZONE).date(), starts_at=start, ends_at=end, created_at=instant
    )
    db.add(booking)
    db.flush()
    db.add(
        Claim(
            resource_id=resource.id,
            holder_id=booking.id,
            starts_at=start,
            ends_at=end,
            use_starts_at=start,
            use_ends_at=end,
            created_at=instant,
        )
    )
    db.commit()
    return Response(f'{{"id": "{booking.public_id}"}}', 201, mimetype="application/json")


def _stored(instant: datetime) -> object:
    return int(instant.timestamp() * 1_000_000) if engine.dialect.name == "sqlite" else instant


def _read(value: int | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromtimestamp(value / 1_000_000, ZONE)

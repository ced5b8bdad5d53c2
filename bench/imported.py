"""10,000 people moved in from a spreadsheet: uploaded and checked through the web, imported by one worker."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator

from sqlalchemy import func, select

from bench.ground import FULL, Ground
from bench.report import Line
from config import Config
from coworking.accounts.models import Person, PersonRole
from coworking.app import create_app
from coworking.core import outbox
from coworking.core.db import db
from coworking.core.units import end_read
from coworking.imports import judging, queries, services

PEOPLE = 10_000
COLUMNS = ["first_name", "last_name", "email", "phone", "address", "postcode", "city", "note"]
MOST_CHECK_S, MOST_SECONDS = 3.0, 60.0


def measure(ground: Ground) -> Iterator[Line]:
    """Seconds to read the file, to say what would happen, and to import all of it."""
    wanted = PEOPLE if ground.effort is FULL else PEOPLE // 10
    app = create_app(Config.from_env({**ground.environ, "BASE_URL": "http://localhost"}))
    with app.app_context():
        manager = db.session.scalars(
            select(Person).join(PersonRole, PersonRole.person_id == Person.id).where(PersonRole.role == "manager")
        ).unique()
        actor = next(iter(manager)).actor()
        before = db.session.scalar(select(func.count()).select_from(Person)) or 0
        end_read()
        started = time.perf_counter()
        public_id = services.upload(actor, "people", "bench.csv", io.BytesIO(_file(wanted))).public_id
        read = time.perf_counter() - started
        services.choose(actor, public_id, COLUMNS, replaces=False)
        started = time.perf_counter()
        file = queries.file_named(public_id)
        found = judging.outlook(file, judging.table_of_file(file))
        checked = time.perf_counter() - started
        assert found.counts == {"added": wanted}, found.counts
        services.start(actor, public_id)
        started = time.perf_counter()
        while outbox.run_due():
            pass
        taken = time.perf_counter() - started
        after = db.session.scalar(select(func.count()).select_from(Person)) or 0
        assert (queries.file_named(public_id).state, after - before) == ("done", wanted)
        db.session.remove()
        db.engine.dispose()
    yield Line(
        ground.engine,
        f"a file of {wanted} people read, then judged line by line",
        f"{read + checked:.1f} s: read {read:.1f}, judged {checked:.1f}",
        "",
        None,
        f"≤ {MOST_CHECK_S:.0f} s",
        read + checked <= MOST_CHECK_S,
    )
    yield Line(
        ground.engine,
        f"{wanted} people imported, one worker",
        f"{taken:.0f} s, {wanted / taken:.0f}/s",
        "",
        None,
        f"≤ {MOST_SECONDS:.0f} s",
        taken <= MOST_SECONDS,
    )


def _file(people: int) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow(("Prénom", "Nom", "E-mail", "Téléphone", "Adresse", "Code postal", "Ville", "Notes"))
    for at in range(people):
        lives = ("06 12 34 56 78", "1 rue Haute", "63300", "Thiers", "")
        writer.writerow((f"Zoé{at}", f"Lefèvre{at}", f"bench-import-{at}@demo.example", *lives))
    return text.getvalue().encode("cp1252")

"""PDFs that are made once: stored in the database, and returned byte for byte ever after.

For issued documents only: their content was frozen when they were issued, so a stored PDF stays true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import LargeBinary, select
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core import pdf
from coworking.core.checks import check
from coworking.core.clock import now
from coworking.core.db import Model, db
from coworking.core.sql import inserted, table_of
from coworking.core.types import UTCDateTime
from coworking.core.units import end_read, write_unit


class KeptPdf(Model):
    """The columns of every table of stored PDFs. A guard (`core.guards`) lets nobody change or remove its rows."""

    __abstract__ = True

    sha256: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    rendered_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


def kept_pdf(model: type[KeptPdf], key: Mapping[str, Any], page: Callable[[], str]) -> bytes:
    """The PDF kept in ``model`` under the unique ``key``; where there is none, that of ``page()``, kept from now on.

    One process draws it once, however many ask; when two processes draw at once, the first PDF kept counts. Not inside a
    write unit. Raises what `core.pdf.turn` says.
    """
    found = _content(model, key)
    if found is not None:
        return found
    end_read()
    html = page()
    end_read()
    with pdf.turn() as draw:
        found = _content(model, key)  # the request before may have made this very PDF
        if found is not None:
            return found
        end_read()
        drawn = draw(html)
        with write_unit():
            inserted(model, **key, sha256=sha256(drawn).hexdigest(), content=drawn, rendered_at=now())
    found = _content(model, key)
    assert found is not None, "it was kept a moment ago, by us or by another"
    return found


def _content(model: type[KeptPdf], key: Mapping[str, Any]) -> bytes | None:
    columns = table_of(model).columns
    return db.session.scalar(select(model.content).where(*(columns[name] == value for name, value in key.items())))


@check(3, "stored PDFs are what was first drawn")
def drawn_once() -> Iterator[str]:
    for model in sorted(KeptPdf.__subclasses__(), key=lambda model: model.__tablename__):
        key, name = next(iter(table_of(model).primary_key)), model.__tablename__
        statement = select(key, model.sha256, model.content).order_by(key).execution_options(yield_per=20)
        for number, digest, content in db.session.execute(statement):
            if sha256(content).hexdigest() != digest:
                yield f"{name} {number}: the PDF was altered"

"""Promise 4 on a head's live data: what was received is what its lieu signed."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import select

from coworking.core.checks import check
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.keyring import key_id_of
from coworking.core.months import read_month
from coworking.network.exchange import protocol
from coworking.network.head.filing import columns_of
from coworking.network.head.models import Enrolment, NetworkLieu, ReceivedReturn
from coworking.statistics.schema import canonical, digest


@check(4, "every return received is the document its digest is of, and is filed as it says")
def documents() -> Iterator[str]:
    for row in db.session.scalars(select(ReceivedReturn).order_by(ReceivedReturn.id).execution_options(yield_per=100)):
        document = json.loads(row.document)
        said = (read_month(document["month"]), document["revision"], document["status"], document["reason"])
        if said != (row.month, row.revision, row.status, row.reason):
            yield f"return {row.id} is filed under another month, revision or status than it says"
        if not digest(canonical(document["figures"])) == row.digest == document["figures_sha256"]:
            yield f"return {row.id} has other figures than its digest"
        wrong = [name for name, value in columns_of(document).items() if getattr(row, name) != value]
        if wrong:
            yield f"return {row.id} says something else in its document than beside it: {', '.join(wrong)}"


@check(4, "every return received bears its lieu's signature")
def signatures() -> Iterator[str]:
    keys = _keys()
    rows = db.session.execute(
        select(ReceivedReturn, NetworkLieu)
        .join(NetworkLieu, NetworkLieu.id == ReceivedReturn.network_lieu_id)
        .where(ReceivedReturn.jws.is_not(None))
        .order_by(ReceivedReturn.id)
        .execution_options(yield_per=100)
    )
    for row, lieu in rows:
        assert row.jws is not None
        try:
            message = protocol.read(row.jws.encode(), protocol.RETURN)
            public = keys.get((lieu.id, message.kid))
            if public is None:
                yield f"return {row.id} is signed by {message.kid}, which never was a key of {lieu.public_id}"
            elif protocol.verified(message, public).get("return") != json.loads(row.document):
                yield f"return {row.id} is another document than the one that was signed"
        except DomainError as error:
            yield f"return {row.id}: {error}"


def _keys() -> dict[tuple[int, str], bytes]:
    """Every key a lieu ever enrolled with, by lieu and key id."""
    pairs = [
        *db.session.execute(select(NetworkLieu.id, NetworkLieu.public_key)),
        *db.session.execute(select(Enrolment.network_lieu_id, Enrolment.public_key)),
    ]
    raw = [(lieu, protocol.decode_key(key)) for lieu, key in pairs if key is not None]
    return {(lieu, key_id_of(public)): public for lieu, public in raw}

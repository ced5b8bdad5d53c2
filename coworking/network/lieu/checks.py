"""Promise 4 on a lieu's live data: what was sent is what is kept, and what was received there was acknowledged."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from coworking.core.checks import check
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.keyring import key_id_of
from coworking.core.months import write_month
from coworking.network.exchange import protocol
from coworking.network.lieu.models import Delivery, HeadLink
from coworking.statistics.models import MonthlyReturn


@check(4, "every return said to be received was acknowledged by the head, with its own figures")
def acknowledgements() -> Iterator[str]:
    own = {
        (month, revision): sha
        for month, revision, sha in db.session.execute(
            select(MonthlyReturn.month, MonthlyReturn.revision, MonthlyReturn.figures_sha256)
        )
    }
    head = db.session.scalar(select(HeadLink))
    for row in db.session.scalars(select(Delivery).order_by(Delivery.month, Delivery.revision)):
        name = f"{write_month(row.month)} r{row.revision}"
        if own.get((row.month, row.revision)) != row.digest:
            yield f"{name} was sent with other figures than are kept"
        if row.ack is None or head is None or head.public_key is None:
            continue
        try:
            message = protocol.read(row.ack.encode(), protocol.ACK)
            public = protocol.decode_key(head.public_key)
            if message.kid != key_id_of(public):
                continue  # the receipt of a head this lieu belonged to before
            if protocol.verified(message, public).get("digest") != row.digest:
                yield f"{name} is acknowledged with other figures"
        except DomainError as error:
            yield f"{name}: {error}"

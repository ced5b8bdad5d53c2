"""Who is here now is here under one record: it may not go into another one before they have left."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from coworking.core import merging
from coworking.core.db import db
from coworking.core.erasing import Hindrance
from coworking.core.i18n import _
from coworking.presence.models import Presence
from coworking.spaces import queries as spaces


@merging.hindered_by
def _is_here(gone_id: int, _kept_id: int) -> Iterator[Hindrance]:
    here = (Presence.person_id == gone_id, Presence.day == spaces.today(), Presence.left_at.is_(None))
    if db.session.scalar(select(Presence.id).where(*here).limit(1)) is not None:
        yield Hindrance(_("They are here now under this record: say first that they have left."))

"""What the law wants a site to say of who runs it: who publishes it, who hosts it, who answers about data."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core import audit
from coworking.core.db import Model, db
from coworking.core.errors import N_
from coworking.core.policy import Actor
from coworking.core.privacy import ANYONE
from coworking.core.units import write_unit

MUST = {
    "director": N_("the publication director"),
    "host_name": N_("the name of the site’s host"),
    "host_address": N_("the address of the site’s host"),
    "host_phone": N_("the telephone of the site’s host"),
}
"""What article 1-1 of the LCEN (law 2004-575) wants beside the lieu's own name and address."""


class LegalSettings(Model):
    """A single row (id 1). ``data_contact``: whom to write to about data (None: the lieu's e-mail address); ``dpo``: the
    data protection officer, where there is one; ``director``: of publication; ``register_number``: RCS or RNA.
    """

    __tablename__ = "legal_settings"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    director: Mapped[str | None] = mapped_column(info={"seen_by": ANYONE})
    register_number: Mapped[str | None] = mapped_column(info={"seen_by": ANYONE})
    host_name: Mapped[str | None] = mapped_column(info={"seen_by": ANYONE})
    host_address: Mapped[str | None] = mapped_column(info={"seen_by": ANYONE})
    host_phone: Mapped[str | None] = mapped_column(info={"seen_by": ANYONE})
    data_contact: Mapped[str | None] = mapped_column(info={"seen_by": ANYONE})
    dpo: Mapped[str | None] = mapped_column(info={"seen_by": ANYONE})


NAMES = ("director", "register_number", "host_name", "host_address", "host_phone", "data_contact", "dpo")


def legal_settings() -> LegalSettings:
    """The lieu's own; empty ones where nothing was set."""
    return db.session.get(LegalSettings, 1) or LegalSettings(id=1)


def missing() -> list[str]:
    """What must still be said, in words marked with `N_`."""
    row = legal_settings()
    return [words for name, words in MUST.items() if not getattr(row, name)]


def change(actor: Actor, values: Mapping[str, str | None]) -> None:
    """Set them, with a trace of who changed what."""
    with write_unit():
        row = db.session.get(LegalSettings, 1)
        if row is None:
            db.session.add(row := LegalSettings(id=1))
        changed = sorted(name for name in NAMES if getattr(row, name) != values[name])
        for name in changed:
            setattr(row, name, values[name])
        if changed:
            audit.record(actor, "legal.changed", ("lieu", 1), changed=changed)

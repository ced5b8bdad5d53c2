"""What somebody can prove themselves with beside a password, and whether they must."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, or_, select

from coworking.accounts.factor_models import Authenticator, Passkey, RecoveryCode, StaffAccess
from coworking.accounts.models import Person
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.policy import Role

SECOND_STEP_FROM = select(StaffAccess.second_step_from).scalar_subquery()
"""A column for statements that a request carries out anyway: from when on the team signs in with a second step."""


HAS_SECOND_STEP = or_(
    exists().where(Authenticator.person_id == Person.id, Authenticator.confirmed_at.is_not(None)).correlate(Person),
    exists().where(Passkey.person_id == Person.id).correlate(Person),
)
"""The same for whether the statement's person has one."""


@dataclass(frozen=True, slots=True)
class Factors:
    """``app_since``: when the codes app began to count; ``codes_left``: recovery codes; ``passkeys``: how many;
    ``team_from``: from when on people with a role must have a second step (None: when they like)."""

    app_since: datetime | None
    codes_left: int
    passkeys: int
    team_from: datetime | None

    @property
    def any(self) -> bool:
        return self.app_since is not None or self.passkeys > 0


def of(person_id: int | None) -> Factors:
    """What ``person_id`` has (1 statement)."""
    app = select(Authenticator.confirmed_at).where(Authenticator.person_id == person_id).scalar_subquery()
    codes = (
        select(func.count())
        .select_from(RecoveryCode)
        .where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))
        .scalar_subquery()
    )
    keys = select(func.count()).select_from(Passkey).where(Passkey.person_id == person_id).scalar_subquery()
    return Factors(*db.session.execute(select(app, codes, keys, SECOND_STEP_FROM)).one())


def is_asked_of(person: Person) -> bool:
    """Whether a password or a link is not enough to sign ``person`` in (1 statement).

    Who has a passkey may also come in by password, unless they are of a team that must have a second step.
    """
    have = of(person.id)
    return have.app_since is not None or (have.passkeys > 0 and has_role(person) and is_due(have.team_from))


def has_role(person: Person) -> bool:
    """Whether ``person`` is of the team: the second step that a lieu wants is asked of them."""
    return bool(person.roles - {Role.MEMBER})


def is_due(team_from: datetime | None) -> bool:
    """Whether the team must have a second step by now."""
    return team_from is not None and team_from <= now()

"""The acting person and their roles, as plain values that rules may use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache


class Role(StrEnum):
    """What a person may do beyond being a member. A manager may do all that a host may."""

    MEMBER = "member"
    HOST = "host"
    MANAGER = "manager"
    ACCOUNTANT = "accountant"
    LEAD = "lead"


IMPLIED: dict[Role, frozenset[Role]] = {Role.MANAGER: frozenset({Role.HOST, Role.ACCOUNTANT})}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is acting, as plain values that outlive a transaction. ``person_id`` is None for the system itself."""

    person_id: int | None
    name: str
    roles: frozenset[Role]
    locale: str = "fr"

    def has(self, role: Role) -> bool:
        return role in _all(self.roles)

    def within(self, granted: frozenset[Role]) -> Actor:
        """The same person with the roles they have now, but none that ``granted`` does not allow."""
        return replace(self, roles=_all(self.roles) & _all(granted))

    @property
    def is_staff(self) -> bool:
        return self.has(Role.HOST)

    @property
    def needs_audit(self) -> bool:
        """Whether changes need an audit entry: those of people do, those of the system's own jobs do not."""
        return self.person_id is not None


@cache
def _all(roles: frozenset[Role]) -> frozenset[Role]:
    """``roles`` and what they imply."""
    return roles.union(*(IMPLIED.get(role, frozenset()) for role in roles))


SYSTEM = Actor(person_id=None, name="system", roles=frozenset({Role.MANAGER}))

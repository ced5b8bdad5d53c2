"""People, the organisations that pay for them, their devices and tokens."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.policy import Actor, Role
from coworking.core.privacy import ACCOUNTANT, COLLEAGUE, CONTACT, HOST, LINK, MANAGER, PROXY, SELF
from coworking.core.types import BigId, UTCDateTime, public_id


class Person(Model):
    """Someone the lieu knows. ``email`` is lower case and None for people without e-mail.

    ``session_epoch`` is part of every link in an e-mail: raising it ends them all.
    ``vouched``: staff added them, so that they may book before their address is confirmed.
    ``preferred_zone_id`` and ``reminder`` are the person's own choices. The postal address is for invoices.
    ``status`` (None: not said) and ``commune`` (where they live) are for the figures alone. Of who was erased
    (``erased_at``) the database keeps a number in place of the name, and refuses to know more.
    ``merged_into_person_id``: this was a second record of that person; its history stays with it, and nobody signs in to
    it (ADR 0034).
    """

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("reminder IN ('evening', 'sunday', 'never')", name="reminder"),
        CheckConstraint("locale IN ('fr', 'en')", name="locale"),
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint(
            "status IN ('employee', 'self_employed', 'jobseeker', 'student', 'association', 'other')", name="status"
        ),
        CheckConstraint(
            "erased_at IS NULL OR (deactivated_at IS NOT NULL AND email IS NULL AND phone IS NULL AND password_hash IS NULL "
            "AND address IS NULL AND postcode IS NULL AND city IS NULL AND commune IS NULL AND staff_note IS NULL)",
            name="erased",
        ),
        CheckConstraint(
            "merged_into_person_id IS NULL OR (merged_into_person_id <> id AND deactivated_at IS NOT NULL AND email IS NULL "
            "AND password_hash IS NULL)",
            name="merged",
        ),
        Index("ix_person_merged_into_person_id", "merged_into_person_id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    first_name: Mapped[str] = mapped_column(
        info={"seen_by": (SELF, COLLEAGUE, PROXY, CONTACT, HOST, ACCOUNTANT, MANAGER, LINK)}
    )
    last_name: Mapped[str] = mapped_column(info={"seen_by": (SELF, PROXY, CONTACT, HOST, ACCOUNTANT, MANAGER, LINK)})
    email: Mapped[str | None] = mapped_column(unique=True, info={"seen_by": (SELF, HOST, ACCOUNTANT, MANAGER, LINK)})
    email_confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    phone: Mapped[str | None] = mapped_column(info={"seen_by": (SELF, HOST, MANAGER)})
    address: Mapped[str | None] = mapped_column(info={"seen_by": (SELF, MANAGER)})
    postcode: Mapped[str | None] = mapped_column(info={"seen_by": (SELF, MANAGER)})
    city: Mapped[str | None] = mapped_column(info={"seen_by": (SELF, MANAGER)})
    status: Mapped[str | None]
    commune: Mapped[str | None] = mapped_column(info={"seen_by": (SELF, HOST, MANAGER)})
    password_hash: Mapped[str | None] = mapped_column(info={"seen_by": ()})
    session_epoch: Mapped[int] = mapped_column(default=0)
    locale: Mapped[str] = mapped_column(default="fr")
    vouched: Mapped[bool] = mapped_column(default=False, server_default=false())
    reminder: Mapped[str] = mapped_column(default="evening")
    visible_to_colleagues: Mapped[bool] = mapped_column(default=False)
    preferred_zone_id: Mapped[int | None] = mapped_column(ForeignKey("zone.id"))
    staff_note: Mapped[str | None] = mapped_column(info={"seen_by": (HOST, MANAGER)})
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    deactivated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    merged_into_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    role_rows: Mapped[list[PersonRole]] = relationship(
        lazy="joined", cascade="all, delete-orphan", order_by="PersonRole.role"
    )

    # Required by Flask-Login.
    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.deactivated_at is None

    def get_id(self) -> str:
        return self.public_id

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def short_name(self) -> str:
        """« Anne M. »: what others at the lieu see."""
        return f"{self.first_name} {self.last_name[:1]}.".strip() if self.last_name else self.first_name

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset({Role.MEMBER, *(Role(row.role) for row in self.role_rows)})

    @property
    def may_book(self) -> bool:
        """Whether the lieu knows that this is them: they confirmed their address, have none, or staff added them."""
        return self.vouched or self.email is None or self.email_confirmed_at is not None

    def actor(self) -> Actor:
        return Actor(person_id=self.id, name=self.name, roles=self.roles, locale=self.locale)


class PersonRole(Model):
    """A role beyond member."""

    __tablename__ = "person_role"
    __table_args__ = (CheckConstraint("role IN ('host', 'manager', 'accountant', 'lead')", name="role"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    granted_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


class Organisation(Model):
    """An employer, association or authority that may pay for people. ``siren`` has nine digits, ``siret`` fourteen.

    The rest is for its invoices: ``email`` is where they go. ``is_public``: a public body, which wants its SIRET and a
    ``service_code`` on them. ``domain``: whoever confirmed an address there may join it by themselves.
    """

    __tablename__ = "organisation"
    __table_args__ = (Index("uq_organisation_domain", "domain", unique=True),)

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    name: Mapped[str] = mapped_column(
        unique=True, info={"seen_by": (COLLEAGUE, CONTACT, HOST, ACCOUNTANT, MANAGER, LINK)}
    )
    siren: Mapped[str | None] = mapped_column(info={"seen_by": (MANAGER,)})
    siret: Mapped[str | None] = mapped_column(info={"seen_by": (MANAGER,)})
    vat_number: Mapped[str | None] = mapped_column(info={"seen_by": (MANAGER,)})
    email: Mapped[str | None] = mapped_column(info={"seen_by": (ACCOUNTANT, MANAGER)})
    address: Mapped[str | None] = mapped_column(info={"seen_by": (MANAGER,)})
    postcode: Mapped[str | None] = mapped_column(info={"seen_by": (MANAGER,)})
    city: Mapped[str | None] = mapped_column(info={"seen_by": (MANAGER,)})
    service_code: Mapped[str | None] = mapped_column(info={"seen_by": (MANAGER,)})
    is_public: Mapped[bool] = mapped_column(default=False)
    domain: Mapped[str | None] = mapped_column(info={"seen_by": (CONTACT, MANAGER)})
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


class Leaving(Model):
    """``person`` was told that the account, which nobody uses, is erased on ``leaves_on`` unless they come back."""

    __tablename__ = "leaving"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, autoincrement=False)
    leaves_on: Mapped[date]
    told_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


class OrganisationMember(Model):
    """``person`` belongs to ``organisation`` from ``since`` to ``until`` (inclusive; None: still).

    ``is_contact``: speaks for it (is written to, reads what it pays, adds and ends people). ``dates_shown_at``: when the
    person agreed that it sees the dates of the half-days it pays; None: it sees how many.
    """

    __tablename__ = "organisation_member"
    __table_args__ = (
        UniqueConstraint("organisation_id", "person_id", "since"),
        CheckConstraint("until IS NULL OR since <= until", name="dates"),
        Index("ix_organisation_member_person_id", "person_id"),
    )

    id: Mapped[BigId]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    is_contact: Mapped[bool] = mapped_column(default=False)
    since: Mapped[date]
    until: Mapped[date | None]
    dates_shown_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    organisation: Mapped[Organisation] = relationship()
    person: Mapped[Person] = relationship()


class OrganisationInvitation(Model):
    """``email`` is asked to belong to ``organisation``, and to speak for it where ``as_contact``, until ``ends_at``.

    One person accepts it, once, or it is withdrawn; an organisation has one open invitation for an address.
    """

    __tablename__ = "organisation_invitation"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint("(accepted_at IS NULL) = (person_id IS NULL)", name="accepted"),
        CheckConstraint("accepted_at IS NULL OR withdrawn_at IS NULL", name="one_end"),
        Index(
            "uq_organisation_invitation_open",
            "organisation_id",
            "email",
            unique=True,
            sqlite_where=text("accepted_at IS NULL AND withdrawn_at IS NULL"),
            postgresql_where=text("accepted_at IS NULL AND withdrawn_at IS NULL"),
        ),
        Index("ix_organisation_invitation_ends_at", "ends_at"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    email: Mapped[str] = mapped_column(info={"seen_by": (CONTACT, MANAGER, LINK)})
    as_contact: Mapped[bool] = mapped_column(default=False)
    invited_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    invited_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    organisation: Mapped[Organisation] = relationship()
    invited_by: Mapped[Person | None] = relationship(foreign_keys=[invited_by_id])

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.withdrawn_at is None and self.ends_at > now()


class Throttle(Model):
    """Failures under a digest of what is tried (an address, an account): the ``score`` as it was at ``scored_at``."""

    __tablename__ = "throttle"

    bucket: Mapped[str] = mapped_column(primary_key=True, info={"seen_by": ()})
    score: Mapped[float] = mapped_column(default=0.0)
    scored_at: Mapped[datetime] = mapped_column(UTCDateTime)
    waits_until: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Device(Model):
    """A browser that someone signed in with. Only the SHA-256 of its cookie's secret is kept.

    It opens pages until ``ends_at``, unless it was ended before. ``proved_at`` is when its owner last proved there that
    it is them; ``strong``: by two steps.
    """

    __tablename__ = "device"
    __table_args__ = (Index("ix_device_person_id", "person_id", "ends_at"),)

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    digest: Mapped[str] = mapped_column(unique=True, info={"seen_by": ()})
    name: Mapped[str] = mapped_column(info={"seen_by": (SELF,)})
    remembered: Mapped[bool]
    strong: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    proved_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class UsedOnce(Model):
    """The SHA-256 of what works once and was used, such as a link to sign in. Kept while it would still work."""

    __tablename__ = "used_once"

    digest: Mapped[str] = mapped_column(primary_key=True, info={"seen_by": ()})
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)


class EmailChange(Model):
    """A new address for someone: asked for by ``asked_by_id``, then confirmed by its reader, or stopped."""

    __tablename__ = "email_change"

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    old_email: Mapped[str | None] = mapped_column(info={"seen_by": ()})
    new_email: Mapped[str] = mapped_column(info={"seen_by": (SELF, HOST, MANAGER, LINK)})
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    stopped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ApiToken(Model):
    """A bearer token; only its SHA-256 is kept. ``scopes`` and ``roles`` (its owner's at issue) are space-separated."""

    __tablename__ = "api_token"

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    name: Mapped[str] = mapped_column(info={"seen_by": (SELF,)})
    digest: Mapped[str] = mapped_column(unique=True, info={"seen_by": ()})
    scopes: Mapped[str]
    roles: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    person: Mapped[Person] = relationship()

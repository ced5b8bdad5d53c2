"""What is refused where people come to belong to an organisation, and which e-mail domain may say that they do."""

from __future__ import annotations

from collections.abc import Mapping

from coworking.core.errors import N_, DomainError
from coworking.core.reading import EmailInvalid, email_of


class InvitationOfAnother(DomainError):
    """Signed in with another address than the one that was invited."""

    code = "invitation_of_another"
    status = 403
    message = N_("This invitation is for %(email)s. Sign out, then open its link again.")


class TooManyInvitations(DomainError):
    code = "too_many_invitations"
    status = 409
    message = N_("%(most)s invitations wait already. Withdraw some, or wait until they are accepted.")
    field = "email"


class DomainOfMany(DomainError):
    """A domain at which anyone may have an address says nothing of an employer."""

    code = "domain_of_many"
    message = N_("Anyone can have an address at %(domain)s: it belongs to no employer.")
    field = "domain"


class DomainUnreadable(DomainError):
    code = "domain_unreadable"
    message = N_("Write what stands behind the @ of its addresses, such as durand.example.")
    field = "domain"


class DomainTaken(DomainError):
    code = "domain_taken"
    status = 409
    message = N_("Another organisation has this domain.")
    field = "domain"


class SiretOfAnother(DomainError):
    code = "siret_of_another"
    message = N_("A SIRET begins with the SIREN: one of the two is of someone else.")
    field = "siret"


_OF_MANY = """
aol.com bbox.fr free.fr gmail.com gmx.com gmx.fr googlemail.com hotmail.com hotmail.fr icloud.com ik.me laposte.net live.com
live.fr mac.com mailo.com me.com msn.com netcourrier.com neuf.fr numericable.fr orange.fr outlook.com outlook.fr proton.me
protonmail.com sfr.fr tutanota.com wanadoo.fr yahoo.com yahoo.fr ymail.com zaclys.net
"""
DOMAINS_OF_MANY = frozenset(_OF_MANY.split())
"""Providers of mailboxes to anyone; not complete, so the manager who writes a domain answers for it."""


def domain_of(text: str) -> str:
    """An organisation's e-mail domain as it is kept; raises `DomainUnreadable`, `DomainOfMany`."""
    try:
        domain = email_of(f"someone@{text.strip().removeprefix('@')}").rpartition("@")[2]
    except EmailInvalid:
        raise DomainUnreadable() from None
    if domain in DOMAINS_OF_MANY:
        raise DomainOfMany(domain=domain)
    return domain


def siren_with(siren: str | None, siret: str | None) -> str | None:
    """The SIREN beside a SIRET, which begins with it: where it was left out too; raises `SiretOfAnother`."""
    if siren and siret and not siret.startswith(siren):
        raise SiretOfAnother()
    return siren or (siret[:9] if siret else None)


def numbers_after(given: Mapping[str, str | None], siren: str | None, siret: str | None) -> dict[str, str | None]:
    """Both numbers once those ``given`` have replaced what there was; nothing where neither is. Raises `SiretOfAnother`."""
    if not given.keys() & {"siren", "siret"}:
        return {}
    former = None if given.get("siret") else siren  # a SIRET brings its own SIREN
    after = given.get("siret", siret)
    return {"siren": siren_with(given.get("siren", former), after), "siret": after}

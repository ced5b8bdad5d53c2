"""E-mails about accounts, carried out from the outbox. Each says what is true when it is sent."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from coworking.accounts import emails, letters, tokens
from coworking.accounts.access_words import AccessWords, access_words
from coworking.accounts.models import EmailChange, Organisation, OrganisationInvitation, Person
from coworking.accounts.proxy_models import BookingProxy
from coworking.core import mail, outbox, place
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.i18n import in_language
from coworking.core.settings import settings
from coworking.core.timespan import local_date

_LINKS = {
    emails.CONFIRM: ("confirm", tokens.CONFIRM),
    emails.RESET: ("reset", tokens.RESET),
    emails.INVITE: ("reset", tokens.INVITE),
    emails.ADDRESS_KEPT: ("reset", tokens.RESET),
    emails.SIGN_IN: ("sign-in/by-link", tokens.SIGN_IN),
}
_CHANGE_LINKS = {
    emails.NEW_ADDRESS: ("confirm-address", tokens.ADDRESS),
    emails.ADDRESS_CHANGE: ("keep-address", tokens.OBJECT),
    emails.ADDRESS_MERGED: ("keep-address", tokens.OBJECT),
}


@outbox.handler(emails.TOPIC)
def send(job: outbox.Job) -> None:
    template = job.payload["letter"]
    statement = select(Person).where(Person.public_id == job.payload["person"])
    person = db.session.scalars(statement).unique().one_or_none()
    if person is None or not person.is_active:
        return
    base_url = settings().base_url
    context: dict[str, Any] = {"place": place.name(), "base_url": base_url}
    # Whoever signs up with a stranger's address chooses the name too: nothing they wrote goes there.
    context["first_name"] = person.first_name if person.may_book else ""
    if "change" in job.payload:
        to = _about_change(template, job.payload["change"], context)
    else:
        context["email"] = to = person.email
        if template == emails.ACCESS_CHANGED:
            context["words"] = _access_words(job.payload, person.locale)
        if template == emails.CONFIRM and person.email_confirmed_at is not None:
            return
        if template in _LINKS:
            path, purpose = _LINKS[template]
            context["url"] = f"{base_url}/{path}/{tokens.make_link(purpose, person)}"
    if to is not None:
        mail.deliver(job.id, template=f"accounts/{template}", to=to, locale=person.locale, context=context)


@outbox.handler(emails.INVITED)
def send_invitation(job: outbox.Job) -> None:
    """Ask someone to belong to an organisation, in their language where they have an account."""
    public_id = job.payload["invitation"]
    row = db.session.scalars(
        select(OrganisationInvitation).where(OrganisationInvitation.public_id == public_id)
    ).one_or_none()
    if row is None or not row.is_open:
        return
    locale = db.session.scalar(select(Person.locale).where(Person.email == row.email)) or "fr"
    base_url = settings().base_url
    context: dict[str, Any] = {
        "place": place.name(),
        "base_url": base_url,
        "organisation": row.organisation.name,
        "by": row.invited_by.name if row.invited_by is not None else place.name(),
        "as_contact": row.as_contact,
        "ends_on": local_date(row.ends_at, place.clock()),
        "url": f"{base_url}/invitation/{tokens.make_change_link(tokens.EMPLOYER, row.public_id)}",
    }
    mail.deliver(job.id, template="accounts/organisation_invitation", to=row.email, locale=locale, context=context)


@outbox.handler(emails.ENDED)
def send_ended(job: outbox.Job) -> None:
    """Tell someone that their organisation pays nothing new for them after a day."""
    statement = select(Person).where(Person.public_id == job.payload["person"])
    person = db.session.scalars(statement).unique().one_or_none()
    this = Organisation.public_id == job.payload["organisation"]
    name = db.session.scalar(select(Organisation.name).where(this))
    if person is None or name is None:
        return
    base_url = settings().base_url
    context: dict[str, Any] = {
        "place": place.name(),
        "base_url": base_url,
        "first_name": person.first_name,
        "organisation": name,
        "last_day": date.fromisoformat(job.payload["last_day"]),
        "url": f"{base_url}/week",
    }
    letters.write_to(job, person, about="account", template="accounts/organisation_ended", context=context)


@outbox.handler(emails.PROXY)
def send_proxy(job: outbox.Job) -> None:
    """Tell someone that they may book for another person from now on; nothing where that is over already."""
    this = BookingProxy.public_id == job.payload["proxy"]
    row = db.session.scalars(select(BookingProxy).where(this)).one_or_none()
    if row is None or row.ended_at is not None or row.proxy.email is None:
        return
    proxy, person, base_url = row.proxy, row.person, settings().base_url
    context: dict[str, Any] = {
        "place": place.name(),
        "base_url": base_url,
        "first_name": proxy.first_name,
        "person": person.name,
        "agreed_on": row.agreed_on,
        "gets_emails": row.gets_emails and person.email is None,
        "url": f"{base_url}/for/{person.public_id}",
    }
    mail.deliver(job.id, template="accounts/proxy_named", to=row.proxy.email, locale=proxy.locale, context=context)


def _access_words(payload: dict[str, Any], locale: str) -> AccessWords:
    starts = payload.get("starts")
    with in_language(locale):
        return access_words(
            payload["kind"],
            place=place.name(),
            at=datetime.fromisoformat(payload["at"]),
            browser=payload.get("browser", ""),
            left=payload.get("left"),
            starts=datetime.fromisoformat(starts) if starts else None,
        )


def _about_change(template: str, public_id: str, context: dict[str, Any]) -> str | None:
    """Who receives an e-mail about a change of address, whose links are added to ``context``; None when it is over."""
    change = db.session.scalars(select(EmailChange).where(EmailChange.public_id == public_id)).one()
    if change.stopped_at is not None or change.ends_at <= now():
        return None
    if template in _CHANGE_LINKS:
        path, purpose = _CHANGE_LINKS[template]
        context["url"] = f"{settings().base_url}/{path}/{tokens.make_change_link(purpose, change.public_id)}"
    context["new_email"] = change.new_email
    if template == emails.NEW_ADDRESS:
        return change.new_email if change.confirmed_at is None else None
    return change.old_email

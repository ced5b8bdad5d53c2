"""Signing in by a link that is sent by e-mail: it works once, for a quarter of an hour, in whatever browser opens it."""

from __future__ import annotations

from coworking.accounts import access, devices, emails, once, queries, throttle, tokens
from coworking.accounts.devices import Browser, Halfway, SignedIn
from coworking.accounts.models import Person
from coworking.core import security
from coworking.core.clock import now
from coworking.core.errors import Gone
from coworking.core.reading import email_of
from coworking.core.units import write_unit


def ask(email: str, address: str | None) -> None:
    """Send a link to ``email``, if there is such an account; the answer does not tell. ``address``: the visitor's internet
    address. Raises `EmailInvalid` or `TooManyAttempts`."""
    email = email_of(email)
    with write_unit():
        throttle.count(throttle.email_buckets(address))
        person = access.by_email(email)
        if person is not None and person.is_active:
            emails.enqueue(emails.SIGN_IN, person)
            security.record(security.LINK_ASKED, person_id=person.id)


def read(token: str) -> Person:
    """Whom the link would sign in; raises `Gone`, also where it was used."""
    link = tokens.read_link(token, tokens.SIGN_IN)
    person = queries.find_person(link.person)
    if person is None or not link.fits(person) or once.was_used(token):
        raise Gone()
    return person


def sign_in(
    token: str, address: str | None = None, *, browser: Browser, signed_up: str | None = None
) -> SignedIn | Halfway:
    """Sign ``browser`` in by the link of an e-mail, once. Raises `Gone`.

    Its reader has shown that the address is theirs. Where it was not confirmed before, whoever signed up may be a stranger:
    the password chosen then, and all it opened, end, unless that was on this browser (``signed_up``).
    """
    link = tokens.read_link(token, tokens.SIGN_IN)
    with write_unit():
        person = access.by_public_id(link.person)
        if person is None or not link.fits(person):
            raise Gone()
        once.use(token, lasts=tokens.LIFETIMES[tokens.SIGN_IN])
        if person.email_confirmed_at is None:
            person.email_confirmed_at = now()
            if not tokens.fits_mark(signed_up, person):
                devices.end_everything(person.id)
                person.password_hash = None
        throttle.forget(person.email or "", address)
        return devices.sign_in(person, browser)

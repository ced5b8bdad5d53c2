"""Signing up and in, and what people change about themselves.

Passwords are hashed and verified outside units: `authenticate` counts the attempt in one short unit, does the slow work,
and writes its outcome in another.
"""

from __future__ import annotations

from collections.abc import Collection

from coworking.accounts import (
    access,
    consents,
    devices,
    email_changes,
    emails,
    factors,
    passkeys,
    password_rules,
    passwords,
    queries,
    rules,
    terms,
    throttle,
    tokens,
)
from coworking.accounts.devices import Browser, Halfway, Present, SignedIn
from coworking.accounts.models import Person
from coworking.core import place, security
from coworking.core.clock import now
from coworking.core.errors import Gone
from coworking.core.i18n import language
from coworking.core.policy import Actor
from coworking.core.reading import ChoiceUnknown, email_of, maybe, normal_email, one_of, phone_of
from coworking.core.sql import inserted
from coworking.core.units import end_read, write_unit


def sign_up(
    *, first_name: str, last_name: str, email: str, password: str, address: str | None, shown: Collection[str] = ()
) -> str:
    """Make an account and write to its address; where there is one already, write that instead.

    Who signs up accepts the versions of terms and house rules that were ``shown``: those in force, or `TextsChanged`.

    Neither the answer nor the time it takes tells which. ``address`` is the visitor's internet address. Returns the mark by
    which this browser may go on once the address is confirmed (`tokens.signed_up_mark`). Raises what is wrong with an
    input, or `TooManyAttempts`; `NotSetUp` before there is a lieu to belong to.
    """
    if not place.name():
        raise place.NotSetUp()
    first, last, email = rules.name_of(first_name), rules.name_of(last_name), email_of(email)
    password_rules.check_password(password, email, (first, last, place.name()))
    terms.check_shown(shown)
    locale = language()
    with write_unit():
        throttle.count(throttle.email_buckets(address))
    password_hash = passwords.hash_password(password)  # after the throttle: hashing is what costs
    with write_unit():
        values = {"first_name": first, "last_name": last, "password_hash": password_hash, "locale": locale}
        made = inserted(Person, email=email, **values)
        person = access.by_email(email)
        if person is not None:
            if made:
                terms.accept_shown(person.id, shown)
            emails.enqueue(emails.CONFIRM if made else emails.REGISTERED, person)
    return tokens.signed_up_mark(email, password_hash)


def confirm_email(
    token: str, *, signed_up: str | None = None, browser: Browser | None = None
) -> SignedIn | Halfway | None:
    """Confirm the address that the link was sent to; doing it twice is fine. Raises `Gone`.

    The first time, ``browser`` is signed in where the account was ``signed_up`` on it (see `tokens.signed_up_mark`). Not on
    another: whoever signed up with somebody else's address knows the password, and its reader must not work in their
    account unawares.
    """
    link = tokens.read_link(token, tokens.CONFIRM)
    with write_unit():
        person = _of_link(link, access.by_public_id(link.person))
        if person.email_confirmed_at is not None:
            return None
        person.email_confirmed_at = now()
        if browser is None or not tokens.fits_mark(signed_up, person):
            return None
        return devices.sign_in(person, browser)


def go_on(email: str, *, signed_up: str | None, browser: Browser) -> SignedIn | Halfway:
    """Sign in the ``browser`` on which this account was made, once its address was confirmed, on another device perhaps.

    Raises `NotConfirmedYet`: also where there was an account already, or whoever signed up would learn of it.
    """
    with write_unit():
        person = access.by_email(normal_email(email)[:254])
        if person is None or not person.is_active or person.email_confirmed_at is None:
            raise rules.NotConfirmedYet()
        if not tokens.fits_mark(signed_up, person):
            raise rules.NotConfirmedYet()
        return devices.sign_in(person, browser)


def ask_confirmation(actor: Actor) -> bool:
    """Send the confirmation again; False when there is nothing to confirm or one was just sent."""
    with write_unit():
        person = access.oneself(actor)
        if person.email is None or person.email_confirmed_at is not None:
            return False
        return emails.enqueue(emails.CONFIRM, person)


def authenticate(
    email: str, password: str, address: str | None, *, browser: Browser | None = None, known: str | None = None
) -> SignedIn | Halfway:
    """Sign ``browser`` in as whoever has this address and password.

    ``known`` is the name under which the account knows the browser. Raises `SignInRefused`, or `TooManyAttempts` without
    looking.
    """
    email = normal_email(email)[:254]
    with write_unit():
        attempt = throttle.count(throttle.sign_in_buckets(email, address, known))
    person = queries.person_by_email(email)
    kept = person.password_hash if person is not None and person.is_active else None
    end_read()
    if not passwords.verify(kept, password) or kept is None:
        security.note(security.SIGN_IN_FAILED, person_id=person.id if person is not None else None)
        raise rules.SignInRefused()
    better = passwords.hash_password(password) if passwords.is_outdated(kept) else None
    with write_unit():
        throttle.succeeded(attempt)
        person = access.by_email(email)
        if person is None or not person.is_active or person.password_hash != kept:
            raise rules.SignInRefused()  # changed while we were looking
        if better is not None:
            person.password_hash = better
        return devices.sign_in(person, browser or Browser(), by=devices.PASSWORD)


def request_reset(email: str, address: str | None) -> None:
    """Write to ``email`` how to choose a new password, if there is such an account; the answer does not tell."""
    email = email_of(email)
    with write_unit():
        throttle.count(throttle.email_buckets(address))
        person = access.by_email(email)
        if person is not None and person.is_active:
            emails.enqueue(emails.RESET, person)
            security.record(security.RESET_ASKED, person_id=person.id)


def read_reset(token: str) -> Person:
    """The person whose password the link of an e-mail lets choose; raises `Gone`."""
    link = tokens.read_link(token, tokens.RESET, tokens.INVITE)
    return _of_link(link, queries.find_person(link.person))


def reset(
    token: str, password: str, address: str | None = None, *, browser: Browser | None = None
) -> SignedIn | Halfway:
    """Set the password through the link of an e-mail, once, and sign ``browser`` in.

    It ends the link, every other device, every API token, every passkey and a change of address that waits: whoever else
    knew the password has nothing left. Whoever received the e-mail has shown that the address is theirs. Raises `Gone` or
    what is wrong with the password.
    """
    link = tokens.read_link(token, tokens.RESET, tokens.INVITE)
    _check_password(password, read_reset(token))
    end_read()
    password_hash = passwords.hash_password(password)
    with write_unit():
        person = _of_link(link, access.by_public_id(link.person))
        devices.end_everything(person.id)
        email_changes.withdraw_waiting(person)
        if not factors.is_asked_of(person):  # else only a second step takes them away: a mailbox alone must not
            passkeys.forget(person)
        _set_password(person, password_hash)
        throttle.forget(person.email or "", address)
        person.email_confirmed_at = person.email_confirmed_at or now()
        return devices.sign_in(person, browser or Browser())


def change_password(actor: Actor, device: Present | None, *, current: str, new: str) -> None:
    """Replace one's own password; every device but ``device`` is signed out. Raises `PasswordWrong`, `TooManyAttempts` or
    what is wrong with the new one."""
    _check_password(new, queries.person_by_id(actor.person_id))
    end_read()
    devices.prove(actor, device, current)
    _replace_password(actor, device, new)


def set_password(actor: Actor, device: Present | None, new: str) -> None:
    """Choose a first password, for who signed in by a link, on a device that was proved a moment ago. Raises
    `PasswordThere` when there is one, or what is wrong with the new one."""
    _check_password(new, queries.person_by_id(actor.person_id))
    _replace_password(actor, device, new, first=True)


def _replace_password(actor: Actor, device: Present | None, new: str, *, first: bool = False) -> None:
    end_read()
    password_hash = passwords.hash_password(new)
    with write_unit():
        person = access.oneself(actor)
        if first and person.password_hash is not None:
            raise rules.PasswordThere()
        devices.end_of(person.id, keep=device.id if device else None)
        _set_password(person, password_hash)


def update_profile(
    actor: Actor,
    *,
    first_name: str,
    last_name: str,
    phone: str,
    locale: str,
    reminder: str,
    visible_to_colleagues: bool,
    preferred_zone: str,
    status: str,
    commune: str,
) -> Person:
    """Change what one may change about oneself. ``preferred_zone`` is a public id; it, ``status`` and ``commune`` may be
    empty."""
    values = {
        "first_name": rules.name_of(first_name),
        "last_name": rules.name_of(last_name, required=False),
        "phone": maybe(phone_of, phone),
        "locale": one_of(rules.LOCALES, locale),
        "reminder": one_of(rules.REMINDERS, reminder),
        "visible_to_colleagues": visible_to_colleagues,
        "preferred_zone_id": _zone_id(preferred_zone),
        **rules.figures_of(status, commune),
    }
    with write_unit():
        person = access.oneself(actor)
        if person.visible_to_colleagues is not visible_to_colleagues:
            consents.note(actor, person, "colleagues", given=visible_to_colleagues)
        for name, value in values.items():
            setattr(person, name, value)
    return person


def set_postal_address(actor: Actor, *, address: str, postcode: str, city: str) -> None:
    """Where one's own invoices are addressed to from now on. Raises `PostcodeInvalid`, `TextTooLong`."""
    values = rules.postal_of(address, postcode, city)
    with write_unit():
        person = access.oneself(actor)
        for name, value in values.items():
            setattr(person, name, value)


def set_language(actor: Actor, locale: str) -> None:
    """Use ``locale`` for the actor from now on, on pages and in e-mails."""
    one_of(rules.LOCALES, locale)
    with write_unit():
        access.oneself(actor).locale = locale


def _zone_id(public_id: str) -> int | None:
    if not public_id:
        return None
    for zone in place.zones():
        if zone.public_id == public_id:
            return zone.id
    raise ChoiceUnknown(field="preferred_zone")


def _of_link(link: tokens.EmailLink, person: Person | None) -> Person:
    if person is None or not link.fits(person):
        raise Gone()
    return person


def _check_password(password: str, person: Person) -> None:
    password_rules.check_password(password, person.email, (person.first_name, person.last_name, place.name()))


def _set_password(person: Person, password_hash: str) -> None:
    person.password_hash = password_hash
    emails.enqueue(emails.CHANGED, person)
    security.record(security.PASSWORD_SET, person_id=person.id)
    person.session_epoch += 1

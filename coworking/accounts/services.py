"""Signing up and in, and what people change about themselves.

Passwords are hashed and verified before a unit is opened; `authenticate` and `change_password` count the attempt in one
short unit, do the slow work, and write its outcome in another.
"""

from __future__ import annotations

from coworking.accounts import access, letters, passwords, queries, rules, throttle, tokens
from coworking.accounts.models import Person
from coworking.core import place
from coworking.core.clock import now
from coworking.core.errors import Gone
from coworking.core.i18n import language
from coworking.core.policy import Actor
from coworking.core.reading import ChoiceUnknown, email_of, maybe, normal_email, one_of, phone_of
from coworking.core.sql import inserted
from coworking.core.units import end_read, write_unit


def sign_up(*, first_name: str, last_name: str, email: str, password: str, address: str | None) -> None:
    """Make an account and write to its address; where there is one already, write that instead.

    Neither the answer nor the time it takes tells which. ``address`` is the visitor's internet address. Raises what is
    wrong with an input, or `TooManyAttempts`.
    """
    first, last, email = rules.name_of(first_name), rules.name_of(last_name), email_of(email)
    rules.check_password(password, email)
    locale = language()
    with write_unit():
        throttle.count(throttle.letter_buckets(address))
    password_hash = passwords.hash_password(password)  # after the throttle: hashing is what costs
    with write_unit():
        values = {"first_name": first, "last_name": last, "password_hash": password_hash, "locale": locale}
        made = inserted(Person, email=email, **values)
        person = access.by_email(email)
        if person is not None:
            letters.enqueue(letters.CONFIRM if made else letters.REGISTERED, person)


def confirm_email(token: str) -> Person:
    """The address the link was sent to is its owner's; doing it twice is fine. Raises `Gone`."""
    link = tokens.read_link(token, tokens.CONFIRM)
    with write_unit():
        person = _of_link(link, access.by_public_id(link.person))
        person.email_confirmed_at = person.email_confirmed_at or now()
    return person


def ask_confirmation(actor: Actor) -> bool:
    """Send the letter once more; False when there is nothing to confirm or one has just left."""
    with write_unit():
        person = access.oneself(actor)
        if person.email is None or person.email_confirmed_at is not None:
            return False
        return letters.enqueue(letters.CONFIRM, person)


def authenticate(email: str, password: str, address: str | None) -> Person:
    """Whoever has this address and password. Raises `SignInRefused`, or `TooManyAttempts` without looking."""
    email = normal_email(email)[:254]
    buckets = throttle.sign_in_buckets(email, address)
    with write_unit():
        attempt = throttle.count(buckets)
    person = queries.person_by_email(email)
    kept = person.password_hash if person is not None and person.is_active else None
    end_read()
    if not passwords.verify(kept, password) or kept is None:
        raise rules.SignInRefused()
    better = passwords.hash_password(password) if passwords.is_outdated(kept) else None
    with write_unit():
        throttle.succeeded(attempt)
        person = access.by_email(email)
        if person is None or not person.is_active or person.password_hash != kept:
            raise rules.SignInRefused()  # changed while we were looking
        if better is not None:
            person.password_hash = better
    return person


def request_reset(email: str, address: str | None) -> None:
    """Write to ``email`` how to choose a new password, if there is such an account; the answer does not tell."""
    email = email_of(email)
    with write_unit():
        throttle.count(throttle.letter_buckets(address))
        person = access.by_email(email)
        if person is not None and person.is_active:
            letters.enqueue(letters.RESET, person)


def read_reset(token: str) -> Person:
    """Whose password the link of a letter lets choose; raises `Gone`."""
    link = tokens.read_link(token, tokens.RESET, tokens.INVITE)
    return _of_link(link, queries.find_person(link.person))


def reset(token: str, password: str, address: str | None = None) -> Person:
    """Set the password through the link of a letter, once: it raises the epoch, which ends the link and every session.

    Whoever received the letter has shown that the address is theirs. Raises `Gone` or what is wrong with the password.
    """
    link = tokens.read_link(token, tokens.RESET, tokens.INVITE)
    rules.check_password(password, read_reset(token).email)
    end_read()
    password_hash = passwords.hash_password(password)
    with write_unit():
        person = _of_link(link, access.by_public_id(link.person))
        _set_password(person, password_hash)
        throttle.forget(person.email or "", address)
        person.email_confirmed_at = person.email_confirmed_at or now()
    return person


def change_password(actor: Actor, *, current: str, new: str) -> Person:
    """Replace one's own password; every other device is signed out. Raises `PasswordWrong`, `TooManyAttempts` or what
    is wrong with the new one."""
    with write_unit():
        person = access.oneself(actor)
        kept = person.password_hash
        rules.check_password(new, person.email)
        attempt = throttle.count(throttle.proof_buckets(person.public_id))
    if not passwords.verify(kept, current):
        raise rules.PasswordWrong()
    password_hash = passwords.hash_password(new)
    with write_unit():
        person = access.oneself(actor)
        if person.password_hash != kept:
            raise rules.PasswordWrong()
        throttle.succeeded(attempt)
        _set_password(person, password_hash)
    return person


def sign_out_everywhere(actor: Actor) -> None:
    """End every session and remember cookie of the actor, this one too."""
    with write_unit():
        access.oneself(actor).session_epoch += 1


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
) -> Person:
    """Change what one may change about oneself. ``preferred_zone`` is a public id, or empty for none."""
    values = {
        "first_name": rules.name_of(first_name),
        "last_name": rules.name_of(last_name, required=False),
        "phone": maybe(phone_of, phone),
        "locale": one_of(rules.LOCALES, locale),
        "reminder": one_of(rules.REMINDERS, reminder),
        "visible_to_colleagues": visible_to_colleagues,
        "preferred_zone_id": _zone_id(preferred_zone),
    }
    with write_unit():
        person = access.oneself(actor)
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
    """Speak ``locale`` with the actor from now on, on pages and in letters."""
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


def _of_link(link: tokens.Link, person: Person | None) -> Person:
    if person is None or not link.fits(person):
        raise Gone()
    return person


def _set_password(person: Person, password_hash: str) -> None:
    person.password_hash = password_hash
    person.session_epoch += 1

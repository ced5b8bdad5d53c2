"""What may be typed for a person, who may change whom, and how long to wait after wrong passwords."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from coworking.core.actor import Actor, Role
from coworking.core.errors import N_, DomainError, Forbidden
from coworking.core.reading import ChoiceUnknown, lines_of, maybe, one_of, postcode_of, words_of

MAX_NAME = 80
MAX_NOTE = 2000
MAX_ADDRESS_LINE = 120
MAX_TOKEN_NAME = 80
TOKEN_DAYS = 365
MAX_TOKEN_DAYS = 730
MAX_DEVICE_NAME = 60

LOCALES = ("fr", "en")
REMINDERS = ("evening", "sunday", "never")
STATUSES = ("employee", "self_employed", "jobseeker", "student", "association", "other")
"""What somebody may say they do; who says nothing counts as unknown (`statistics.schema.STATUS_NAMES`)."""
EXTRA_ROLES = (Role.HOST, Role.MANAGER, Role.ACCOUNTANT, Role.LEAD)
"""Roles a manager gives or takes; everyone is a member."""

SCOPES = (
    "lieu:read",
    "lieu:write",
    "bookings:read",
    "bookings:write",
    "presences:write",
    "people:read",
    "people:write",
    "organisations:read",
    "organisations:write",
    "statistics:read",
    "returns:read",
    "invoices:read",
    "payments:read",
    "payments:write",
    "data:read",
    "data:write",
)
"""What an API token may be limited to. A token never allows more than its owner's roles do."""

STAFF_SCOPES: dict[str, frozenset[Role]] = {
    "lieu:write": frozenset({Role.MANAGER}),
    "people:read": frozenset({Role.HOST, Role.MANAGER}),
    "people:write": frozenset({Role.HOST, Role.MANAGER}),
    "statistics:read": frozenset({Role.MANAGER, Role.ACCOUNTANT, Role.LEAD}),
    "returns:read": frozenset({Role.LEAD}),
}
"""Scopes that serve only people with one of these roles."""


def scopes_for(actor: Actor) -> tuple[str, ...]:
    """The scopes that are of any use to ``actor``."""
    return tuple(scope for scope in SCOPES if scope not in STAFF_SCOPES or any(map(actor.has, STAFF_SCOPES[scope])))


_LINK = re.compile(r"://|/|@|\bwww\.|[^\W_]{2}\.[a-z]{2}", re.IGNORECASE)
"""What mail programs turn into links. « St.Jean » is refused too: people write it with a space."""


class EmailTaken(DomainError):
    code = "email_taken"
    status = 409
    message = N_("Someone else at this place has this address.")
    field = "email"


class EmailUnchanged(DomainError):
    code = "email_unchanged"
    message = N_("This is the address you have already.")
    field = "email"


class EmailNeeded(DomainError):
    """The address of a person who signs in with it cannot be removed."""

    code = "email_needed"
    message = N_("This person signs in with their address: give another one, or close the account.")
    field = "email"


class NameMissing(DomainError):
    code = "name_missing"
    message = N_("Write a name here.")


class NameHoldsLink(DomainError):
    code = "name_holds_link"
    message = N_("This looks like a link. Write a name here.")


class SignInRefused(DomainError):
    """Wrong password, unknown address, closed account: told apart by nothing."""

    code = "sign_in_refused"
    status = 422
    message = N_("The address or the password is wrong.")
    field = "password"


class PasswordWrong(DomainError):
    code = "password_wrong"
    message = N_("This is not your current password.")
    field = "current_password"


class AddressUnconfirmed(DomainError):
    """What binds someone, or acts for them, waits until their address is known to be theirs."""

    code = "address_unconfirmed"
    status = 409
    message = N_("Confirm your e-mail address first. Your account page sends the link again.")


class NotConfirmedYet(DomainError):
    code = "not_confirmed_yet"
    status = 409
    message = N_("Your address is not confirmed yet. Open the link of the e-mail first, then go on here.")


class PasswordThere(DomainError):
    code = "password_there"
    status = 409
    message = N_("You have a password already. Type it once more to change it.")
    field = "current_password"


class PasskeyWrong(DomainError):
    """Of another site or person, altered, used before, removed: told apart by nothing."""

    code = "passkey_wrong"
    message = N_("This passkey opens nothing here. Use another one, or sign in another way.")


class PasskeyLate(DomainError):
    code = "passkey_late"
    status = 409
    message = N_("That came too late. Press the button once more.")


class PasskeyTooMany(DomainError):
    code = "passkey_too_many"
    status = 409
    message = N_("You have twenty passkeys. Remove one that you no longer use.")


class PasskeysImpossible(DomainError):
    code = "passkeys_impossible"
    status = 409
    message = N_("Passkeys need a place that is served over https, under a name.")


class SecondStepOn(DomainError):
    code = "second_step_on"
    status = 409
    message = N_("The second step is on already.")


class SecondStepFirst(DomainError):
    code = "second_step_first"
    status = 409
    message = N_("Set up your own second step first: otherwise you would lock yourself out.")


class SecondStepRequired(DomainError):
    code = "second_step_required"
    status = 409
    message = N_("The team signs in with a second step here: yours stays on.")


class SecondStepNeeded(DomainError):
    """A token of somebody of the team who has no second step, where the lieu wants one."""

    code = "second_step_needed"
    status = 403
    message = N_("The team signs in with a second step here. Set yours up on a page first.")


class TokenDaysWrong(DomainError):
    code = "token_days_wrong"
    message = N_("Write a number of days from 1 to %(most)s.")
    field = "days"


class TooManyAttempts(DomainError):
    """``minutes`` says how long to wait; ``retry_after`` (an extra) the same in seconds."""

    code = "too_many_attempts"
    status = 429
    message = N_("Too many attempts. Try again in %(minutes)s min, or ask for a new password.")


class LastManager(DomainError):
    code = "last_manager"
    status = 409
    message = N_("Someone must run the place. Give the role to someone else first.")
    field = "roles"


class NoEmail(DomainError):
    code = "no_email"
    message = N_("There is no e-mail address to write to. Add one first.")
    field = "email"


class OrganisationTaken(DomainError):
    code = "organisation_taken"
    status = 409
    message = N_("There is already an organisation of this name.")
    field = "name"


class AlreadyMember(DomainError):
    code = "already_member"
    status = 409
    message = N_("%(name)s already belongs to it at that time.")
    field = "person"


class DatesCross(DomainError):
    """Also for agreements and whatever else runs from one day to another."""

    code = "dates_cross"
    message = N_("The last day comes before the first.")
    field = "until"


class EndsInThePast(DomainError):
    """An organisation's contact ends nothing that was: it may be invoiced already."""

    code = "ends_in_the_past"
    message = N_("Choose today or a later day.")
    field = "last_day"


class LastContact(DomainError):
    """Nobody would be left to speak for the organisation."""

    code = "last_contact"
    status = 409
    message = N_("You are its only contact. Ask the team to name another one first.")
    field = "last_day"


def name_of(text: str, *, required: bool = True) -> str:
    """A first or last name with single spaces; raises `NameMissing` or `TextTooLong`."""
    name = words_of(text, most=MAX_NAME)
    if required and not name:
        raise NameMissing()
    if _LINK.search(name):
        raise NameHoldsLink()
    return name


def address_line_of(text: str) -> str | None:
    """One line of a postal address, None when left empty; raises `TextTooLong`."""
    return words_of(text, most=MAX_ADDRESS_LINE) or None


def postal_of(address: str, postcode: str, city: str) -> dict[str, str | None]:
    """The columns of a postal address as typed; raises `PostcodeInvalid`, `TextTooLong`."""
    return {
        "address": address_line_of(address),
        "postcode": maybe(postcode_of, postcode),
        "city": address_line_of(city),
    }


def figures_of(status: str, commune: str) -> dict[str, str | None]:
    """The columns of what is asked for the figures, each None when left empty; raises `ChoiceUnknown`, `TextTooLong`."""
    return {"status": one_of(STATUSES, status) if status else None, "commune": address_line_of(commune)}


def note_of(text: str) -> str | None:
    """A note, None when left empty; raises `TextTooLong`."""
    return lines_of(text, most=MAX_NOTE) or None


def token_name_of(text: str) -> str:
    """What a token is called; raises `NameMissing` or `TextTooLong`."""
    name = words_of(text, most=MAX_TOKEN_NAME)
    if not name:
        raise NameMissing()
    return name


def token_days_of(text: str) -> int:
    """How many days a token is to last, as typed; raises `TokenDaysWrong`."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 6):
        raise TokenDaysWrong(most=MAX_TOKEN_DAYS)
    return check_token_days(int(digits))


def check_token_days(days: int) -> int:
    """``days``, when a token may last so long; raises `TokenDaysWrong`."""
    if not 1 <= days <= MAX_TOKEN_DAYS:
        raise TokenDaysWrong(most=MAX_TOKEN_DAYS)
    return days


_BROWSERS = (
    ("Firefox", ("firefox/", "fxios/")),
    ("Edge", ("edg/", "edga/", "edgios/")),
    ("Opera", ("opr/",)),
    ("Samsung Internet", ("samsungbrowser/",)),
    ("Chrome", ("chrome/", "crios/", "chromium/")),
    ("Safari", ("safari/",)),
)
_SYSTEMS = (
    ("Android", ("android",)),
    ("iPhone", ("iphone",)),
    ("iPad", ("ipad",)),
    ("Windows", ("windows",)),
    ("ChromeOS", ("cros ",)),
    ("macOS", ("mac os", "macintosh")),
    ("Linux", ("linux", "x11")),
)


def device_name(user_agent: str) -> str:
    """Browser and system, such as « Firefox, Windows »; empty when ``user_agent`` tells neither."""
    said = user_agent[:400].lower()
    found = [
        next((name for name, marks in table if any(mark in said for mark in marks)), None)
        for table in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(filter(None, found))[:MAX_DEVICE_NAME]


def check_scopes(scopes: frozenset[str]) -> frozenset[str]:
    """``scopes`` when there is at least one and all are known; raises `ChoiceUnknown`."""
    if not scopes or not scopes <= frozenset(SCOPES):
        raise ChoiceUnknown(field="scopes")
    return scopes


# Who may change whom


def check_staff(actor: Actor) -> None:
    """Raise `Forbidden` unless ``actor`` is staff."""
    if not actor.is_staff:
        raise Forbidden()


def check_may_change(actor: Actor, roles: frozenset[Role]) -> None:
    """Staff change members; people with a role of their own only by a manager.

    Otherwise a host could put their own address on the manager's account and ask for a new password.
    """
    check_staff(actor)
    if roles - {Role.MEMBER} and not actor.has(Role.MANAGER):
        raise Forbidden()


# Throttle

LIMITS = {
    "account_address": 5,
    "device": 5,
    "address": 50,
    "account": 100,
    "proof": 5,
    "second": 5,
    "changes": 5,
    "copies": 5,
    "emails": 60,
    "codes": 20,
    "setup": 10,
    "network": 30,
}
"""Scores at which waiting begins. ``account_address`` is one account tried from one internet address, ``device`` a device
that the account knows, ``address`` all accounts from one address (everyone at a lieu shares one), ``account`` one account
from everywhere; ``proof`` is somebody signed in who types their password again; ``second`` one person's codes;
``changes`` one person's changes of address; ``copies`` the copies of somebody's data that one person
makes; ``emails`` are those asked for by signing
up or having forgotten a password, sometimes by a whole workshop at once; ``codes`` are those of PDFs that someone
verifies, ``setup`` the one that a new server prints; ``network`` enrolments and returns whose link or signature is none of
ours."""
HALF_LIFE = timedelta(minutes=15)
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)


def decayed(score: float, scored_at: datetime, now: datetime) -> float:
    """What is left ``now`` of a ``score`` written at ``scored_at``: half after each `HALF_LIFE`."""
    return score * 0.5 ** (max(now - scored_at, timedelta(0)) / HALF_LIFE)


def wait_after(kind: str, score: float) -> timedelta:
    """How long a bucket with this ``score`` waits: 30 s at its limit, doubling with each failure more, at most 15 min."""
    excess = score - LIMITS[kind]
    if excess < -1e-9:
        return timedelta(0)
    return min(FIRST_WAIT * 2 ** min(max(excess, 0.0), 10.0), LONGEST_WAIT)


# Links within the site


def local_path(text: str | None) -> str | None:
    """``text`` when it is an address within this site, None otherwise: a sign-in must lead nowhere else.

    Browsers read a backslash as a slash and drop control characters, so both are refused.
    """
    if not text or not text.startswith("/") or text.startswith("//") or "\\" in text or not text.isprintable():
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc else text


class ProxyUnknown(DomainError):
    """Nobody who may sign in has the address of the member who is to book for someone."""

    code = "proxy_unknown"
    status = 422
    message = N_("No member has this address. Who books for somebody needs an account.")


class ProxyOfOneself(DomainError):
    code = "proxy_of_oneself"
    status = 422
    message = N_("This is their own address: name somebody else.")


class AgreedLater(DomainError):
    """An agreement is dated after today."""

    code = "agreed_later"
    status = 422
    message = N_("This day is still to come: write the day on which they agreed.")

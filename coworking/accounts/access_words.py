"""What the e-mail says that tells somebody of a change in how their account is opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from coworking.accounts import emails
from coworking.accounts.labels import device_words
from coworking.core.formats import day_full, hour, instant_day
from coworking.core.i18n import _, ngettext


@dataclass(frozen=True, slots=True)
class AccessWords:
    """The e-mail's ``subject``; what was done, and ``when`` and where; what to do ``then``, with the page's ``path`` and the
    words of its ``button``."""

    subject: str
    said: str
    when: str
    then: str
    path: str
    button: str


def access_words(
    kind: str, *, place: str, at: datetime, browser: str = "", left: int | None = None, starts: datetime | None = None
) -> AccessWords:
    """The words of the e-mail about ``kind`` (see `emails`), in the language of the moment."""
    subject, said = _said(kind, place, left, starts)
    if kind == emails.SECOND_STEP_WANTED:
        then = _("It takes two minutes, with an app for codes on your phone.")
        return AccessWords(subject, said, "", then, "/me/security", _("Set up a second step"))
    if kind == emails.LEAVING:
        then = _("To keep it, sign in once before that day. There is nothing else to do.")
        return AccessWords(subject, said, "", then, "/sign-in", _("Sign in"))
    if kind == emails.RECORDS_MERGED:
        then = _("You sign in with this address. If one of them is not yours, tell the team.")
        return AccessWords(subject, said, _when(at, browser), then, "/bookings", _("See my bookings"))
    then = (
        _("If you did not ask for this, tell the team, and choose another password: it signs everyone else out.")
        if kind == emails.SECOND_STEP_RESET
        else _(
            "If it was you, there is nothing to do. If not, choose another password now: it signs everyone else out and "
            "ends their ways in. Then tell the team."
        )
    )
    return AccessWords(subject, said, _when(at, browser), then, "/forgotten", _("Choose another password"))


def _said(kind: str, place: str, left: int | None, starts: datetime | None) -> tuple[str, str]:
    match kind:
        case emails.SECOND_STEP_ON:
            return _("The second step is on"), _(
                "Your account at %(place)s now asks for a code of your app after the password.", place=place
            )
        case emails.SECOND_STEP_OFF:
            return _("The second step is off"), _(
                "Your account at %(place)s no longer asks for a code after the password.", place=place
            )
        case emails.SECOND_STEP_RESET:
            return _("Your second step was taken away"), _(
                "The team of %(place)s took the second step of your account away, so that you can sign in again. You are "
                "signed out everywhere. Once you are back, set up another.",
                place=place,
            )
        case emails.CODES_RENEWED:
            return _("You have new recovery codes"), _(
                "Ten new recovery codes were made for your account at %(place)s. The old ones work no more.",
                place=place,
            )
        case emails.CODE_USED:
            return _("A recovery code was used"), ngettext(
                "A recovery code opened your account at %(place)s. %(num)s is left.",
                "A recovery code opened your account at %(place)s. %(num)s are left.",
                left or 0,
                place=place,
            )
        case emails.SECOND_STEP_WANTED:
            day = day_full(instant_day(starts)) if starts is not None else ""
            return _("Set up a second step by %(day)s", day=day), _(
                "From %(day)s on, the team of %(place)s signs in with a second step: a code after the password, so that "
                "a password alone opens nothing.",
                day=day,
                place=place,
            )
        case emails.LEAVING:
            day = day_full(instant_day(starts)) if starts is not None else ""
            return _("Your account will be erased on %(day)s", day=day), _(
                "Nobody has used your account at %(place)s for long. It will be erased on %(day)s, with what is known of "
                "you; invoices stay as long as the law wants.",
                place=place,
                day=day,
            )
        case emails.PASSKEY_ADDED:
            return _("A passkey was added"), _(
                "A passkey was added to your account at %(place)s: whoever holds it signs in with one touch.",
                place=place,
            )
        case emails.PASSKEY_REMOVED:
            return _("A passkey was removed"), _(
                "A passkey was removed from your account at %(place)s. It opens nothing any more.", place=place
            )
        case emails.TOKEN_MADE:
            return _("A token for programs was made"), _(
                "A token was made with which a program acts for you at %(place)s.", place=place
            )
        case emails.NEW_BROWSER:
            return _("A new browser is signed in"), _(
                "Your account at %(place)s was opened in a browser in which it had not been open before.", place=place
            )
        case emails.DATA_COPIED:
            return _("A copy of your data was made"), _(
                "A copy of everything that %(place)s holds about you was made from your account.", place=place
            )
        case emails.RECORDS_MERGED:
            return _("Your two records are one now"), _(
                "%(place)s had two records of you. The team made them one: bookings, invoices and certificates of both "
                "stand in your account.",
                place=place,
            )
        case _:
            raise ValueError(f"no words for an e-mail about {kind}")


def _when(at: datetime, browser: str) -> str:
    day, time = day_full(instant_day(at)), hour(at)
    if not browser:
        return _("It was on %(day)s at %(hour)s.", day=day, hour=time)
    return _("It was on %(day)s at %(hour)s, with %(browser)s.", day=day, hour=time, browser=device_words(browser))

"""Languages: which one this reader gets, and the words for it.

Message ids are English and stand in the code; French lives in one catalogue per package. Code that knows no reader
(rules) marks with `N_`; code that does translates with `_`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from babel.support import NullTranslations
from flask import Flask, g, has_request_context, request, session
from flask_babel import Babel, LazyString, force_locale, get_locale, get_translations

from coworking.core.errors import N_
from coworking.core.login import visitor

LANGUAGES = ("fr", "en")
CATALOGUES = Path(__file__).resolve().parent.parent / "translations"

_catalogues: dict[str, NullTranslations] = {}
"""The catalogue of each language, loaded once."""


def _words() -> NullTranslations:
    """The reader's words. Flask-Babel looks for them four times for each sentence, which a page of a hundred feels."""
    locale = get_locale()
    if locale is None:
        return get_translations()
    found = _catalogues.get(locale.language)
    if found is None:
        found = _catalogues[locale.language] = get_translations()
    return found


def gettext(message: str, **values: object) -> str:
    """``message`` in the reader's language, with ``values`` in their places."""
    words = _words().ugettext(message)
    return words % values if values else words


def ngettext(one: str, many: str, number: int, **values: object) -> str:
    """The one of the two sentences that ``number`` asks for, in the reader's language; ``num`` is the number."""
    return _words().ungettext(one, many, number) % {"num": number, **values}


def lazy_gettext(message: str, **values: object) -> LazyString:
    """As `gettext`, but translated when it is read: for text defined outside a request."""
    return LazyString(gettext, message, **values)


_ = gettext

__all__ = ["LANGUAGES", "N_", "_", "in_language", "init_i18n", "language", "lazy_gettext", "ngettext"]


def domains() -> list[str]:
    """One gettext domain per catalogue file, sorted."""
    return sorted(path.stem for path in (CATALOGUES / "fr" / "LC_MESSAGES").glob("*.po"))


def init_i18n(app: Flask) -> None:
    """Attach Flask-Babel with every catalogue."""
    names = domains()
    app.config["BABEL_DEFAULT_LOCALE"] = "fr"
    app.config["BABEL_DOMAIN"] = ";".join(names)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = ";".join([str(CATALOGUES)] * len(names))
    Babel(app, locale_selector=_select)
    app.jinja_env.globals["get_locale"] = get_locale
    app.jinja_env.install_gettext_callables(  # pyright: ignore[reportAttributeAccessIssue] - added by its extension
        gettext=lambda message: _words().ugettext(message),
        ngettext=lambda one, many, number: _words().ungettext(one, many, number),
        newstyle=True,
    )


@contextmanager
def in_language(locale: str) -> Iterator[None]:
    """Translate into ``locale`` inside the block, whatever the request's language (e-mails, PDFs)."""
    with force_locale(locale):
        yield


def language() -> str:
    """The reader's language, ``fr`` or ``en``."""
    return str(get_locale() or "fr")[:2]


def _select() -> str:
    """The person's own choice, else this browser's choice on this site, else the browser's language, else French."""
    forced = g.get("language")
    if forced:
        return forced
    if not has_request_context():
        return "fr"
    person = visitor()
    chosen = person.locale if person is not None else session.get("language")
    if chosen in LANGUAGES:
        return chosen
    return request.accept_languages.best_match(LANGUAGES) or "fr"

"""Languages: which one this reader gets, and translating into it.

Message ids are English and stand in the code; French lives in one catalogue per package. Code that knows no reader
(rules) marks with `N_`; code that does translates with `_`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from babel.support import NullTranslations
from flask import Flask, g, has_app_context, has_request_context, request, session
from flask_babel import Babel, LazyString, force_locale, get_locale, get_translations, refresh

from coworking.core.errors import N_
from coworking.core.login import visitor

LANGUAGES = ("fr", "en")
CATALOGUES = Path(__file__).resolve().parent.parent / "translations"


class _Reader(NamedTuple):
    """The language of whoever reads, and its words."""

    language: str
    words: NullTranslations


_readers: dict[str, _Reader] = {}
"""The catalogue of each language, loaded once."""


def _reader() -> _Reader:
    """The reader, found once per context: a page asks for its language a hundred times."""
    if not has_app_context():
        return _Reader("fr", get_translations())
    held: Any = g
    reader = held.get("reader")
    if reader is None:
        language = str(get_locale() or "fr")[:2]
        reader = _readers.get(language)
        if reader is None:
            reader = _readers[language] = _Reader(language, get_translations())
        held.reader = reader
    return reader


def _words() -> NullTranslations:
    return _reader().words


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

__all__ = ["LANGUAGES", "N_", "_", "choose_again", "in_language", "init_i18n", "language", "lazy_gettext", "ngettext"]


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
    before = g.pop("reader", None)
    try:
        with force_locale(locale):
            yield
    finally:
        g.reader = before


def language() -> str:
    """The reader's language, ``fr`` or ``en``."""
    return _reader().language


def choose_again() -> None:
    """Find the reader's language anew: their choice, or who is signed in, has just changed."""
    refresh()
    g.pop("reader", None)


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

"""The forms of a page, with what they hold: to send them as a browser would, and then not quite."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """``fields`` by name: what they hold, the first choice where there are several."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict[str, str])


class Page(HTMLParser):
    """The ``forms`` and ``links`` of a page at ``address``."""

    def __init__(self, address: str, html: str) -> None:
        super().__init__()
        self.address = address
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._form: Form | None = None
        self._select: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(given.get("action") or self.address, given.get("method", "get").lower())
            self.forms.append(self._form)
        elif tag == "a" and given.get("href", "").startswith("/"):
            self.links.append(given["href"].partition("#")[0])
        elif self._form is not None and (name := given.get("name")):
            self._form.fields.setdefault(name, given.get("value", ""))
            self._select = name if tag == "select" else None
        elif tag == "option" and self._form is not None and (name := self._select) is not None:
            self._form.fields[name] = self._form.fields[name] or given.get("value", "")
            if "selected" in given:
                self._form.fields[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None

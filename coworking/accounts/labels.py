"""How the account pages and e-mails name things."""

from __future__ import annotations

from coworking.core.i18n import _


def device_words(name: str) -> str:
    """A device's name (`rules.device_name`) as one says it: « Firefox sur Linux »."""
    browser, _comma, system = name.partition(", ")
    if system:
        return _("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or _("Unknown browser")

"""How the account pages and e-mails name things."""

from __future__ import annotations

from coworking.accounts import rules
from coworking.core.errors import N_
from coworking.core.i18n import _


def device_words(name: str) -> str:
    """A device's name (`rules.device_name`) as one says it: « Firefox sur Linux »."""
    browser, _comma, system = name.partition(", ")
    if system:
        return _("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or _("Unknown browser")


STATUS_WORDS = {
    "employee": N_("employee"),
    "self_employed": N_("self-employed"),
    "jobseeker": N_("looking for work"),
    "student": N_("student or apprentice"),
    "association": N_("association or volunteer"),
    "other": N_("another status"),
}
"""What each of `rules.STATUSES` is called."""


def status_choices() -> list[tuple[str, str]]:
    """What one may say one does, as the options of an input; the first says nothing."""
    return [("", _("not said")), *((name, _(STATUS_WORDS[name])) for name in rules.STATUSES)]

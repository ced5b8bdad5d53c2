"""What an entry of the directory says, and what changing it by hand means. No Flask, no database."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from coworking.core.errors import N_, DomainError

FIELDS: tuple[str, ...] = (
    "name",
    "address",
    "postcode",
    "city",
    "code_insee",
    "region",
    "kind",
    "website",
    "siret",
    "contact_email",
    "phone",
    "notes",
)
"""What a lead may change by hand, in the order of the page."""

UNTOLD = frozenset({"contact_email", "phone", "notes"})
"""Of these the audit trail says that they changed, not what they were: it is never erased, and they may name somebody."""

KINDS: dict[str, str] = {
    "coworking": N_("Coworking"),
    "fablab": N_("Fablab"),
    "workshop": N_("Shared workshop"),
    "culture": N_("Cultural place"),
    "kitchen": N_("Shared kitchen"),
    "farm": N_("Farm"),
    "digital_help": N_("Digital help"),
    "other": N_("Another type"),
}
"""Types of places, after the words of the national observatory."""

REGIONS: dict[str, str] = {
    "84": "Auvergne-Rhône-Alpes",
    "27": "Bourgogne-Franche-Comté",
    "53": "Bretagne",
    "24": "Centre-Val de Loire",
    "94": "Corse",
    "44": "Grand Est",
    "01": "Guadeloupe",
    "03": "Guyane",
    "32": "Hauts-de-France",
    "11": "Île-de-France",
    "04": "La Réunion",
    "02": "Martinique",
    "06": "Mayotte",
    "28": "Normandie",
    "75": "Nouvelle-Aquitaine",
    "76": "Occitanie",
    "52": "Pays de la Loire",
    "93": "Provence-Alpes-Côte d’Azur",
}
"""The names of the regions by their INSEE code, sorted by name."""

_INSEE = re.compile(r"(\d{2}|2[AB])\d{3}", re.ASCII)
_HOST = re.compile(r"[\w-]+(\.[\w-]+)+(:\d+)?")


class InseeInvalid(DomainError):
    code = "insee_invalid"
    message = N_("The INSEE code of a commune has five characters, such as 63430 or 2A004.")
    field: ClassVar[str | None] = "code_insee"


class WebsiteInvalid(DomainError):
    code = "website_invalid"
    message = N_("This is not the address of a website. It looks like www.example.org.")
    field: ClassVar[str | None] = "website"


class EntryChanged(DomainError):
    """Someone else changed the entry after the page was opened that is sent back now."""

    code = "entry_changed"
    status = 409
    message = N_(
        "Somebody else changed this entry meanwhile. Nothing of yours was saved yet: compare, then save again."
    )


def insee_of(text: str) -> str:
    """The INSEE code of a commune, without blanks; raises `InseeInvalid`."""
    code = "".join(text.split()).upper()
    if not _INSEE.fullmatch(code):
        raise InseeInvalid()
    return code


def website_of(text: str) -> str | None:
    """The address as a link that a browser may follow; None for anything else than http(s)."""
    url = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    usable = parts.scheme in {"http", "https"} and _HOST.fullmatch(parts.netloc)
    return url if text and usable and " " not in url else None


def website_typed(text: str) -> str:
    """The same for what a person typed; raises `WebsiteInvalid`."""
    found = website_of(text.strip())
    if found is None or len(found) > 300:
        raise WebsiteInvalid()
    return found


def stated(row: object) -> dict[str, Any]:
    """What the entry ``row`` says, by field."""
    return {name: getattr(row, name) for name in FIELDS}


def fingerprint(values: Mapping[str, Any]) -> str:
    """A few letters per field that change with it: a page sends back those of what it showed."""
    return "-".join(_digest(values[name]) for name in FIELDS)


def fields_touched(values: Mapping[str, Any], seen: str) -> set[str]:
    """The fields of ``values`` that differ from what had the fingerprint ``seen``; all of them where it is none."""
    before = seen.split("-")
    if len(before) != len(FIELDS):
        return set(FIELDS)
    return {name for name, digest in zip(FIELDS, before, strict=True) if _digest(values[name]) != digest}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:10]


def fields_changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The fields that differ, in the order of the page."""
    return [name for name in FIELDS if old[name] != new[name]]


def trail(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[Any]]:
    """What the audit trail keeps of a change: the old and the new value by field; of `UNTOLD` whether there was one."""
    return {
        name: [old[name] is not None, new[name] is not None] if name in UNTOLD else [old[name], new[name]]
        for name in fields_changed(old, new)
    }


def edited_after(edited: list[str], names: list[str]) -> list[str]:
    """``edited`` with ``names``, as the entry keeps it."""
    return sorted({*edited, *names})

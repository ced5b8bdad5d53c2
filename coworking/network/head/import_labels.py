"""What a lead reads about a line of an imported file."""

from __future__ import annotations

from coworking.core.errors import N_
from coworking.core.i18n import _
from coworking.network.head.census_rules import MAYBE_DUPLICATE, Remark

CODE_WORDS: dict[str, str] = {
    "cells": N_("Left out: not as many cells as the header"),
    "empty": N_("Left out: %(value)s is empty"),
    "too_long": N_("Left out: %(value)s is longer than %(instead)s characters"),
    "same_id": N_("Left out: the same ID as line %(instead)s"),
    "no_postcode": N_("Imported without a postcode: “%(value)s” is not valid"),
    "no_insee": N_("Imported without an INSEE code: “%(value)s” is not valid"),
    "no_position": N_("Imported without its position on the map: “%(value)s” is not valid"),
    "no_website": N_("Imported without a website: “%(value)s” is not valid"),
    "no_kind": N_("Imported without a type: “%(value)s” is not a known type"),
    "no_region": N_("Imported without a region: “%(value)s” is not a known region"),
    "mended": N_("%(field)s corrected: “%(value)s” had lost its leading zero, %(instead)s was imported"),
    "edited": N_("%(field)s: the value edited by hand is kept (%(instead)s); the file says “%(value)s”"),
    "own": N_("%(field)s: the value given by the place is kept (%(instead)s); the file says “%(value)s”"),
    MAYBE_DUPLICATE: N_("Perhaps the same place as line %(instead)s"),
}

CODE_NAMES: dict[str, str] = {
    "cells": N_("Not as many cells as the header"),
    "empty": N_("Without name or ID"),
    "too_long": N_("Too long"),
    "same_id": N_("The same ID twice"),
    "no_postcode": N_("Without a postcode"),
    "no_insee": N_("Without an INSEE code"),
    "no_position": N_("Without a position"),
    "no_website": N_("Without a website"),
    "no_kind": N_("Without a type"),
    "no_region": N_("Without a region"),
    "mended": N_("Leading zeros restored"),
    "edited": N_("Edited by hand"),
    "own": N_("Given by the place"),
    MAYBE_DUPLICATE: N_("Possible duplicates"),
}
"""The kinds of remarks, to choose among."""

FIELD_WORDS: dict[str, str] = {
    "name": N_("Name"),
    "address": N_("Address"),
    "postcode": N_("Postcode"),
    "city": N_("Town"),
    "code_insee": N_("INSEE code"),
    "latitude": N_("Latitude"),
    "longitude": N_("Longitude"),
    "website": N_("Website"),
    "kind": N_("Type"),
    "region": N_("Region"),
}


def remark_words(remark: Remark) -> str:
    """One sentence in the reader's language."""
    field = _(FIELD_WORDS[remark.field]) if remark.field else ""
    return _(CODE_WORDS[remark.code], field=field, value=remark.value, instead=remark.instead or "–")

"""What a lead reads about a line of an imported file."""

from __future__ import annotations

from coworking.core.errors import N_
from coworking.core.i18n import _
from coworking.network.head.census_rules import Remark

CODE_WORDS: dict[str, str] = {
    "cells": N_("Left out: another number of cells than the header"),
    "empty": N_("Left out: %(value)s is empty"),
    "too_long": N_("Left out: %(value)s is longer than %(instead)s characters"),
    "same_id": N_("Left out: the same ID as line %(instead)s"),
    "no_postcode": N_("Taken without a postcode: “%(value)s” is none"),
    "no_insee": N_("Taken without an INSEE code: “%(value)s” is none"),
    "no_position": N_("Taken without its place on the map: “%(value)s” is nowhere on Earth"),
    "no_website": N_("Taken without a website: “%(value)s” is no address of one"),
    "no_kind": N_("Taken without a type: “%(value)s” is none we know"),
    "no_region": N_("Taken without a region: “%(value)s” is none"),
    "mended": N_("%(field)s mended: “%(value)s” lost its zero, %(instead)s was taken"),
    "edited": N_("%(field)s left as edited by hand (%(instead)s); the file says “%(value)s”"),
    "own": N_("%(field)s left as the place gave it itself (%(instead)s); the file says “%(value)s”"),
    "twin": N_("Perhaps the same place as line %(instead)s"),
}

CODE_NAMES: dict[str, str] = {
    "cells": N_("Another number of cells"),
    "empty": N_("Without name or ID"),
    "too_long": N_("Too long"),
    "same_id": N_("The same ID twice"),
    "no_postcode": N_("Without a postcode"),
    "no_insee": N_("Without an INSEE code"),
    "no_position": N_("Without a position"),
    "no_website": N_("Without a website"),
    "no_kind": N_("Without a type"),
    "no_region": N_("Without a region"),
    "mended": N_("Zeros put back"),
    "edited": N_("Edited by hand"),
    "own": N_("Given by the place"),
    "twin": N_("Perhaps twins"),
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

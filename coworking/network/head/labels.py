"""The words for improbable figures of a return, for a head's lead."""

from __future__ import annotations

from coworking.core.formats import number
from coworking.core.i18n import _
from coworking.network.head.doubts import Doubt
from coworking.statistics.labels import LABELS, worded


def doubt_words(doubt: Doubt) -> str:
    """One sentence in the reader's language."""
    named = {
        "figure": _(LABELS[doubt.field]),
        "value": worded(doubt.field, doubt.value),
        "usual": number(doubt.usual) if doubt.code == "many_desks" else worded(doubt.field, doubt.usual),
    }
    match doubt.code:
        case "far_above" | "far_below":
            return _("%(figure)s: %(value)s. In earlier months this place had about %(usual)s.", **named)
        case "many_desks":
            return _("%(figure)s: %(value)s, more than %(usual)s desks on each day open.", **named)
        case "outweighs":
            return _("%(figure)s: %(value)s. Half of the other places offer %(usual)s at most.", **named)
        case _:
            return _("%(figure)s: %(value)s, but the other figures of this return allow %(usual)s at most.", **named)

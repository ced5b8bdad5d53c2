"""The words for the state of a return, for a lieu's manager."""

from __future__ import annotations

from coworking.core.errors import N_
from coworking.core.i18n import _
from coworking.network.lieu import sending

STATE_WORDS = {
    "waiting": N_("on its way"),
    "acknowledged": N_("received"),
    "mailed": N_("sent by e-mail"),
    "failed": N_("refused"),
    "replaced": N_("replaced by a later revision"),
}

_TROUBLES = {
    sending.UNREACHABLE: N_("The network head cannot be reached. It is tried again automatically, for four weeks."),
    sending.BUSY: N_("The network head is out of order just now. It is tried again automatically, for four weeks."),
    sending.NOT_ACKNOWLEDGED: N_("What answers there did not sign its receipt. It is tried again automatically."),
    sending.EMAIL_STUCK: N_("The e-mail could not be sent. It is tried again automatically."),
    sending.KEEPS_ASKING: N_("The network head keeps asking for later revisions. Speak with the people who run it."),
    "lieu_unknown": N_("The network head no longer knows this place: ask it for a new link and paste it here."),
    "wrong_audience": N_("Another network head answers at that address: ask for a new link and paste it here."),
}


def trouble(error: str) -> str:
    """A delivery's ``last_error`` in the reader's language; what the head says in its own words stays as it is."""
    code, _colon, words = error.partition(": ")
    if code in _TROUBLES:
        return _(_TROUBLES[code])
    return _("The network head refuses it: %(answer)s", answer=words or code)

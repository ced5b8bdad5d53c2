"""Terms and house rules, and what people accepted of them, as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence

from coworking.accounts.models import Person
from coworking.accounts.terms_models import ConsentChange, HouseText, TextAcceptance
from coworking.accounts.terms_queries import ConsentStanding, TextHead
from coworking.api.render import Json
from coworking.api.render_people import offset_instant
from coworking.core.policy import Actor


def head(row: HouseText, in_force: Sequence[TextHead]) -> Json:
    return _head(row) | {"in_force": any(one.id == row.id for one in in_force)}


def house_text(row: HouseText, in_force: Sequence[TextHead]) -> Json:
    return head(row, in_force) | {"text": row.text, "news": row.news}


def agreements(
    *,
    reader: Actor,
    waiting: Sequence[TextHead],
    accepted: Sequence[TextAcceptance],
    consents: Sequence[ConsentStanding],
    changes: Sequence[ConsentChange],
) -> Json:
    return {
        "waiting": [_head(one) for one in waiting],
        "accepted": [
            _head(row.house_text)
            | {"way": row.way, "agreed_on": row.agreed_on, "written_by": _name(row.made_by, reader)}
            for row in accepted
        ],
        "consents": [
            {
                "kind": one.kind,
                "organisation": _organisation(one.change),
                "given": one.given,
                "since": offset_instant(one.change.made_at if one.change is not None else None),
            }
            for one in consents
        ],
        "changes": [
            {
                "kind": row.kind,
                "organisation": _organisation(row),
                "given": row.given,
                "said_at": offset_instant(row.made_at),
                "said_by": _name(row.made_by, reader),
            }
            for row in changes
        ],
    }


def _head(row: HouseText | TextHead) -> Json:
    return {"id": row.public_id, "kind": row.kind, "from_day": row.from_day}


def _organisation(change: ConsentChange | None) -> Json | None:
    found = change.organisation if change is not None else None
    return {"id": found.public_id, "name": found.name} if found is not None else None


def _name(who: Person | None, reader: Actor) -> str | None:
    """Who of the team wrote something down: for the team and oneself."""
    return who.name if who is not None and (reader.is_staff or who.id == reader.person_id) else None

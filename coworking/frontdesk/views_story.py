"""One person's whole story on one page."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from coworking.accounts.labels import STATUS_WORDS
from coworking.billing.views_payers import entry_words
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires
from coworking.frontdesk.pages import blueprint
from coworking.frontdesk.story import story_of


@blueprint.get("/people/<public_id>/story")
@requires(Role.HOST)
def story(public_id: str) -> ResponseReturnValue:
    """Bookings, presences and allowances of ``public_id``; to managers and accountants also the money."""
    actor = current_actor()
    found = story_of(actor, public_id)
    status = found.person.status
    return render_template(
        "frontdesk/story.html",
        story=found,
        person=found.person,
        status=_(STATUS_WORDS[status]) if status else None,
        is_manager=actor.has(Role.MANAGER),
        words=entry_words,
    )

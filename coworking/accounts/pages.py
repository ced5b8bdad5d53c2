"""What the account pages share."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import queries, rules
from coworking.accounts.devices import Halfway, SignedIn
from coworking.accounts.models import Person
from coworking.accounts.session import begin, hold
from coworking.core import place
from coworking.core.clock import now
from coworking.core.forms import Form, form_page
from coworking.core.policy import Actor, Role
from coworking.core.timespan import local_date

blueprint = Blueprint("accounts", __name__)


def page(template: str, sent: Form, **context: object) -> ResponseReturnValue:
    """The page of the form that was ``sent``, with the status of what was refused."""
    return form_page(f"accounts/{template}.html", sent, **context)


def unmerged_person(public_id: str) -> Person:
    """The person whose record this is. One that went into another record answers with its story, which says where it went.

    Raises `NotFound`.
    """
    found = queries.person_by_public_id(public_id)
    if found.merged_into_person_id is not None:
        abort(redirect(url_for("frontdesk.story", public_id=public_id)))
    return found


def home_of(who: Person | Actor) -> str:
    """Where someone lands after signing in: staff on Today, a network's lead on its month, members on their week, who only
    speaks for an organisation on its page."""
    actor = who if isinstance(who, Actor) else who.actor()
    lead = actor.has(Role.LEAD) and not actor.is_staff
    if not actor.is_staff and not lead and queries.is_contact(actor.person_id, local_date(now(), place.clock())):
        return url_for("public.home")  # which knows whether they come themselves
    for endpoint in ("frontdesk.today",) * actor.is_staff + ("network_head.month",) * lead + ("week.show",):
        if endpoint in current_app.view_functions:
            return url_for(endpoint)
    return url_for("accounts.me")


def welcome(signed_in: SignedIn | Halfway, target: str | None = None) -> ResponseReturnValue:
    """Give this browser its cookie and redirect to ``target``, an address within the site, or to the person's home; first
    to the second step, where one is asked."""
    if isinstance(signed_in, Halfway):
        hold(signed_in, target)
        return redirect(url_for("accounts.second_step_asked"), 303)
    begin(signed_in)
    return redirect(rules.local_path(target) or home_of(signed_in.person), 303)


def visitor_address() -> str | None:
    """The internet address the request came from."""
    return request.remote_addr

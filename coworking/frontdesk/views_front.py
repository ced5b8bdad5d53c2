"""The public page in the settings: its photos, its place on a map, a first half-day to try."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from coworking.core.errors import DomainError
from coworking.core.formats import decimal
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.picture_rules import MOST_BYTES
from coworking.core.pictures import MIME
from coworking.core.policy import Role, current_actor, public, requires
from coworking.core.web import large_body, refusal
from coworking.membership import trials
from coworking.pricing.forms import cents
from coworking.pricing.queries import prices_on
from coworking.spaces import map_rules, photo_queries, photos, services
from coworking.spaces import queries as spaces
from coworking.spaces.photo_models import MOST_PHOTOS

blueprint = Blueprint("front", __name__)

MOST_ALT = 160
YEAR_S = 365 * 24 * 3600


@blueprint.get("/photos/<public_id>-<int:width>.webp")
@public
def photo(public_id: str, width: int) -> ResponseReturnValue:
    """A photo in one width. It never changes under its address, so whoever has it asks no more for a year."""
    digest, content = photo_queries.photo_file(public_id, width)
    answer = make_response(content)
    answer.mimetype = MIME
    answer.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
    answer.set_etag(digest)
    return answer.make_conditional(request)


@blueprint.get("/settings/public-page")
@requires(Role.MANAGER)
def index() -> ResponseReturnValue:
    return _page(Form())


@blueprint.post("/settings/public-page/photos")
@requires(Role.MANAGER)
@large_body(MOST_BYTES + 1_048_576)
def add() -> ResponseReturnValue:
    form, file = Form(request.form), request.files.get("photo")
    alt = form.text("alt", most=MOST_ALT)
    if file is None or not file.filename:
        form.refuse("photo", _("Choose a photo."))
    elif form.is_good:
        with form.trying(at="photo"):
            photos.add_photo(current_actor(), file.stream, alt)
            flash(_("The photo is on the public page."))
            return redirect(url_for("front.index"), 303)
    return _page(form)


@blueprint.post("/settings/public-page/photos/<public_id>")
@requires(Role.MANAGER)
def describe(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    name = f"alt-{public_id}"
    alt = form.text(name, most=MOST_ALT)
    if form.is_good:
        photos.describe_photo(current_actor(), public_id, alt)
        flash(_("Saved."))
        return redirect(url_for("front.index"), 303)
    return _page(form)


@blueprint.post("/settings/public-page/photos/<public_id>/<any(earlier,later,remove):act>")
@requires(Role.MANAGER)
def arrange(public_id: str, act: str) -> ResponseReturnValue:
    try:
        if act == "remove":
            photos.remove_photo(current_actor(), public_id)
            flash(_("The photo is removed."))
        else:
            photos.move_photo(current_actor(), public_id, earlier=act == "earlier")
    except DomainError as error:
        return refusal(error, index)
    return redirect(url_for("front.index"), 303)


@blueprint.post("/settings/public-page/map")
@requires(Role.MANAGER)
def save_spot() -> ResponseReturnValue:
    form = Form(request.form)
    spot = form.maybe("spot", map_rules.spot_of) or (None, None)
    if form.is_good:
        services.update_lieu(current_actor(), latitude_e6=spot[0], longitude_e6=spot[1])
        flash(_("Saved."))
        return redirect(url_for("front.index"), 303)
    return _page(form)


@blueprint.post("/settings/public-page/trial")
@requires(Role.MANAGER)
def save_trial() -> ResponseReturnValue:
    form = Form(request.form)
    offers = form.checked("trial")
    price = cents(form, "trial_price") if offers and form.raw("trial_price") else 0
    if form.is_good:
        trials.set_trial(current_actor(), (price or 0) if offers else None)
        flash(_("A first half-day can be tried.") if offers else _("No half-day to try is offered any more."))
        return redirect(url_for("front.index"), 303)
    return _page(form)


def _page(form: Form) -> ResponseReturnValue:
    place, trial = spaces.lieu(), trials.trial_cents()
    usual = {"trial_price": decimal(trial) if trial else ""}
    if place.latitude_e6 is not None and place.longitude_e6 is not None:
        usual["spot"] = map_rules.written(place.latitude_e6, place.longitude_e6)
    if trial is not None and request.method == "GET":
        usual["trial"] = "1"
    rows = photo_queries.photos()
    usual |= {f"alt-{row.public_id}": row.alt for row in rows}
    return form_page(
        "frontdesk/front_settings.html",
        form.over(usual),
        place=place,
        photos=rows,
        most=MOST_PHOTOS,
        most_mb=MOST_BYTES // 1_048_576,
        basis=prices_on(spaces.today()).basis,
    )

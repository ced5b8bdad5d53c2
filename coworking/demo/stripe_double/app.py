"""Makes the double: a Flask application that answers Stripe's API and serves its payment page."""

from __future__ import annotations

import json
from decimal import Decimal

from flask import Flask, Response, request
from flask_babel import Babel, format_currency

from config import ROOT
from coworking.core.catalogs import TRANSLATIONS
from coworking.demo.stripe_double import api, hosted_page
from coworking.demo.stripe_double.double import StripeDouble
from coworking.demo.stripe_double.refusals import StripeRefusal

LONGEST_BODY = 256 * 1024


def create_double(
    secret_key: str,
    webhook_secret: str,
    notify_url: str | None = None,
    *,
    account_name: str = "La Fabrique du Pont",
    settles_after_s: float | None = None,
) -> StripeDouble:
    """An account at Stripe that opens with ``secret_key`` and tells ``notify_url`` what happens, signed.

    ``settles_after_s``: how long until a SEPA debit is paid or fails by itself; None: until `StripeDouble.settle_debit`.
    """
    if not secret_key.startswith(("sk_test_", "rk_test_")):
        raise ValueError("the double takes test keys only")
    app = Flask(__name__, template_folder=str(ROOT / "templates"), static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LONGEST_BODY
    domains = sorted(path.stem for path in (TRANSLATIONS / "fr" / "LC_MESSAGES").glob("*.po"))
    app.config["BABEL_DOMAIN"] = ";".join(domains)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = ";".join([str(TRANSLATIONS)] * len(domains))
    Babel(app, default_locale="en", locale_selector=hosted_page.reader_language)
    app.jinja_env.filters["money"] = lambda cents, currency: format_currency(Decimal(cents) / 100, currency.upper())
    app.register_blueprint(api.blueprint)
    app.register_blueprint(hosted_page.blueprint)
    app.register_error_handler(404, _unknown)
    return StripeDouble(app, secret_key, webhook_secret, notify_url, account_name, settles_after_s)


def _unknown(_error: object) -> Response:
    refusal = StripeRefusal(404, f"Unrecognized request URL ({request.method}: {request.path}).")
    return Response(json.dumps(refusal.body()), 404, content_type="application/json")

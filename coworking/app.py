"""The application factory: a short list of named steps."""

from __future__ import annotations

import importlib
from datetime import timedelta

from apiflask import APIFlask
from flask import Flask
from flask_compress import Compress
from flask_wtf.csrf import CSRFProtect, generate_csrf
from markupsafe import Markup

from config import ROOT, Config
from coworking.core import clock, migrating
from coworking.core.db import READER, db, engine_options, prepare_engine
from coworking.core.formats import init_formats
from coworking.core.i18n import init_i18n
from coworking.core.login import init_login
from coworking.core.policy import check_declared, init_policies
from coworking.core.proxies import init_proxies
from coworking.core.statics import STATIC, init_statics
from coworking.core.web import init_bodies, init_web
from coworking.frontdesk.navigation import init_navigation

csrf = CSRFProtect()

BLUEPRINTS = (
    "coworking.core.health",
    "coworking.accounts.views",
    "coworking.spaces.views",
    "coworking.pricing.views",
    "coworking.membership.views",
    "coworking.booking.views",
    "coworking.residents.views",
    "coworking.presence.views",
    "coworking.billing.views",
    "coworking.billing.views_gateways",
    "coworking.billing.views_pay",
    "coworking.billing.views_pay_first",
    "coworking.billing.views_means",
    "coworking.billing.views_notified",
    "coworking.billing.views_reminders",
    "coworking.billing.views_reminder_settings",
    "coworking.accounting.views_bank",
    "coworking.accounting.views_closings",
    "coworking.accounting.views_money",
    "coworking.accounting.views_payouts",
    "coworking.statistics.views",
    "coworking.network.head.views",
    "coworking.network.head.views_six_figures",
    "coworking.network.head.views_join",
    "coworking.network.lieu.views",
    "coworking.imports.views",
    "coworking.frontdesk.views",
    "coworking.frontdesk.views_register",
    "coworking.frontdesk.views_week",
    "coworking.frontdesk.views_employer",
    "coworking.frontdesk.views_proxy",
    "coworking.frontdesk.views_twins",
    "coworking.frontdesk.views_invited",
    "coworking.frontdesk.public",
    "coworking.frontdesk.setup",
    "coworking.frontdesk.views_mail",
    "coworking.frontdesk.views_privacy",
    "coworking.frontdesk.views_front",
    "coworking.api.views",
)
"""Modules with a ``blueprint`` (or several, in ``blueprints``)."""

MODELS = (
    "coworking.core.outbox",
    "coworking.core.audit",
    "coworking.core.chain",
    "coworking.core.idempotency",
    "coworking.core.security",
    "coworking.core.backup",
    "coworking.core.sender",
    "coworking.core.retention",
    "coworking.core.legal",
    "coworking.accounts.models",
    "coworking.accounts.factor_models",
    "coworking.accounts.card_models",
    "coworking.accounts.paper_models",
    "coworking.accounts.proxy_models",
    "coworking.accounts.terms_models",
    "coworking.accounts.twin_models",
    "coworking.spaces.models",
    "coworking.spaces.photo_models",
    "coworking.claims.models",
    "coworking.pricing.group_models",
    "coworking.pricing.models",
    "coworking.membership.models",
    "coworking.membership.trial_models",
    "coworking.booking.models",
    "coworking.booking.message_models",
    "coworking.residents.models",
    "coworking.presence.models",
    "coworking.billing.models",
    "coworking.billing.means_models",
    "coworking.billing.online_models",
    "coworking.billing.payout_models",
    "coworking.billing.payer_credit_models",
    "coworking.billing.reminder_models",
    "coworking.billing.door_models",
    "coworking.billing.gateways.models",
    "coworking.accounting.models",
    "coworking.accounting.bank_models",
    "coworking.accounting.closing_models",
    "coworking.imports.models",
    "coworking.statistics.models",
    "coworking.network.head.models",
    "coworking.network.lieu.models",
)
"""Modules that declare tables: migrations compare the whole of them."""

HANDLERS = (
    "coworking.core.chain_checks",
    "coworking.core.kept_pdfs",
    "coworking.core.mail",
    "coworking.spaces.checks",
    "coworking.claims.checks",
    "coworking.membership.checks",
    "coworking.booking.checks",
    "coworking.residents.checks",
    "coworking.residents.handlers",
    "coworking.residents.news",
    "coworking.presence.checks",
    "coworking.billing.checks",
    "coworking.billing.door_checks",
    "coworking.billing.payout_checks",
    "coworking.accounting.checks",
    "coworking.accounting.drawer",
    "coworking.accounting.bank_checks",
    "coworking.accounting.closing_checks",
    "coworking.accounting.bank_handlers",
    "coworking.accounting.payout_handlers",
    "coworking.accounting.heads",
    "coworking.accounting.nightly",
    "coworking.accounting.holding",
    "coworking.statistics.checks",
    "coworking.statistics.handlers",
    "coworking.statistics.keeping",
    "coworking.accounts.forgetting",
    "coworking.accounts.holding",
    "coworking.accounts.keeping",
    "coworking.accounts.processing",
    "coworking.accounts.handlers",
    "coworking.accounts.session",
    "coworking.spaces.handlers",
    "coworking.membership.forgetting",
    "coworking.membership.merging",
    "coworking.membership.holding",
    "coworking.membership.keeping",
    "coworking.membership.processing",
    "coworking.membership.paying_first",
    "coworking.membership.expiring",
    "coworking.membership.news",
    "coworking.booking.forgetting",
    "coworking.booking.merging",
    "coworking.booking.holding",
    "coworking.booking.keeping",
    "coworking.booking.processing",
    "coworking.booking.handlers",
    "coworking.booking.with_packs",
    "coworking.residents.forgetting",
    "coworking.residents.holding",
    "coworking.residents.keeping",
    "coworking.residents.processing",
    "coworking.presence.forgetting",
    "coworking.presence.merging",
    "coworking.presence.holding",
    "coworking.presence.keeping",
    "coworking.presence.processing",
    "coworking.booking.displaced",
    "coworking.booking.messages",
    "coworking.booking.paying_first",
    "coworking.billing.forgetting",
    "coworking.billing.holding",
    "coworking.billing.keeping",
    "coworking.billing.processing",
    "coworking.billing.handlers",
    "coworking.billing.means_handlers",
    "coworking.billing.online_handlers",
    "coworking.billing.reminder_handlers",
    "coworking.imports.forgetting",
    "coworking.imports.holding",
    "coworking.imports.keeping",
    "coworking.imports.processing",
    "coworking.imports.handlers",
    "coworking.network.head.checks",
    "coworking.network.head.handlers",
    "coworking.network.lieu.checks",
    "coworking.network.lieu.handlers",
)
"""Modules that register outbox handlers, readiness checks and the like when imported."""


def create_app(config: Config | None = None) -> Flask:
    """Make the application for ``config`` (by default the environment's)."""
    config = config or Config.from_env()
    app = APIFlask(
        __name__,
        template_folder=str(ROOT / "templates"),
        static_folder=str(STATIC),
        title="Coworking",
        version="1",
        spec_path=None,
        docs_path=None,
    )
    _configure_settings(app, config)
    _configure_database(app)
    init_bodies(app)
    _configure_sessions(app)
    init_i18n(app)
    init_formats(app)
    _configure_templates(app)
    init_web(app)
    init_policies(app)
    init_navigation(app)
    _register_handlers()
    _register_blueprints(app)
    _register_commands(app)
    init_statics(app)
    init_proxies(app)
    check_declared(app)
    return app


def _configure_settings(app: Flask, config: Config) -> None:
    app.extensions["settings"] = config
    app.config.update(
        SECRET_KEY=config.secret_key,
        TESTING=config.testing,
        SQLALCHEMY_DATABASE_URI=config.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(config.database_url),
        JSON_SORT_KEYS=False,
        OPENAPI_VERSION="3.1.0",
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_BR_LEVEL=4,
        COMPRESS_LEVEL=5,
    )


def _configure_database(app: Flask) -> None:
    db.init_app(app)
    with app.app_context():
        app.extensions[READER] = prepare_engine(db.engine)
    for name in MODELS:
        importlib.import_module(name)
    migrating.init(app)


def _configure_sessions(app: Flask) -> None:
    secure = app.extensions["settings"].cookies_secure
    app.config.update(
        SESSION_COOKIE_NAME="__Host-lieu" if secure else "lieu",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_PATH="/",  # __Host- wants it so
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a page left open overnight must still work
    )
    init_login(app)
    csrf.init_app(app)


def _configure_templates(app: Flask) -> None:
    def csrf_input() -> Markup:
        return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())

    app.jinja_env.globals.update(csrf=csrf_input, now=clock.now)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    Compress(app)


def _register_handlers() -> None:
    for name in HANDLERS:
        importlib.import_module(name)


def _register_blueprints(app: Flask) -> None:
    for name in BLUEPRINTS:
        module = importlib.import_module(name)
        for blueprint in getattr(module, "blueprints", None) or (module.blueprint,):
            app.register_blueprint(blueprint)
            if getattr(blueprint, "csrf_exempt", False):  # opened by tokens only, which no other site can send
                csrf.exempt(blueprint)


def _register_commands(app: Flask) -> None:
    from coworking.cli import init_cli  # the commands import every service: only when an application is made

    init_cli(app)

"""Keys typed by a manager: kept encrypted, found by the registry, and told to nobody."""

from __future__ import annotations

import json
from functools import partial

import pytest
from sqlalchemy import delete, func, select, text, update

from coworking.billing import online_queries
from coworking.billing.gateways import accounts, registry
from coworking.billing.gateways.key_rules import KeyMissing, LiveKeyElsewhere, UnknownGateway
from coworking.billing.gateways.models import GatewayKeys
from coworking.billing.gateways.port import GatewayAccount
from coworking.core import keyring, secret_box
from coworking.core.audit import AuditEntry
from coworking.core.chain import ChainEntry
from coworking.core.db import db
from coworking.core.errors import Forbidden
from coworking.core.units import write_unit
from coworking.spaces.models import Lieu
from tests.billing.gateways.keys import HELLOASSO_KEYS, LIVE_KEY, SIGNING, STRIPE_KEYS, TEST_KEY
from tests.conftest import make_app
from tests.support.threads import at_once


@pytest.fixture
def manager(inside, place, cast):
    return cast.manager.actor()


def standing(name: str) -> registry.GatewayStanding:
    return next(one for one in registry.standings() if one.name == name)


def entries(action: str) -> list[dict]:
    return list(db.session.scalars(select(AuditEntry.details).where(AuditEntry.action == action)))


def with_settings(app, tmp_path, **given: str):
    """A second application on the same database and keyring, with other settings."""
    config = app.extensions["settings"]
    return make_app(config.database_url, config.data_dir, **given)


def test_typed_keys_are_what_the_lieu_pays_with(manager):
    assert registry.gateway_named("stripe") is None and registry.gateways() == []
    accounts.save_keys(manager, "stripe", STRIPE_KEYS)
    found = standing("stripe")
    assert (found.source, found.problem, found.is_live) == ("typed", None, False)
    assert found.endings == {"secret_key": "9Zq7", "webhook_secret": "7Xo5"}
    assert registry.gateways() == [found.gateway]
    assert registry.gateway_named("stripe") is found.gateway, "the same keys, the same connections"
    accounts.save_keys(manager, "stripe", {"secret_key": LIVE_KEY})
    changed = standing("stripe")
    assert changed.is_live is True and changed.gateway is not found.gateway
    assert changed.endings == {"secret_key": "8Yp6"}, "the signing secret of test mode is gone with it"


def test_asking_for_gateways_costs_one_statement(manager, count_statements):
    accounts.save_keys(manager, "stripe", STRIPE_KEYS)
    accounts.save_keys(manager, "helloasso", HELLOASSO_KEYS)
    for ask in (registry.gateways, lambda: registry.gateway_named("stripe")):
        with count_statements() as statements:
            assert ask()
        assert len(statements) == 1


def test_the_database_holds_no_key_in_the_clear(manager, engine_name):
    accounts.save_keys(manager, "stripe", STRIPE_KEYS)
    accounts.save_keys(manager, "helloasso", HELLOASSO_KEYS)
    tables = db.session.scalars(
        text("SELECT name FROM sqlite_master WHERE type = 'table'")
        if engine_name == "sqlite"
        else text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    ).all()
    said = {name: repr(db.session.execute(text(f'SELECT * FROM "{name}"')).all()) for name in tables}
    assert "stripe" in said["gateway_account"] and "gateway.keys" in said["audit_entry"]
    for key in (*STRIPE_KEYS.values(), *HELLOASSO_KEYS.values()):
        assert [name for name, rows in said.items() if key in rows] == []


def test_the_trail_names_what_changed_and_the_chain_of_money_says_nothing(manager):
    signed = db.session.scalar(select(func.count()).select_from(ChainEntry))
    accounts.save_keys(manager, "stripe", STRIPE_KEYS)
    accounts.save_keys(manager, "stripe", STRIPE_KEYS)  # the same again is no change
    accounts.save_keys(manager, "stripe", {"webhook_secret": SIGNING + "x"})
    accounts.forget_keys(manager, "stripe")
    accounts.forget_keys(manager, "stripe")
    assert entries("gateway.keys") == [
        {"gateway": "stripe", "changed": ["secret_key", "webhook_secret"]},
        {"gateway": "stripe", "changed": ["webhook_secret"]},
    ]
    assert entries("gateway.forgotten") == [{"gateway": "stripe"}]
    assert standing("stripe").source is None
    assert db.session.scalar(select(func.count()).select_from(ChainEntry)) == signed


@pytest.mark.parametrize("who", ["host", "accountant", "member", "lead"])
def test_only_managers_save_forget_or_try_keys(inside, place, cast, who):
    accounts.save_keys(cast.manager.actor(), "stripe", STRIPE_KEYS)
    kept = accounts.kept_keys()["stripe"]
    actor = getattr(cast, who).actor()
    for attempt in (
        lambda: accounts.save_keys(actor, "stripe", {"secret_key": LIVE_KEY}),
        lambda: accounts.forget_keys(actor, "stripe"),
        lambda: accounts.note_look(actor, "stripe", kept.row.secrets, GatewayAccount("x", True, ())),
    ):
        with pytest.raises(Forbidden):
            attempt()
    assert accounts.kept_keys()["stripe"].keys == STRIPE_KEYS


def test_a_lost_keyring_is_no_key_and_new_keys_can_be_typed(manager):
    accounts.save_keys(manager, "stripe", STRIPE_KEYS)
    keyring.kept(secret_box.KEY_FILE).unlink()
    found = standing("stripe")
    assert (found.source, found.problem, found.gateway, found.endings) == ("typed", "unreadable", None, {})
    assert registry.gateways() == []
    with pytest.raises(KeyMissing):
        accounts.save_keys(manager, "stripe", {"webhook_secret": SIGNING})
    accounts.save_keys(manager, "stripe", {"secret_key": TEST_KEY})
    assert standing("stripe").endings == {"secret_key": "9Zq7"}


@pytest.mark.parametrize("held", ["[]", '"text"', "{", "{}"])
def test_encrypted_nonsense_is_no_key_either(manager, held):
    accounts.save_keys(manager, "stripe", STRIPE_KEYS)
    with write_unit():
        db.session.execute(update(GatewayKeys).values(secrets=secret_box.encrypt(held, about="gateway_account:stripe")))
    assert registry.gateway_named("stripe") is None


def test_keys_moved_to_another_gateways_row_are_not_read(manager):
    accounts.save_keys(manager, "stripe", STRIPE_KEYS)
    with write_unit():
        db.session.execute(update(GatewayKeys).values(gateway="helloasso"))
    assert accounts.kept_keys()["helloasso"].keys is None


def test_the_servers_keys_come_first(app, manager, tmp_path):
    accounts.save_keys(manager, "stripe", {"secret_key": LIVE_KEY})
    db.session.remove()
    with with_settings(app, tmp_path, stripe_secret_key=TEST_KEY).app_context():
        found = standing("stripe")
        assert (found.source, found.is_live, found.row) == ("server", False, None)
        with pytest.raises(accounts.KeysOnServer):
            accounts.save_keys(manager, "stripe", STRIPE_KEYS)
        db.engine.dispose()


def test_a_live_key_is_never_sent_to_another_address(app, manager, tmp_path):
    accounts.save_keys(manager, "stripe", {"secret_key": LIVE_KEY})
    db.session.remove()
    with with_settings(app, tmp_path, stripe_api_base="http://127.0.0.1:1").app_context():
        found = standing("stripe")
        assert (found.source, found.problem, found.gateway) == ("typed", "elsewhere", None)
        with pytest.raises(LiveKeyElsewhere):
            accounts.save_keys(manager, "stripe", {"secret_key": LIVE_KEY})
        accounts.save_keys(manager, "stripe", {"secret_key": TEST_KEY})
        assert standing("stripe").gateway is not None
        db.engine.dispose()


def test_helloasso_is_for_associations(manager):
    with write_unit():
        db.session.execute(update(Lieu).values(legal_status="company"))
    with pytest.raises(accounts.AssociationsOnly):
        accounts.save_keys(manager, "helloasso", HELLOASSO_KEYS)
    with pytest.raises(UnknownGateway):
        accounts.save_keys(manager, "paypal", {})


def test_helloasso_is_asked_at_the_address_the_server_names(app, manager, tmp_path):
    accounts.save_keys(manager, "helloasso", HELLOASSO_KEYS)
    found = registry.gateway_named("helloasso")
    assert found is not None and found.is_live and found.pages == ("https://www.helloasso.com",)
    assert [one.name for one in registry.gateways()] == ["helloasso"]
    db.session.remove()
    with with_settings(app, tmp_path, helloasso_api_base="http://127.0.0.1:1/").app_context():
        found = registry.gateway_named("helloasso")
        assert found is not None and not found.is_live and found.pages == ("http://127.0.0.1:1",)
        db.engine.dispose()


def test_what_was_found_is_kept_until_the_keys_change(manager):
    accounts.save_keys(manager, "stripe", STRIPE_KEYS)
    tried = accounts.kept_keys()["stripe"].row.secrets
    accounts.note_look(manager, "stripe", tried, GatewayAccount("La Fabrique", False, ("card",)))
    row = accounts.kept_keys()["stripe"].row
    assert (row.label, row.is_live, row.looked_at is None) == ("La Fabrique", False, False)
    accounts.save_keys(manager, "stripe", {"secret_key": LIVE_KEY})
    accounts.note_look(manager, "stripe", tried, GatewayAccount("La Fabrique", False, ("card",)))
    row = accounts.kept_keys()["stripe"].row
    assert (row.label, row.is_live, row.looked_at) == (None, None, None)


def test_sixteen_first_keys_at_once_are_one_row(app, place, cast):
    actor = cast.manager.actor()

    def save(number: int) -> None:
        with app.app_context():
            accounts.save_keys(actor, "stripe", {"secret_key": f"{TEST_KEY}{number}"})

    at_once([partial(save, number) for number in range(16)])
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(GatewayKeys)) == 1
        assert accounts.kept_keys()["stripe"].keys["secret_key"].startswith(TEST_KEY)
        db.session.remove()


def test_a_gateway_has_one_row_and_is_a_known_one(manager):
    accounts.save_keys(manager, "stripe", STRIPE_KEYS)
    for name in ("stripe", "paypal"):
        with pytest.raises(Exception, match=r"(?i)unique|check"), write_unit():
            db.session.add(GatewayKeys(gateway=name, secrets=json.dumps({})))
    with write_unit():
        db.session.execute(delete(GatewayKeys))


def test_helloassos_keys_on_the_server_come_first_and_serve_associations_alone(app, manager, tmp_path):
    accounts.save_keys(manager, "helloasso", HELLOASSO_KEYS)
    db.session.remove()
    on_server = {f"helloasso_{name}": text for name, text in HELLOASSO_KEYS.items()}
    on_server["helloasso_api_base"] = "http://127.0.0.1:1"
    with with_settings(app, tmp_path, **on_server).app_context():
        assert (standing("helloasso").source, standing("helloasso").is_live) == ("server", False)
        with pytest.raises(accounts.KeysOnServer):
            accounts.save_keys(manager, "helloasso", HELLOASSO_KEYS)
        for status, offered in (("association", ["helloasso"]), ("company", [])):
            with write_unit():
                db.session.execute(update(Lieu).values(legal_status=status, is_simulation=True))
            assert [one.name for one in online_queries.offered()] == offered
        db.engine.dispose()

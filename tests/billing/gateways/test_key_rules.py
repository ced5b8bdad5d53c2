"""Which keys are taken, what is said of others, and what stays when one is replaced."""

from __future__ import annotations

import pytest

from coworking.billing.gateways import key_rules
from coworking.core.errors import DomainError
from tests.billing.gateways.keys import HELLOASSO_KEYS, LIVE_KEY, SIGNING, STRIPE_KEYS, TEST_KEY


@pytest.mark.parametrize("keys", [STRIPE_KEYS, HELLOASSO_KEYS])
def test_a_key_is_read_without_the_spaces_of_copying(keys):
    for name, key in keys.items():
        assert key_rules.read_key(name, f"  {key[:9]} {key[9:]}\n") == key


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("secret_key", "", "key_missing"),
        ("secret_key", "pk_test_" + "a" * 30, "publishable_key"),
        ("secret_key", SIGNING, "not_a_stripe_key"),
        ("secret_key", "sk_test_", "not_a_stripe_key"),
        ("secret_key", "sk_test_" + "a" * 5000, "not_a_stripe_key"),
        ("secret_key", "sk_test_" + "é" * 30, "not_a_stripe_key"),
        ("secret_key", TEST_KEY + "\x00", "not_a_stripe_key"),
        ("webhook_secret", TEST_KEY, "not_a_signing_secret"),
        ("client_id", "<script>alert</script>", "not_a_helloasso_key"),
        ("client_secret", "short", "not_a_helloasso_key"),
        ("organisation", "La Fabrique", "not_an_organisation_name"),
        ("organisation", "../../v5/users", "not_an_organisation_name"),
    ],
)
def test_what_is_no_such_key_is_refused_with_its_reason(name, text, code):
    with pytest.raises(DomainError) as refused:
        key_rules.read_key(name, text)
    assert (refused.value.code, refused.value.at_field) == (code, name)
    assert len(text) < 12 or text not in str(refused.value), "an error must not repeat the key"


def test_a_key_that_is_not_typed_stays():
    assert key_rules.merged("stripe", {"secret_key": TEST_KEY}, {"webhook_secret": SIGNING}) == STRIPE_KEYS
    other = {"secret_key": TEST_KEY + "x"}
    assert key_rules.merged("stripe", STRIPE_KEYS, other) == STRIPE_KEYS | other


def test_test_and_live_never_mix():
    assert key_rules.merged("stripe", STRIPE_KEYS, {"secret_key": LIVE_KEY}) == {"secret_key": LIVE_KEY}
    assert key_rules.merged("stripe", {"secret_key": LIVE_KEY, "webhook_secret": SIGNING}, STRIPE_KEYS) == STRIPE_KEYS


def test_what_is_missing_afterwards_is_asked_for():
    for gateway, kept, typed, field in (
        ("stripe", {}, {"webhook_secret": SIGNING}, "secret_key"),
        ("helloasso", {}, {"client_id": "a" * 32}, "client_secret"),
        ("helloasso", HELLOASSO_KEYS, {"client_id": "a" * 32}, "client_secret"),
    ):
        with pytest.raises(key_rules.KeyMissing) as refused:
            key_rules.merged(gateway, kept, typed)
        assert refused.value.at_field == field
    renamed = {"organisation": "autre-nom"}
    assert key_rules.merged("helloasso", HELLOASSO_KEYS, renamed) == HELLOASSO_KEYS | renamed


def test_only_the_end_of_a_key_is_shown():
    assert key_rules.ending("secret_key", TEST_KEY) == "9Zq7"
    assert key_rules.ending("organisation", "la-fabrique-du-pont") == "la-fabrique-du-pont"

"""Rules of accounts: no database, no application."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.accounts import password_rules, rules
from coworking.core.errors import Forbidden
from coworking.core.policy import Actor, Role
from coworking.core.reading import TextTooLong

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_a_name_has_single_spaces_and_no_control_characters():
    assert rules.name_of("  Jean \t Pierre\x00\x07 ") == "Jean Pierre"
    assert rules.name_of("  ", required=False) == ""
    with pytest.raises(rules.NameMissing):
        rules.name_of(" \u200b ")
    with pytest.raises(TextTooLong):
        rules.name_of("a" * 81)


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        ("neuf-car.", password_rules.PasswordTooShort),
        ("Anne@Demo.Example", password_rules.PasswordIsEmail),
        ("1234567890", password_rules.PasswordTooPlain),
        ("0987654321", password_rules.PasswordTooPlain),
        ("azertyuiop", password_rules.PasswordTooPlain),
        ("QWERTYUIOP", password_rules.PasswordTooPlain),
        ("aaaaaaaaaaaa", password_rules.PasswordTooPlain),
        ("121212121212", password_rules.PasswordTooPlain),
        ("a" * 257, password_rules.PasswordTooLong),
    ],
)
def test_passwords_that_will_not_do(password, refusal):
    with pytest.raises(refusal):
        password_rules.check_password(password, "anne@demo.example")


@pytest.mark.parametrize("password", ["un deux trois", "été à Thiers", "kx8-Vu2-qq", "la rivière déborde en avril"])
def test_hard_passwords_are_accepted(password):
    words = ("Anne", "Marchand", "La Fabrique du Pont")
    assert password_rules.check_password(password, "anne@demo.example", words) == password


@pytest.mark.parametrize("password", ["password12", "motdepasse1", "azertyuiop123", "soleil123456", "coworking2026"])
def test_what_is_on_every_list_will_not(password):
    with pytest.raises(password_rules.PasswordCommon):
        password_rules.check_password(password, "anne@demo.example")


@pytest.mark.parametrize("password", ["lafabriquedupont", "La Fabrique du Pont!", "marchand1985", "anne-demo-2026"])
def test_names_one_knows_will_not_either(password):
    with pytest.raises(password_rules.PasswordPersonal):
        password_rules.check_password(password, "anne@demo.example", ("Anne", "Marchand", "La Fabrique du Pont"))


@pytest.mark.parametrize(
    ("score", "seconds"),
    [(0, 0), (4.99, 0), (5, 30), (6, 60), (7, 120), (9, 480), (10, 900), (11, 900), (5000, 900)],
)
def test_the_wait_doubles_from_the_limit_up_to_a_quarter_of_an_hour(score, seconds):
    assert rules.wait_after("account_address", score) == timedelta(seconds=seconds)


def test_failures_halve_every_quarter_of_an_hour():
    assert rules.decayed(8, NOON, NOON) == 8
    assert rules.decayed(8, NOON, NOON + timedelta(minutes=15)) == 4
    assert rules.decayed(8, NOON, NOON + timedelta(minutes=45)) == 1
    assert rules.decayed(8, NOON, NOON - timedelta(minutes=5)) == 8, "a clock set back adds nothing"


@given(st.sampled_from(sorted(rules.LIMITS)), st.floats(0, 1e6))
def test_no_wait_is_longer_than_a_quarter_of_an_hour(kind, score):
    wait = rules.wait_after(kind, score)
    assert wait <= rules.LONGEST_WAIT
    assert bool(wait) == (score >= rules.LIMITS[kind] - 1e-9)


@pytest.mark.parametrize("path", ["/", "/me", "/week?week=next#x", "/people?q=a%20b"])
def test_addresses_within_the_site(path):
    assert rules.local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "me",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/me\r\nSet-Cookie: a=b",
        " /me",
    ],
)
def test_addresses_that_lead_elsewhere(path):
    assert rules.local_path(path) is None


@pytest.mark.parametrize(
    ("own", "theirs", "may"),
    [
        (Role.HOST, set(), True),
        (Role.HOST, {Role.HOST}, False),
        (Role.HOST, {Role.MANAGER}, False),
        (Role.MANAGER, {Role.MANAGER}, True),
        (Role.ACCOUNTANT, set(), False),
        (Role.LEAD, set(), False),
        (Role.MEMBER, set(), False),
    ],
)
def test_who_may_change_whom(own, theirs, may):
    actor = Actor(1, "x", frozenset({Role.MEMBER, own}))
    if may:
        rules.check_may_change(actor, frozenset({Role.MEMBER, *theirs}))
    else:
        with pytest.raises(Forbidden):
            rules.check_may_change(actor, frozenset({Role.MEMBER, *theirs}))


def test_a_hash_costs_what_owasp_asks_of_small_machines():
    code = "from coworking.accounts.passwords import hash_password; print(hash_password('atelier-du-pont'))"
    kept = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")

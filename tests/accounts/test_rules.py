"""Rules of accounts: no database, no application."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.accounts import rules
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
        ("neuf-car.", rules.PasswordTooShort),
        ("Anne@Demo.Example", rules.PasswordIsEmail),
        ("1234567890", rules.PasswordTooPlain),
        ("0987654321", rules.PasswordTooPlain),
        ("azertyuiop", rules.PasswordTooPlain),
        ("QWERTYUIOP", rules.PasswordTooPlain),
        ("aaaaaaaaaaaa", rules.PasswordTooPlain),
        ("121212121212", rules.PasswordTooPlain),
        ("a" * 257, rules.PasswordTooLong),
    ],
)
def test_passwords_that_will_not_do(password, refusal):
    with pytest.raises(refusal):
        rules.check_password(password, "anne@demo.example")


@pytest.mark.parametrize("password", ["un deux trois", "été à Thiers", "abcdefghij 1"])
def test_length_is_enough(password):
    assert rules.check_password(password, "anne@demo.example") == password


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (4, 0), (5, 30), (6, 60), (7, 120), (9, 480), (10, 900), (11, 900), (5000, 900)],
)
def test_the_wait_doubles_after_five_failures_up_to_a_quarter_of_an_hour(failures, seconds):
    until = rules.waits_until("account", failures, NOON, NOON)
    assert until == (NOON + timedelta(seconds=seconds) if seconds else None)


def test_the_wait_ends_and_failures_are_forgotten_after_a_day():
    assert rules.waits_until("account", 5, NOON, NOON + timedelta(seconds=29)) is not None
    assert rules.waits_until("account", 5, NOON, NOON + timedelta(seconds=30)) is None
    assert rules.failures_now(9, NOON, NOON + timedelta(hours=23, minutes=59)) == 9
    assert rules.failures_now(9, NOON, NOON + timedelta(hours=24)) == 0


@given(st.integers(0, 10_000), st.integers(0, 100_000))
def test_no_wait_is_longer_than_a_quarter_of_an_hour(failures, seconds):
    now = NOON + timedelta(seconds=seconds)
    until = rules.waits_until("account", failures, NOON, now)
    assert until is None or timedelta(0) < until - now <= rules.LONGEST_WAIT


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

"""Codes as RFC 6238 has them, and what is typed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from coworking.accounts import totp_rules

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(at, code):
    """Appendix B, whose eight digits end in the six that apps show."""
    assert totp_rules.code_at(SECRET, at // 30) == code[-6:]


@pytest.mark.parametrize(("late", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_phones_clock_may_be_thirty_seconds_wrong(late, fits):
    instant = datetime(2026, 11, 24, 9, 36, 15, tzinfo=UTC)
    step = totp_rules.step_of(instant) + late
    assert totp_rules.matching_step(SECRET, totp_rules.code_at(SECRET, step), instant) == (step if fits else None)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "１２３４５６", "12 34 5"])
def test_what_is_no_code(typed):
    with pytest.raises(totp_rules.CodeWrong):
        totp_rules.digits_of(typed)


def test_spaces_do_not_matter():
    assert totp_rules.digits_of(" 123 456 ") == "123456"
    assert totp_rules.recovery_of(" ABCD-2345 wxyz ") == "abcd2345wxyz"


@pytest.mark.parametrize("typed", ["abcd-2345", "abcd-2345-wxy0", "abcd-2345-wxyz-2"])
def test_what_is_no_recovery_code(typed):
    with pytest.raises(totp_rules.RecoveryCodeWrong):
        totp_rules.recovery_of(typed)


def test_apps_read_the_address():
    address = totp_rules.app_address("ABCD", email="anne+l@demo.example", place="La Fabrique: du Pont")
    assert address == (
        "otpauth://totp/La%20Fabrique%20%20du%20Pont:anne%2Bl@demo.example?secret=ABCD"
        "&issuer=La%20Fabrique%3A%20du%20Pont"
    )

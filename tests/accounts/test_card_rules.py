"""The secret of a printed card, as scanners send it."""

from __future__ import annotations

import pytest

from coworking.accounts.card_rules import LENGTH, LETTERS, new_token, token_in


def test_a_token_has_letters_that_every_keyboard_has_in_the_same_place():
    token = new_token()
    assert len(token) == LENGTH and set(token) <= set(LETTERS)
    assert not set(LETTERS) & set("aqwzm"), "AZERTY and QWERTY differ there"
    assert new_token() != token


@pytest.mark.parametrize("around", ["{}", " {}\n", "https://lieu.test/card/{}", "httpsM!!lieu:test!card!{}"])
def test_a_scanner_sends_an_address_or_the_token_alone(around):
    token = new_token()
    assert token_in(around.format(token)) == token
    assert token_in(around.format(token.upper())) == token


@pytest.mark.parametrize(
    "scanned", ["", "b", "a" * LENGTH, "b" * (LENGTH - 1), "é" * LENGTH, "\x00" * 40, "b" * 25 + "/"]
)
def test_anything_else_holds_none(scanned):
    assert token_in(scanned) is None

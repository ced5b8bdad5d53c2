"""Encrypted secrets: only this lieu's keyring reads them, and only where they belong."""

from __future__ import annotations

import stat
from functools import partial

import pytest

from coworking.core import keyring, secret_box
from coworking.core.secret_box import Unreadable
from coworking.core.settings import settings
from tests.support.threads import at_once


def test_text_comes_back_where_it_belongs_and_nowhere_else(inside):
    said = secret_box.encrypt("sk_test_été", about="row 1")
    assert "sk_test" not in said and said.isascii()
    assert secret_box.decrypt(said, about="row 1") == "sk_test_été"
    assert secret_box.encrypt("sk_test_été", about="row 1") != said, "equal secrets must not look equal"
    with pytest.raises(Unreadable):
        secret_box.decrypt(said, about="row 2")


def test_nonsense_and_altered_text_is_unreadable(inside):
    said = secret_box.encrypt("secret", about="row")
    flipped = said[:20] + ("A" if said[20] != "A" else "B") + said[21:]
    for text in ("", "1:", "1:AAAA", "2:" + said[2:], said[:20], flipped, "1:é", "sk_test_in_the_clear"):
        with pytest.raises(Unreadable):
            secret_box.decrypt(text, about="row")


def test_without_its_key_nothing_is_read_and_no_key_is_made(inside):
    said = secret_box.encrypt("secret", about="row")
    path = keyring.kept(secret_box.KEY_FILE)
    key = path.read_bytes()
    path.unlink()
    with pytest.raises(Unreadable):
        secret_box.decrypt(said, about="row")
    assert not path.exists()
    for wrong in (key[:20], bytes(32)):  # a file that was cut off, and another lieu's key
        path.write_bytes(wrong)
        with pytest.raises(Unreadable):
            secret_box.decrypt(said, about="row")
        path.unlink()
    keyring.made_once(secret_box.KEY_FILE, lambda: key)
    assert secret_box.decrypt(said, about="row") == "secret"


def test_only_its_owner_reads_the_key_and_it_is_none_of_the_signing_keys(inside):
    secret_box.make_key()
    keyring.signing_key()
    folder = settings().data_dir / "keys"
    assert {path.name for path in folder.iterdir()} == {"current.pem", "secrets.key"}
    assert stat.S_IMODE((folder / "secrets.key").stat().st_mode) == 0o600
    assert len(keyring.public_keys()) == 1


def test_processes_that_start_together_share_one_key(app):
    def encrypt(number: int) -> str:
        with app.app_context():
            return secret_box.encrypt(f"secret {number}", about="row")

    said = at_once([partial(encrypt, number) for number in range(16)])
    with app.app_context():
        assert [secret_box.decrypt(text, about="row") for text in said] == [f"secret {n}" for n in range(16)]

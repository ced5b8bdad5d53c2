"""The keyring: made once, kept to its owner, and what it signed can be checked."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

from coworking.core import keyring
from coworking.core.settings import settings


def test_a_key_is_made_once_and_signs(app, inside):
    key = keyring.signing_key()
    signature = key.sign(b"October")
    assert keyring.verify(key.public, b"October", signature)
    assert not keyring.verify(key.public, b"November", signature)
    assert not keyring.verify(key.public, b"October", signature[:-1])
    assert keyring.public_keys() == {key.key_id: key.public}
    app.extensions.pop("signing_key")
    assert keyring.signing_key().key_id == key.key_id


def test_only_its_owner_reads_it(inside):
    keyring.signing_key()
    folder = settings().data_dir / "keys"
    assert [path.name for path in folder.glob("*.pem")] == ["current.pem"]
    assert stat.S_IMODE((folder / "current.pem").stat().st_mode) == 0o600


def test_processes_that_start_together_share_one_key(app):
    def look(_: int) -> str:
        with app.app_context():
            app.extensions.pop("signing_key", None)
            return keyring.signing_key().key_id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(look, range(16)))) == 1

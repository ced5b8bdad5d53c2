"""The weekly e-mail with the chains' heads, and what a saved one proves."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest

from coworking.accounting import heads
from coworking.accounts.models import Person
from coworking.core import against, chain
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.spaces import calendar
from tests import factories
from tests.support import emails as golden


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_manager_gets_it_once_a_week(inside, place, cast, run_outbox, mailbox, clock, language):
    with write_unit():
        db.session.get_one(Person, cast.manager.id).locale = language
    assert heads.send_due() == 0, "nothing is signed yet"
    factories.make_tariff()
    assert heads.send_due() == 1 and heads.send_due() == 0
    run_outbox()
    (email,) = mailbox()
    assert email["To"] == "manager@demo.example"
    golden.check(email, "accounting/heads")
    clock.advance(days=6)
    assert heads.send_due() == 1


def test_a_saved_e_mail_holds_the_heads(inside, place, cast, run_outbox, mailbox, tmp_path):
    factories.make_tariff()
    heads.send_due()
    run_outbox()
    (email,) = mailbox()
    saved, copied, quoted = tmp_path / "saved.eml", tmp_path / "copied.txt", tmp_path / "quoted.txt"
    saved.write_bytes(bytes(email))
    copied.write_text(golden.plain(email))
    quoted.write_text("".join(f"> {line}\n" for line in golden.plain(email).splitlines()))
    expected = [against.Head(name, head["seq"], head["digest"]) for name, head in sorted(chain.heads().items())]
    for path in (saved, copied, quoted):
        assert against.heads_in(path) == expected, path.name


def test_a_manifest_and_a_signed_return_hold_them_too(inside, place, tmp_path):
    factories.make_tariff()
    remembered = {"a": [{"chain_heads": chain.heads()}]}
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(remembered))
    assert {head.chain for head in against.heads_in(manifest)} == {"money", "trail"}
    signed = tmp_path / "return.jws"
    body = urlsafe_b64encode(json.dumps(remembered).encode()).decode().rstrip("=")
    signed.write_text(f"{'h' * 40}.{body}.{'s' * 60}")
    assert against.heads_in(signed) == against.heads_in(manifest)


@pytest.mark.parametrize("content", ["", "{}", '{"chain_heads": ', '{"chain_heads": {"money": {"seq": "1"}}}', "\xff"])
def test_a_file_without_heads_is_refused(app, place, tmp_path, content):
    path = tmp_path / "nothing.json"
    path.write_text(content)
    done = app.test_cli_runner().invoke(args=["audit", "--against", str(path)])
    assert done.exit_code == 1 and "holds no chain_heads" in done.output


def test_the_command_names_what_a_file_remembers_and_the_database_lacks(app, place, tmp_path):
    with app.app_context():
        calendar.freeze_past_days()
        factories.make_tariff()
        remembered = chain.heads()
    path = tmp_path / "manifest.json"
    for ahead, code, words in ((0, 0, "holds   3  what manifest.json remembers"), (2, 1, "money entry 2 is missing")):
        heads_then = remembered | {"money": remembered["money"] | {"seq": remembered["money"]["seq"] + ahead}}
        path.write_text(json.dumps({"chain_heads": heads_then}))
        done = app.test_cli_runner().invoke(args=["audit", "--against", str(path)])
        assert words in done.output, done.output
        assert done.exit_code == code, done.output
    path.write_text(json.dumps({"chain_heads": {"money": {"seq": 1, "digest": "f" * 64}}}))
    assert (
        "money entry 1 is another than it was"
        in app.test_cli_runner().invoke(args=["audit", "--against", str(path)]).output
    )


def test_a_night_is_no_hour_for_e_mail(inside, place, cast, clock):
    factories.make_tariff()
    clock.advance(hours=-6)
    assert heads.send_due() == 0
    clock.advance(hours=6)
    assert heads.send_due() == 1

"""What is still missing, and who e-mails come from: a manager sees to both."""

from __future__ import annotations

from datetime import timedelta

import pytest

from coworking.billing.services import update_settings
from coworking.core import legal, mail, sender
from coworking.core.backup import BackupMade
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.pricing import services as pricing
from coworking.spaces import calendar
from coworking.spaces import queries as spaces
from coworking.spaces import services as lieux
from tests.conftest import make_app
from tests.support import emails as golden

pytestmark = pytest.mark.once

EMPTY = {"from_name": "", "from_address": "", "reply_to": ""}
ALL = (
    "Aucun tarif",
    "manque : le SIRET",
    "Pas de compte bancaire",
    "e-mails ne partent pas",
    "Aucune sauvegarde",
    "Il manque aux mentions légales",
)
ALL = tuple(said.replace(" :", "\u202f:") for said in ALL)


@pytest.fixture
def through(app, place, cast, monkeypatch):
    """``through(url)``: from now on the application sends by this mail server."""

    def use(url: str | None) -> None:
        with app.app_context():
            config = app.extensions["settings"]
            changed = type(config)(**{name: getattr(config, name) for name in config.__slots__} | {"smtp_url": url})
            monkeypatch.setitem(app.extensions, "settings", changed)

    return use


# --- The checklist -----------------------------------------------------------------------------------------------


def test_each_thing_that_is_missing_is_said_with_its_link_until_it_is_done(
    app, place, cast, sign_in, through, smtp, clock
):
    boss = sign_in(cast.manager)
    page = boss.get("/today").text
    assert [said for said in ALL if said not in page] == []
    for address in (
        "/settings/prices",
        "/settings/lieu",
        "/invoices/settings",
        "/settings/mail",
        "/settings/privacy/legal",
    ):
        assert f'href="{address}"' in page, address
        assert boss.get(address).status_code == 200
    with app.app_context():
        actor = cast.manager.actor()
        pricing.set_tariff(
            actor,
            valid_from=spaces.today(),
            basis="ttc",
            vat_rate_bp=2000,
            by_kind={"desk": 0, "room": 0},
            by_resource={},
        )
        lieux.update_lieu(actor, siret="73282932000074")
        legal.change(actor, dict.fromkeys(legal.NAMES, "dit"))
        update_settings(actor, iban="FR7630006000011234567890189", bic="AGRIFRPP")
        with write_unit():
            db.session.add(BackupMade(created_at=now(), folder="/backups/one", size_bytes=1))
    through(smtp.url)
    page = boss.get("/today").text
    assert "Il manque encore 1 chose" in page
    assert "Personne ne sait encore si les e-mails arrivent" in page
    boss.post("/settings/mail/try")
    assert "Il manque encore" not in boss.get("/today").text
    clock.advance(days=3)
    assert "La dernière sauvegarde a 3 jours" in boss.get("/today").text


def test_it_folds_for_a_day_and_cannot_be_dismissed(app, place, cast, sign_in, clock):
    boss = sign_in(cast.manager)
    assert "<details open>" in boss.get("/today").text
    assert boss.post("/today/missing/fold").location == "/today"
    page = boss.get("/today").text
    assert ("<details open>" in page, "Il manque encore 6 choses" in page) == (False, True)
    clock.advance(days=1)
    assert "<details open>" in boss.get("/today").text


def test_hosts_and_simulations_do_not_see_it(app, place, cast, sign_in):
    host = sign_in(cast.host)
    assert "Il manque encore" not in host.get("/today").text
    assert host.post("/today/missing/fold").status_code == 403
    with app.app_context(), write_unit():
        calendar.lock_lieu().is_simulation = True
    assert "Il manque encore" not in sign_in(cast.manager).get("/today").text


def test_it_costs_a_fixed_number_of_statements(app, place, cast, sign_in, count_statements):
    browsers = [sign_in(cast.host), sign_in(cast.manager)]
    for browser in browsers:
        browser.get("/today")
    counts = []
    for browser in browsers:
        with count_statements() as seen:
            browser.get("/today")
        counts.append(len(seen))
    assert counts[1] - counts[0] <= 16


# --- The sender --------------------------------------------------------------------------------------------------


def email(app, mailbox):
    with app.app_context():
        mail.try_out(to="anne@demo.example", locale="fr", place="La Fabrique du Pont")
    return mailbox()[-1]


def test_the_sender_is_the_lieus_own_else_the_settings_else_the_sites_name(
    app, place, cast, sign_in, mailbox, tmp_path
):
    assert email(app, mailbox)["From"] == "La Fabrique du Pont <noreply@lieu.test>"
    assert email(app, mailbox)["Reply-To"] is None
    typed = {"from_name": "Accueil", "from_address": "bonjour@lieu.example", "reply_to": "equipe@lieu.example"}
    assert sign_in(cast.manager).post("/settings/mail", data=typed).status_code == 303
    assert email(app, mailbox)["From"] == "Accueil <bonjour@lieu.example>"
    assert email(app, mailbox)["Reply-To"] == "equipe@lieu.example"
    set_outside = make_app(f"sqlite:///{tmp_path}/outside.db", tmp_path, mail_from="outside@lieu.example")
    with set_outside.app_context():
        assert sender.default_address() == "outside@lieu.example"


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("from_address", "bonjour"),
        ("from_address", "a@b.example, c@d.example"),
        ("reply_to", "Accueil <a@b.example>"),
        ("reply_to", "a@b.example\r\nBcc: all@b.example"),
        ("from_name", "bonjour@lieu.example"),
        ("from_name", "x" * 81),
    ],
)
def test_what_is_no_sender_is_refused_and_kept(app, place, cast, sign_in, name, typed):
    boss = sign_in(cast.manager)
    answer = boss.post("/settings/mail", data=EMPTY | {name: typed})
    assert (answer.status_code, f'id="{name}-err"' in answer.text) == (422, True)
    with app.app_context():
        assert getattr(sender.mail_settings(), name) is None


def test_a_name_of_several_lines_cannot_add_headers(app, place, cast, sign_in, mailbox):
    sign_in(cast.manager).post("/settings/mail", data=EMPTY | {"from_name": "Accueil\r\nBcc: x"})
    assert email(app, mailbox)["Bcc"] is None


def test_a_trial_says_what_the_server_answered(app, place, cast, sign_in, through, smtp, clock):
    through(smtp.url)
    boss = sign_in(cast.manager)
    page = boss.post("/settings/mail/try", follow_redirects=True).text
    assert "250 OK" in page
    (message,) = smtp.messages
    assert message["To"] == cast.manager.email
    clock.advance(minutes=1)
    smtp.answer_data = "554 Sender address rejected"
    page = boss.post("/settings/mail/try", follow_redirects=True).text
    assert ("554 Sender address rejected" in page, "pas parti" in page) == (True, True)
    clock.advance(minutes=1)
    smtp.answer_data, smtp.refuse_recipient = None, "550 No such user"
    assert "550 No such user" in boss.post("/settings/mail/try", follow_redirects=True).text
    clock.advance(minutes=1)
    through("smtp://nobody:secret-word@127.0.0.1:1")
    page = boss.post("/settings/mail/try", follow_redirects=True).text
    assert ("pas parti" in page, "secret-word" in page) == (True, False)


def test_trials_follow_each_other_slowly(app, place, cast, sign_in, through, smtp, clock):
    through(smtp.url)
    boss = sign_in(cast.manager)
    assert boss.post("/settings/mail/try").status_code == 303
    assert boss.post("/settings/mail/try").status_code == 429
    assert len(smtp.messages) == 1
    clock.advance(seconds=30)
    assert boss.post("/settings/mail/try").status_code == 303


def test_a_changed_sender_has_to_be_tried_again(app, place, cast, sign_in, through, smtp):
    through(smtp.url)
    boss = sign_in(cast.manager)
    boss.post("/settings/mail/try")
    boss.post("/settings/mail", data=EMPTY | {"from_address": "autre@lieu.example"})
    assert "Personne ne sait encore" in boss.get("/today").text


def test_only_a_manager_sets_the_sender(app, place, cast, sign_in):
    for who in (cast.host, cast.accountant, cast.member):
        browser = sign_in(who)
        assert browser.get("/settings/mail").status_code == 403
        assert browser.post("/settings/mail", data=EMPTY).status_code == 403
        assert browser.post("/settings/mail/try").status_code == 403


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_trial_reads(app, place, mailbox, language):
    with app.app_context():
        assert mail.try_out(to="anne@demo.example", locale=language, place="La Fabrique du Pont")[0]
    golden.check(mailbox()[-1], "core/trial")


def test_the_age_is_counted_from_the_last_backup(inside, place):
    from coworking.core import backup

    with write_unit():
        for days in (5, 1, 3):
            db.session.add(BackupMade(created_at=now() - timedelta(days=days), folder="/b", size_bytes=1))
    last = backup.last()
    assert last is not None and now() - last.created_at == timedelta(days=1)

"""The pages of reminders: settings with their preview, what leaves next, letters, pauses; Today, Money due, the invoice."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader

from coworking.accounts.models import Person
from coworking.billing import reminder_queries, services
from coworking.core.db import db
from coworking.core.units import write_unit
from tests.support.billing import OCTOBER, TODAY
from tests.support.reminders import days_after, live_until, remind_from_now_on

pytestmark = pytest.mark.once


def plain(answer, status: int = 200) -> str:
    assert answer.status_code == status, answer.get_data(as_text=True)
    text = answer.get_data(as_text=True).replace("\u202f", " ").replace("\xa0", " ").replace("&#39;", "'")
    return " ".join(text.split())


@pytest.fixture
def issued(billing_lieu, app) -> dict[int, str]:
    """October's invoices: Lise 66 €, Anne 9 €, the employer 27 €, by what they come to."""
    with app.app_context():
        return {row.payable_cents: row.public_id for row in services.run(billing_lieu.manager, OCTOBER).issued}


@pytest.fixture
def manager(billing_lieu, sign_in):
    return sign_in(billing_lieu.cast.manager)


@pytest.fixture
def lise(billing_lieu) -> str:
    return f"/reminders/payers/{billing_lieu.cast.stranger.public_id}"


def on(billing_lieu, app) -> None:
    with app.app_context():
        remind_from_now_on(billing_lieu)


# Settings -------------------------------------------------------------------------------------------------------------


def test_the_lieu_is_asked_once_something_is_overdue_and_answers_in_the_settings(
    billing_lieu, issued, manager, app, clock
):
    assert "Personne n’est relancé" not in plain(manager.get("/today"))
    clock.set(days_after(1))
    page = plain(manager.get("/today"))
    assert "Personne n’est relancé pour ce qu’il doit" in page and "2 payeurs sont en retard" in page
    page = plain(manager.get("/settings/reminders"))
    assert "Rappel aimable" in page and "40 jours après l’échéance" in page and "checked" not in page
    page = plain(manager.post("/settings/reminders", data={"gap_days": "7", "ecb": ""}), 422)
    assert "Choisissez" in page
    answer = manager.post("/settings/reminders", data={"is_on": "on", "gap_days": "5", "ecb": "2,15"})
    assert answer.status_code == 303
    page = plain(manager.get("/settings/reminders"))
    assert 'value="2,15"' in page and 'value="5"' in page
    page = plain(manager.get("/today"))
    assert "Personne n’est relancé" not in page and "payeurs sont en retard" in page


def test_a_step_is_changed_with_a_preview_and_restored(billing_lieu, manager):
    page = plain(manager.get("/settings/reminders/3"))
    assert "Ateliers Dupont" not in page or "Mise en demeure de payer 66,00 €" in page
    assert "40,00 € d’indemnité forfaitaire" in page and "Formal notice to pay €66.00" in page
    words = {
        "days": "45",
        "is_used": "1",
        "subject_fr": "Dernier rappel : {total}",
        "text_fr": "Bonjour {payeur},\n\n{factures}\n\n{lien}",
        "subject_en": "Last reminder",
        "text_en": "Hello,\n\n{invoices}\n\n{link}",
    }
    page = plain(manager.post("/settings/reminders/3", data=words | {"preview": "1"}))
    assert "Dernier rappel : 66,00 €" in page and "Bonjour Ateliers Dupont," in page
    wrong = words | {"text_fr": "Bonjour {prenom}, {factures} {lien}"}
    page = plain(manager.post("/settings/reminders/3", data=wrong), 422)
    assert "{prenom} ne correspond à rien ici" in page and "Bonjour {prenom}" in page, "what was typed is still there"
    page = plain(manager.post("/settings/reminders/3", data=words | {"days": "20"}), 422)
    assert "chacune part plus tard que la précédente" in page
    assert manager.post("/settings/reminders/3", data=words).status_code == 303
    assert "vos propres mots" in plain(manager.get("/settings/reminders"))
    assert "Dernier rappel" in plain(manager.get("/settings/reminders/3"))
    assert manager.post("/settings/reminders/3", data=words | {"usual": "1"}).status_code == 303
    assert "Dernier rappel" not in plain(manager.get("/settings/reminders/3"))
    assert manager.get("/settings/reminders/4").status_code == 404


# What leaves ----------------------------------------------------------------------------------------------------------


def test_tomorrow_s_list_stands_on_today_and_each_can_be_stopped(
    billing_lieu, issued, manager, lise, sign_in, app, clock
):
    on(billing_lieu, app)
    clock.set(days_after(6))
    page = plain(manager.get("/today"))
    assert "2 relances partent demain" in page and 'href="/reminders"' in page
    assert "relance" not in plain(sign_in(billing_lieu.cast.host).get("/today")), "money is never shown to hosts"
    page = plain(manager.get("/reminders"))
    assert "2 relances partent demain à 9 h." in page and "rappel aimable" in page and "stranger@demo.example" in page
    page = plain(manager.get(lise))
    assert "Un petit rappel : 66,00 € à régler" in page and "L’envoyer maintenant" in page
    assert manager.post(f"{lise}/leave-out").status_code == 303
    page = plain(manager.get("/today"))
    assert "1 relance part demain" in page, "and the page is not kept from before"
    assert "écartée : rappel aimable" in plain(manager.get(lise))
    with app.app_context():
        (pause,) = reminder_queries.payer_overdue(lise.rpartition("/")[2], TODAY).invoices[0].pauses
    assert manager.post(f"/reminders/pauses/{pause.public_id}/end").status_code == 303
    assert manager.post(f"{lise}/send").status_code == 303
    page = plain(manager.post(f"{lise}/send"), 409)
    assert "La dernière relance est trop récente. La prochaine peut partir le lundi 7 décembre 2026." in page


def test_a_pause_says_why_and_is_undone_in_one_tap(billing_lieu, issued, manager, lise, app, clock):
    on(billing_lieu, app)
    clock.set(days_after(6))
    page = plain(manager.post(f"{lise}/pause", data={"until": "2026-11-01", "reason": "Promis"}), 422)
    assert "Choisissez un jour à partir de demain." in page and 'value="Promis"' in page
    assert "Dites en quelques mots pourquoi" in plain(manager.post(f"{lise}/pause", data={"reason": " "}), 422)
    assert manager.post(f"{lise}/pause", data={"until": "2026-12-20", "reason": "Promis"}).status_code == 303
    page = plain(manager.get("/reminders"))
    assert "jusqu’au 20 décembre 2026" in page and "Promis" in page and "1 relance part demain" in page
    page = plain(manager.get(lise))
    assert "Suspendu jusqu’au 20 décembre 2026 : Promis" in page and "L’envoyer maintenant" not in page
    with app.app_context():
        (pause,) = reminder_queries.open_pauses(TODAY)
    assert manager.post(f"/reminders/pauses/{pause.public_id}/end").status_code == 303
    assert "Suspendu" not in plain(manager.get(lise))


def test_a_letter_is_printed_and_written_down_as_posted(billing_lieu, issued, manager, lise, app, clock):
    on(billing_lieu, app)
    with app.app_context(), write_unit():
        db.session.get_one(Person, billing_lieu.cast.stranger.id).email = None
    clock.set(days_after(7))
    page = plain(manager.get("/today"))
    assert "1 relance est à imprimer" in page
    assert "Aucune adresse e-mail n’est connue." in plain(manager.get("/reminders"))
    page = plain(manager.get(lise))
    digest = page.partition('name="printed" value="')[2].partition('"')[0]
    answer = manager.get(f"{lise}.pdf")
    assert answer.status_code == 200
    letter = PdfReader(BytesIO(answer.get_data())).pages[0].extract_text()
    assert "Scannez ce code" in letter and "/pay/" not in letter, "nobody types a link from paper"
    plain(manager.post(f"{lise}/posted", data={"printed": "0"}), 409)
    assert manager.post(f"{lise}/posted", data={"printed": digest}).status_code == 303
    assert "à imprimer" not in plain(manager.get("/today"))
    assert "par courrier" in plain(manager.get(f"/invoices/{issued[6600]}"))


def test_the_invoice_tells_its_reminders_to_the_team_alone(
    billing_lieu, issued, manager, sign_in, app, clock, run_outbox
):
    on(billing_lieu, app)
    with app.app_context():
        live_until(clock, 7)
    run_outbox()
    page = plain(manager.get(f"/invoices/{issued[6600]}"))
    assert "Rappel aimable" in page and "par e-mail" in page and "66,00 € dus ce jour-là" in page
    link = page.partition('href="/reminders/sent/')[2].partition('"')[0]
    page = plain(manager.get(f"/reminders/sent/{link}"))
    assert "Il nous semble que ceci n’est pas encore réglé" in page
    theirs = sign_in(billing_lieu.cast.stranger)
    for path in (f"/invoices/{issued[6600]}", "/invoices/mine", "/me"):
        page = plain(theirs.get(path))
        assert "elance" not in page and "Rappel aimable" not in page, path
    assert theirs.get("/reminders").status_code == 403
    page = plain(manager.get("/money-due"))
    assert (
        "dernière relance le 1 décembre 2026" in page.replace("1er", "1")
        and "Rappel ferme le mardi 15 décembre" in page
    )


def test_money_due_says_when_no_invoice_was_ever_issued(billing_lieu, manager, app):
    assert "Aucune facture n’a encore été émise." in plain(manager.get("/money-due"))


@pytest.mark.parametrize(("who", "reads"), [("member", 403), ("host", 403), ("accountant", 200), ("manager", 200)])
def test_who_reads_and_who_acts(billing_lieu, issued, sign_in, lise, app, clock, who, reads):
    on(billing_lieu, app)
    clock.set(days_after(6))
    browser = sign_in(getattr(billing_lieu.cast, who))
    for path in ("/reminders", lise):
        assert browser.get(path).status_code == reads, path
    if who != "manager":
        for path in (f"{lise}/send", f"{lise}/leave-out", f"{lise}/pause", f"{lise}/posted", "/settings/reminders"):
            assert browser.post(path).status_code == 403, path


def test_more_payers_ask_no_more(billing_lieu, issued, manager, lise, count_statements, app, clock):
    on(billing_lieu, app)
    clock.set(days_after(6))

    def asked(path: str) -> int:
        manager.get(path)
        with count_statements() as statements:
            plain(manager.get(path))
        return len(statements)

    paths = ("/reminders", "/today", "/money-due", lise)
    before = [asked(path) for path in paths]
    with app.app_context():
        for day in range(1, 6):
            for who in ("lead", "host", "accountant", "stranger"):
                billing_lieu.use(getattr(billing_lieu.cast, who), OCTOBER.replace(day=day, month=9))
        clock.set(days_after(0, 12))
        assert len(services.run(billing_lieu.manager, OCTOBER).issued) == 4
    clock.set(days_after(6))
    assert [asked(path) for path in paths] == before
    assert before[0] <= 24

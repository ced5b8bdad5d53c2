"""A manager moves sixty members in from a spreadsheet, and keeps the list of them as a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page

from coworking.core import outbox
from tests import factories
from tests.browser.conftest import PHONE, WIDE, assert_accessible
from tests.imports.uploads import csv_file

HEAD = ("Nom", "Prénom", "Adresse mail", "Portable", "CP", "Ville", "T-shirt")


def members() -> bytes:
    """Sixty members as a treasurer keeps them, of whom one is here, one is in doubt, and two lines are wrong."""
    rows: list[tuple[Any, ...]] = [
        (f"Lefèvre{at}", "Zoé", f"Zoe{at}@Demo.Example", "0612345678", 63300, "Thiers", "M") for at in range(56)
    ]
    rows += [
        ("Roy", "Léa", "lea.roy@demo.example", "0612345600", "", "", ""),
        ("Marchand", "Anne", "anne.marchand@gmail.example", "", "", "", ""),
        ("Petit", "Paul", "paul.petit(at)demo.example", "", "", "", "L"),
        ("", "", "", "0612345678", "", "", ""),
    ]
    return csv_file([HEAD, *rows], encoding="latin-1")


@pytest.mark.parametrize(
    ("size", "scheme", "scripts"),
    [(PHONE, "light", True), (WIDE, "dark", True), (PHONE, "dark", False)],
    ids=["phone", "wide", "no script"],
)
def test_sixty_members_move_in(
    open_page: Callable[..., Page], place: Any, cast: Any, app: Flask, size: dict[str, int], scheme: str, scripts: bool
):
    with app.app_context():
        factories.make_person("Lea", "Roy", "lea.roy@demo.example")
        factories.make_person("Anne", "Marchand", None)
    page = open_page(str(cast.manager.email), size=size, scheme=scheme, java_script_enabled=scripts)

    def look() -> None:
        if scripts:  # the checker is one itself
            assert_accessible(page)

    page.goto("/people")
    page.click("text=Importer une liste")
    page.set_input_files("#file", {"name": "adhérents 2026.csv", "mimeType": "text/csv", "buffer": members()})
    look()
    page.click("text=Lire ce fichier")
    page.wait_for_selector("#column-0")
    chosen = [page.input_value(f"#column-{at}") for at in range(7)]
    assert chosen == ["last_name", "first_name", "email", "phone", "postcode", "city", ""]
    look()
    page.click("text=Voir ce qui se passerait")
    page.wait_for_selector("text=Vérifier avant d’importer")
    said = page.inner_text("main").replace("\u202f", " ")
    assert "Ligne 60" in said and "adresse e-mail" in said and "Ligne 61" in said
    look()
    page.select_option("#doubts", "same")
    page.click("text=Importer 57 personnes")
    page.wait_for_selector("#progress")
    look()
    with app.app_context():
        outbox.run_due()
    page.reload()
    said = page.inner_text("main")
    assert "Inviter 56 personnes par e-mail" in said
    look()
    page.goto("/people?q=lefevre")
    assert "56 personnes" in page.inner_text("main")
    look()

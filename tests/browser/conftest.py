"""A real Chromium against a real server, on SQLite (and once on PostgreSQL)."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.serving import make_server

from tests.factories import PASSWORD

AXE = Path(__file__).resolve().parents[2] / "node_modules/axe-core/axe.min.js"
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 860}


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {
        "executable_path": shutil.which("chromium") or "/usr/bin/chromium",
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }


@pytest.fixture
def engine_name(request: pytest.FixtureRequest) -> str:
    """SQLite, unless a test asks for the other engine: what a browser sees does not depend on it."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The address of the application, served by threads of this process so that it lives by the test's clock."""
    app.config["WTF_CSRF_ENABLED"] = True  # a browser must get past the real thing
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join(5)
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """``open_page(email, size, scheme)``: a fresh profile, signed in by typing; complaints of the console fail the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(email: str | None = None, size: dict[str, int] = PHONE, scheme: Any = "light", **more: Any) -> Page:
        context = browser.new_context(
            viewport=size, color_scheme=scheme, locale="fr-FR", timezone_id="Europe/Paris", base_url=address, **more
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if email is not None:
            page.goto("/sign-in")
            page.fill("input[name=email]", email)
            page.fill("input[name=password]", PASSWORD)
            page.press("input[name=password]", "Enter")
            page.wait_for_url(lambda url: "/sign-in" not in url)
        return page

    yield opened
    for context in contexts:
        context.close()
    # A refused form (409, 422) is logged by the browser as a failed load; it is an answer all the same.
    assert [text for text in complaints if "status of 4" not in text] == []


def assert_accessible(page: Page) -> None:
    """No WCAG 2.2 A or AA violation that axe can find."""
    # A click waits for the next page to begin only: axe would read a button whose words have not come yet.
    page.wait_for_load_state()
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}).then(r => r.violations"
        ".map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 160)).join(' | ')))"
    )
    assert found == [], page.url
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), f"{page.url} scrolls sideways"

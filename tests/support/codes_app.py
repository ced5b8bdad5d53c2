"""A codes app, as somebody has it on their phone: it reads the key that the set-up page shows."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient

from coworking.accounts import totp_rules
from coworking.core.clock import now


@dataclass(frozen=True, slots=True)
class CodesApp:
    """``address`` is what the QR code holds."""

    address: str

    def code(self, *, later: int = 0) -> str:
        """What it shows now, or ``later`` steps of thirty seconds after."""
        (secret,) = parse_qs(urlsplit(self.address).query)["secret"]
        return totp_rules.code_at(totp_rules.secret_of(secret), totp_rules.step_of(now()) + later)

    def wrong(self) -> str:
        """A code that it shows at no near time."""
        near = {self.code(later=step) for step in range(-2, 3)}
        return next(code for code in ("000000", "111111", "222222", "333333", "444444", "555555") if code not in near)


def begin(client: FlaskClient) -> CodesApp:
    """Begin setting up a second step in a browser whose owner is proved, and scan its code."""
    assert client.post("/me/second-step/begin").status_code == 303
    page = client.get("/me/second-step").text
    return CodesApp(html.unescape(re.search(r'href="(otpauth://totp/[^"]+)"', page)[1]))


def set_up(client: FlaskClient) -> tuple[CodesApp, list[str]]:
    """The second step turned on; the app, and the ten recovery codes."""
    app = begin(client)
    page = client.post("/me/second-step", data={"code": app.code()})
    assert page.status_code == 200, page.text
    return app, re.findall(r"<code>([a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4})</code>", page.text)

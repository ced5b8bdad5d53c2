"""Every address of the application that can be read, opened as one viewer; and which sentinels stand in the answers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from flask import Flask
from pypdf import PdfReader
from werkzeug.test import TestResponse

from coworking.accounts import api_tokens
from coworking.accounts.rules import SCOPES
from coworking.core.privacy import (
    ACCOUNTANT,
    COLLEAGUE,
    CONTACT,
    HOST,
    LEAD,
    LINK,
    MANAGER,
    MEMBER,
    PROXY,
    PUBLIC,
    SELF,
)
from tests import factories
from tests.privacy.lieu import EMPLOYER, PAID_FIRST, PAID_ONLINE, PHOTO, SAVED_MEANS, Filled, Subject

CAST = {
    "visitor": PUBLIC,
    "member": SELF,
    "colleague": COLLEAGUE,
    "stranger": MEMBER,
    "contact": CONTACT,
    "proxy": PROXY,
    "host": HOST,
    "accountant": ACCOUNTANT,
    "manager": MANAGER,
    "lead": LEAD,
    "holder": LINK,
}
"""Who opens everything, and as which viewer this shows all that such a viewer sees."""

_NOBODYS = "2222222222222222"

KINDS: dict[str, str] = {
    "accounts.ask_erase_of": "person",
    "accounts.data_of": "person",
    "accounts.agreements_of": "person",
    "accounts.person": "person",
    "accounts.text": "text",
    "accounts.text_to_sign": "person",
    "api.agreements_of_person": "person",
    "api.booking": "booking",
    "api.compare_records": "records",
    "api.house_text": "text",
    "api.invoice": "invoice",
    "api.invoice_pdf": "invoice",
    "api.agreements_of_organisation": "organisation",
    "api.invitations_of_organisation": "organisation",
    "api.look_at_place_move": "residency_move",
    "api.one_organisation": "organisation",
    "api.one_person": "person",
    "api.payer_account": "account",
    "api.people_of_organisation": "organisation",
    "api.preview_move": "booking",
    "api.price_group": "price_group",
    "api.reduced_prices_of": "person",
    "bank.columns": "upload",
    "bank.line": "bank_line",
    "billing.account": "account",
    "billing.account_pdf": "account",
    "billing.ask_credit": "invoice",
    "billing.ask_waive": "charge",
    "billing.invoice": "invoice",
    "billing.mention": "mention",
    "billing.month": "month",
    "billing.new_line": "month",
    "billing.draft_pdf": "payer",
    "billing.one_payer": "payer",
    "billing.download": "invoice",
    "booking.booking": "booking",
    "booking.new_move": "booking",
    "booking.new_payer": "booking",
    "booking.new_room_booking": "room",
    "gateways.ask_forget": "gateway",
    "gateways.edit": "gateway",
    "closings.export": "year",
    "closings.one": "closing",
    "closings.one_pdf": "closing",
    "employer.home": "organisation",
    "front.photo": "photo",
    "frontdesk.arrival": "presence",
    "frontdesk.card": "card",
    "frontdesk.paper": "paper",
    "frontdesk.ask_cancel_sale": "sale",
    "frontdesk.drawer_of_day": "day",
    "frontdesk.receipt_pdf": "sale",
    "frontdesk.sale": "sale",
    "frontdesk.new": "resource",
    "frontdesk.problem": "resource",
    "frontdesk.sent_message": "message",
    "frontdesk.story": "person",
    "imports.check": "import",
    "imports.one": "import",
    "means.ask_withdraw": "means",
    "membership.allowances_of": "person",
    "membership.ask": "plan",
    "membership.ask_change": "plan",
    "billing.ask_decline": "pack_request",
    "billing.ask_for_rest": "pack",
    "billing.ask_pack_back": "pack",
    "billing.ask_withdrawal": "withdrawal",
    "membership.ask_pack": "pack_offer",
    "membership.organisation": "organisation",
    "membership.person": "person",
    "membership.price_group": "price_group",
    "membership.reduced_price_of": "person",
    "network_head.compare": "duplicates",
    "network_head.edit_entry": "network_lieu",
    "network_head.lieu": "network_lieu",
    "pay_first.asked": "to_pay",
    "payouts.payout": "payout",
    "pay_first.back": "booking",
    "pay_first.back_of_sale": "to_pay",
    "reminder_settings.step": "reminder_step",
    "reminders.letter": "account",
    "reminders.payer": "account",
    "reminders.sent": "reminder",
    "reminders.sent_letter": "reminder",
    "pay_first.page": "booking",
    "twins.compare": "twins",
    "twins.other_record": "person",
    "pay_first.sale": "to_pay",
    "residents.page": "residency",
    "pricing.article": "article",
    "presence.attestation": "attestation",
    "proxy.edit": "person",
    "proxy.offer": "person",
    "proxy.page": "person",
    "presence.attestation_pdf": "attestation",
    "setup.ask": "question",
    "spaces.resource": "resource",
    "spaces.zone": "zone",
    "static": "file",
    "statistics.document": "return",
    "statistics.month": "month",
    "statistics.table": "return",
}
"""What the parameter in an endpoint's address names: each gets ids of its own kind only."""

SECRETS = {
    "accounts.by_link": "sign_in",
    "accounts.confirm": "confirm",
    "accounts.confirm_address": "address",
    "accounts.keep_address": "object",
    "accounts.reset": "reset",
    "invited.show": "invitation",
    "network_figures.page": "figures",
    "network_join.explain": "join",
    "pay.back": "pay",
    "pay.download": "pay",
    "pay.page": "pay",
    "pay_first.back_of_link": "to_pay",
    "pay_first.link": "to_pay",
    "presence.verify": "code",
}
"""Addresses that hold a secret: the holder opens them with it, everyone else with a wrong one. What else they name is an
invoice."""

FIXED: dict[str, list[Any]] = {
    "day": ["2026-11-24"],
    "gateway": ["stripe", "helloasso"],
    "mention": ["penalty", "nature"],
    "month": ["2026-10", "2026-11"],
    "question": ["1"],
    "reminder_step": [1],
    "file": ["css/attestation.css"],
    "photo": [{"public_id": PHOTO, "width": 480}],
    "year": [2026],
    "return": [{"month": "2026-10", "revision": 1}],
}

_SPAN = {"from": "2026-11-01T00:00:00+01:00", "to": "2026-11-30T00:00:00+01:00"}
QUERIES: dict[str, list[dict[str, str]]] = {
    "network_head.reminders": [{"month": "2026-10"}],
    "api.allowances": [{"month": "2026-11"}],
    "api.availability": [{**_SPAN}],
    "api.list_bookings": [{**_SPAN}],
    "api.monthly_statistics": [{"month": "2026-10"}],
    "api.network_returns": [{"month": "2026-10"}],
    "api.preview_move": [{"starts_at": "2026-11-27T09:00:00+01:00", "ends_at": "2026-11-27T13:00:00+01:00"}],
    "api.tariff_concerns": [{"valid_from": "2026-12-01"}],
    "booking.rooms": [{"day": "2026-11-25"}],
    "accounts.security_log": [{"kind": "signed_in"}],
    "frontdesk.for_someone": [{"q": "zq"}],
    "frontdesk.live": [{"day": "2026-11-24"}],
    "frontdesk.people": [{"q": "zq"}],
    "frontdesk.sell": [{"q": "zq"}, {"person": "nobody"}],
    "frontdesk.sell_people": [{"q": "zq"}],
    "frontdesk.timeline": [{"view": "list"}, {"day": "2026-11-25"}],
    "means.back": [{"means": SAVED_MEANS}],
    "means.page": [{"payer": EMPLOYER}],
    "pay.back": [{"payment": PAID_ONLINE}],
    "pay_first.back": [{"payment": PAID_FIRST["booking"]}],
    "pay_first.back_of_link": [{"payment": PAID_FIRST["adhesion"]}],
    "pay_first.back_of_sale": [{"payment": PAID_FIRST["adhesion"]}],
    "proxy.offer": [{"day": "2026-11-26", "half": "am"}],
    "register.show": [{"day": "2026-11-23", "q": "zq"}, {"day": "2026-11-12"}],
    "week.desks": [{"day": "2026-11-25", "half": "am"}],
    "week.offer": [{"day": "2026-11-26", "half": "am"}],
    "week.show": [{"week": "next"}, {"from": "2026-11-09"}],
    "twins.other_record": [{"q": "zq"}],
}
"""Queries that show more than the bare address does."""

LISTS = (
    "accounts.people",
    "accounts.security_log",
    "bank.lines",
    "billing.index",
    "billing.mine",
    "billing.month",
    "booking.mine",
    "employer.home",
    "frontdesk.deposits",
    "frontdesk.timeline",
    "imports.check",
    "imports.one",
    "means.everyone",
    "membership.organisations",
    "membership.subscriptions",
    "residents.index",
    "money.due",
    "payouts.index",
    "privacy.register",
    "register.show",
    "reminders.index",
    "spaces.closures",
    "spaces.spaces",
)
"""Lists whose address answers with a file too (`coworking.core.exports`)."""
FILES = ("billing.payments", "network_head.directory_table", "network_head.imports_table", "network_head.table")
"""Addresses that answer with the file of a list and have no page."""
AS_FILES = [{"as": "csv"}, {"as": "xlsx"}]
for _listed in (*LISTS, *FILES):
    QUERIES[_listed] = [*QUERIES.get(_listed, ()), *AS_FILES]
for _listed in ("frontdesk.timeline", "register.show"):
    QUERIES[_listed] += [{**kind, "span": "month"} for kind in AS_FILES]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A personal column of somebody's row, seen at ``path`` by someone who is each of ``viewers`` to them."""

    column: str
    viewers: tuple[str, ...]
    path: str


class Unknown(AssertionError):
    """An address has a parameter for which the walk knows no ids."""


def addresses(app: Flask, filled: Filled, part: str) -> list[tuple[str, str]]:
    """Every address that answers GET, with ids of each parameter's own kind: (endpoint, path)."""
    found: list[tuple[str, str]] = []
    with app.test_request_context():
        urls = app.url_map.bind("lieu.test")
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
            if "GET" in (rule.methods or ()):
                for values in _values(rule, filled, part):
                    for query in ({}, *QUERIES.get(rule.endpoint, ())):
                        found.append((rule.endpoint, urls.build(rule.endpoint, {**values, **query})))
    return found


def _values(rule: Any, filled: Filled, part: str) -> list[dict[str, Any]]:
    if not rule.arguments:
        return [{}]
    if secret := SECRETS.get(rule.endpoint):
        holder = filled.secrets[secret] if part == "holder" else _NOBODYS
        name, *others = sorted(rule.arguments, key=lambda name: name != "token")
        return [
            {name: holder, **dict.fromkeys(others, invoice)} for invoice in (filled.ids["invoice"] if others else [""])
        ]
    kind = KINDS.get(rule.endpoint)
    if kind is None:
        raise Unknown(f"say in tests/privacy/walk.py of which kind the ids in {rule.rule} ({rule.endpoint}) are")
    found = FIXED.get(kind) or filled.ids[kind]
    assert found, f"the lieu of the walk has no {kind}"
    return [value if isinstance(value, dict) else dict.fromkeys(rule.arguments, value) for value in found]


class Visit:
    """``part`` of the cast with a browser and a token of their own, at an internet address of their own.

    The visitor's is 127.0.0.1, to which the instance tells its figures.
    """

    def __init__(self, app: Flask, filled: Filled, part: str) -> None:
        self.browser = app.test_client()
        self.browser.environ_base["REMOTE_ADDR"] = f"127.0.0.{1 + list(CAST).index(part)}"
        self.token: dict[str, str] = {}
        if person := filled.people.get(part):
            with app.app_context():
                name, secret = factories.make_device(person)
                token = api_tokens.issue(person.actor(), name="walk", scopes=frozenset(SCOPES))
            self.browser.set_cookie(name, secret)
            self.token = {"Authorization": f"Bearer {token}"}

    def open(self, path: str) -> Iterator[TestResponse]:
        """Pages whole and as htmx asks for them; PDF; the API with the token."""
        if path.startswith("/api/"):
            variants = [self.token]
        else:
            variants = [{}] if path.endswith(".pdf") or "as=" in path else [{}, {"HX-Request": "true"}]
        for headers in variants:
            answer = self.browser.get(path, headers=headers)
            assert answer.status_code < 500, (
                f"{path} answered {answer.status_code}: {answer.get_data(as_text=True)[:2000]}"
            )
            yield answer
            if answer.status_code != 200:
                return  # refused or redirected, and no otherwise as a fragment


def walk(app: Flask, filled: Filled, part: str) -> set[Sighting]:
    """Every sentinel that ``part`` sees, and where."""
    me, visit = filled.people.get(part), Visit(app, filled, part)
    seen: set[Sighting] = set()
    for _endpoint, path in addresses(app, filled, part):
        for answer in visit.open(path):
            for word in _sentinels(answer):
                column, subject = filled.sentinels.meaning[word]
                seen.add(Sighting(column, _viewers(part, me and me.id, subject, filled), path))
    return seen


def statuses(app: Flask, filled: Filled, part: str, only: Collection[str] | None = None) -> dict[str, set[int]]:
    """How each endpoint (of ``only`` some) answers ``part``."""
    visit = Visit(app, filled, part)
    found: dict[str, set[int]] = defaultdict(set)
    for endpoint, path in addresses(app, filled, part):
        if only is None or endpoint in only:
            found[endpoint].add(next(visit.open(path)).status_code)
    return found


def _sentinels(answer: TestResponse) -> set[str]:
    """Those in headers and body; what stands between letters (marks, line breaks, dashes) does not hide one."""
    said = answer.get_data()
    if said.startswith(b"%PDF") and len(said) > 200:
        said = "".join(page.extract_text() for page in PdfReader(BytesIO(said)).pages).encode()
    if said.startswith(b"PK"):
        with ZipFile(BytesIO(said)) as book:
            said = b"".join(map(book.read, book.namelist()))
    text = re.sub("[^a-z0-9]", "", f"{said.decode('utf-8', 'replace')} {answer.headers}".lower())
    return set(re.findall(r"zq\d{4}x", text))


def _viewers(part: str, me: int | None, subject: Subject, filled: Filled) -> tuple[str, ...]:
    """What ``part`` is to ``subject``: staff who look at themselves are both themselves and staff."""
    viewer = CAST[part]
    if subject == ("person", me):
        return (SELF,) if viewer in {SELF, COLLEAGUE, MEMBER, CONTACT, PROXY} else (SELF, viewer)
    if part == "member" and subject == ("person", filled.people["proxy"].id):
        return (PROXY,)  # who books for them is named to them
    if viewer == PROXY:
        return (PROXY,) if subject == ("person", filled.people["member"].id) else (MEMBER,)
    if viewer not in {SELF, COLLEAGUE, CONTACT}:
        return (viewer,)
    if subject == ("organisation", filled.employer):
        return (CONTACT,) if viewer == CONTACT else (COLLEAGUE,)
    employed = {filled.people[name].id: name for name in ("member", "colleague", "contact", "hidden")}
    if subject is None or subject[1] not in employed:
        return (MEMBER,)
    if viewer == CONTACT:
        return (CONTACT,)
    return (COLLEAGUE,) if employed[subject[1]] in {"member", "colleague"} else (MEMBER,)

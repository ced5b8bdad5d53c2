"""The API keeps its own description: what it documents is what it does, whatever is sent."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import select, update

from coworking.accounts import invitations, terms
from coworking.accounts.models import Organisation, Person, PersonRole
from coworking.accounts.queries import person_by_public_id
from coworking.accounts.twin_queries import pair_digest
from coworking.billing import manual_charges, pack_requests
from coworking.billing import services as billing
from coworking.core.db import db
from coworking.core.policy import SYSTEM
from coworking.core.units import write_unit
from coworking.membership.models import Subscription
from coworking.pricing import article_services as articles
from coworking.pricing.group_queries import group_tariffs
from coworking.pricing.group_rules import Reduction
from coworking.residents import services as residents
from coworking.residents.services import Assigning
from coworking.spaces import inventory
from coworking.spaces import queries as spaces
from coworking.spaces.models import Lieu
from coworking.statistics import services as closing
from tests.api.conftest import morning
from tests.factories import (
    make_agreement,
    make_group,
    make_pack,
    make_pack_offer,
    make_person,
    make_plan,
    make_reduced,
    make_tariff,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
EXAMPLES = 40

OPERATIONS = {
    ("GET", "/lieu"): "lieu:read",
    ("GET", "/resources"): "lieu:read",
    ("GET", "/availability"): "lieu:read",
    ("GET", "/bookings"): "bookings:read",
    ("POST", "/bookings"): "bookings:write",
    ("GET", "/bookings/{booking_id}"): "bookings:read",
    ("POST", "/bookings/{booking_id}/cancel"): "bookings:write",
    ("GET", "/bookings/{booking_id}/move"): "bookings:read",
    ("POST", "/bookings/{booking_id}/move"): "bookings:write",
    ("POST", "/bookings/{booking_id}/undo-move"): "bookings:write",
    ("POST", "/bookings/{booking_id}/checkout"): "payments:write",
    ("POST", "/bookings/{booking_id}/check-in"): "presences:write",
    ("POST", "/presences"): "presences:write",
    ("GET", "/people"): "people:read",
    ("POST", "/people"): "people:write",
    ("GET", "/statistics/monthly"): "statistics:read",
    ("GET", "/network/returns"): "returns:read",
    ("GET", "/invoices"): "invoices:read",
    ("GET", "/invoices/{invoice_id}"): "invoices:read",
    ("GET", "/invoices/{invoice_id}.pdf"): "invoices:read",
    ("POST", "/invoices/{invoice_id}/checkout"): "payments:write",
    ("GET", "/payments"): "payments:read",
    ("GET", "/payers/{payer_id}/account"): "payments:read",
    ("GET", "/allowances"): "bookings:read",
    ("GET", "/pack-offers"): "lieu:read",
    ("POST", "/packs"): "payments:write",
    ("POST", "/me/packs/{pack_id}/refund-request"): "payments:write",
    ("POST", "/me/packs/{pack_id}/refund-request/take-back"): "payments:write",
    ("GET", "/pack-requests"): "payments:read",
    ("POST", "/pack-requests/{request_id}/decline"): "payments:write",
    ("POST", "/pack-requests/{request_id}/give-back"): "payments:write",
    ("GET", "/plans"): "bookings:read",
    ("GET", "/subscriptions"): "bookings:read",
    ("POST", "/subscriptions"): "payments:write",
    ("POST", "/subscriptions/{subscription_id}/end"): "payments:write",
    ("GET", "/people/{person_id}"): "people:read",
    ("POST", "/people/{person_id}/figures"): "people:write",
    ("GET", "/price-groups"): "people:read",
    ("GET", "/people/{person_id}/reduced-prices"): "people:read",
    ("POST", "/people/{person_id}/reduced-prices"): "people:write",
    ("POST", "/people/{person_id}/reduced-prices/{reduced_price_id}/end"): "people:write",
    ("GET", "/organisations"): "organisations:read",
    ("POST", "/organisations"): "organisations:write",
    ("GET", "/organisations/{organisation_id}"): "organisations:read",
    ("POST", "/organisations/{organisation_id}/details"): "organisations:write",
    ("GET", "/organisations/{organisation_id}/people"): "organisations:read",
    ("POST", "/organisations/{organisation_id}/people"): "organisations:write",
    ("POST", "/organisations/{organisation_id}/people/{person_id}/end"): "organisations:write",
    ("GET", "/organisations/{organisation_id}/invitations"): "organisations:read",
    ("POST", "/organisations/{organisation_id}/invitations"): "organisations:write",
    ("POST", "/organisations/{organisation_id}/invitations/{invitation_id}/withdraw"): "organisations:write",
    ("GET", "/organisations/{organisation_id}/agreements"): "organisations:read",
    ("POST", "/organisations/{organisation_id}/agreements"): "organisations:write",
    ("POST", "/organisations/{organisation_id}/agreements/{agreement_id}/end"): "organisations:write",
    ("POST", "/organisations/{organisation_id}/agreements/{agreement_id}/order-number"): "organisations:write",
    ("POST", "/me/data"): "data:read",
    ("GET", "/assignments/{assignment_id}/move"): "bookings:read",
    ("POST", "/assignments/{assignment_id}/move"): "payments:write",
    ("GET", "/tariffs"): "lieu:read",
    ("GET", "/tariffs/concerned"): "lieu:read",
    ("POST", "/tariffs"): "lieu:write",
    ("POST", "/tariffs/{tariff_id}/remove"): "lieu:write",
    ("GET", "/sold"): "lieu:read",
    ("POST", "/plans"): "lieu:write",
    ("POST", "/plans/{plan_id}/close"): "lieu:write",
    ("POST", "/plans/{plan_id}/open"): "lieu:write",
    ("POST", "/pack-offers"): "lieu:write",
    ("POST", "/pack-offers/{offer_id}/close"): "lieu:write",
    ("POST", "/pack-offers/{offer_id}/open"): "lieu:write",
    ("POST", "/articles"): "lieu:write",
    ("POST", "/articles/{article_id}/prices"): "lieu:write",
    ("POST", "/articles/{article_id}/close"): "lieu:write",
    ("POST", "/articles/{article_id}/open"): "lieu:write",
    ("GET", "/duplicates"): "people:read",
    ("GET", "/duplicates/{person_id}/{other_id}"): "people:read",
    ("POST", "/duplicates/{person_id}/{other_id}/two-people"): "people:write",
    ("POST", "/people/{person_id}/merge"): "people:write",
    ("GET", "/terms"): "lieu:read",
    ("POST", "/terms"): "lieu:write",
    ("GET", "/terms/{text_id}"): "lieu:read",
    ("GET", "/me/agreements"): "data:read",
    ("POST", "/me/agreements"): "data:write",
    ("POST", "/me/consents"): "data:write",
    ("GET", "/people/{person_id}/agreements"): "people:read",
    ("POST", "/people/{person_id}/agreements/paper"): "people:write",
    ("POST", "/people/{person_id}/agreements/{text_id}/take-back"): "people:write",
    ("POST", "/people/{person_id}/consents"): "people:write",
    ("GET", "/assignments"): "bookings:read",
    ("POST", "/assignments"): "payments:write",
    ("POST", "/assignments/{assignment_id}/end"): "payments:write",
    ("POST", "/assignments/{assignment_id}/keep"): "payments:write",
    ("POST", "/assignments/{assignment_id}/take-back"): "payments:write",
    ("GET", "/price-groups/{group_id}"): "lieu:read",
    ("POST", "/price-groups"): "lieu:write",
    ("POST", "/price-groups/{group_id}/prices"): "lieu:write",
    ("POST", "/price-groups/{group_id}/prices/{prices_id}/remove"): "lieu:write",
    ("POST", "/price-groups/{group_id}/close"): "lieu:write",
    ("POST", "/price-groups/{group_id}/open"): "lieu:write",
}
COPY = ("POST", "/me/data")
"""Each request makes a new copy: no key belongs to it."""
SIGNED = ("POST", "/network/returns")
"""The one operation that no token opens: the body's own signature does."""


@pytest.fixture
def document(apps) -> dict[str, Any]:
    answer = apps("sqlite").test_client().get("/api/v1/openapi.json")
    assert answer.content_type == "application/json"
    return answer.get_json()


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path.removeprefix("/api/v1")): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in {"get", "post", "put", "patch", "delete"}
    }


def test_it_is_openapi_3_1_and_names_every_endpoint(document):
    assert document["openapi"] == "3.1.0"
    assert set(operations(document)) == {*OPERATIONS, SIGNED}


def test_every_operation_says_who_may_call_it_and_what_can_go_wrong(document):
    schemes = document["components"]["securitySchemes"]
    assert {(scheme["type"], scheme["scheme"]) for scheme in schemes.values()} == {("http", "bearer")}
    for (method, path), operation in operations(document).items():
        if (method, path) == SIGNED:
            continue
        assert [set(need) for need in operation["security"]] == [set(schemes)], path
        assert OPERATIONS[method, path] in operation["description"], path
        documented = set(operation["responses"])
        assert {"401", "403"} <= documented, path
        assert "404" in documented or "{" not in path
        if "requestBody" in operation:
            assert {"400", "404", "409", "413", "415", "422"} <= documented, path
        if (method, path) == COPY:
            assert "429" in documented
        elif method == "POST":
            assert "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}, path
        for status, response in operation["responses"].items():
            made = "application/pdf" if path.endswith(".pdf") else "application/json"
            made = "application/zip" if (method, path) == COPY else made
            kind = made if status.startswith("2") else "application/problem+json"
            assert list(response["content"]) == [kind], (path, status)


def test_a_signed_return_needs_no_token_and_may_be_refused_in_every_way(document):
    operation = operations(document)[SIGNED]
    assert operation["security"] == []
    assert set(operation["requestBody"]["content"]) == {"application/jose", "application/json"}
    refusals = {"400", "401", "404", "409", "413", "415", "422", "429"}
    assert {"200", "201", *refusals} <= set(operation["responses"])


def test_bodies_that_must_be_there_are_marked_so_and_have_an_example(document):
    for path in ("/bookings", "/people"):
        body = operations(document)["POST", path]["requestBody"]
        assert body["required"] is True
        assert body["content"]["application/json"]["example"]


def test_its_own_example_books_a_desk(document, member):
    body = operations(document)["POST", "/bookings"]["requestBody"]["content"]["application/json"]["example"]
    assert member.post("/bookings", body).status_code == 201


def test_no_whole_number_is_an_id(document):
    """Row numbers tell outsiders how much there is, and invite counting up."""
    for name, schema in document["components"]["schemas"].items():
        for field, form in schema.get("properties", {}).items():
            if field == "id" or field.endswith("_id"):
                assert form["type"] in ("string", ["string", "null"]), f"{name}.{field}"


def test_the_page_about_it_names_every_operation_with_its_scope():
    page = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `") and "/" in line]
    for (method, path), scope in OPERATIONS.items():
        address = re.sub(r"\w+_id", "id", path)
        assert [
            row for row in rows if re.search(rf"`{method} {re.escape(address)}[`?]", row) and f"`{scope}`" in row
        ], path


# Fuzzing --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def engine_name(request):
    """Once, on SQLite, is enough for shapes; the bad input of people's making runs on both engines elsewhere."""
    return getattr(request, "param", "sqlite")


def one_invoice(manager: Person) -> str:
    """The public id of an invoice over a cup of coffee."""
    with write_unit():
        db.session.execute(update(Lieu).values(siret="12345678900011"))
    manual_charges.add_line(
        manager.actor(),
        f"p:{manager.public_id}",
        "Café",
        quantity=1,
        unit_cents=150,
        vat_rate_bp=0,
        basis="ttc",
        month=date(2026, 10, 1),
        nonce=1,
    )
    return billing.run(manager.actor(), date(2026, 10, 1)).issued[0].public_id


def assign_desk(cast: Any, desk: str, *, last_day: date | None = None) -> str:
    """The public id of an assignment of ``desk`` to the stranger."""
    wanted = Assigning(
        place=desk,
        person=cast.stranger.public_id,
        first_day=date(2026, 12, 1),
        last_day=last_day,
        monthly_cents=9000,
        notice_months=0,
    )
    return residents.assign(cast.manager.actor(), wanted).public_id


def newest_plan(app: Any) -> str:
    """The public id of the plan that was taken last, a made-up one before."""
    with app.app_context():
        found = db.session.scalar(select(Subscription.public_id).order_by(Subscription.id.desc()).limit(1))
        db.session.rollback()
    return found or "2222222222222222"


def shown(app: Any, kept: str, gone: str) -> str:
    """The digest of what two records say now."""
    with app.app_context():
        return pair_digest(person_by_public_id(kept), person_by_public_id(gone))


@pytest.fixture
def world(app, clock, place, cast, program, member):
    """A described API with a few true ids to play with."""
    today = member.post("/bookings", morning(24)).get_json()
    later = member.post("/bookings", morning(26)).get_json()
    moving = member.post("/bookings", morning(27)).get_json()
    with app.app_context():
        closing.close(SYSTEM, date(2026, 10, 1))
        with write_unit():
            db.session.add(PersonRole(person_id=cast.manager.id, role="lead"))
        invoice = one_invoice(cast.manager)
        offer = make_pack_offer(cents=8000).public_id
        plan = make_plan(cents=8000).public_id
        agreement = make_agreement()
        employer = db.session.get_one(Organisation, agreement.organisation_id).public_id
        reduced = make_reduced(cast.member, make_group()).public_id
        student = make_group("étudiant").public_id
        invited = invitations.invite(cast.manager.actor(), employer, "zoe@demo.example")
        text = terms.publish(
            cast.manager.actor(), "rules", text="Calme.", news=None, from_day=date(2026, 11, 24)
        ).public_id
        terms.accepted_on_paper(cast.manager.actor(), cast.member.public_id, signed_on=date(2026, 11, 24))
        pensioners = make_group("retraité", valid_from=date(2027, 1, 1), desk=Reduction(percent_bp=5000))
        later_prices = group_tariffs(pensioners.id)[0].public_id
        priced_group = pensioners.public_id
        zone_id = spaces.zones()[0].public_id
        added = inventory.add_resources(
            cast.manager.actor(), kind="desk", zone_public_id=zone_id, names=["A", "B", "C"]
        )
        more_desks = [row.public_id for row in added]
        twin = make_person("Anne", "Marchand", None).public_id
        packs = [make_pack(person, cents=8000) for person in (cast.manager, cast.member)]
        asked = [pack_requests.ask(pack.person.actor(), pack.public_id) for pack in packs]
        paths = {
            "invoice_id": invoice,
            "payer_id": cast.member.public_id,
            "person_id": cast.member.public_id,
            "organisation_id": employer,
            "agreement_id": agreement.public_id,
            "invitation_id": invited.public_id,
            "reduced_price_id": reduced,
            "assignment_id": assign_desk(cast, place.desks[-1].public_id),
            "group_id": priced_group,
            "prices_id": later_prices,
            "text_id": text,
            "tariff_id": make_tariff(valid_from=date(2027, 1, 1)).public_id,
            "plan_id": make_plan("Autre").public_id,
            "offer_id": make_pack_offer("Autre").public_id,
            "article_id": articles.add_article(
                cast.manager.actor(), "Café", "goods", cents=100, vat_rate_bp=0, account=""
            ).public_id,
            "other_id": twin,
            "pack_id": packs[0].public_id,
            "request_id": asked[1].public_id,
        }
        assignments = {
            "keep": assign_desk(cast, more_desks[0], last_day=date(2026, 12, 31)),
            "take-back": assign_desk(cast, more_desks[1]),
        }
    zone = member.get("/lieu").get_json()["zones"][0]["id"]
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    return {
        "schema": schema,
        "headers": program(cast.manager).headers | {"Accept-Encoding": "identity"},
        "bookings": {
            "cancel": later["id"],
            "move": moving["id"],
            "undo-move": moving["id"],
            "check-in": today["id"],
            "checkout": later["id"],
            "{booking_id}": today["id"],
        },
        "paths": paths,
        "assignments": assignments,
        "nobodys": more_desks[2],
        "values": {
            "resource_id": [row.public_id for row in [*place.desks, *place.rooms]],
            "zone_id": [zone],
            "person_id": [cast.member.public_id, cast.stranger.public_id],
            "month": ["2026-10"],
            "offer_id": [offer],
            "agreed_cents": [8000],
            "agreed_units": [10],
            "plan_id": [plan],
            "first_month": ["2026-12"],
            "group_id": [student],
            "since": ["2026-11-24"],
            "until": ["2027-06-30"],
            "valid_from": ["2026-11-24"],
            "valid_until": ["2027-06-30"],
            "seen_on": ["2026-11-24"],
            "last_day": ["2027-06-30", "2026-12-31"],
            "first_day": ["2026-12-01", "2026-12-15"],
            "email": ["zoe@demo.example", "tom@demo.example"],
            "siren": ["552100554"],
            "siret": ["55210055400013"],
            "vat_number": ["FR03552081317"],
            "postcode": ["63300"],
            "domain": ["durand.example"],
            "text_ids": [[text]],
            "prices": [[{"kind": "desk", "cents": 900}]],
            "reductions": [[{"kind": "desk", "percent_bp": 5000}]],
            "account": ["707"],
            "gone_id": [twin],
            "signed_on": ["2026-11-24"],
            "from_day": ["2026-11-25", "2026-12-01"],
        },
        "subscription": partial(newest_plan, app),
        "seen": partial(shown, app, cast.member.public_id, paths["other_id"]),
        "assigned": {
            "resource_id": [row.public_id for row in place.desks[1:]],
            "person_id": [cast.member.public_id],
            "first_day": ["2027-03-01"],
            "last_day": ["2027-06-30"],
        },
        "soon": clock.now + timedelta(days=2),
    }


def truer(case: Any, world: dict[str, Any], pick: Any) -> None:
    """Put true ids and near times into most of what was made up, so that it comes past the first refusals."""
    if "booking_id" in (case.path_parameters or {}) and pick(3):
        case.path_parameters["booking_id"] = world["bookings"][case.operation.path.rpartition("/")[2]]
    for name, value in world["paths"].items():
        if name in (case.path_parameters or {}) and pick(5):
            case.path_parameters[name] = value
    if (case.path_parameters or {}).get("assignment_id") == world["paths"]["assignment_id"]:
        act = case.operation.path.rpartition("/")[2]  # what is taken back cannot move any more
        case.path_parameters["assignment_id"] = world["assignments"].get(act, world["paths"]["assignment_id"])
    if "subscription_id" in (case.path_parameters or {}) and pick(3):
        case.path_parameters["subscription_id"] = world["subscription"]()
    for holder in (case.query, case.body):
        if not isinstance(holder, dict):
            continue
        for name, values in world["values"].items():
            if name in holder and pick(3):
                holder[name] = values[pick(len(values))]
        if "seen" in holder and pick(3):
            holder["seen"] = world["seen"]()
        if case.operation.label == "POST /api/v1/assignments" and pick(
            3
        ):  # to a person alone, a desk that is free then
            holder.pop("organisation_id", None)
            holder |= {name: values[pick(len(values))] for name, values in world["assigned"].items()}
        if case.operation.label == "POST /api/v1/bookings" and pick(3):
            holder["several_places"] = True  # else whoever has booked once meets it at most other times
            ways = [way for way in ("resource_id", "kind", "items") if way in holder]
            for other in [*ways[1:], "payer", "zone_id"]:
                holder.pop(other, None)
            if not ways:
                holder["resource_id"] = world["values"]["resource_id"][0]
            for item in holder["items"] if isinstance(holder.get("items"), list) else []:
                if isinstance(item, dict) and "kind" in item:
                    item["kind"] = "desk"
        if case.operation.label == "POST /api/v1/bookings/{booking_id}/move" and pick(3):
            for other in ("agreed_cents", "starts_at", "ends_at"):
                holder.pop(other, None)
            holder["resource_id"] = world["values"]["resource_id"][pick(4)]  # another desk
        if case.operation.label == "POST /api/v1/assignments/{assignment_id}/move" and pick(3):
            holder |= {"resource_id": world["nobodys"], "first_day": "2026-12-15"}
        for first, last in (("from", "to"), ("starts_at", "ends_at")):
            if isinstance(holder.get(first), str) and isinstance(holder.get(last), str) and pick(3):
                start = (world["soon"] + timedelta(minutes=15 * pick(400))).replace(second=0, microsecond=0)
                start -= timedelta(minutes=start.minute % 15)
                holder[first] = start.isoformat()
                holder[last] = (start + timedelta(minutes=15 * (1 + pick(16)))).isoformat()


def explore(operation: Any, mode: GenerationMode, world: dict[str, Any]) -> set[int]:
    """Call ``operation`` many times, check each answer against the description; the statuses that were seen."""
    checks = [*CHECKS, negative_data_rejection] if mode is GenerationMode.NEGATIVE else CHECKS
    statuses: set[int] = set()

    @seed(20261124)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode), st.randoms(use_true_random=False))
    def call(case: Any, source: Random) -> None:
        if mode is GenerationMode.POSITIVE:
            truer(case, world, source.randrange)
        response = case.call_and_validate(headers=world["headers"], checks=checks)
        statuses.add(response.status_code)

    call()
    return statuses


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as described", "otherwise"])
def test_whatever_is_sent_is_answered_as_documented(world, mode):
    """No 5xx, no status, content type or shape but the documented ones; what breaks the description is refused."""
    found = [result.ok() for result in world["schema"].get_all_operations()]
    seen = {operation.label: explore(operation, mode, world) for operation in found}
    assert len(seen) == len({*OPERATIONS, SIGNED})
    if mode is GenerationMode.POSITIVE:
        unproved = [label for label, statuses in seen.items() if not statuses & {200, 201}]
        # No gateway takes money here (test_payments.py and test_paying_first.py have one); nobody makes up a signature.
        assert unproved == [
            "POST /api/v1/bookings/{booking_id}/checkout",
            "POST /api/v1/invoices/{invoice_id}/checkout",
            "POST /api/v1/network/returns",
        ]


def test_methods_that_are_not_there_are_refused_with_those_that_are(document, member, app):
    for path in document["paths"]:
        address = re.sub(r"{\w+}", "k7mq2v9xw4tdz3hb", path)
        answer = app.test_client().open(address, method="PATCH", headers=member.headers)
        assert answer.status_code == 405
        assert answer.content_type == "application/problem+json"
        allowed = {method.upper() for method in document["paths"][path]} & {"GET", "POST"}
        assert allowed <= set(re.split(r",\s*", answer.headers["Allow"]))

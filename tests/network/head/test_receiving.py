"""What a head takes in, and everything it does not: each refusal has its code and changes nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from datetime import date

import pytest
from joserfc import jws
from joserfc.jwk import OKPKey
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from coworking.core import checks, guards
from coworking.core.db import WRITE_OPTION, db
from coworking.core.keyring import signing_key
from coworking.core.units import write_unit
from coworking.network.exchange import protocol
from coworking.network.head import lieux
from coworking.network.head.filing import columns_of
from coworking.network.head.models import NetworkLieu, ReceivedReturn
from coworking.statistics import queries as statistics
from coworking.statistics.envelope import envelope
from tests import factories
from tests.network.conftest import NOVEMBER, lieu_id, signed
from tests.network.head.lieux import plain
from tests.statistics.returns import plain_figures, sealed

RETURNS = "/api/v1/network/returns"


@pytest.fixture
def closed(joined):
    """The lieu's return of November as a document, not sent yet."""
    joined.close()
    return joined.do(lambda: envelope(statistics.closed(NOVEMBER)))


@pytest.fixture
def post(head):
    def send(body, content_type: str = "application/jose"):
        data = body.encode() if isinstance(body, str) else body
        answer = head.app.test_client().post(RETURNS, data=data, content_type=content_type)
        return answer.status_code, answer.get_json()

    return send


@pytest.fixture
def refuses(head, post):
    """Send something that must be refused with this status and code; nothing is kept of it."""

    def check(body, status: int, code: str, **options):
        before = [(row.id, row.jws) for row in head.rows(ReceivedReturn)]
        answered, problem = post(body, **options)
        assert (answered, problem["code"]) == (status, code), problem
        assert [(row.id, row.jws) for row in head.rows(ReceivedReturn)] == before
        return problem

    return check


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def changed(message: str, *, header: dict | None = None, payload: dict | None = None) -> str:
    """``message`` with another header or payload under the same signature."""
    first, second, signature = message.split(".")
    return ".".join(
        [
            b64(json.dumps(header).encode()) if header is not None else first,
            b64(json.dumps(payload).encode()) if payload is not None else second,
            signature,
        ]
    )


def test_the_same_revision_is_received_once(closed, joined, head, post):
    message = signed(joined.app, closed, aud=head.lieu_id)
    status, first = post(message)
    assert status == 201
    assert first["digest"] == closed["figures_sha256"]
    again = signed(joined.app, closed, aud=head.lieu_id, iat=1_796_000_555)  # sent anew, signed anew
    assert post(again) == (200, first)
    assert post(json.dumps({"jws": message}), "application/json") == (200, first)
    assert [row.jws for row in head.rows(ReceivedReturn)] == [message]


def test_a_changed_payload_or_header_breaks_the_signature(closed, joined, head, refuses):
    message = signed(joined.app, closed, aud=head.lieu_id)
    more = sealed(closed | {"figures": closed["figures"] | {"refused_requests": 7}})
    tampered = changed(message, payload={"aud": head.lieu_id, "iat": 1, "return": more})
    refuses(tampered, 401, "signature_invalid")
    refuses(message[:-10] + "AAAAAAAAAA", 401, "signature_invalid")
    with joined.app.app_context():
        kid = protocol.read(message.encode(), protocol.RETURN).kid
    for header, status, code in [
        ({"alg": "none", "kid": kid, "typ": protocol.RETURN}, 400, "algorithm_refused"),
        ({"alg": "HS256", "kid": kid, "typ": protocol.RETURN}, 400, "algorithm_refused"),
        ({"alg": "Ed25519", "kid": kid, "typ": protocol.RETURN}, 400, "algorithm_refused"),
        ({"alg": "EdDSA", "kid": "0" * 16, "typ": protocol.RETURN}, 404, "lieu_unknown"),
        ({"alg": "EdDSA", "kid": kid, "typ": protocol.ACK}, 400, "jws_unreadable"),
        ({"alg": "EdDSA", "kid": kid, "typ": protocol.RETURN, "crit": ["b64"], "b64": False}, 400, "jws_unreadable"),
        ({"alg": "EdDSA", "kid": ["x"], "typ": protocol.RETURN}, 400, "jws_unreadable"),
    ]:
        refuses(changed(message, header=header), status, code)


def test_hs256_with_the_public_key_as_secret_is_no_signature(closed, joined, head, refuses):
    (lieu,) = head.rows(NetworkLieu)
    top = b64(json.dumps({"alg": "HS256", "kid": lieu.key_id, "typ": protocol.RETURN}).encode())
    body = b64(json.dumps({"aud": head.lieu_id, "iat": 1, "return": closed}).encode())
    mac = hmac.new(protocol.decode_key(lieu.public_key), f"{top}.{body}".encode(), hashlib.sha256).digest()
    refuses(f"{top}.{body}.{b64(mac)}", 400, "algorithm_refused")


def test_another_s_key_does_not_sign_for_this_lieu(closed, joined, head, refuses):
    """Signed by the head's own key under the lieu's kid, and under its own."""
    forged = signed(head.app, closed, aud=head.lieu_id)
    refuses(forged, 404, "lieu_unknown")
    (lieu,) = head.rows(NetworkLieu)
    header = {"alg": "EdDSA", "kid": lieu.key_id, "typ": protocol.RETURN}
    refuses(changed(forged, header=header), 401, "signature_invalid")


def test_a_return_for_another_head_is_not_taken(closed, joined, head, refuses):
    other = "11111111-2222-4333-8444-555555555555"
    refuses(signed(joined.app, closed, aud=other), 422, "wrong_audience")
    refuses(signed(joined.app, closed, aud=lieu_id(joined.app)), 422, "wrong_audience")


def test_a_lieu_cannot_send_for_another(closed, joined, head, refuses):
    other = closed | {"lieu_id": "11111111-2222-4333-8444-555555555555"}
    problem = refuses(signed(joined.app, other, aud=head.lieu_id), 422, "another_lieu")
    assert problem["field"] == "return.lieu_id"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"month": "2026-12"}, "return.month"),
        ({"month": "2027-03", "generated_at": "2027-04-05T06:00:00Z"}, "return.month"),
        ({"revision": 0}, "return.revision"),
        ({"revision": "2"}, "return.revision"),
        ({"figures_sha256": "0" * 64}, "return.figures_sha256"),
        ({"schema": "monthly-return/2"}, "return.schema"),
        ({"people": ["Anne"]}, "return.people"),
    ],
)
def test_what_cannot_be_true_is_named(closed, joined, head, refuses, changes, field):
    problem = refuses(signed(joined.app, closed | changes, aud=head.lieu_id), 422, "return_invalid")
    assert problem["field"] == field


def test_numbers_that_contradict_each_other_are_named(closed, joined, head, refuses):
    figures = closed["figures"] | {"desk_booked_halfdays": 10_000}
    problem = refuses(
        signed(joined.app, sealed(closed | {"figures": figures}), aud=head.lieu_id), 422, "return_impossible"
    )
    assert problem["field"].startswith("return.figures.desk_")


def test_an_older_or_different_revision_gets_409_with_the_highest(closed, joined, head, post, refuses):
    second = closed | {"revision": 2, "status": "restatement", "reason": "Corrigé"}
    assert post(signed(joined.app, closed, aud=head.lieu_id))[0] == 201
    assert post(signed(joined.app, second, aud=head.lieu_id))[0] == 201
    older = refuses(signed(joined.app, closed, aud=head.lieu_id), 409, "revision_conflict")
    assert (older["highest"], older["digest"]) == (2, closed["figures_sha256"])
    figures = closed["figures"] | {"seats_in_rooms": 99}
    other = sealed(second | {"figures": figures})
    assert refuses(signed(joined.app, other, aud=head.lieu_id), 409, "revision_conflict")["highest"] == 2


def test_bodies_without_end_are_refused_unread(head, joined, refuses):
    refuses(b"a" * (20 * 1024 * 1024), 413, "too_large")
    refuses(b"a." * (protocol.MOST_BYTES // 2 + 1), 413, "too_large")
    deep = b'{"a":' * 200_000
    digits = b'{"aud": ' + b"9" * 100_000 + b"}"
    for bomb in (deep, digits, b"[" * 90_000, b'{"a": NaN}', b'{"a": 1, "a": 2}', b"\xff\xfe", b"[]", b""):
        with joined.app.app_context():
            key = signing_key()
            header = {"alg": "EdDSA", "kid": key.key_id, "typ": protocol.RETURN}
            bombed = jws.serialize_compact(
                header, bomb[:40_000], OKPKey.import_key(key.private), registry=protocol._REGISTRY
            )
        refuses(bombed, 400, "jws_unreadable")
    for junk in (b"", b"a.b", b"a.b.c", b"....", "é.é.é".encode(), b"e30.e30.e30", b"." * 5000):
        assert refuses(junk, 400, "algorithm_refused" if junk == b"e30.e30.e30" else "jws_unreadable")
    refuses("{}", 415, "unsupported_media_type", content_type="text/plain")
    refuses("{}", 422, "invalid_input", content_type="application/json")
    refuses('{"jws": 1}', 422, "invalid_input", content_type="application/json")
    refuses('{"jws": "é\\ud800"}', 400, "jws_unreadable", content_type="application/json")
    refuses("[" * 60_000, 400, "malformed_json", content_type="application/json")


def test_what_it_must_say_is_aud_iat_and_return(closed, joined, head, refuses):
    refuses(signed(joined.app, closed, aud=head.lieu_id, more=1), 400, "jws_unreadable")
    refuses(signed(joined.app, closed, aud=head.lieu_id, iat="now"), 400, "jws_unreadable")
    for wrong in (None, [], "x", 3):
        refuses(signed(joined.app, wrong, aud=head.lieu_id), 422, "return_invalid")


def test_guessing_is_slowed_down_for_everyone_at_that_address_but_true_returns_pass(closed, joined, head, post):
    forged = signed(head.app, closed, aud=head.lieu_id)
    seen = {post(forged)[0] for _ in range(33)}
    assert seen == {404, 429}
    assert post(signed(joined.app, closed, aud=head.lieu_id))[0] == 201


def test_a_lieu_that_left_is_a_stranger(closed, joined, head, post, refuses):
    with head.app.app_context(), write_unit():
        db.session.execute(text("UPDATE network_lieu SET left_at = created_at"))
    refuses(signed(joined.app, closed, aud=head.lieu_id), 404, "lieu_unknown")


@pytest.mark.parametrize(
    "attack",
    ["UPDATE received_return SET revision = 9", "DELETE FROM received_return", "UPDATE received_return SET jws = ''"],
)
def test_what_was_received_stays_as_it_came(closed, joined, head, post, attack):
    assert post(signed(joined.app, closed, aud=head.lieu_id))[0] == 201
    with head.app.app_context():
        with pytest.raises(DBAPIError) as refused:
            with db.engine.connect().execution_options(**{WRITE_OPTION: True}) as connection, connection.begin():
                connection.exec_driver_sql(attack)
        assert guards.refused_by(refused.value) == "received_return_append_only"


def test_the_audit_reads_signatures_and_digests_again(closed, joined, head, post):
    assert post(signed(joined.app, closed, aud=head.lieu_id))[0] == 201
    joined.work()
    assert broken(head.app) == []
    assert broken(joined.app) == []
    with head.app.app_context():
        row = db.session.scalars(db.select(ReceivedReturn)).one()
        wrong = ReceivedReturn(
            network_lieu_id=row.network_lieu_id,
            month=row.month,
            revision=2,
            status="final",
            digest="0" * 64,
            document=row.document,
            jws=row.jws[:-10] + "AAAAAAAAAA",
            way="software",
            received_at=row.received_at,
            **columns_of(json.loads(row.document)) | {"desk_booked_halfdays": 1},
        )
        with write_unit():
            db.session.add(wrong)
    found = broken(head.app)
    assert len([one for one in found if one.startswith("return ")]) == 4, found


def broken(app) -> list[str]:
    with app.app_context():
        return [sentence for check, found in checks.run() if "return" in check.claim for sentence in found]


@pytest.mark.parametrize(
    ("field", "changes", "bound"),
    [
        ("accessible_minutes", {"accessible_minutes": 721 * 60, "open_days": 30}, 30 * 1440),
        ("staffed_minutes", {"staffed_minutes": 721 * 60, "open_days": 30}, 30 * 1440),
        ("accessible_minutes", {"accessible_minutes": 1441, "open_days": 1}, 1440),
        ("room_offered_minutes", {"room_offered_minutes": 10**9, "rooms_in_service": 1}, 30 * 1440),
        ("room_booked_minutes", {"room_booked_minutes": 10**9, "room_offered_minutes": None}, 2 * 30 * 1440),
        ("desk_attended_halfdays", {"desk_attended_halfdays": 190, "distinct_people": 1}, 60),
        ("worker_days", {"worker_days": 31, "distinct_people": 1, "desk_attended_halfdays": 3}, 30),
        ("desk_booked_halfdays", {"desk_booked_halfdays": 461, "desk_offered_halfdays": None}, 460),
    ],
)
def test_what_no_month_can_hold_is_refused_with_its_bound(closed, joined, head, refuses, field, changes, bound):
    told = {"newcomers": 0, "returning_people": 0, "desk_absent_halfdays": None, "room_attended_minutes": None}
    told |= {"peak_at": None, "peak_seats": None, "desk_known_halfdays": None, "worker_days": None}
    told |= {"days_over_80_percent": None}
    document = sealed(closed | {"figures": plain_figures(**(told | changes))})
    problem = refuses(signed(joined.app, document, aud=head.lieu_id), 422, "return_impossible")
    assert (problem["field"], problem["bound"]) == (f"return.figures.{field}", bound)


def test_a_month_is_as_long_as_in_the_lieu_s_own_zone(closed, joined, head, refuses, post):
    told = {"open_days": 31, "staffed_minutes": None, "accessible_minutes": 31 * 1440 + 60, "peak_at": None}
    figures = plain_figures(**told, peak_seats=None)
    october = sealed(closed | {"month": "2026-10", "figures": figures})  # the clocks go back: an hour more
    message = signed(joined.app, october, aud=head.lieu_id)
    with head.app.app_context(), write_unit():
        db.session.execute(text("UPDATE network_lieu SET postcode = '97410'"))  # La Réunion knows no summer time
    assert refuses(message, 422, "return_impossible")["bound"] == 31 * 1440
    with head.app.app_context(), write_unit():
        db.session.execute(text("UPDATE network_lieu SET postcode = '63300'"))
    assert post(message)[0] == 201


@pytest.mark.parametrize("status", ["provisional", "final"])
def test_what_is_final_is_only_restated(closed, joined, head, post, refuses, status):
    assert post(signed(joined.app, closed | {"status": "provisional"}, aud=head.lieu_id))[0] == 201
    assert post(signed(joined.app, closed | {"status": "final", "revision": 2}, aud=head.lieu_id))[0] == 201
    third = closed | {"status": status, "revision": 3}
    problem = refuses(signed(joined.app, third, aud=head.lieu_id), 422, "status_impossible")
    assert problem["field"] == "return.status"
    restated = third | {"status": "restatement", "reason": "Oubli"}
    assert post(signed(joined.app, restated, aud=head.lieu_id))[0] == 201


def test_a_lieu_is_awaited_from_the_first_month_it_sent(closed, joined, head, post):
    (lieu,) = head.rows(NetworkLieu)
    assert lieu.expected_from.isoformat() == "2026-12-01", "it joined in December"
    assert post(signed(joined.app, closed, aud=head.lieu_id))[0] == 201
    (lieu,) = head.rows(NetworkLieu)
    assert lieu.expected_from == NOVEMBER
    with head.app.app_context():
        lieux.expect_from(head.lead.actor(), lieu.public_id, date(2027, 1, 1))
    restated = closed | {"revision": 2, "status": "restatement", "reason": "Oubli"}
    assert post(signed(joined.app, restated, aud=head.lieu_id))[0] == 201
    assert head.rows(NetworkLieu)[0].expected_from == date(2027, 1, 1), "what the lead chose since stands"


def test_the_heads_of_the_lieu_s_chains_come_along_and_a_cut_off_end_is_said(closed, joined, head, post, refuses):
    def sent(revision: int, seq: int) -> str:
        heads = {"money": {"seq": seq, "digest": f"{seq:064x}"}}
        more = {"status": "restatement", "reason": "Oubli"} if revision > 1 else {}
        return signed(joined.app, closed | more | {"revision": revision, "chain_heads": heads}, aud=head.lieu_id)

    assert post(sent(1, 120))[0] == 201
    assert json.loads(head.rows(ReceivedReturn)[0].document)["chain_heads"]["money"]["seq"] == 120
    (lieu,) = head.rows(NetworkLieu)
    browser = head.app.test_client()
    browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "fr"
    with head.app.app_context():
        name, secret = factories.make_device(head.lead)
    browser.set_cookie(name, secret)
    url = f"/network/lieux/{lieu.public_id}"
    assert "finit à l’entrée" not in browser.get(url).text
    assert post(sent(2, 95))[0] == 201
    assert "finit à l’entrée 95, alors qu’un relevé précédent la disait à l’entrée 120" in plain(browser.get(url).text)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ([], "chain_heads"),
        ({"Money": {"seq": 1, "digest": "0" * 64}}, "chain_heads.Money"),
        ({"money": {"seq": -1, "digest": "0" * 64}}, "chain_heads.money.seq"),
        ({"money": {"seq": True, "digest": "0" * 64}}, "chain_heads.money.seq"),
        ({"money": {"seq": 1, "digest": "x"}}, "chain_heads.money.digest"),
        ({"money": {"seq": 1}}, "chain_heads.money.digest"),
        ({f"c{number}": {"seq": 1, "digest": "0" * 64} for number in range(17)}, "chain_heads"),
    ],
)
def test_chain_heads_have_one_form(closed, joined, head, refuses, said, field):
    message = signed(joined.app, closed | {"chain_heads": said}, aud=head.lieu_id)
    assert refuses(message, 422, "return_invalid")["field"] == f"return.{field}"

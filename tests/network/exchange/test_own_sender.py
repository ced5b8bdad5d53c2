"""A sender written from docs/network.md alone: the program in docs/examples, as a process, against a real head."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coworking.core.keyring import key_id_of
from coworking.core.months import month_before, month_of, write_month
from coworking.network.exchange import protocol
from coworking.network.head.models import ReceivedReturn
from coworking.statistics.return_rules import check_return
from tests.statistics.returns import sealed

DOCS = Path(__file__).parents[3] / "docs"
EXAMPLES = DOCS / "examples"
LIEU = "3f0c8f0e-6a4b-4c57-9a53-0a8e6f6a2f01"


@pytest.fixture
def program(tmp_path):
    def run(*arguments: str) -> tuple[int, dict]:
        command = [sys.executable, str(EXAMPLES / "send_return.py"), str(tmp_path / "key.pem"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.stdout, done.stderr
        return int(done.stderr), json.loads(done.stdout)

    return run


def test_it_joins_sends_and_may_send_again(head, program, tmp_path, clock):
    clock.set(datetime.now(UTC))  # the program reads the machine's clock
    status, told = program("join", head.link(head.add()), LIEU, "La Fabrique du Pont")
    assert status == 200 and told["head_id"] == head.lieu_id
    (tmp_path / "head.json").write_text(json.dumps(told))
    month = month_before(month_of(clock.now.date()))
    document = json.loads((EXAMPLES / "monthly-return.json").read_text())
    document |= {"month": write_month(month), "generated_at": clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    (tmp_path / "return.json").write_text(json.dumps(document))
    sent = [program("send", str(tmp_path / "head.json"), str(tmp_path / "return.json")) for _ in range(2)]
    assert [status for status, _answer in sent] == [201, 200]
    (row,) = head.rows(ReceivedReturn)
    assert (row.month, row.digest, row.desk_booked_halfdays) == (month, document["figures_sha256"], 210)
    public = protocol.read_jwk(told["jwk"])
    for _status, answer in sent:
        claims = protocol.verified(protocol.read(answer["ack"].encode(), protocol.ACK), public)
        assert (claims["aud"], claims["digest"]) == (LIEU, row.digest)


def test_a_refusal_names_its_field(head, program, tmp_path, clock):
    clock.set(datetime.now(UTC))
    _status, told = program("join", head.link(head.add()), LIEU, "La Fabrique du Pont")
    (tmp_path / "head.json").write_text(json.dumps(told))
    document = json.loads((EXAMPLES / "monthly-return.json").read_text()) | {"month": "2099-01"}
    (tmp_path / "return.json").write_text(json.dumps(document))
    status, problem = program("send", str(tmp_path / "head.json"), str(tmp_path / "return.json"))
    assert (status, problem["field"]) == (422, "return.month")


def test_the_signed_example_is_what_the_document_says_of_it():
    """Checked with the standard library, as a stranger would: key id, digest, signature, canonical bytes."""
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    message = (EXAMPLES / "monthly-return.jose").read_text().strip()
    header, payload, signature = (urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in message.split("."))
    kid = sha256(private.public_key().public_bytes_raw()).hexdigest()[:16]
    assert json.loads(header) == {"alg": "EdDSA", "kid": kid, "typ": "monthly-return+jwt"}
    assert kid == key_id_of(private.public_key().public_bytes_raw())
    private.public_key().verify(signature, message.rpartition(".")[0].encode())
    told = json.loads(payload)
    assert payload == json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    document = json.loads((EXAMPLES / "monthly-return.json").read_text())
    assert told["return"] == document == sealed(document)
    assert check_return(document, at=datetime(2026, 11, 6, tzinfo=UTC)) == document
    text = (DOCS / "network.md").read_text()
    assert all(f"`{value}`" in text for value in (kid, told["aud"], document["figures_sha256"]))

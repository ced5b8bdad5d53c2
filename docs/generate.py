"""Write the parts of the documents that are made from the code: ``python docs/generate.py``.

Each stands between ``<!-- name -->`` and ``<!-- /name -->``, or is a file of its own (`FILES`); a test says whether they are
current.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def packages() -> str:
    """The packages and their imports as a Mermaid picture; what another arrow already implies is left out."""
    import grimp

    graph = grimp.build_graph("coworking", "tasks", cache_dir=None)
    imports: dict[str, set[str]] = defaultdict(set)
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            here, there = _package(module), _package(imported)
            if here != there:
                imports[here].add(there)
    reach = {name: _reach(name, imports) for name in imports}
    lines = ["```mermaid", "flowchart TD"]
    for name in sorted(imports):
        implied = set().union(*(reach.get(other, set()) for other in imports[name]))
        lines += [f"    {_node(name)} --> {_node(other)}" for other in sorted(imports[name] - implied)]
    return "\n".join([*lines, "```"])


def _package(module: str) -> str:
    parts = module.split(".")
    if parts[0] == "tasks":
        return "tasks"
    if parts[1:2] == ["network"] and len(parts) > 2 and parts[2] in {"exchange", "lieu", "head"}:
        return ".".join(parts[1:3])
    return parts[1] if len(parts) > 1 else "coworking"


def _reach(name: str, imports: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(imports.get(name, ()))
    while waiting:
        if (other := waiting.pop()) not in found:
            found.add(other)
            waiting += imports.get(other, ())
    return found


def _node(name: str) -> str:
    return f'{name.replace(".", "_")}["{name}"]'


SUBJECTS = {
    "person": "a person",
    "booking": "a booking",
    "phone_call": "a phone call to make",
    "day_message": "a message to those who come",
    "problem_report": "a problem reported on a desk or room",
    "attestation": "an attestation",
    "attestation_paper": "an attestation",
    "invoice": "an invoice or credit note",
    "invoice_paper": "an invoice or credit note",
    "payment": "a payment",
    "online_payment": "a payment through a gateway",
    "online_refund": "a refund through a gateway",
    "online_dispute": "a dispute of a payment",
    "online_payout": "a payout of a payment provider",
    "online_payout_part": "a movement within a payout",
    "bank_line": "a line of a bank statement",
    "bank_match": "what a bank line is for",
    "bank_upload": "a bank's file whose columns are still to be chosen",
    "payer_credit": "a movement of a payer's credit",
    "reminder": "a reminder of what is owed",
    "reminder_pause": "a pause of reminders",
    "price_group_member": "a reduced price that somebody has",
    "trial": "a half-day to try",
    "pack_request": "a request to give a pack back",
    "sale": "what is paid before it counts",
    "saved_means": "a saved card or account",
    "charge": "a line to be invoiced",
    "draft_hold": "a draft that is held back",
    "cash_movement": "cash in the drawer",
    "door_sale": "a sale at the door",
    "organisation": "an organisation that pays",
    "organisation_invitation": "an invitation to belong to an organisation",
    "agreement": "an organisation that pays",
    "email_change": "a change of e-mail address",
    "device": "a browser signed in",
    "authenticator": "an app that shows someone's codes",
    "recovery_code": "a recovery code",
    "passkey": "a passkey",
    "paper_message": "a message handed over on paper",
    "person_card": "a printed card for the door",
    "used_once": "a link or challenge that was used",
    "api_token": "an API token",
    "security_event": "the security log",
    "throttle": "sign-in attempts",
    "refused_request": "a request that found nothing free",
    "audit_entry": "the audit trail",
    "import_file": "a file that is imported",
    "import_line": "a line of an imported file",
    "outbox": "e-mails and other work to do",
    "idempotency_key": "a program's request",
    "lieu": "the lieu",
    "legal_settings": "who answers for the site",
    "mail_settings": "the lieu's e-mails",
    "gateway_account": "an account at a payment provider",
    "head_link": "the network head",
    "delivery": "a return sent to the network head",
    "network_lieu": "a lieu in the head's directory",
    "lieu_merge": "two entries of the head's directory made one",
}
"""What a manager calls each table with personal columns, in the order of the document."""

COLUMNS = {
    "person.email": "e-mail address",
    "person.password_hash": "digest of the password",
    "person.phone": "phone number",
    "person.staff_note": "hosts' note",
    "person.city": "town",
    "person.commune": "town where they live, for the figures",
    "booking.title": "title of a meeting",
    "booking.moved_from": "what it was before it was moved",
    "phone_call.had": "what someone had who is to be phoned",
    "problem_report.resolution": "the team's word on it",
    "booking.told": "what the last e-mail said",
    "pack_request.answer": "the team's reason to decline",
    "trial.address": "address, as all its spellings have it in common",
    "price_group_member.proof": "what was seen as its proof, in a few words",
    "sale.lines": "what is paid for",
    "sale.terms": "what makes it count once it is paid",
    "attestation.code": "code to verify it",
    "attestation.payload": "all that stands on it",
    "attestation_paper.content": "its PDF",
    "invoice.payload": "all that stands on it",
    "invoice_paper.content": "its PDF",
    "payment.reference": "reference the manager typed, or the gateway's",
    "online_payment.checkout_id": "the gateway's name of its page",
    "online_payment.checkout_url": "address of the gateway's page",
    "online_refund.foreign_id": "the gateway's name of it",
    "online_dispute.foreign_id": "the gateway's name of it",
    "online_payout.foreign_id": "the gateway's name of it",
    "online_payout.reference": "what the bank line may say",
    "online_payout_part.foreign_id": "the gateway's name of it",
    "online_payment.foreign_id": "the gateway's name of the money",
    "import_file.content": "its lines, until they are imported",
    "import_line.params": "what is to be known about it",
    "bank_line.text": "text of the transfer",
    "bank_line.reference": "structured reference",
    "bank_line.end_to_end": "the sender's reference",
    "bank_line.servicer_ref": "the bank's own reference",
    "bank_line.name": "name of the other side",
    "bank_line.iban": "IBAN of the other side",
    "bank_match.reason": "why it pays no invoice",
    "bank_upload.content": "the file",
    "reminder.email": "the address it was sent to",
    "reminder.subject": "its subject",
    "reminder.text": "its words",
    "reminder_pause.reason": "why",
    "payer_credit.reason": "why it was given back, or what it came with",
    "saved_means.brand": "the card's brand, or the account's bank",
    "saved_means.last4": "its last four digits",
    "saved_means.mandate": "reference of the mandate",
    "saved_means.customer_id": "the gateway's name of the payer",
    "saved_means.means_id": "the gateway's name of it",
    "saved_means.mandate_id": "the gateway's name of the mandate",
    "saved_means.checkout_id": "the gateway's name of its page",
    "saved_means.checkout_url": "address of the gateway's page",
    "saved_means.agreed_to": "what was agreed to",
    "charge.label": "its words",
    "draft_hold.reason": "why",
    "organisation.email": "e-mail address for its invoices",
    "organisation.city": "town",
    "organisation.siren": "SIREN",
    "organisation.siret": "SIRET",
    "organisation.vat_number": "VAT number",
    "email_change.old_email": "the old address",
    "email_change.new_email": "the new address",
    "device.digest": "digest of its secret",
    "device.name": "name of the browser",
    "authenticator.secret": "its secret, encrypted",
    "paper_message.job": "the work that wrote it",
    "paper_message.text": "its words",
    "person_card.digest": "digest of the secret in its code",
    "passkey.credential_id": "its number",
    "passkey.public_key": "its public key",
    "recovery_code.digest": "its keyed digest",
    "used_once.digest": "its digest",
    "api_token.digest": "digest of its secret",
    "security_event.address": "internet address, shortened to its network",
    "throttle.bucket": "digest of the address or account",
    "refused_request.who": "digest that recognises the same person's next try, until the day is over",
    "audit_entry.details": "details and reasons typed",
    "outbox.key": "its unique name",
    "outbox.payload": "what it is about; whom an e-mail that failed is for",
    "outbox.last_error": "why it failed",
    "idempotency_key.key": "the key it was sent with",
    "lieu.email": "its e-mail address",
    "lieu.phone": "its phone number",
    "lieu.host_phone": "host's phone (also in the e-mails to people who are coming)",
    "network_lieu.contact_email": "e-mail address of its contact",
    "network_lieu.phone": "phone number of its contact",
    "network_lieu.notes": "the lead's notes (in no export)",
    "lieu_merge.changes": "what the entry that remained said before, and after",
    "legal_settings.director": "publication director",
    "legal_settings.register_number": "registration",
    "legal_settings.host_name": "name of the site's host",
    "legal_settings.host_address": "address of the site's host",
    "legal_settings.host_phone": "phone number of the site's host",
    "legal_settings.data_contact": "whom to write to about data",
    "legal_settings.dpo": "data protection officer",
    "mail_settings.from_name": "name of the sender",
    "mail_settings.from_address": "address of the sender",
    "mail_settings.reply_to": "address for replies",
    "mail_settings.tried_answer": "what the mail server answered to a test",
    "gateway_account.secrets": "its keys, encrypted",
    "head_link.email": "e-mail address for returns",
    "delivery.last_error": "why it did not arrive",
}
"""What a manager calls a column, where its own name is not that."""


def viewers() -> str:
    """Who is meant by each word of the next table."""
    from coworking.core import privacy

    return "\n".join(
        ["| | who that is |", "|---|---|", *(f"| {name} | {who} |" for name, who in privacy.VIEWERS.items())]
    )


NOBODYS = "\N{EN DASH}"
"""What becomes of a column that is of nobody in particular."""


def seen_by() -> str:
    """Each personal column, who sees it and what becomes of it when its person is erased, as the packages declare."""
    from config import Config
    from coworking.app import create_app
    from coworking.core import erasing, privacy
    from coworking.core.db import db

    with tempfile.TemporaryDirectory() as folder:  # the application loads every model
        create_app(Config.from_env({"DATA_DIR": folder, "SECRET_KEY": "-" * 40, "BASE_URL": "http://localhost"}))
    lines = ["| of | what | who sees it | once its person is erased | column |", "|---|---|---|---|---|"]
    becomes = erasing.becomes()
    declared = privacy.seen_by(db.metadata)
    for name in sorted(declared, key=lambda name: list(SUBJECTS).index(name.split(".")[0])):
        table, column = name.split(".")
        who = [viewer for viewer in privacy.VIEWERS if viewer in declared[name]]
        said = "everyone" if declared[name] == set(privacy.ANYONE) else ", ".join(who) or "nobody"
        what = COLUMNS.get(name, column.replace("_", " "))
        lines.append(f"| {SUBJECTS[table]} | {what} | {said} | {becomes.get(name, NOBODYS)} | `{name}` |")
    return "\n".join(lines)


def schema_file() -> str:
    """The JSON Schema of a monthly return."""
    from coworking.statistics.json_schema import return_schema

    return json.dumps(return_schema(), indent=1, ensure_ascii=False) + "\n"


EXAMPLE_KEY = bytes(range(32))
"""The private key of the signed example: 32 bytes that everybody knows, so that everybody can make the same signature."""
EXAMPLE_HEAD = "9b1d6a0e-0000-4000-8000-000000000001"


def example_file() -> str:
    """A return of six figures, as a document."""
    from coworking.statistics.schema import FINAL, SCHEMA, SIX, blank, canonical, digest, filled

    six = dict(zip(SIX, (22, 440, 210, 180, 31, 12), strict=True))
    figures = filled(blank("without_software"), **six)
    document = {
        "schema": SCHEMA,
        "lieu_id": "3f0c8f0e-6a4b-4c57-9a53-0a8e6f6a2f01",
        "siret": None,
        "name": "La Fabrique du Pont",
        "code_insee": "63430",
        "month": "2026-10",
        "status": FINAL,
        "revision": 1,
        "reason": None,
        "generated_at": "2026-11-05T06:00:00Z",
        "software_version": "1.0",
        "figures_sha256": digest(canonical(figures)),
        "figures": figures,
    }
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def signed_file() -> str:
    """The same return, signed with `EXAMPLE_KEY` for `EXAMPLE_HEAD`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from coworking.core.keyring import SigningKey, key_id_of
    from coworking.network.exchange import protocol

    private = Ed25519PrivateKey.from_private_bytes(EXAMPLE_KEY)
    key = SigningKey(key_id_of(private.public_key().public_bytes_raw()), private)
    payload = {"aud": EXAMPLE_HEAD, "iat": 1_793_862_000, "return": json.loads(example_file())}
    return protocol.sign(payload, protocol.RETURN, key) + "\n"


def example_key() -> str:
    """The key of the signed example, its name, and the digest of its figures."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from coworking.core.keyring import key_id_of
    from coworking.network.exchange.protocol import encode_key

    public = Ed25519PrivateKey.from_private_bytes(EXAMPLE_KEY).public_key().public_bytes_raw()
    digest = json.loads(example_file())["figures_sha256"]
    return "\n".join(
        [
            "| | |",
            "|---|---|",
            f"| private key | the bytes 0 to 31 (`{EXAMPLE_KEY.hex()}`) |",
            f"| public key, `x` | `{encode_key(public)}` |",
            f"| `kid` | `{key_id_of(public)}` |",
            f"| `aud` | `{EXAMPLE_HEAD}` |",
            f"| `figures_sha256` | `{digest}` |",
        ]
    )


def null_reasons() -> str:
    """Each reason for which a figure may be null."""
    from coworking.statistics.labels import REASON_WORDS
    from coworking.statistics.schema import REASONS

    return "\n".join(["| reason | means |", "|---|---|", *(f"| `{name}` | {REASON_WORDS[name]} |" for name in REASONS)])


FILES = {
    "docs/monthly-return-1.schema.json": schema_file,
    "docs/examples/monthly-return.json": example_file,
    "docs/examples/monthly-return.jose": signed_file,
}
"""Whole files that are made from the code."""

PARTS = {
    "packages": ("docs/architecture.md", packages),
    "viewers": ("docs/privacy.md", viewers),
    "seen-by": ("docs/privacy.md", seen_by),
    "example-key": ("docs/network.md", example_key),
    "null-reasons": ("docs/network.md", null_reasons),
}


def current(name: str) -> tuple[str, str]:
    """What the document of the part ``name`` says, and what it should say."""
    file, make = PARTS[name]
    said = (ROOT / file).read_text(encoding="utf-8")
    made = re.sub(
        rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda m: f"{m[1]}{make()}\n{m[2]}", said, flags=re.DOTALL
    )
    return said, made


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    for file, make in FILES.items():
        (ROOT / file).write_text(make(), encoding="utf-8")
    for part, (document, _make) in PARTS.items():
        (ROOT / document).write_text(current(part)[1], encoding="utf-8")

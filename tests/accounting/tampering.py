"""Everything that somebody with the database's password might do to money, and what refuses or finds it.

`docs/billing.md` holds the same list; `test_tampering.py` carries it out.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """``sql``: statements one by one. ``refused``: the guard that stops them. ``found``: how audit's sentence begins, as the
    row or the entry it is about; None: audit alone cannot see it, only what was kept elsewhere."""

    sql: tuple[str, ...]
    refused: str | None
    found: str | None
    kept: str | None = None


def one(sql: str, refused: str | None, found: str) -> Case:
    return Case((sql,), refused, found)


IBAN_BEFORE = "FR7610107001011234567890129"
PAID, NEWEST = "(SELECT min(id) FROM payment)", "(SELECT max(id) FROM payment)"
FIRST, LAST = "(SELECT min(id) FROM invoice)", "(SELECT max(id) FROM invoice)"
PENDING = "invoice_id IS NULL AND source = 'quote'"
COPIED = (
    "payer_person_id, payer_organisation_id, person_id, family, month, due_month, day, label, quantity, unit, unit_cents,"
    " basis, vat_rate_bp, created_at"
)
EVERYTHING_OF_THE_LAST = (
    f"DELETE FROM payment WHERE invoice_id = {LAST}",
    f"DELETE FROM invoice_paper WHERE invoice_id = {LAST}",
    f"UPDATE charge SET invoice_id = NULL WHERE invoice_id = {LAST}",
    f"DELETE FROM invoice WHERE id = {LAST}",
    "UPDATE invoice_counter SET last = last - 1 WHERE series IN ('chain', 'F2026')",
)


def cut(name: str) -> tuple[str, ...]:
    """Take the end of a chain away and put its head back."""
    beyond = f"chain = '{name}' AND seq > {{{name}_seq}}"
    return (
        f"DELETE FROM seal WHERE entry_id IN (SELECT id FROM chain_entry WHERE {beyond})",
        f"DELETE FROM chain_entry WHERE {beyond}",
        f"UPDATE chain_head SET seq = {{{name}_seq}}, digest = '{{{name}_digest}}' WHERE chain = '{name}'",
    )


PAYMENT, INVOICE, QUOTE, AUDIT = "payment_append_only", "invoice_append_only", "quote_frozen", "audit_entry_append_only"
CASES: dict[str, Case] = {
    "a payment is deleted": one(
        "DELETE FROM payment WHERE id = (SELECT max(id) FROM payment WHERE reverses_id IS NULL)", PAYMENT, "payment"
    ),
    "a payment is lowered": one(f"UPDATE payment SET cents = cents - 1 WHERE id = {PAID}", PAYMENT, "payment"),
    "a payment is dated otherwise": one(
        f"UPDATE payment SET received_on = '2026-01-01' WHERE id = {PAID}", PAYMENT, "payment"
    ),
    "a payment's means is changed": one(f"UPDATE payment SET method = 'cheque' WHERE id = {PAID}", PAYMENT, "payment"),
    "a payment's reference is changed": one(
        f"UPDATE payment SET reference = 'other' WHERE id = {PAID}", PAYMENT, "payment"
    ),
    "a payment is moved to another invoice": one(
        f"UPDATE payment SET invoice_id = {LAST} WHERE id = {PAID}", PAYMENT, "payment"
    ),
    "a payment is invented": one(
        "INSERT INTO payment (public_id, invoice_id, cents, received_on, method, created_at)"
        f" VALUES ('invented', {FIRST}, 1, '2026-11-24', 'cash', {{instant}})",
        None,
        "payment",
    ),
    "a payment is deleted, and an entry of another chain says so": Case(
        (
            "INSERT INTO chain_entry (chain, seq, prev, payload, sha256, key_id, signature, signed_at)"
            " VALUES ('other', 999999, '', '', '', '', '', {instant})",
            f"INSERT INTO seal (entry_id, subject, first_id, last_id, act, digest)"
            f" SELECT max(id), 'payment', {NEWEST}, {NEWEST}, 'removed', '' FROM chain_entry",
            f"DELETE FROM payment WHERE id = {NEWEST}",
        ),
        PAYMENT,
        "payment",
    ),
    "the reversal of a payment is deleted": one(
        "DELETE FROM payment WHERE reverses_id IS NOT NULL", PAYMENT, "payment"
    ),
    "a credit's movement is deleted": one(
        "DELETE FROM payer_credit WHERE kind = 'given'", "payer_credit_append_only", "payer_credit"
    ),
    "a credit's movement is raised": one(
        "UPDATE payer_credit SET cents = cents + 1 WHERE kind = 'received'", "payer_credit_append_only", "payer_credit"
    ),
    "a credit is invented": one(
        "INSERT INTO payer_credit (public_id, payer_person_id, kind, cents, day, created_at)"
        " VALUES ('invented', 1, 'received', 100, '2026-11-24', {instant})",
        None,
        "payer_credit",
    ),
    "a credit is used beyond what there is": one(
        "INSERT INTO payer_credit (public_id, payer_person_id, payer_organisation_id, kind, cents, day, method, created_at)"
        " SELECT 'invented', payer_person_id, payer_organisation_id, 'given', -99999, day, 'cash', created_at"
        " FROM payer_credit WHERE kind = 'received'",
        "payer_credit_never_negative",
        "payer_credit",
    ),
    "a bank line is deleted": one(
        "DELETE FROM bank_line WHERE id NOT IN (SELECT line_id FROM bank_match)", "bank_line_append_only", "bank_line"
    ),
    "a bank line is raised": one("UPDATE bank_line SET cents = cents + 1", "bank_line_append_only", "bank_line"),
    "a bank line is invented": one(
        "INSERT INTO bank_line (public_id, statement_id, account, key, booked_on, cents, text, is_reversal)"
        " SELECT 'invented', statement_id, account, 'x', booked_on, 100, '', is_reversal FROM bank_line LIMIT 1",
        None,
        "bank_line",
    ),
    "a bank line is used twice": one(
        "INSERT INTO bank_match (public_id, line_id, kind, cents, reason, created_at)"
        " SELECT 'invented', line_id, 'other', 9999, 'x', created_at FROM bank_match LIMIT 1",
        "bank_match_within_line",
        "bank_match",
    ),
    "the use of a bank line is deleted": one("DELETE FROM bank_match", "bank_match_append_only", "bank_match"),
    "a statement is forgotten, to be read again": one(
        "UPDATE bank_statement SET sha256 = 'x' WHERE id = (SELECT min(id) FROM bank_statement)",
        "bank_statement_append_only",
        "bank_statement",
    ),
    "an invoice's due date is changed": one(
        f"UPDATE invoice SET due_on = '2027-12-31' WHERE id = {FIRST}", INVOICE, "invoice"
    ),
    "an invoice's payer is changed": one(
        "UPDATE invoice SET payer_person_id = (SELECT min(id) FROM person) WHERE payer_person_id IS NOT NULL",
        INVOICE,
        "invoice",
    ),
    "an invoice's instant of issue is changed": one(
        f"UPDATE invoice SET issued_at = {{instant}} WHERE id = {FIRST}", INVOICE, "invoice"
    ),
    "who issued an invoice is changed": one(
        f"UPDATE invoice SET issued_by_id = (SELECT min(id) FROM person) WHERE id = {FIRST}", INVOICE, "invoice"
    ),
    "an invoice's amounts are changed": one(
        "UPDATE invoice SET net_cents = net_cents - 1, gross_cents = gross_cents - 1, payable_cents = payable_cents - 1"
        f" WHERE id = {FIRST}",
        INVOICE,
        "invoice",
    ),
    "an invoice's content is rewritten": one(
        f"UPDATE invoice SET payload = replace(payload, 'Pont', 'Lac') WHERE id = {FIRST}", INVOICE, "invoice"
    ),
    "an invoice's signature is replaced": one(
        f"UPDATE invoice SET signature = '00' WHERE id = {FIRST}", INVOICE, "invoice"
    ),
    "the last invoice is deleted with all that is its own, counters put back": Case(
        EVERYTHING_OF_THE_LAST, PAYMENT, "invoice"
    ),
    "the same, and the end of the money chain is cut off": Case(
        (*EVERYTHING_OF_THE_LAST, *cut("money")), PAYMENT, None, kept="money entry"
    ),
    "a PDF is exchanged together with its digest": one(
        "UPDATE invoice_paper SET content = {bytes}, sha256 = 'ab'", "invoice_paper_append_only", "invoice_paper"
    ),
    "a PDF is deleted": one("DELETE FROM invoice_paper", "invoice_paper_append_only", "invoice_paper"),
    "pending charges are deleted": one(f"DELETE FROM charge WHERE {PENDING}", None, "charge"),
    "pending charges are halved": one(
        f"UPDATE charge SET amount_cents = amount_cents / 2, unit_cents = unit_cents / 2 WHERE {PENDING}",
        None,
        "charge",
    ),
    "a pending charge's label is changed": one(f"UPDATE charge SET label = 'Café' WHERE {PENDING}", None, "charge"),
    "a pending charge gets another payer": one(
        f"UPDATE charge SET payer_person_id = (SELECT min(id) FROM person) WHERE {PENDING}", None, "charge"
    ),
    "a charge is invented": one(
        f"INSERT INTO charge (public_id, source, source_id, amount_cents, {COPIED})"
        f" SELECT 'invented', 'line', 99, 100, {COPIED} FROM charge WHERE {PENDING} LIMIT 1",
        None,
        "charge",
    ),
    "a waiver is invented": one(
        f"INSERT INTO charge (public_id, source, source_id, amount_cents, {COPIED})"
        f" SELECT 'invented', 'waiver', id, -amount_cents, {COPIED} FROM charge WHERE {PENDING}"
        " ORDER BY id DESC LIMIT 1",
        None,
        "charge",
    ),
    "a waiver is deleted": one("DELETE FROM charge WHERE source = 'waiver'", None, "charge"),
    "an invoiced charge's label is changed": one(
        "UPDATE charge SET label = 'Café' WHERE invoice_id IS NOT NULL", "charge_frozen", "charge"
    ),
    "an invoiced charge is taken off its invoice": one(
        f"UPDATE charge SET invoice_id = NULL WHERE invoice_id = {FIRST}", "charge_frozen", "charge"
    ),
    "the amount of an invoiced quote is changed": one(
        "UPDATE quote SET amount_cents = amount_cents - 1 WHERE id = (SELECT min(source_id) FROM charge"
        " WHERE source = 'quote' AND invoice_id IS NOT NULL)",
        QUOTE,
        "quote",
    ),
    "a quote gets another payer": one(
        "UPDATE quote SET payer_person_id = (SELECT min(id) FROM person) WHERE payer_person_id IS NOT NULL",
        QUOTE,
        "quote",
    ),
    "a quote is deleted": one("DELETE FROM quote WHERE id = (SELECT max(id) FROM quote)", QUOTE, "quote"),
    "an audit entry is deleted": one(
        "DELETE FROM audit_entry WHERE id = (SELECT min(id) FROM audit_entry)", AUDIT, "audit_entry"
    ),
    "an audit entry is rewritten": one(
        "UPDATE audit_entry SET actor_id = 1 WHERE id = (SELECT max(id) FROM audit_entry)", AUDIT, "audit_entry"
    ),
    "the last audit entries are deleted": one("DELETE FROM audit_entry WHERE id > {audit_id}", AUDIT, "audit_entry"),
    "the same, and the end of the trail is cut off": Case(
        ("DELETE FROM audit_entry WHERE id > {audit_id}", *cut("trail")), AUDIT, None, kept="trail entry"
    ),
    "the IBAN is changed": one("UPDATE billing_settings SET iban = 'FR00'", None, "billing_settings"),
    "the IBAN of before is put back, and its seal behind the newer one": Case(
        (
            f"UPDATE billing_settings SET iban = '{IBAN_BEFORE}'",
            "UPDATE seal SET id = (SELECT max(id) FROM seal) + 1"
            " WHERE id = (SELECT id FROM seal WHERE subject = 'billing_settings' ORDER BY id DESC LIMIT 1 OFFSET 1)",
        ),
        "seal_append_only",
        "billing_settings",
    ),
    "the reason for no VAT is changed": one("UPDATE billing_settings SET exemption = 'x'", None, "billing_settings"),
    "the price of adhesions is changed": one(
        "UPDATE membership_settings SET adhesion_cents = 1", None, "membership_settings"
    ),
    "an adhesion's price is changed": one("UPDATE adhesion SET cents = 1", None, "adhesion"),
    "an adhesion is deleted": one("DELETE FROM adhesion", None, "adhesion"),
    "a subscription's price is changed": one("UPDATE subscription SET monthly_cents = 1", None, "subscription"),
    "a subscription is ended earlier": one("UPDATE subscription SET last_month = '2026-10-01'", None, "subscription"),
    "a plan's price is changed": one("UPDATE plan SET monthly_cents = 1", None, "plan"),
    "an employer's agreed price is changed": one("UPDATE agreement SET halfday_cents = 1", None, "agreement"),
    "a tariff's VAT rate is changed": one("UPDATE tariff SET vat_rate_bp = 550", None, "tariff"),
    "a price of a tariff is changed": one(
        "UPDATE tariff_price SET cents = 1 WHERE kind = 'desk'", None, "tariff_price"
    ),
    "a tariff is deleted with its prices": Case(("DELETE FROM tariff_price", "DELETE FROM tariff"), None, "tariff"),
    "an article's price is changed": one("UPDATE article_price SET cents = 1", None, "article_price"),
    "a receipt's amount is changed": one(
        "UPDATE receipt SET payable_cents = payable_cents + 1 WHERE kind = 'sale'", "receipt_append_only", "receipt"
    ),
    "a receipt's content is rewritten": one(
        "UPDATE receipt SET payload = replace(payload, 'Pont', 'Lac')", "receipt_append_only", "receipt"
    ),
    "the last receipt is deleted with all that is its own": Case(
        (
            "DELETE FROM cash_movement WHERE receipt_id = (SELECT max(id) FROM receipt)",
            "DELETE FROM deposit_return WHERE receipt_id = (SELECT max(id) FROM receipt)",
            "DELETE FROM door_sale WHERE receipt_id = (SELECT max(id) FROM receipt)",
            "DELETE FROM deposit WHERE receipt_id = (SELECT max(id) FROM receipt)",
            "DELETE FROM receipt WHERE id = (SELECT max(id) FROM receipt)",
            "UPDATE invoice_counter SET last = last - 1 WHERE series IN ('receipts', 'R2026')",
        ),
        "cash_movement_append_only",
        "receipt",
    ),
    "a sale at the door is said to be another's": one(
        "UPDATE door_sale SET created_by_id = (SELECT min(id) FROM person)", "door_sale_append_only", "door_sale"
    ),
    "a deposit is lowered": one("UPDATE deposit SET cents = 1", "deposit_append_only", "deposit"),
    "the return of a deposit is invented": one(
        "INSERT INTO deposit_return (deposit_id, returned_on, method, created_at)"
        " SELECT max(id), '2026-11-24', 'cash', {instant} FROM deposit",
        None,
        "deposit_return",
    ),
    "cash that moved is lowered": one(
        "UPDATE cash_movement SET cents = cents - 1", "cash_movement_append_only", "cash_movement"
    ),
    "cash that moved is deleted": one(
        "DELETE FROM cash_movement WHERE seq = (SELECT max(seq) FROM cash_movement)",
        "cash_movement_append_only",
        "cash_movement",
    ),
    "a count of the drawer is changed": one(
        "UPDATE drawer_count SET counted_cents = 1", "drawer_count_append_only", "drawer_count"
    ),
    "a closing's totals are lowered": one(
        "UPDATE closing SET sales_cents = sales_cents - 1, perpetual_sales_cents = perpetual_sales_cents - 1",
        "closing_append_only",
        "closing",
    ),
    "a closing's content is rewritten": one(
        "UPDATE closing SET payload = replace(payload, 'Pont', 'Lac')", "closing_append_only", "closing"
    ),
    "the last closing is deleted": one(
        "DELETE FROM closing WHERE id = (SELECT max(id) FROM closing)", "closing_append_only", "closing"
    ),
    "a closing that leaves a day out is added": one(
        "INSERT INTO closing (public_id, kind, seq, first_day, last_day, starts_at, ends_at, first_entry, last_entry,"
        " sales_cents, gross_cents, vat_cents, perpetual_sales_cents, perpetual_gross_cents, payload, sha256, prev, key_id,"
        " signature, closed_at) SELECT 'invented', kind, seq + 1, '2026-11-26', '2026-11-26', ends_at, closed_at,"
        " last_entry + 1, last_entry + 1, 0, 0, 0, perpetual_sales_cents, perpetual_gross_cents, payload, 'x', 'x', key_id,"
        " 'x', closed_at FROM closing",
        "closing_follows",
        "closing",
    ),
    "a closed month's figures are rewritten": one(
        "UPDATE monthly_return SET figures = '{{}}'", "monthly_return_append_only", "monthly_return"
    ),
    "an attestation's days are rewritten": one(
        "UPDATE attestation SET payload = replace(payload, 'Pont', 'Lac')", "attestation_append_only", "attestation"
    ),
    "an attestation's PDF is exchanged together with its digest": one(
        "UPDATE attestation_paper SET content = {bytes}, sha256 = 'ab'",
        "attestation_paper_append_only",
        "attestation_paper",
    ),
    "an attestation is deleted with its PDF": Case(
        ("DELETE FROM attestation_paper", "DELETE FROM attestation"), "attestation_paper_append_only", "attestation"
    ),
    "a payout is raised": one("UPDATE online_payout SET cents = cents + 1", "online_payout_frozen", "online_payout"),
    "the unexplained part of a payout is hidden": one(
        "UPDATE online_payout SET unexplained_cents = 0", "online_payout_frozen", "online_payout"
    ),
    "a fee is lowered": one(
        "UPDATE online_payout_part SET fee_cents = fee_cents - 1",
        "online_payout_part_append_only",
        "online_payout_part",
    ),
    "a payment is added to a payout": one(
        "INSERT INTO online_payout_part (payout_id, foreign_id, kind, cents, fee_cents, moved_on)"
        " SELECT id, 'x', 'fee', 100, 0, '2026-11-24' FROM online_payout",
        "online_payout_whole",
        "online_payout_part",
    ),
    "a payout counts as a second bank line": one(
        "INSERT INTO bank_match (public_id, line_id, kind, cents, payout_id, created_at)"
        " SELECT 'x', l.id, 'payout', p.cents, p.id, {instant} FROM bank_line AS l, online_payout AS p WHERE l.cents = 700",
        "bank_match_payout_once",
        "bank_match",
    ),
    "a chain entry is rewritten": one(
        "UPDATE chain_entry SET payload = replace(payload, 'money', 'honey') WHERE chain = 'money' AND seq = 3",
        "chain_entry_append_only",
        "money entry 3",
    ),
    "a chain entry is deleted with its seals": Case(
        (
            "DELETE FROM seal WHERE entry_id = (SELECT id FROM chain_entry WHERE chain = 'money' AND seq = 3)",
            "DELETE FROM chain_entry WHERE chain = 'money' AND seq = 3",
        ),
        "seal_append_only",
        "money entry 4",
    ),
    "a seal is rewritten to fit an altered row": one(
        "UPDATE seal SET digest = 'ab' WHERE id = (SELECT min(id) FROM seal)", "seal_append_only", "money entry 1"
    ),
    "the head of a chain is put back": one(
        "UPDATE chain_head SET seq = seq - 1 WHERE chain = 'money'", None, "money entry"
    ),
}

"""Stripe's objects, with the fields that its own examples have; what the double cannot know is null."""

from __future__ import annotations

from typing import Any

from coworking.demo.stripe_double.cards import TestCard

API_VERSION = "2026-10-28.endive"
"""Stripe's version of the fields below; a test compares it with what the product asks for."""
METHODS = ("card", "sepa_debit")
"""What the double's account is paid with."""


def checkout_session(
    session_id: str, created: int, url: str, wanted: dict[str, Any], methods: list[str]
) -> dict[str, Any]:
    """An open session; ``wanted`` holds what the caller chose, by Stripe's names."""
    return {
        **_nulls(
            "after_expiration allow_promotion_codes billing_address_collection client_secret collected_information consent "
            "consent_collection currency_conversion customer customer_account customer_details discounts "
            "integration_identifier invoice origin_context payment_intent payment_link "
            "payment_method_configuration_details permissions "
            "recovered_from saved_payment_method_options setup_intent shipping_address_collection shipping_cost submit_type "
            "subscription wallet_options"
        ),
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "created": created,
        "custom_fields": [],
        "custom_text": _nulls("after_submit shipping_address submit terms_of_service_acceptance"),
        "customer_creation": "if_required",
        "invoice_creation": {"enabled": False, "invoice_data": None},
        "livemode": False,
        "managed_payments": {"enabled": False},
        "mode": "payment",
        "payment_method_collection": "if_required",
        "payment_method_options": {},
        "payment_method_types": methods,
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": url,
        **wanted,
    }


def customer(customer_id: str, created: int, wanted: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Somebody who pays; ``wanted``: name, e-mail, language, metadata, by Stripe's names."""
    return {
        **_nulls("address business_name currency default_source description discount individual_name phone shipping"),
        **_nulls("test_clock"),
        "id": customer_id,
        "object": "customer",
        "balance": 0,
        "created": created,
        "delinquent": False,
        "invoice_prefix": prefix,
        "invoice_settings": _nulls("custom_fields default_payment_method footer rendering_options"),
        "livemode": False,
        "next_invoice_sequence": 1,
        "tax_exempt": "none",
        **wanted,
    }


def setup_intent(
    intent_id: str, created: int, customer_id: str, methods: list[str], data: dict[str, Any], secret: str
) -> dict[str, Any]:
    """The wish to save a means of ``customer_id``; ``data``: what its creator said of it."""
    return {
        **_nulls(
            "application automatic_payment_methods cancellation_reason customer_account excluded_payment_method_types "
            "flow_directions last_setup_error latest_attempt mandate next_action on_behalf_of payment_method "
            "payment_method_configuration_details single_use_mandate"
        ),
        "id": intent_id,
        "object": "setup_intent",
        "client_secret": f"{intent_id}_secret_{secret}",
        "created": created,
        "customer": customer_id,
        "description": data.get("description"),
        "livemode": False,
        "metadata": data.get("metadata") or {},
        "payment_method_options": {},
        "payment_method_types": methods,
        "status": "requires_payment_method",
        "usage": "off_session",
    }


def payment_method(
    method_id: str, created: int, customer_id: str, details: dict[str, Any], name: str | None, email: str | None
) -> dict[str, Any]:
    """A means that was saved; ``details``: its kind, and what is known of a card or an account."""
    return {
        **_nulls("customer_account"),
        "id": method_id,
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": {
            "address": _nulls("city country line1 line2 postal_code state"),
            **_nulls("phone tax_id"),
            "email": email,
            "name": name,
        },
        "created": created,
        "customer": customer_id,
        "livemode": False,
        "metadata": {},
        **details,
    }


def saved_card(card: TestCard) -> dict[str, Any]:
    """A card as a payment method says it."""
    return {
        "type": "card",
        "card": {
            **_nulls("generated_from regulated_status wallet"),
            "brand": card.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "FR",
            "display_brand": card.brand,
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": f"test{card.last4}",
            "funding": "credit",
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "three_d_secure_usage": {"supported": True},
        },
    }


def saved_account(account: str) -> dict[str, Any]:
    """An account as a payment method says it: of an IBAN its country, bank and end."""
    return {
        "type": "sepa_debit",
        "sepa_debit": {
            "bank_code": account[4:9],
            "branch_code": account[9:14],
            "country": account[:2],
            "fingerprint": f"test{account[-4:]}",
            "generated_from": {"charge": None, "setup_attempt": None},
            "last4": account[-4:],
        },
    }


def mandate(mandate_id: str, accepted_at: int, method_id: str, reference: str) -> dict[str, Any]:
    """A payer's permission to debit an account."""
    return {
        "id": mandate_id,
        "object": "mandate",
        "customer_acceptance": {
            "accepted_at": accepted_at,
            "online": {"ip_address": "127.0.0.1", "user_agent": "test"},
            "type": "online",
        },
        "livemode": False,
        "multi_use": {},
        "payment_method": method_id,
        "payment_method_details": {"sepa_debit": {"reference": reference, "url": ""}, "type": "sepa_debit"},
        "status": "active",
        "type": "multi_use",
    }


def payment_intent(
    intent_id: str, created: int, session: dict[str, Any], data: dict[str, Any], secret: str
) -> dict[str, Any]:
    """The intent of a first attempt to pay ``session``; ``data``: what its creator said of it."""
    return {
        **_nulls(
            "application application_fee_amount automatic_payment_methods canceled_at cancellation_reason customer "
            "customer_account excluded_payment_method_types last_payment_error latest_charge next_action on_behalf_of "
            "payment_method payment_method_configuration_details processing receipt_email review setup_future_usage "
            "shipping source statement_descriptor statement_descriptor_suffix transfer_data transfer_group"
        ),
        "id": intent_id,
        "object": "payment_intent",
        "amount": session["amount_total"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic_async",
        "client_secret": f"{intent_id}_secret_{secret}",
        "confirmation_method": "automatic",
        "created": created,
        "currency": session["currency"],
        "description": data.get("description"),
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": data.get("metadata") or {},
        "payment_method_options": {},
        "payment_method_types": session["payment_method_types"],
        "status": "requires_payment_method",
    }


def charge_of(
    charge_id: str, created: int, intent: dict[str, Any], details: dict[str, Any], who: dict[str, Any]
) -> dict[str, Any]:
    """A charge that the bank has not answered; ``details``: its means, ``who``: name and e-mail of the payer."""
    return {
        **_nulls(
            "application application_fee application_fee_amount balance_transaction customer failure_balance_transaction "
            "failure_code failure_message on_behalf_of receipt_email receipt_number receipt_url review shipping source "
            "source_transfer statement_descriptor statement_descriptor_suffix transfer_data transfer_group"
        ),
        "id": charge_id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "billing_details": {
            "address": _nulls("city country line1 line2 postal_code state"),
            **_nulls("phone tax_id"),
            **who,
        },
        "calculated_statement_descriptor": "TEST",
        "captured": False,
        "created": created,
        "currency": intent["currency"],
        "description": intent["description"],
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "outcome": None,
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": details,
        "refunded": False,
        "status": "pending",
    }


def card_details(card: TestCard, is_authenticated: bool) -> dict[str, Any]:
    """How a card paid."""
    return {
        "type": "card",
        "card": {
            **_nulls("amount_authorized authorization_code installments mandate network_token regulated_status wallet"),
            "brand": card.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "FR",
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": f"test{card.last4}",
            "funding": "credit",
            "last4": card.last4,
            "network": card.brand,
            "three_d_secure": {
                **_nulls("electronic_commerce_indicator exemption_indicator result_reason transaction_id"),
                "authentication_flow": "challenge",
                "result": "authenticated",
                "version": "2.2.0",
            }
            if is_authenticated
            else None,
        },
    }


def debit_details(account: str, mandate_id: str) -> dict[str, Any]:
    """How a SEPA debit pays: of an IBAN its country, bank and end."""
    return {
        "type": "sepa_debit",
        "sepa_debit": {
            "bank_code": account[4:9],
            "branch_code": account[9:14],
            "country": account[:2],
            "fingerprint": f"test{account[-4:]}",
            "last4": account[-4:],
            "mandate": mandate_id,
        },
    }


def payment_error(code: str, decline_code: str, charge_id: str | None) -> dict[str, Any]:
    """Why an intent's last attempt failed."""
    error = {"type": "card_error", "code": code, "message": f"The payment failed: {decline_code or code}."}
    if decline_code:
        error["decline_code"] = decline_code
    return error | ({"charge": charge_id} if charge_id else {})


def refund_of(
    refund_id: str, created: int, charge: dict[str, Any], cents: int, wanted: dict[str, Any]
) -> dict[str, Any]:
    """A refund that has gone out."""
    means = charge["payment_method_details"]["type"]
    return {
        **_nulls(
            "balance_transaction customer customer_account receipt_number source_transfer_reversal transfer_reversal"
        ),
        "id": refund_id,
        "object": "refund",
        "amount": cents,
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "destination_details": {"type": means, means: {"type": "refund"} if means == "card" else {}},
        "metadata": wanted.get("metadata") or {},
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": wanted.get("reason"),
        "status": "succeeded",
    }


_EVIDENCE = (
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal "
    "customer_communication customer_email_address customer_name customer_purchase_ip customer_signature "
    "duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt "
    "refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation shipping_address "
    "shipping_carrier shipping_date shipping_documentation shipping_tracking_number uncategorized_file uncategorized_text"
)


def dispute_of(
    dispute_id: str, created: int, charge: dict[str, Any], cents: int, reason: str, due_by: int | None
) -> dict[str, Any]:
    """A dispute that waits for an answer until ``due_by``."""
    means = charge["payment_method_details"]["type"]
    details = {"card": {"brand": "visa", "case_type": "chargeback", "network_reason_code": "10.4"}, "sepa_debit": {}}
    return {
        "id": dispute_id,
        "object": "dispute",
        "amount": cents,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": _nulls(_EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": due_by,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {"type": means, means: details.get(means, {})},
        "reason": reason,
        "status": "needs_response",
    }


def balance_transaction(
    transaction_id: str, created: int, kind: str, source: dict[str, Any], cents: int, fee: int
) -> dict[str, Any]:
    """What ``source`` did to the account's balance."""
    currency = source["currency"]
    details = {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": "Test fee",
        "type": "stripe_fee",
    }
    return {
        "id": transaction_id,
        "object": "balance_transaction",
        "amount": cents,
        "available_on": created,
        "balance_type": "payments",
        "created": created,
        "currency": currency,
        "description": source.get("description"),
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [details] if fee else [],
        "net": cents - fee,
        "reporting_category": {"payment": "charge", "payment_refund": "refund"}.get(kind, kind),
        "source": source["id"],
        "status": "available",
        "type": kind,
    }


def payout_of(payout_id: str, created: int, arrives: int, cents: int, is_automatic: bool) -> dict[str, Any]:
    """A transfer to the account's bank that is on its way; how it consists is still being written down."""
    return {
        **_nulls(
            "application_fee application_fee_amount balance_transaction failure_balance_transaction failure_code "
            "failure_message original_payout payout_method reversed_by statement_descriptor"
        ),
        "id": payout_id,
        "object": "payout",
        "amount": cents,
        "arrival_date": arrives,
        "automatic": is_automatic,
        "created": created,
        "currency": "eur",
        "description": "STRIPE PAYOUT",
        "destination": "ba_1CoworkingDouble",
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "reconciliation_status": "in_progress" if is_automatic else "not_applicable",
        "source_type": "card",
        "status": "in_transit",
        "trace_id": {"status": "supported", "value": f"CWK{payout_id[-12:].upper()}"},
        "type": "bank_account",
    }


def event_of(event_id: str, created: int, kind: str, concerned: dict[str, Any]) -> dict[str, Any]:
    """That something happened to ``concerned``, as it is now."""
    return {
        "id": event_id,
        "object": "event",
        "api_version": API_VERSION,
        "created": created,
        "data": {"object": concerned},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }


def account_named(name: str, created: int) -> dict[str, Any]:
    """The account that the keys open."""
    return {
        "id": "acct_1CoworkingDouble",
        "object": "account",
        "business_profile": {
            **_nulls(
                "annual_revenue estimated_worker_count mcc minority_owned_business_designation product_description"
            ),
            **_nulls("support_address support_email support_phone support_url url"),
            "name": name,
        },
        "business_type": "non_profit",
        "capabilities": {"card_payments": "active", "sepa_debit_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": "FR",
        "created": created,
        "default_currency": "eur",
        "details_submitted": True,
        "email": "lieu@demo.example",
        "metadata": {},
        "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": name, "timezone": "Europe/Paris"}},
        "type": "standard",
    }


def payment_method_configuration(enabled: tuple[str, ...] = METHODS) -> dict[str, Any]:
    """What the account may be paid with."""

    def state(is_on: bool) -> dict[str, Any]:
        value = "on" if is_on else "off"
        return {"available": is_on, "display_preference": {"overridable": None, "preference": value, "value": value}}

    return {
        "id": "pmc_1CoworkingDouble",
        "object": "payment_method_configuration",
        "active": True,
        "application": None,
        "is_default": True,
        "livemode": False,
        "name": "Default",
        "parent": None,
        **{method: state(method in enabled) for method in (*METHODS, "apple_pay", "google_pay", "link")},
    }


def _nulls(names: str) -> dict[str, Any]:
    return dict.fromkeys(names.split())

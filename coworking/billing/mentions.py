"""What French law wants printed, in its own words: French whoever reads, and snapshotted on each document.

The wording depends on the lieu's status and on the date of issue: on 1 January 2027 VAT moves from the *code général des
impôts* to the *code des impositions sur les biens et services* (old references are accepted until 30 June 2028). Where
a lieu's accountant wants other words, the settings replace these.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

FRANCHISE = "TVA non applicable, art. 293 B du CGI"
ASSOCIATION = "Exonération de TVA, art. 261, 7-1° b du CGI (association non lucrative)"
FROM_2027 = " ; code des impositions sur les biens et services à compter du 1er janvier 2027"
CIBS_SINCE = date(2027, 1, 1)

LEGAL_STATUS = {
    "association": "Association loi 1901",
    "company": "Société",
    "public": "Organisme public",
    "individual": "Entrepreneur individuel",
}

PENALTY = (
    "Pénalités en cas de retard de paiement\u00a0: taux de refinancement de la Banque centrale européenne majoré de "
    "10 points (art. L. 441-10 du code de commerce)."
)
RECOVERY = "Indemnité forfaitaire pour frais de recouvrement en cas de retard\u00a0: 40\u00a0€."
NO_DISCOUNT = "Escompte pour paiement anticipé\u00a0: néant."
ON_DEBITS = "Option pour le paiement de la taxe d’après les débits."
OUT_OF_SCOPE = "Cotisation\u00a0: hors du champ d’application de la TVA."
SERVICES = "Nature de l’opération\u00a0: prestations de services."


@dataclass(frozen=True, slots=True)
class InvoiceTerms:
    """The lieu's own words, None for the usual ones."""

    vat_status: str
    exemption: str | None = None
    penalty: str | None = None
    vat_on_debits: bool = False


def exemption(terms: InvoiceTerms, issued_on: date) -> str | None:
    """Why no VAT is charged; None where it is."""
    if terms.vat_status == "taxable":
        return None
    if terms.exemption is not None:
        return terms.exemption
    usual = FRANCHISE if terms.vat_status == "franchise" else ASSOCIATION
    return usual + (FROM_2027 if issued_on >= CIBS_SINCE else "")


def notes(terms: InvoiceTerms, *, organisation: bool, adhesion: bool) -> list[str]:
    """The document's notes. What is owed when a payment is late stands between professionals only: a consumer never
    reads of the 40 €. ``adhesion``: a membership fee stands among the lines."""
    mentions = [SERVICES]
    if terms.vat_status == "taxable" and adhesion:
        mentions.append(OUT_OF_SCOPE)
    if terms.vat_status == "taxable" and terms.vat_on_debits:
        mentions.append(ON_DEBITS)
    if organisation:
        mentions += [NO_DISCOUNT, terms.penalty or PENALTY, RECOVERY]
    return mentions

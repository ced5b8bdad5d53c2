"""The mentions that French law requires: in French for every reader, and copied into each document.

`MENTIONS` is the one table: for each mention where it stands, and its words with the issue date from which they hold. A
manager may replace the words of each (`InvoiceTerms.replaced`).

On 1 September 2026 VAT moved from the *code général des impôts* (CGI) to the *code des impositions sur les biens et
services* (CIBS). Invoices may still name the CGI until 31 December 2027. Commentators differ on the new articles of the
exemptions, so these keep naming the CGI until then, and afterwards the European directive, which the law accepts as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from coworking.core.errors import N_

CIBS_SINCE = date(2026, 9, 1)
"""From this issue date the CIBS may be named."""
CGI_UNTIL = date(2027, 12, 31)
"""The last issue date on which the CGI may be named."""
_AFTER_CGI = date(2028, 1, 1)

LEGAL_STATUS = {
    "association": "Association loi 1901",
    "company": "Société",
    "public": "Organisme public",
    "individual": "Entrepreneur individuel",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """``text`` holds for documents issued from ``since`` on, until the next wording."""

    since: date
    text: str


@dataclass(frozen=True, slots=True)
class Mention:
    """One mention. ``name`` and ``place`` say in the settings what it is and on which documents it stands.

    ``vat_statuses``: the lieux that can print it; empty: all of them.
    """

    key: str
    name: str
    place: str
    wordings: tuple[Wording, ...]
    vat_statuses: tuple[str, ...] = ()

    def usual(self, issued_on: date) -> str:
        """Our own words for a document of that date."""
        return [wording.text for wording in self.wordings if wording.since <= issued_on][-1]

    def coming(self, today: date) -> Wording | None:
        """Our next words, where the law changes them later."""
        return next((wording for wording in self.wordings if wording.since > today), None)

    def concerns(self, vat_status: str) -> bool:
        return not self.vat_statuses or vat_status in self.vat_statuses


def _always(text: str) -> tuple[Wording, ...]:
    return (Wording(date.min, text),)


MENTIONS: dict[str, Mention] = {
    mention.key: mention
    for mention in (
        Mention(
            "franchise",
            N_("Why no VAT is charged"),
            N_("On every document, under the franchise."),
            (
                Wording(date.min, "TVA non applicable, art. 293 B du CGI"),
                Wording(
                    CIBS_SINCE,
                    "TVA non applicable, article L. 223-3 du Code des impositions sur les biens et services (CIBS)",
                ),
            ),
            ("franchise",),
        ),
        Mention(
            "exempt",
            N_("Why no VAT is charged"),
            N_("On every document, where the place is exempt."),
            (
                Wording(date.min, "Exonération de TVA, art. 261, 7-1° b du CGI (association non lucrative)"),
                Wording(
                    _AFTER_CGI,
                    "Exonération de TVA, article 132 de la directive 2006/112/CE (association non lucrative)",
                ),
            ),
            ("exempt",),
        ),
        Mention(
            "nature",
            N_("Nature of the operation"),
            N_("On every document."),
            _always("Nature de l’opération\u00a0: prestations de services."),
        ),
        Mention(
            "nature_goods",
            N_("Nature of the operation: goods"),
            N_("Where only goods are sold."),
            _always("Nature de l’opération\u00a0: livraison de biens."),
        ),
        Mention(
            "nature_both",
            N_("Nature of the operation: goods and services"),
            N_("Where goods and services are sold together."),
            _always("Nature de l’opération\u00a0: livraison de biens et prestations de services."),
        ),
        Mention(
            "out_of_scope",
            N_("Annual membership outside VAT"),
            N_("Where an annual membership outside VAT is invoiced."),
            _always("Cotisation\u00a0: hors du champ d’application de la TVA."),
            ("taxable",),
        ),
        Mention(
            "adhesion_exempt",
            N_("Exempt annual membership"),
            N_("Where an annual membership exempt from VAT is invoiced."),
            (
                Wording(date.min, "Cotisation\u00a0: exonérée de TVA, art. 261, 4-9° du CGI."),
                Wording(_AFTER_CGI, "Cotisation\u00a0: exonérée de TVA, article 132 de la directive 2006/112/CE."),
            ),
            ("taxable",),
        ),
        Mention(
            "on_debits",
            N_("VAT falls due when invoiced"),
            N_("On every document, where the place opted for « les débits »."),
            _always("Option pour le paiement de la taxe d’après les débits."),
            ("taxable",),
        ),
        Mention(
            "no_discount",
            N_("Discount for early payment"),
            N_("On invoices to organisations."),
            _always("Escompte pour paiement anticipé\u00a0: néant."),
        ),
        Mention(
            "penalty",
            N_("Penalties when an organisation pays late"),
            N_("On invoices to organisations."),
            _always(
                "Pénalités en cas de retard de paiement\u00a0: taux de refinancement de la Banque centrale européenne "
                "majoré de 10 points (art. L. 441-10 du code de commerce)."
            ),
        ),
        Mention(
            "recovery",
            N_("Costs of recovery"),
            N_("On invoices to organisations, never on a consumer’s."),
            _always("Indemnité forfaitaire pour frais de recouvrement en cas de retard\u00a0: 40\u00a0€."),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class InvoiceTerms:
    """What decides which mentions a document bears. ``replaced``: the lieu's own words by mention.

    ``adhesion_vat``: how a VAT-liable lieu's adhesion is taxed; None while it has not said.
    """

    vat_status: str
    replaced: Mapping[str, str] = field(default_factory=dict[str, str])
    vat_on_debits: bool = False
    adhesion_vat: str | None = None

    def words(self, key: str, issued_on: date) -> str:
        """The wording of a mention on a document of that date: the lieu's own, else the standard one."""
        return self.replaced.get(key) or MENTIONS[key].usual(issued_on)


def exemption(terms: InvoiceTerms, issued_on: date) -> str | None:
    """Why no VAT is charged; None where it is."""
    return None if terms.vat_status == "taxable" else terms.words(terms.vat_status, issued_on)


def notes(
    terms: InvoiceTerms, issued_on: date, *, organisation: bool, adhesion: bool, nature: str = "services"
) -> list[str]:
    """The document's notes. ``adhesion``: an adhesion that bears no VAT stands among the lines. ``nature``: it is about
    ``services``, ``goods`` or ``both``."""
    keys = _keys(terms, organisation=organisation, adhesion=adhesion, nature=nature)
    return [terms.words(key, issued_on) for key in keys]


def _keys(terms: InvoiceTerms, *, organisation: bool, adhesion: bool, nature: str) -> Iterator[str]:
    yield "nature" if nature == "services" else f"nature_{nature}"
    if terms.vat_status == "taxable" and adhesion:
        yield "adhesion_exempt" if terms.adhesion_vat == "exempt" else "out_of_scope"
    if terms.vat_status == "taxable" and terms.vat_on_debits:
        yield "on_debits"
    if organisation:  # late-payment penalties apply between professionals only
        yield from ("no_discount", "penalty", "recovery")

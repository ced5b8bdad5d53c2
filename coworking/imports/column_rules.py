"""Which column of a table holds what: guessed from its heading, in French or English, or from what stands in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from coworking.core.errors import N_, DomainError
from coworking.core.folding import fold
from coworking.imports.table_rules import ReadTable

Subject = Literal["people", "organisations", "subscriptions", "plan_months", "balances", "bookings"]
SUBJECTS: tuple[Subject, ...] = ("people", "organisations", "subscriptions", "plan_months", "balances", "bookings")
"""What a file may hold."""

NOT_NEEDED = ""

FIELDS: dict[Subject, tuple[str, ...]] = {
    "people": (
        "first_name",
        "last_name",
        "full_name",
        "email",
        "phone",
        "address",
        "postcode",
        "city",
        "note",
        "organisation",
        "status",
        "commune",
    ),
    "organisations": (
        "name",
        "siret",
        "siren",
        "vat_number",
        "email",
        "address",
        "postcode",
        "city",
        "service_code",
    ),
    "subscriptions": (
        "first_name",
        "last_name",
        "full_name",
        "email",
        "plan",
        "first_month",
    ),
    "plan_months": (
        "first_name",
        "last_name",
        "full_name",
        "email",
        "month",
        "used_halfdays",
        "used_rooms",
        "carried_halfdays",
        "carried_rooms",
    ),
    "balances": (
        "first_name",
        "last_name",
        "full_name",
        "email",
        "pack",
        "left",
        "until",
    ),
    "bookings": (
        "first_name",
        "last_name",
        "full_name",
        "email",
        "day",
        "half",
        "from",
        "to",
        "place",
        "title",
    ),
}
"""What a column of a file about each subject may hold."""

BROUGHT_COLUMNS = {"used_halfdays", "used_rooms", "carried_halfdays", "carried_rooms"}
"""Of which a file about months of plans has one at least."""

_HEADINGS: dict[str, tuple[str, ...]] = {
    "first_name": (
        "prenom", "prenoms", "first name", "firstname", "given name", "prenom adherent", "prenom payeur", "forename",
    ),
    "last_name": (
        "nom de famille", "last name", "lastname", "surname", "family name", "nom adherent", "nom d'usage", "nom payeur",
    ),
    "full_name": (
        "nom complet", "nom et prenom", "prenom et nom", "nom prenom", "prenom nom", "full name", "fullname", "name",
        "nom du membre", "membre", "member", "coworker", "coworkeur", "contact", "customer name", "display name",
    ),
    "email": (
        "email", "e mail", "mail", "courriel", "adresse email", "adresse e mail", "adresse mail", "email address",
        "adresse electronique", "adresse de courriel", "email adherent", "email payeur", "email membre", "contact email",
        "primary email",
    ),
    "phone": (
        "telephone", "tel", "portable", "mobile", "telephone portable", "numero de telephone", "phone", "phone number",
        "mobile phone", "mobilephone", "n de telephone", "gsm", "tel portable", "contact phone",
    ),
    "address": (
        "adresse", "adresse postale", "rue", "voie", "address", "street", "address 1", "address1", "address line 1",
        "adresse 1", "street address", "numero et voie",
    ),
    "postcode": ("code postal", "cp", "postcode", "post code", "postal code", "postalcode", "zip", "zip code", "zipcode"),
    "city": ("ville", "commune", "localite", "city", "town", "cityname", "city name"),
    "note": ("note", "notes", "remarque", "remarques", "commentaire", "commentaires", "comment", "comments", "observations"),
    "organisation": (
        "organisation", "organization", "entreprise", "societe", "structure", "employeur", "company", "company name",
        "companyname", "employer", "association", "raison sociale", "team", "equipe",
    ),
    "status": (
        "statut", "statut professionnel", "situation", "situation professionnelle", "profil", "activite", "status",
        "what they do", "occupation", "categorie", "statut pro",
    ),
    "commune": (
        "commune de residence", "ville de residence", "lieu de residence", "commune d'habitation", "commune du domicile",
        "domicile", "town where they live", "home town", "town of residence", "commune ou ils habitent",
    ),
    "name": (
        "nom", "name", "raison sociale", "organisation", "organization", "entreprise", "societe", "structure", "company",
        "company name", "denomination", "employeur", "association",
    ),
    "plan": (
        "formule", "forfait", "abonnement", "plan", "plan name", "membership", "offre", "tarif", "type d'abonnement",
        "subscription", "membership plan", "tariff", "rate", "resource rate",
    ),
    "first_month": (
        "depuis", "debut", "date de debut", "premier mois", "first month", "start date", "startdate", "since", "a partir de",
        "member since", "date d'abonnement", "begins", "date debut",
    ),
    "day": (
        "date", "jour", "day", "date de reservation", "booking date", "le", "date debut", "start date", "debut", "start",
    ),
    "month": ("mois", "mois de la formule", "month", "plan month", "periode", "period", "mois en cours", "billing month"),
    "used_halfdays": (
        "demi journees utilisees", "demi journees consommees", "utilisees", "utilise", "consomme", "consommees",
        "consommation", "half days used", "used half days", "used", "usage", "demi journees",
        "half days", "time used", "passes used",
    ),
    "used_rooms": (
        "heures utilisees", "heures consommees", "heures de salle utilisees", "heures de salle", "salle", "salles",
        "room hours", "room time", "hours used", "room hours used", "time in rooms", "temps de salle",
    ),
    "carried_halfdays": (
        "demi journees reportees", "reportees", "report", "reporte", "demi journees du mois precedent",
        "half days carried over", "carried over", "rollover", "rolled over", "carried",
    ),
    "carried_rooms": (
        "heures reportees", "report salle", "heures de salle reportees", "room hours carried over", "room time carried over",
        "hours carried over",
    ),
    "pack": ("carnet", "pack", "pass", "passe", "forfait", "produit", "credit type", "product", "ticket", "tickets"),
    "left": (
        "reste", "solde", "restant", "restants", "demi journees restantes", "heures restantes", "credits restants", "left",
        "balance", "remaining", "credits", "credit",
    ),
    "until": (
        "valable jusqu'au", "valable jusqu'a", "jusqu'au", "expire le", "expiration", "date d'expiration", "fin de validite",
        "valid until", "expires", "expiry", "expiry date", "until",
    ),
    "half": ("demi journee", "demi journees", "creneau", "periode", "half day", "half", "slot", "period", "moment"),
    "from": ("de", "heure de debut", "heure debut", "from", "start time", "a partir de", "arrivee"),
    "to": ("a", "heure de fin", "heure fin", "to", "end time", "until", "jusqu'a", "depart", "fin", "end"),
    "place": (
        "poste", "salle", "poste ou salle", "ressource", "espace", "bureau", "place", "desk", "room", "resource",
        "resource name", "desk or room",
    ),
    "title": ("objet", "titre", "motif", "title", "subject", "reason", "what for", "pour quoi"),
    "siret": ("siret", "n siret", "numero siret"),
    "siren": ("siren", "n siren", "numero siren"),
    "vat_number": ("numero de tva", "n tva", "tva", "tva intracommunautaire", "vat number", "vat", "vat id", "tax id"),
    "service_code": ("code service", "service code", "code du service", "service"),
}  # fmt: skip
"""What spreadsheets and the programs of the field call a column: fab-manager, Cobot, Nexudus, OfficeRnD, Nadine, Paheko,
HelloAsso, and our own files."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+?[\d .()-]{9,20}")
_POSTCODE = re.compile(r"\d{5}")


class ColumnTwice(DomainError):
    code = "column_twice"
    message = N_("Two columns are said to hold the same: choose one of them.")
    field = "columns"


class NameColumnMissing(DomainError):
    code = "name_column_missing"
    message = N_("Say which column holds the names.")
    field = "columns"


class DayColumnMissing(DomainError):
    code = "day_column_missing"
    message = N_("Say which column holds the days.")
    field = "columns"


class PackColumnMissing(DomainError):
    code = "pack_column_missing"
    message = N_("Say which columns hold the packs, and what is left of them.")
    field = "columns"


class UsedColumnMissing(DomainError):
    code = "used_column_missing"
    message = N_("Say which column holds the half-days or the room time that were used, or came over.")
    field = "columns"


class PlanColumnMissing(DomainError):
    code = "plan_column_missing"
    message = N_("Say which column holds the plans.")
    field = "columns"


def heading_words(heading: str) -> str:
    """A heading without case, accents and signs: « Adresse e-mail : » is « adresse e mail »."""
    text = fold(heading).replace("\u2019", "'")
    return " ".join(re.sub(r"[^a-z0-9']+", " ", text).split())


def guessed_columns(subject: Subject, table: ReadTable) -> list[str]:
    """What each column of ``table`` probably holds, each thing once."""
    found = [NOT_NEEDED] * len(table.head)
    heads = [heading_words(head) for head in table.head]
    for field in FIELDS[subject]:
        at = next(
            (heads.index(word) for word in _HEADINGS[field] if word in heads and not found[heads.index(word)]), None
        )
        if at is not None:
            found[at] = field
    if subject != "organisations":
        _guess_nom(heads, found)
    for field, pattern in (("email", _EMAIL), ("phone", _PHONE), ("postcode", _POSTCODE)):
        if field in FIELDS[subject] and field not in found:
            at = next(
                (at for at in range(len(found)) if not found[at] and _mostly(pattern, table.samples(at, 20))), None
            )
            if at is not None:
                found[at] = field
    return found


def _guess_nom(heads: Sequence[str], found: list[str]) -> None:
    """« Nom » beside « Prénom » is the last name, alone the whole name; so is “Name” beside “First name”."""
    if "last_name" in found:
        return
    if "first_name" in found:
        at = next((heads.index(word) for word in ("nom", "name") if word in heads), None)
        if at is not None:
            found[at] = "last_name"
    elif "full_name" not in found and "nom" in heads:
        found[heads.index("nom")] = "full_name"


def _mostly(pattern: re.Pattern[str], values: Sequence[str]) -> bool:
    return bool(values) and sum(bool(pattern.fullmatch(value)) for value in values) * 10 >= len(values) * 8


def check_columns(subject: Subject, columns: Sequence[str]) -> None:
    """Raise `ColumnTwice` or `NameColumnMissing` unless ``columns`` can be imported."""
    chosen = [field for field in columns if field]
    if len(set(chosen)) != len(chosen):
        raise ColumnTwice()
    if subject == "organisations":
        if "name" not in chosen:
            raise NameColumnMissing()
        return
    if subject == "subscriptions" and "plan" not in chosen:
        raise PlanColumnMissing()
    if subject == "balances" and not {"pack", "left"} <= set(chosen):
        raise PackColumnMissing()
    if subject == "plan_months" and not set(chosen) & BROUGHT_COLUMNS:
        raise UsedColumnMissing()
    if subject == "bookings" and "day" not in chosen:
        raise DayColumnMissing()
    if not {"first_name", "last_name", "full_name", "email"} & set(chosen):
        raise NameColumnMissing()


def fields_of(columns: Sequence[str], cells: Sequence[str]) -> Mapping[str, str]:
    """The cells of a line by what they hold."""
    return {field: cell for field, cell in zip(columns, cells, strict=False) if field}

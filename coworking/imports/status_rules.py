"""What a person does, as spreadsheets write it: « Salariée », « Auto-entrepreneur », “freelance”."""

from __future__ import annotations

import re

from coworking.accounts.rules import STATUSES
from coworking.core.errors import N_, DomainError
from coworking.core.folding import fold


class StatusUnknown(DomainError):
    """The line was taken without this cell."""

    code = "status_unknown"
    message = N_(
        "“%(value)s” was left out: write employee, self-employed, looking for work, student, association or other."
    )


_WORDS: dict[str, tuple[str, ...]] = {
    "employee": (
        "salarie", "employe", "teletravail", "teletravailleur", "teletravailleuse",
        "fonctionnaire", "agent public", "cadre", "employee",
        "remote worker",
    ),
    "self_employed": (
        "independant", "freelance", "entrepreneur", "auto entrepreneur", "autoentrepreneur", "micro entrepreneur",
        "microentrepreneur", "profession liberale", "liberal", "gerant", "dirigeant", "travailleur independant",
        "artisan", "commercant", "artiste", "self employed", "selfemployed", "contractor", "business owner",
    ),
    "jobseeker": (
        "demandeur d emploi", "demandeuse d emploi", "chomeur", "chomeuse", "en recherche d emploi", "recherche d emploi",
        "sans emploi", "jobseeker", "job seeker", "unemployed", "looking for work",
    ),
    "student": (
        "etudiant", "etudiant ou apprenti", "apprenti", "alternant", "stagiaire", "lyceen", "doctorant", "student",
        "apprentice", "student or apprentice",
    ),
    "association": (
        "association", "associatif", "benevole", "association ou benevole", "benevole associatif", "volunteer",
        "association or volunteer",
    ),
    "other": ("autre", "autre statut", "retraite", "particulier", "other", "another status", "retired"),
}  # fmt: skip
_KNOWN = {word: status for status, words in _WORDS.items() for word in words} | {name: name for name in STATUSES}
_ENDINGS = re.compile(r"(?<=[a-z])(?:[ .(/-]+(?:e|ne|se|euse|trice|te|ve|iere|s)\b\)?)+")
"""« salarié·e », « salarié(e) », « étudiant/e »: the other gender behind a sign."""


def status_of(text: str) -> str | None:
    """The status (`accounts.rules.STATUSES`) that ``text`` names, None where it is empty; raises `StatusUnknown`."""
    folded = fold(text.replace("·", "."))
    plain = _ENDINGS.sub("", folded)
    for said in (folded, plain):
        words = " ".join(re.sub(r"[^a-z_]+", " ", said).split())
        if not words:
            return None
        for known in (words, words.removesuffix("s"), words.removesuffix("e"), words.removesuffix("es")):
            if known in _KNOWN:
                return _KNOWN[known]
    raise StatusUnknown(value=text.strip()[:60])

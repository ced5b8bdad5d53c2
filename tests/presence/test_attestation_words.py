"""What the PDF of an attestation says, in both languages."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from coworking.accounts.models import Organisation
from coworking.core.db import db
from coworking.presence import attestation, pdf
from tests.presence.attested import NOVEMBER

GOLDEN = {
    "fr": """\
La Fabrique du Pont
4 rue du Pont, 63300 Thiers
SIRET 123 456 789 00012
Attestation de présence
du 1er au 26 novembre 2026
Personne Anne Marchand
Employeur Coutellerie Durand SA
Présence 3 demi-journées, 2 jours
La Fabrique du Pont atteste que la personne nommée ci-dessus était présente dans ses locaux aux demi-journées \
ci-dessous. À côté de chacune, comment on le sait.
Date Matin Après-midi
mardi 24 novembre déclarée par la personne déclarée par la personne
mercredi 25 novembre vue par l’accueil –
Fait à Thiers, le 26 novembre 2026, à la demande de la personne.
Pour La Fabrique du Pont : nom, qualité et signature
{code}
Toute personne qui a ce document peut le vérifier sur lieu.test/verify avec ce code.
Elle indique une présence, pas un temps de travail.
""",
    "en": """\
La Fabrique du Pont
4 rue du Pont, 63300 Thiers
SIRET 123 456 789 00012
Attendance certificate
1 to 26 November 2026
Person Anne Marchand
Employer Coutellerie Durand SA
Presence 3 half-days, 2 days
La Fabrique du Pont attests that the person named above was present on its premises on the half-days below. Beside each \
stands how it is known.
Date Morning Afternoon
Tuesday 24 November declared by the person declared by the person
Wednesday 25 November seen by the host –
Made in Thiers on 26 November 2026, at the person’s own request.
For La Fabrique du Pont: name, function and signature
{code}
Anyone who has this document can verify it at lieu.test/verify with this code.
It states presence, not working time.
""",
}


def words(page: str) -> str:
    """The text of a PDF, a line for each block of it."""
    body = re.sub(r"<svg.*?</svg>", "", page[page.index("<body") :], flags=re.S)
    body = re.sub(r"</(p|div|tr|h1)>|<br>", "\n", re.sub(r"\s+", " ", re.sub(r">\s+<", "> <", body)))
    body = re.sub(r"<[^>]+>", " ", body).replace("\u00a0", " ").replace("\u202f", " ")
    return "".join(f"{' '.join(line.split())}\n" for line in body.splitlines() if line.strip())


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_pdf_reads(came, locale):
    employer = db.session.scalars(select(Organisation)).one()
    made = attestation.issue(came.actor(), NOVEMBER, employer=employer.public_id)
    page = pdf.page(attestation.statement_of(made), locale)
    assert words(page) == GOLDEN[locale].format(code=made.code)
    assert "<svg" in page and "style=" not in page

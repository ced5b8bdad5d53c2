"""The usual words of each reminder, in French and in English, which a manager may replace. Pure.

Names in braces stand for what a reminder is about (`billing.reminder_rules.PLACEHOLDERS`).
"""

from __future__ import annotations

from dataclasses import dataclass

from coworking.billing.reminder_rules import FIRM, FORMAL, KIND
from coworking.core.errors import N_

STEP_NAMES = {KIND: N_("Kind reminder"), FIRM: N_("Firm reminder"), FORMAL: N_("Formal notice")}
STEP_MEANINGS = {
    KIND: N_("They may have forgotten it."),
    FIRM: N_("They know of it; they should say what prevents them."),
    FORMAL: N_("A formal notice: the last word before other means. To organisations it says what lateness costs."),
}


@dataclass(frozen=True, slots=True)
class Words:
    """A subject and a text."""

    subject: str
    text: str


USUAL: dict[tuple[int, str], Words] = {
    (KIND, "fr"): Words(
        "Un petit rappel\u202f: {total} à régler",
        """Bonjour,

Il nous semble que ceci n’est pas encore réglé\u202f:

{factures}

Vous pouvez payer ici, par carte ou par virement\u202f:

{lien}

Si votre paiement est déjà parti, merci, et ne tenez pas compte de ce message. S’il y a une difficulté, répondez-nous, \
nous trouverons une solution.

À bientôt,
{lieu}""",
    ),
    (FIRM, "fr"): Words(
        "Toujours impayé\u202f: {total}",
        """Bonjour,

Malgré notre premier rappel, ceci reste impayé\u202f:

{factures}

Merci de régler cette somme dans les huit jours\u202f:

{lien}

Si quelque chose vous en empêche ou si vous contestez une facture, dites-le-nous sans attendre, en répondant à ce message.

Cordialement,
{lieu}""",
    ),
    (FORMAL, "fr"): Words(
        "Mise en demeure de payer {total}",
        """Madame, Monsieur,

Nos rappels étant restés sans effet, nous vous mettons en demeure de régler sous huit jours la somme suivante\u202f:

{factures}

{frais}

Pour payer\u202f:

{lien}

À défaut, nous pourrons faire valoir nos droits par toute voie de droit.

{lieu}""",
    ),
    (KIND, "en"): Words(
        "A quick reminder: {total} to be paid",
        """Hello,

It seems that this has not been paid yet:

{invoices}

You can pay here, by card or by bank transfer:

{link}

If your payment is already on its way, thank you, and please ignore this message. If there is a difficulty, answer this \
e-mail and we will find a way.

See you soon,
{place}""",
    ),
    (FIRM, "en"): Words(
        "Still unpaid: {total}",
        """Hello,

We reminded you before, and this is still unpaid:

{invoices}

Please pay it within eight days:

{link}

If something prevents you, or if you contest an invoice, tell us now by answering this message.

Kind regards,
{place}""",
    ),
    (FORMAL, "en"): Words(
        "Formal notice to pay {total}",
        """Dear Sir or Madam,

Our reminders had no effect. We hereby give you formal notice to pay the following within eight days:

{invoices}

{costs}

To pay:

{link}

Otherwise we may assert our rights by every legal means.

{place}""",
    ),
}

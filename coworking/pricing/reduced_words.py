"""How a reduced price is named: on sheets, sales and documents alike."""

from __future__ import annotations

from coworking.core.i18n import _


def with_rate(label: str, group: str | None) -> str:
    """« Poste de travail, demi-journée, tarif demandeur d’emploi »; ``label`` alone where everyone pays that."""
    return label if group is None else _("%(what)s, %(group)s rate", what=label, group=group)

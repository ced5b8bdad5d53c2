"""Text without case and accents, for searching and sorting."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """``text`` in lower case without accents: « Maëlle » and « MAELLE » are the same."""
    parts = unicodedata.normalize("NFKD", text.replace("’", "'"))
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold()


def listed_by(text: str) -> str:
    """What a French reader sorts ``text`` by: case, accents and signs do not count; « Ô Local » stands among the o."""
    return " ".join("".join(char if char.isalnum() else " " for char in fold(text)).split())


def address_key(email: str) -> str:
    """What every spelling of one mailbox has in common: case, accents and what stands behind a plus do not count."""
    local, _at, domain = fold(email.strip()).rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"

"""Pages as their readers read them."""

from __future__ import annotations


def plain(answer, status: int = 200) -> str:
    """The page's source with every run of spaces as one space; its status must be ``status``."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    text = answer.get_data(as_text=True).replace("\u202f", " ").replace("\xa0", " ")
    return " ".join(text.split())

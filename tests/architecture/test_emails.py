"""Every e-mail has a golden text in both languages, and a test that reads it."""

from __future__ import annotations

from pathlib import Path

from tests.support.emails import GOLDEN

ROOT = Path(__file__).parent.parent.parent
LANGUAGES = ("en", "fr")


def _templates() -> set[str]:
    folder = ROOT / "templates/email"
    return {
        path.relative_to(folder).with_suffix("").as_posix()
        for path in folder.rglob("*.txt")
        if not path.name.startswith("_")
    }


def _golden() -> dict[str, set[str]]:
    """Languages by golden text, its case included."""
    found: dict[str, set[str]] = {}
    for path in GOLDEN.rglob("*.txt"):
        name, language, _txt = path.relative_to(GOLDEN).as_posix().rsplit(".", 2)
        found.setdefault(name, set()).add(language)
    return found


def test_every_email_has_golden_texts_in_both_languages():
    golden = _golden()
    assert {name: languages for name, languages in golden.items() if languages != set(LANGUAGES)} == {}
    assert {name.partition("-")[0] for name in golden} == _templates()


def test_every_golden_text_is_read_by_a_test():
    words = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name in sorted(_golden()) if f'"{name}"' not in words] == []

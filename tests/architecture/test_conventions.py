"""The conventions of the code base: imports, sizes, translations, mutants."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from coworking.core.policy import policy_of
from tests.mutants.__main__ import mutants

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [*sorted((ROOT / "coworking").rglob("*.py")), *sorted((ROOT / "tasks").rglob("*.py"))]


def tracked() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_packages_import_only_lower_layers():
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("module", sorted(p.parent.name for p in ROOT.glob("coworking/*/rules.py")))
def test_rules_load_without_the_framework(module):
    """Contracts see imports; only a fresh process sees what importing a rule really runs."""
    code = (
        f"import sys, coworking.{module}.rules; "
        "sys.exit(', '.join(sorted({'flask', 'sqlalchemy', 'celery', 'stripe'} & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_package_inits_are_empty():
    assert [str(p) for p in (ROOT / "coworking").rglob("__init__.py") if p.read_text().strip()] == []


def test_no_test_file_imports_another():
    """What several share stands in ``conftest.py`` or in a plain module beside them."""
    pattern = re.compile(r"^\s*(?:from|import) tests\S*\.test_", re.M)
    assert [str(path) for path in sorted((ROOT / "tests").rglob("*.py")) if pattern.search(path.read_text())] == []


def test_commit_is_called_in_one_file():
    found = {str(path.relative_to(ROOT)) for path in SOURCES if re.search(r"\.commit\(\)", path.read_text())}
    assert found == {"coworking/core/units.py"}


def test_stripe_is_imported_by_at_most_one_file():
    found = [path.name for path in SOURCES if re.search(r"^\s*(import|from) stripe\b", path.read_text(), re.M)]
    assert len(found) <= 1


def test_calls_to_other_machines_leave_through_one_module():
    """There they have a deadline in all, a bounded answer, a checked address. `coworking.serve` asks its own web server."""
    callers = r"(?:requests|smtplib|urllib\.request|http\.client|httpx|urllib3)"
    pattern = re.compile(rf"^\s*(?:import {callers}\b|from {callers} import\b)", re.M)
    found = {str(path.relative_to(ROOT)) for path in SOURCES if pattern.search(path.read_text())}
    assert found - {"coworking/serve.py"} == {"coworking/core/outgoing.py"}


def test_only_the_clock_module_reads_the_time():
    pattern = re.compile(r"datetime\.(now|utcnow|today)\(|date\.today\(|time\.time\(")
    found = {str(path.relative_to(ROOT)) for path in SOURCES if pattern.search(path.read_text())}
    assert found == {"coworking/core/clock.py"}


def test_every_endpoint_declares_who_may_use_it(apps):
    app = apps("sqlite")
    assert [rule.endpoint for rule in app.url_map.iter_rules() if policy_of(app, rule.endpoint) is None] == []


def test_templates_hold_no_inline_script_style_or_handler():
    """The content security policy would refuse them silently."""
    pattern = re.compile(r"<script(?![^>]*\bsrc=)|\son[a-z]+=\"|\sstyle=\"", re.I)
    pages = [p for p in (ROOT / "templates").rglob("*.html") if "email" not in p.parts]
    found = [
        str(p.relative_to(ROOT)) for p in pages if pattern.search(re.sub(r"\{#.*?#\}", "", p.read_text(), flags=re.S))
    ]
    assert found == []


def test_no_line_of_a_template_is_longer_than_160_characters():
    long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "templates").rglob("*.*"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 160
    ]
    assert long == []


def test_nothing_lowers_the_letters_after_the_first():
    """`capitalize` writes « Saturday 28 november » in English: `raised` (core/formats.py) touches the first letter alone."""
    templates = (file for file in tracked() if "templates" in file.parts and file.suffix in (".html", ".txt"))
    assert [file.name for file in templates if re.search(r"\|\s*capitalize\b", file.read_text())] == []
    assert [str(file) for file in SOURCES if ".capitalize()" in file.read_text()] == []


def test_a_button_is_called_by_what_it_shows():
    """Who speaks to a computer says what stands on the button (WCAG 2.5.3), in either language."""
    french: dict[str, str] = {}
    for path in (ROOT / "coworking/translations/fr/LC_MESSAGES").glob("*.po"):
        with path.open("rb") as file:
            french |= {one.id: str(one.string) for one in read_po(file, locale="fr") if isinstance(one.id, str)}
    wrong: list[str] = []
    for path in sorted((ROOT / "templates").rglob("*.html")):
        for call in Environment(extensions=["jinja2.ext.i18n"]).parse(path.read_text()).find_all(nodes.Call):
            given = [*call.args[:1], *(pair.value for pair in call.kwargs if pair.key == "aria_label")]
            shown, *called = [one.args[0].value for one in given if _is_message(one)] or [""]
            for words in (lambda text: text, french.get):
                if called and words(shown).casefold() not in words(called[0]).casefold():
                    wrong.append(f"{path.name}:{call.lineno}: {words(called[0])} for {words(shown)}")
    assert wrong == []


def _is_message(node: nodes.Node) -> bool:
    is_call = isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "_"
    return is_call and isinstance(node.args[0], nodes.Const)


def test_vendored_files_are_what_the_manifest_says():
    vendor = ROOT / "static" / "vendor"
    manifest = json.loads((vendor / "MANIFEST.json").read_text())
    assert manifest["files"]
    for name, entry in manifest["files"].items():
        path = vendor / name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"], path.name
        assert entry["version"] and entry.get("licence", entry.get("license"))


def test_no_message_stands_inside_an_f_string():
    """Extraction reads an f-string as one token: what is asked for inside it would never reach a catalogue."""
    translators = {"_", "N_", "gettext", "ngettext", "lazy_gettext"}
    found = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in SOURCES
        for text in ast.walk(ast.parse(path.read_text()))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in translators
    ]
    assert found == []


def _used_messages() -> set[str]:
    methods = [("**/*.py", "python"), ("**/*.html", "jinja2"), ("**/*.txt", "jinja2")]
    keywords = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "lazy_gettext": None}
    options = {pattern: {"trimmed": "true", "silent": "false"} for pattern, _ in methods if pattern != "**/*.py"}
    found: set[str] = set()
    for folder in ("coworking", "templates"):
        for _, _, message, _, _ in extract_from_dir(
            ROOT / folder, methods, options, keywords, directory_filter=lambda _: True
        ):
            found.add(message[0] if isinstance(message, tuple) else message)
    return found - {""}


def _catalogue() -> dict[str, list[str]]:
    """Message id → the catalogues it stands in, fuzzy or empty translations left out."""
    where: dict[str, list[str]] = {}
    for path in sorted((ROOT / "coworking/translations/fr/LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="fr"):
                if not message.id or message.fuzzy:
                    continue
                ids, strings = (message.id, message.string)
                texts = strings if isinstance(strings, list | tuple) else [strings]
                if all(texts):
                    where.setdefault(ids[0] if isinstance(ids, list | tuple) else ids, []).append(path.stem)
    return where


def test_every_message_is_translated_once():
    used, known = _used_messages(), _catalogue()
    assert sorted(used - set(known)) == [], "without French"
    assert {message: files for message, files in known.items() if len(files) > 1} == {}, "in two catalogues"
    assert sorted(set(known) - used) == [], "no longer used"


def test_french_is_set_as_french():
    """A narrow no-break space before high punctuation and inside guillemets; curly apostrophes."""
    wrong = re.compile(r"(?<=\w) [:;!?»]|« (?!\u202f)|(?<=[A-Za-zÀ-ÿ])'(?=[A-Za-zÀ-ÿ])|(?<=[\w»)])[;!?](?=\s|$)")
    found = []
    for path in sorted((ROOT / "coworking/translations/fr/LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="fr"):
                texts = message.string if isinstance(message.string, list | tuple) else [message.string]
                found += [f"{path.stem}: {text}" for text in texts if message.id and wrong.search(text)]
    assert found == []


def test_every_mutant_still_applies():
    stale = [
        mutant.path.name
        for mutant in mutants()
        if subprocess.run(["git", "apply", "--check", str(mutant.path)], cwd=ROOT, capture_output=True).returncode
    ]
    assert stale == []


def test_a_mutant_breaks_the_code_and_never_a_test():
    strays = [mutant.path.name for mutant in mutants() if "+++ b/tests/" in mutant.path.read_text(encoding="utf-8")]
    assert strays == []


def test_nothing_tracked_names_this_machine():
    pattern = re.compile(rb"file:///|/root/|/home/\w+/|registry\.npmjs|pypi\.org/simple|pythonhosted")
    skipped = {"static/vendor", "tests/architecture"}
    found = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if not any(str(path.relative_to(ROOT)).startswith(prefix) for prefix in skipped)
        and path.suffix not in {".png", ".woff2"}
        and pattern.search(path.read_bytes())
    ]
    assert found == []


def test_every_requirement_has_one_answer_and_its_tests_exist():
    lines = (ROOT / "docs" / "security.md").read_text().splitlines()
    rows = [line.strip("|").split("|") for line in lines if re.match(r"\| \d+\.\d+\.\d+ \|", line)]
    numbers = [tuple(map(int, row[0].split("."))) for row in rows]
    assert numbers == sorted(set(numbers)), "each once, in order"
    assert len(rows) == 253, "70 of level 1 and 183 of level 2"
    assert [row for row in rows if len(row) != 3 or not row[2].strip()] == []
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.M)
    }
    named = {name for row in rows for name in re.findall(r"`(test_\w+)`", row[2])}
    assert len(named) > 80
    assert named - there == set()

"""The JSON Schema of a monthly return: what the rules take, it takes; what has a wrong form, it refuses."""

from __future__ import annotations

import copy
import json
from datetime import date
from pathlib import Path

import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator, meta

from coworking.statistics.json_schema import figures_schema, return_schema
from coworking.statistics.schema import blank, canonical
from tests.statistics.returns import any_figures, plain_figures

FIGURES, RETURN = Draft202012Validator(figures_schema()), Draft202012Validator(return_schema())
DOCS = Path(__file__).parents[2] / "docs"
LINES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")))


def document(**changes: object) -> dict[str, object]:
    return json.loads((DOCS / "examples" / "monthly-return.json").read_text(encoding="utf-8")) | changes


def test_the_schema_is_one():
    assert meta.is_valid(return_schema())


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(any_figures(date(2026, 10, 1)))
def test_it_takes_what_the_rules_take(figures):
    assert list(FIGURES.iter_errors(figures)) == []
    assert list(RETURN.iter_errors(document(figures=figures))) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"month": "2026-13"},
        {"month": "octobre"},
        {"figures_sha256": "A" * 64},
        {"status": "definitive"},
        {"revision": 0},
        {"revision": 1.5},
        {"people": ["Anne"]},
        {"generated_at": "2026-11-05T06:00:00"},
        {"code_insee": "6343"},
        {"chain_heads": {"Money": {"seq": 1, "digest": "0" * 64}}},
        {"figures": plain_figures() | {"open_days": -1}},
        {"figures": plain_figures() | {"peak_at": 3}},
        {"figures": blank("because")},
        {"figures": {}},
    ],
)
def test_it_refuses_what_has_another_form(changes):
    assert RETURN.is_valid(document())
    assert not RETURN.is_valid(document(**changes))


def test_every_figure_is_required():
    for name in figures_schema()["required"]:
        figures = copy.deepcopy(plain_figures())
        del figures[name]
        assert not FIGURES.is_valid(figures), name


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_figures(date(2026, 10, 1)), LINES, st.none() | LINES)
def test_what_is_stored_and_digested_are_rfc_8785_bytes(figures, name, reason):
    whole = document(figures=figures, name=name, reason=reason)
    assert canonical(whole) == rfc8785.dumps(whole)
    assert canonical(figures) == rfc8785.dumps(figures)

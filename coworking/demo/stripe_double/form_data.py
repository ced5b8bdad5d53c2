"""Reads Stripe's form encoding: ``line_items[0][price_data][currency]=eur`` and ``expand[]=payment_intent``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from coworking.demo.stripe_double.refusals import StripeRefusal, invalid_parameter

DEEPEST = 8
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def read_form(pairs: Iterable[tuple[str, str]], allowed: Collection[str]) -> dict[str, Any]:
    """The nested values of ``pairs``. A name that is not in ``allowed`` is refused, as Stripe refuses it.

    Allowed names are written ``line_items[].price_data.currency``; ``metadata.*`` allows every key of ``metadata``.
    """
    tree: dict[str, Any] = {}
    for name, value in pairs:
        parts = _parts_of(name)
        said = re.sub(r"\.\[\]", "[]", ".".join("[]" if not part or part.isdecimal() else part for part in parts))
        if said not in allowed and f"{said.rpartition('.')[0]}.*" not in allowed:
            raise StripeRefusal(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
        _put(tree, parts, name, value)
    return {name: _listed(value) for name, value in tree.items()}


def _parts_of(name: str) -> list[str]:
    match = _NAME.fullmatch(name)
    parts = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])] if match is not None else []
    if not parts or len(parts) > DEEPEST:
        raise StripeRefusal(400, f"Received unknown parameter: {name[:100]}", code="parameter_unknown")
    return parts


def _put(tree: dict[str, Any], parts: list[str], name: str, value: str) -> None:
    *way, last = parts
    for part in way:
        tree = tree.setdefault(part or str(len(tree)), {})
        if not isinstance(tree, dict):
            raise invalid_parameter(name, "it is a value and a list at once")
    last = last or str(len(tree))
    if last in tree:
        raise invalid_parameter(name, "it was given twice")
    tree[last] = value


def _listed(value: Any) -> Any:
    """``value`` with every dictionary of numbered entries as a list."""
    if not isinstance(value, dict):
        return value
    entries = {key: _listed(entry) for key, entry in value.items()}
    if entries and all(key.isdecimal() for key in entries):
        return [entries[key] for key in sorted(entries, key=int)]
    return entries


def whole_number(form: dict[str, Any], name: str) -> int | None:
    """The integer ``name`` of ``form``; None where it is not given."""
    text = form.get(name)
    if text is None:
        return None
    if not isinstance(text, str) or not re.fullmatch(r"-?[0-9]{1,15}", text):
        raise invalid_parameter(name, "it must be an integer", "parameter_invalid_integer")
    return int(text)


def texts_by_key(form: dict[str, Any], name: str) -> dict[str, str]:
    """The texts under ``name``, within Stripe's limits: 50 keys of 40 characters, values of 500."""
    given: dict[str, Any] = form.get(name) or {}
    if not isinstance(given, dict) or len(given) > 50:
        raise invalid_parameter(name, "it must have at most 50 keys")
    for key, value in given.items():
        if len(key) > 40 or not isinstance(value, str) or len(value) > 500:
            raise invalid_parameter(f"{name}[{key[:40]}]", "a key has at most 40 characters and a value 500")
    return given

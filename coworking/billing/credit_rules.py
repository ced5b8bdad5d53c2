"""What credit notes take back of an invoice's lines: how much is left, and the lines and sums of one more. Pure.

Amounts are integer cents in the invoice's own basis, with or without VAT, and carry the sign of the line they are taken
from. A line is named by its place on the invoice, from 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from coworking.billing.line_rules import MICROS
from coworking.core.errors import N_, DomainError
from coworking.core.money import Cents, apportion
from coworking.pricing.rules import Group, PricedLine, Totals, totals, vat_of


class AlreadyCredited(DomainError):
    code = "already_credited"
    status = 409
    message = N_("Credit notes already cancel this invoice.")


class NothingCredited(DomainError):
    code = "nothing_credited"
    message = N_("Write how much to credit of at least one line.")


class CreditTooMuch(DomainError):
    """``left``: what earlier credit notes have left of a line, in words."""

    code = "credit_too_much"
    status = 409
    message = N_("Only %(left)s of this line can still be credited.")


class BilledAgainInPart(DomainError):
    """Its charges are billed again as they were: that fits only an invoice that is undone as a whole."""

    code = "billed_again_in_part"
    message = N_("Only a whole invoice can be invoiced again. Credit all of it, or leave the box unticked.")
    field = "again"


def input_of(place: int) -> str:
    """The name of the input for what to take back of the line at ``place``."""
    return f"line-{place}"


def taken_by(notes: Iterable[Mapping[str, Any]]) -> dict[int, int]:
    """How much of each line, by its place, the credit notes with these snapshots take back."""
    found: dict[int, int] = {}
    for note in notes:
        for index, line in enumerate(note["lines"]):
            place = line.get("of_line", index)
            found[place] = found.get(place, 0) - line["amount_cents"]
    return found


def left_of(original: Mapping[str, Any], before: Mapping[int, int]) -> dict[int, int]:
    """What can still be credited of each line of ``original``, by place; what is wholly taken back is left out."""
    left = {place: line["amount_cents"] - before.get(place, 0) for place, line in enumerate(original["lines"])}
    return {place: cents for place, cents in left.items() if cents}


def check_taken(left: Mapping[int, int], wanted: Mapping[int, int] | None) -> dict[int, int]:
    """How much to take of each line; ``wanted`` None: all that is left.

    Raises `AlreadyCredited`, `NothingCredited`, `CreditTooMuch`.
    """
    if not left:
        raise AlreadyCredited()
    if wanted is None:
        return dict(left)
    taken = {place: cents for place, cents in wanted.items() if cents}
    if not taken:
        raise NothingCredited()
    for place, cents in taken.items():
        rest = left.get(place, 0)
        if cents * rest <= 0 or abs(cents) > abs(rest):
            raise CreditTooMuch(left=Cents(abs(rest)), field=input_of(place))
    return taken


def credit_lines(original: Mapping[str, Any], taken: Mapping[int, int], sums: Totals) -> list[dict[str, Any]]:
    """The lines of a credit note that takes back ``taken`` (cents by place), each with every sign turned.

    A whole line stays as it was, and so does a number of its units; any other amount is one piece at that price.
    """
    lines = {place: _part(original["lines"][place], cents) | {"of_line": place} for place, cents in taken.items()}
    for group in sums.groups:
        at_rate = [place for place in lines if lines[place]["vat_rate_bp"] == group.vat_rate_bp]
        without = Fraction(10_000, 10_000 + group.vat_rate_bp) if original["basis"] == "ttc" else Fraction(1)
        shares = apportion(group.net_cents, [lines[place]["amount_cents"] * without for place in at_rate])
        for place, net in zip(at_rate, shares, strict=True):
            if "net_cents" in lines[place]:  # the first schema had none
                lines[place]["net_cents"] = net
    return [lines[place] for place in sorted(lines)]


def _part(line: Mapping[str, Any], cents: int) -> dict[str, Any]:
    part = dict(line) | {"amount_cents": -cents}
    if cents == line["amount_cents"]:
        return part
    unit = line["unit_micros"] if "unit_micros" in line else line["unit_cents"] * MICROS
    units, rest = divmod(abs(cents) * MICROS, abs(unit)) if unit and line["unit"] != "hour" else (0, 1)
    price = (units, line["unit"], unit) if not rest else (1, "piece", cents * MICROS)
    part |= {"quantity": price[0], "unit": price[1], "days": [], "people": []}
    return part | ({"unit_micros": price[2]} if "unit_micros" in line else {"unit_cents": price[2] // MICROS})


def credit_sums(original: Mapping[str, Any], before: Mapping[int, int], taken: Mapping[int, int]) -> Totals:
    """What a credit note comes to that takes back ``taken`` after ``before`` (cents by place).

    VAT is taken of each note's own sum. Where prices hold no VAT, several notes could so come to a cent more or less than
    their invoice: the rounding of each brings all notes together to what was owed for what they took.
    """
    groups: list[Group] = []
    for group in original["taxes"]:
        places = [place for place, line in enumerate(original["lines"]) if line["vat_rate_bp"] == group["vat_rate_bp"]]
        if not any(place in taken for place in places):
            continue
        rate, now = group["vat_rate_bp"], sum(taken.get(place, 0) for place in places)
        if original["basis"] == "ttc":
            groups.extend(totals([PricedLine(-now, rate)]).groups)
            continue
        already = sum(before.get(place, 0) for place in places)
        owed = _owed(group, already + now) - _owed(group, already)
        vat = vat_of(now, rate)
        groups.append(Group(rate, -now, -vat, -(owed - now - vat)))
    return Totals(tuple(groups))


def _owed(group: Mapping[str, int], net: int) -> int:
    """What was owed for ``net`` of a group's sum; for the whole sum with its own rounding."""
    rounding = group["rounding_cents"] if net == group["net_cents"] else 0
    return net + vat_of(net, group["vat_rate_bp"]) + rounding

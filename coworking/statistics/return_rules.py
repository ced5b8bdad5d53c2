"""Checks of a monthly return, the same for one's own and for received ones."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from coworking.core.errors import N_
from coworking.core.months import WRITTEN, month_after, month_days, read_month
from coworking.statistics.consistency import ReturnInvalid, check_consistency
from coworking.statistics.schema import (
    CHAIN_HEADS,
    COUNTED_FROM,
    COUNTS,
    ENVELOPE,
    FAMILIES,
    FIGURES,
    MOST,
    MOST_CHAINS,
    OPTIONAL,
    REASONS,
    RESTATEMENT,
    SCHEMA,
    STATUS_NAMES,
    STATUSES,
    canonical,
    digest,
)

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_CHAIN = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
LONGEST_REASON = 500


_EARLIEST_MIDNIGHT = timedelta(hours=14)
"""Somewhere a month ends this long before it does at Greenwich."""
_SKEW = timedelta(days=1)
"""How far ahead of ours a sender's clock may go."""


def check_return(document: Any, *, at: datetime, zone: ZoneInfo | None = None) -> dict[str, Any]:
    """``document`` when it is a ``monthly-return/1`` of a lieu in ``zone`` that can be true at the instant ``at``.

    Raises `ReturnInvalid` that names the field and what is wrong with it: unknown or missing fields, wrong types
    (``true`` is not 1), numbers that contradict each other, a month that is not over, another digest.
    """
    envelope = _object(document, "", (*ENVELOPE, "figures"), optional=OPTIONAL)
    month = _check_envelope(envelope, at)
    figures = _object(envelope["figures"], "figures", (*FIGURES, "null_reasons"))
    _check_figures(figures, month)
    check_consistency(figures, month, zone)
    if COUNTED_FROM in envelope:
        _check_counted_from(envelope[COUNTED_FROM], month)
    if CHAIN_HEADS in envelope:
        _check_chain_heads(envelope[CHAIN_HEADS])
    if digest(canonical(figures)) != envelope["figures_sha256"]:
        raise ReturnInvalid(field="figures_sha256", reason=N_("this is not the digest of these figures"))
    return envelope


def _check_envelope(envelope: dict[str, Any], at: datetime) -> date:
    if envelope["schema"] != SCHEMA:
        raise ReturnInvalid(field="schema", reason=N_("only monthly-return/1 is known here"))
    _matching(envelope, "lieu_id", _is_uuid, N_("this is not a UUID in lower case"))
    _matching(envelope, "siret", r"\d{14}", N_("a SIRET has fourteen digits"), optional=True)
    _matching(envelope, "name", is_line, N_("a name is one line of 1 to 200 characters"))
    _matching(envelope, "code_insee", r"(\d{2}|2[AB])\d{3}", N_("a code like 63430 or 2A004"), optional=True)
    _matching(envelope, "month", WRITTEN, N_("write a month like 2026-10"))
    _matching(envelope, "software_version", r"[\w.+-]{1,64}", N_("write a version like 1.4.2"))
    _matching(envelope, "figures_sha256", r"[0-9a-f]{64}", N_("a digest has 64 hexadecimal digits"))
    _matching(envelope, "status", "|".join(STATUSES), N_("a return is provisional, final or a restatement"))
    _integer(envelope["revision"], "revision", least=1, most=10_000)
    _check_reason(envelope)
    month = read_month(envelope["month"])
    over = datetime.combine(month_after(month), datetime.min.time(), tzinfo=UTC) - _EARLIEST_MIDNIGHT
    if at < over:
        raise ReturnInvalid(field="month", reason=N_("this month is not over"))
    if not over <= _instant(envelope["generated_at"], "generated_at") <= at + _SKEW:
        raise ReturnInvalid(field="generated_at", reason=N_("a return is made after its month and before it is sent"))
    return month


def _check_reason(envelope: dict[str, Any]) -> None:
    restated = envelope["status"] == RESTATEMENT
    if restated and envelope["revision"] == 1:
        raise ReturnInvalid(field="revision", reason=N_("what was never stated cannot be restated"))
    if restated:
        _matching(envelope, "reason", _is_reason, N_("a restatement says why, in one line of 1 to 500 characters"))
    elif envelope["reason"] is not None:
        raise ReturnInvalid(field="reason", reason=N_("only a restatement has a reason"))


def _check_figures(figures: dict[str, Any], month: date) -> None:
    reasons = figures["null_reasons"]
    for name in COUNTS:
        if figures[name] is not None:
            _integer(figures[name], f"figures.{name}")
    nulls = {name for name in FIGURES if figures[name] is None}
    if (at := figures["peak_at"]) is not None:
        _instant(at, "figures.peak_at")
        first, last = month_days(month)
        if not first.isoformat() <= at[:10] <= last.isoformat():
            raise ReturnInvalid(field="figures.peak_at", reason=N_("this is another month"))
    if figures["people_by_status"] is not None:
        split = _object(figures["people_by_status"], "figures.people_by_status", STATUS_NAMES)
        nulls |= {f"people_by_status.{name}" for name, people in split.items() if people is None}
        for name, people in split.items():
            if people is not None:
                _integer(people, f"figures.people_by_status.{name}")
    if figures["revenue_cents_by_family"] is not None:
        revenue = _object(figures["revenue_cents_by_family"], "figures.revenue_cents_by_family", FAMILIES)
        for name, cents in revenue.items():  # a month of credit notes is negative
            _integer(cents, f"figures.revenue_cents_by_family.{name}", least=-MOST)
    if figures["by_weekday_hour"] is not None:
        _check_hours(figures["by_weekday_hour"])
    _check_reasons(reasons, nulls)


def _check_reasons(reasons: Any, nulls: set[str]) -> None:
    if not isinstance(reasons, dict):
        raise ReturnInvalid(field="figures.null_reasons", reason=N_("send an object"))
    for name in sorted(nulls):
        if name not in reasons:
            raise ReturnInvalid(field=f"figures.{name}", reason=N_("null without a reason"))
        if reasons[name] not in REASONS:
            raise ReturnInvalid(field=f"figures.null_reasons.{name}", reason=N_("this reason is not known"))
    for name in reasons:
        if name not in nulls:
            raise ReturnInvalid(field=f"figures.null_reasons.{name}", reason=N_("this figure is not null"))


def _check_hours(table: Any) -> None:
    field = "figures.by_weekday_hour"
    if not isinstance(table, list) or len(table) != 7:
        raise ReturnInvalid(field=field, reason=N_("send seven lists of 24 pairs"))
    for weekday, hours in enumerate(table):
        if not isinstance(hours, list) or len(hours) != 24:
            raise ReturnInvalid(field=f"{field}.{weekday}", reason=N_("send seven lists of 24 pairs"))
        for hour, pair in enumerate(hours):
            place = f"{field}.{weekday}.{hour}"
            if not isinstance(pair, list) or len(pair) != 2:
                raise ReturnInvalid(field=place, reason=N_("send a pair: booked and offered"))
            for number in pair:
                _integer(number, place)


def _check_counted_from(value: Any, month: date) -> None:
    first, last = month_days(month)
    written = {(first + timedelta(days=n)).isoformat() for n in range(1, last.day)}
    if not isinstance(value, str) or value not in written:
        raise ReturnInvalid(field=COUNTED_FROM, reason=N_("write a day of this month after its first, like 2026-10-25"))


def _check_chain_heads(heads: Any) -> None:
    if not isinstance(heads, dict) or len(heads) > MOST_CHAINS:
        raise ReturnInvalid(field=CHAIN_HEADS, reason=N_("send an object"))
    for name, head in heads.items():
        field = f"{CHAIN_HEADS}.{name}"[:80]
        if not _CHAIN.fullmatch(name):
            raise ReturnInvalid(field=field, reason=N_("this field is not known"))
        _object(head, field, ("seq", "digest"))
        _integer(head["seq"], f"{field}.seq")
        if not isinstance(head["digest"], str) or not re.fullmatch(r"[0-9a-f]{64}", head["digest"], re.ASCII):
            raise ReturnInvalid(field=f"{field}.digest", reason=N_("a digest has 64 hexadecimal digits"))


def _object(value: Any, field: str, names: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """``value`` when it is an object with exactly the members ``names``, and those ``optional`` where they are there."""
    if not isinstance(value, dict):
        raise ReturnInvalid(field=field or "body", reason=N_("send an object"))
    for name in value:
        if name not in names and name not in optional:
            raise ReturnInvalid(field=f"{field}.{name}".lstrip("."), reason=N_("this field is not known"))
    for name in names:
        if name not in value:
            raise ReturnInvalid(field=f"{field}.{name}".lstrip("."), reason=N_("this field is missing"))
    return value


def _integer(value: Any, field: str, *, least: int = 0, most: int = MOST) -> int:
    if type(value) is not int:  # True is an int to Python, 3.0 is a number to JSON: neither is a count
        raise ReturnInvalid(field=field, reason=N_("send a whole number"))
    if not least <= value <= most:
        raise ReturnInvalid(field=field, reason=N_("this number is too small or too large"))
    return value


def _matching(
    values: dict[str, Any], name: str, form: str | Callable[[str], bool], reason: str, *, optional: bool = False
) -> None:
    value = values[name]
    if optional and value is None:
        return
    good = isinstance(value, str) and (
        re.fullmatch(form, value, re.ASCII) is not None if isinstance(form, str) else form(value)
    )
    if not good:
        raise ReturnInvalid(field=name, reason=reason)


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def is_line(text: str, most: int = 200) -> bool:
    """Whether ``text`` is 1 to ``most`` characters that databases and PDFs can hold."""
    return (
        0 < len(text) <= most
        and text == text.strip()
        and not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in text)
    )


def _is_reason(text: str) -> bool:
    return is_line(text, LONGEST_REASON)


def _instant(text: Any, field: str) -> datetime:
    """An RFC 3339 instant with its offset."""
    if isinstance(text, str) and _INSTANT.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    raise ReturnInvalid(field=field, reason=N_("write an instant like 2026-10-31T18:00:00+01:00"))

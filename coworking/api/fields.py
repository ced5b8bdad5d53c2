"""What JSON and query strings may hold: instants with an offset, text a database can keep, numbers in bounds.

Messages are English message ids; the error handler says them in the reader's language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from apiflask import Schema
from marshmallow import RAISE, ValidationError, fields, validate

from coworking.core.errors import N_, DomainError, at_field
from coworking.core.months import WRITTEN, MonthUnreadable, read_month
from coworking.core.reading import FarDate, UnreadableDate, day_of

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)([Zz]|[+-]\d\d:\d\d)?")
_EATEN_PLUS = re.compile(r"(?<=T)(\d\d:\d\d\S*) (?=\d\d:\d\d$)")
_LONGEST_INSTANT = 40
"""Characters; the pattern above would read a longer text again and again."""
_LONGEST_READ = 254
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DIGITS = re.compile(r"[0-9]{1,9}")
_YEARS = range(2000, 2200)

REQUIRED = N_("This is missing.")
UNKNOWN = N_("This field is not known here.")
NOT_AN_OBJECT = N_("Send a JSON object.")
NOT_A_LIST = N_("Send a JSON list.")
NOT_TEXT = N_("Send text.")
NOT_A_NUMBER = N_("Send a whole number.")
NOT_A_TRUTH = N_("Send true or false.")
NULL = N_("This cannot be null: leave it out.")
CONTROL = N_("This holds characters that text cannot have.")
NOT_AN_INSTANT = N_("Write a date and a time like 2026-11-26T09:00:00+01:00.")
OUT_OF_BOUNDS = N_("This number is too small or too large.")
TOO_LONG = N_("This text is too long.")
TWICE = N_("Name each only once.")
NOT_OFFERED = N_("Choose one of the values that the documentation names.")


class OffsetRequired(DomainError):
    """A time without an offset is ambiguous."""

    code = "offset_required"
    status = 422
    message = N_("Say how far this time is from UTC, like 2026-11-26T09:00:00+01:00.")


class StrictSchema(Schema):
    """An object that reports every unknown field."""

    class Meta:
        unknown = RAISE

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.error_messages |= {"unknown": UNKNOWN, "type": NOT_AN_OBJECT}


_COMMON: dict[str, Any] = {"required": REQUIRED, "null": NULL}


class Text(fields.String):
    """Text in one line, white space folded, of ``least`` to ``most`` characters; never NUL, controls or lone surrogates."""

    default_error_messages = _COMMON | {"invalid": NOT_TEXT, "invalid_utf8": NOT_TEXT}

    def __init__(self, most: int = 64, *, least: int = 0, **options: Any) -> None:
        length: list[Any] = [validate.Length(max=most, error=TOO_LONG)]
        if least:
            length.append(validate.Length(min=least, error=REQUIRED))
        super().__init__(validate=length, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        text = " ".join(super()._deserialize(value, attr, data, **options).split())
        if any(unicodedata.category(char) in {"Cc", "Cs"} for char in text):
            raise ValidationError(CONTROL)
        return text


class TextLines(fields.String):
    """Text of several lines, up to ``most`` characters; never NUL, controls or lone surrogates."""

    default_error_messages = _COMMON | {"invalid": NOT_TEXT, "invalid_utf8": NOT_TEXT}

    def __init__(self, most: int = 2000, **options: Any) -> None:
        super().__init__(validate=validate.Length(max=most, error=TOO_LONG), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options).replace("\r\n", "\n").strip()
        if any(unicodedata.category(char) in {"Cc", "Cs"} for char in text if char not in "\n\t"):
            raise ValidationError(CONTROL)
        return text


class ReadText(Text):
    """Text that ``read`` makes a value of, or refuses with an error of its own; empty text: nothing."""

    def __init__(self, read: Callable[[str], str], most: int = 64, **options: Any) -> None:
        super().__init__(most, **options)
        self.read = read

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        if not text or len(text) > _LONGEST_READ:
            return text  # what is too long is refused as such
        with at_field(str(self.data_key or self.name)):
            return self.read(text)


class OneOf(fields.String):
    """One of ``choices``."""

    default_error_messages = _COMMON | {"invalid": NOT_TEXT, "invalid_utf8": NOT_TEXT}

    def __init__(self, *choices: str, **options: Any) -> None:
        super().__init__(validate=validate.OneOf(choices, error=NOT_OFFERED), **options)


class Number(fields.Integer):
    """A whole number from ``least`` to ``most``; in query strings, its digits."""

    default_error_messages = _COMMON | {"invalid": NOT_A_NUMBER, "too_large": OUT_OF_BOUNDS}

    def __init__(self, least: int, most: int, **options: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(least, most, error=OUT_OF_BOUNDS), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> int:
        if isinstance(value, str) and _DIGITS.fullmatch(value):
            value = int(value)
        return super()._deserialize(value, attr, data, **options)


class Truth(fields.Boolean):
    """``true`` or ``false``."""

    default_error_messages = _COMMON | {"invalid": NOT_A_TRUTH}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> bool:
        if not isinstance(value, bool):  # 0 and 1 are numbers, "yes" is text
            raise ValidationError(NOT_A_TRUTH)
        return value


class Instant(fields.Field[datetime]):
    """An RFC 3339 time with an offset, as an aware UTC datetime; raises `OffsetRequired` for a naive one.

    In query strings a ``+`` that arrived as a space is read as the plus it was.
    """

    default_error_messages = _COMMON

    def __init__(self, **options: Any) -> None:
        metadata = {"type": "string", "format": "date-time"} | options.pop("metadata", {})
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> datetime:
        if not isinstance(value, str) or len(value) > _LONGEST_INSTANT:
            raise ValidationError(NOT_AN_INSTANT)
        if not (match := _RFC3339.fullmatch(_EATEN_PLUS.sub(r"\1+", value))):
            raise ValidationError(NOT_AN_INSTANT)
        if match[2] is None:
            raise OffsetRequired(field=self.data_key or self.name)
        try:
            instant = datetime.fromisoformat(match[0].upper())
            if instant.year not in _YEARS:
                raise ValidationError(OUT_OF_BOUNDS)
            return instant.astimezone(UTC)
        except ValueError as error:
            if isinstance(error, ValidationError):
                raise
            raise ValidationError(NOT_AN_INSTANT) from error


class Month(fields.Field[date]):
    """``YYYY-MM`` as the month's first day."""

    default_error_messages = _COMMON

    def __init__(self, **options: Any) -> None:
        metadata = {"type": "string", "pattern": f"^{WRITTEN}$"} | options.pop("metadata", {})
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> date:
        try:
            return read_month(str(value))
        except MonthUnreadable as error:
            raise ValidationError(error.message) from error


class Day(fields.Field[date]):
    """A local date, ``YYYY-MM-DD``."""

    default_error_messages = _COMMON

    def __init__(self, **options: Any) -> None:
        metadata = {"type": "string", "format": "date"} | options.pop("metadata", {})
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> date:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise ValidationError(UnreadableDate.message)
        try:
            return day_of(value)
        except (UnreadableDate, FarDate) as error:
            raise ValidationError(error.message) from error


class Numbers(fields.List):
    """Up to ``most_of`` whole numbers, each from ``least`` to ``most`` and only once."""

    default_error_messages = _COMMON | {"invalid": NOT_A_LIST}

    def __init__(self, least: int, most: int, *, most_of: int, **options: Any) -> None:
        metadata = {"uniqueItems": True} | options.pop("metadata", {})
        super().__init__(
            Number(least, most),
            validate=[validate.Length(1, most_of, error=OUT_OF_BOUNDS), _check_once],
            metadata=metadata,
            **options,
        )


def _check_once(values: list[int]) -> None:
    if len(set(values)) != len(values):
        raise ValidationError(TWICE)


class ListOf(fields.List):
    """A list of ``least`` to ``most`` objects."""

    default_error_messages = _COMMON | {"invalid": NOT_A_LIST}

    def __init__(self, schema: type[Schema], least: int, most: int, **options: Any) -> None:
        super().__init__(fields.Nested(schema), validate=validate.Length(least, most, error=OUT_OF_BOUNDS), **options)

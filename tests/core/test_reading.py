"""One reader for each kind of text that people type; what it refuses says what would be right."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.core import reading
from coworking.core.errors import DomainError


@pytest.mark.parametrize("typed", ["  Anne@Demo.Example ", "anne@demo.example"])
def test_an_address_is_trimmed_and_in_lower_case(typed: str):
    assert reading.email_of(typed) == "anne@demo.example"


def test_an_address_with_accents_in_its_domain_is_kept_in_ascii():
    assert reading.email_of("anne@Châteldon.example") == "anne@xn--chteldon-jza.example"


@pytest.mark.parametrize(
    "typed",
    ["", "anne", "anne@", "@demo.example", "anne@demo", "an ne@demo.example", "anne@demo..example"]
    + ["anne@-demo.example", "anne@demo.example\nBcc: all@demo.example", "anne@demo.example, karim@demo.example"]
    + ['"Anne" <anne@demo.example>', '"anne"@demo.example', "anné@demo.example", "anne@[192.0.2.1]"]
    + ["a" * 250 + "@demo.example"],
)
def test_what_is_no_address(typed: str):
    with pytest.raises(reading.EmailInvalid):
        reading.email_of(typed)


def test_words_are_one_line_without_control_characters():
    assert reading.words_of("  Jean \t Pierre\x00\x07 \n") == "Jean Pierre"
    assert reading.lines_of(" un\r\ndeux\x00 ") == "un\r\ndeux"
    with pytest.raises(reading.Missing):
        reading.words_of(" \u200b ", required=True)
    with pytest.raises(reading.TextTooLong):
        reading.words_of("x" * 81, most=80)


@given(st.text())
def test_words_can_stand_in_a_header(text: str):
    assert reading.words_of(text, most=10**6).isprintable()


@pytest.mark.parametrize(
    ("text", "minute"),
    [
        ("9:30", 570),
        ("09:30", 570),
        ("9h30", 570),
        ("9 H 30", 570),
        ("9 h", 540),
        ("9", 540),
        ("0:00", 0),
        ("24:00", 1440),
    ],
)
def test_a_clock_is_read_as_people_write_it(text: str, minute: int):
    assert reading.minute_of(text) == minute


@pytest.mark.parametrize("text", ["", "24:01", "25:00", "9:60", "-1:00", "+9:30", "٩:٣٠", "9:3", "midi", "9:30:00"])
def test_what_is_no_clock(text: str):
    with pytest.raises(reading.UnreadableTime):
        reading.minute_of(text)


def test_a_day_ends_before_midnight_on_a_wall_clock():
    assert reading.time_of("23:59") == time(23, 59)
    with pytest.raises(reading.UnreadableTime):
        reading.time_of("24:00")


def test_days_are_iso_dates_between_2000_and_2199():
    assert reading.day_of(" 2027-03-28 ") == date(2027, 3, 28)
    for text in ("1999-12-31", "2200-01-01", "9999-12-31", "0001-01-01"):
        with pytest.raises(reading.FarDate):
            reading.day_of(text)
    for text in ("", "28/03/2027", "2027-02-29", "demain", "2027-3-28"):
        with pytest.raises(reading.UnreadableDate):
            reading.day_of(text)


def test_numbers_are_whole_and_within_their_bounds():
    assert reading.number_of(" 42 ", 1, 500) == 42 and reading.count_of("1 234") == 1234
    for text in ("", "0", "501", "1.5", "-1", "+1", "1_0", "٤٢", "9" * 30):
        with pytest.raises(reading.UnreadableNumber):
            reading.number_of(text, 1, 500)
    for text in ("", "-1", "9" * 13):
        with pytest.raises(reading.UnreadableCount):
            reading.count_of(text)
    assert [reading.nearest_number(text, 60, 15, 720) for text in (None, "", "x", "1", "9999", "90")] == [
        *(60, 60, 60, 15, 720, 90)
    ]
    assert reading.row_of("12") == 12 and reading.row_of("9" * 19) is None and reading.row_of("-1") is None


def test_numbers_with_check_digits():
    assert reading.siret_of("123 456 782 00010") == "12345678200010"
    assert reading.iban_of("FR76 3000 6000 0112 3456 7890 189") == "FR7630006000011234567890189"
    for read, text, error in (
        (reading.siret_of, "12345678900000", reading.SiretInvalid),
        (reading.siren_of, "123456789", reading.SirenInvalid),
        (reading.vat_number_of, "FR 00 123456782", reading.VatNumberInvalid),
        (reading.iban_of, "FR76 3000 6000 0112 3456 7890 188", reading.IbanInvalid),
        (reading.bic_of, "ABC", reading.BicInvalid),
    ):
        with pytest.raises(error):
            read(text)


def test_phones_and_postcodes_as_typed():
    assert reading.phone_of("  +33 4 73  00 00 00") == "+33 4 73 00 00 00" and reading.postcode_of("63 300") == "63300"
    assert reading.maybe(reading.phone_of, " ") is None
    for text in ("call me", "12", "0" * 40):
        with pytest.raises(reading.PhoneInvalid):
            reading.phone_of(text)
    for text in ("6330", "633000", "٦٣٣٠٠", "2A004"):
        with pytest.raises(reading.PostcodeInvalid):
            reading.postcode_of(text)


READERS = [reading.email_of, reading.minute_of, reading.time_of, reading.day_of, reading.count_of, reading.phone_of]
READERS += [
    reading.postcode_of,
    reading.siren_of,
    reading.siret_of,
    reading.vat_number_of,
    reading.iban_of,
    reading.bic_of,
]


@given(st.text(), st.sampled_from(READERS))
def test_no_text_breaks_a_reader(text: str, read):
    with suppress(DomainError):
        read(text)

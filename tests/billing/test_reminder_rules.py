"""Which step an overdue invoice reaches on which day, why nothing leaves, what lateness costs, which names words hold."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.billing.mentions import MENTIONS
from coworking.billing.reminder_rules import (
    ECB_RATES,
    FIRM,
    FORMAL,
    KIND,
    NO_COSTS,
    PLACEHOLDERS,
    STEPS,
    USUAL_DAYS,
    DaysInvalid,
    LateCosts,
    Next,
    NoStepLeft,
    Overdue,
    Pause,
    PlaceholderMissing,
    PrintedRate,
    RateUnreadable,
    StepSchedule,
    UnknownPlaceholder,
    check_steps,
    check_words,
    half_year,
    late_costs,
    next_reminder,
    penalty_cents,
    printed_rate,
    read_rate,
    sending_day,
    sending_day_after,
    with_values,
)
from coworking.billing.reminder_words import USUAL, Words

DUE = date(2026, 11, 2)
"""A Monday."""
USUAL_SCHEDULE = StepSchedule(USUAL_DAYS)


def days(count: int) -> date:
    return DUE + timedelta(days=count)


def test_the_steps_follow_each_other_on_their_days():
    assert next_reminder(Overdue(DUE, 100), USUAL_SCHEDULE, days(1)) == Next(KIND, days(7), None, days(1))
    kind = {KIND: days(7)}
    assert next_reminder(Overdue(DUE, 100, kind), USUAL_SCHEDULE, days(8)).on == days(21)
    firm = kind | {FIRM: days(21)}
    assert next_reminder(Overdue(DUE, 100, firm), USUAL_SCHEDULE, days(22)).step == FORMAL
    everything = firm | {FORMAL: days(42)}
    assert next_reminder(Overdue(DUE, 100, everything), USUAL_SCHEDULE, days(50)) == Next(None, None, "ended")


def test_what_is_long_overdue_begins_with_the_kind_step_and_keeps_the_gap():
    assert next_reminder(Overdue(DUE, 100), USUAL_SCHEDULE, days(100)) == Next(KIND, days(100), None, days(100))
    after = next_reminder(Overdue(DUE, 100, {KIND: days(100)}), USUAL_SCHEDULE, days(100))
    assert (after.step, after.on, after.sooner) == (FIRM, days(107), days(107)), "never two steps in one day"


def test_the_gap_counts_for_all_that_a_payer_gets():
    assert next_reminder(Overdue(DUE, 100), USUAL_SCHEDULE, days(7), payer_reminded_on=days(4)).on == days(11)


def test_a_step_that_is_not_used_or_left_out_is_passed_over():
    assert next_reminder(Overdue(DUE, 100), StepSchedule({FIRM: 21}), days(1)).step == FIRM
    left_out = Overdue(DUE, 100, pauses=[Pause(step=KIND)])
    assert next_reminder(left_out, USUAL_SCHEDULE, days(7)) == Next(FIRM, days(21), None, days(7))


def test_no_step_behind_one_that_was_sent():
    """A manager who brings the kind step back does not begin anew with those who got the firm one."""
    assert next_reminder(Overdue(DUE, 100, {FIRM: days(21)}), USUAL_SCHEDULE, days(30)).step == FORMAL


@pytest.mark.parametrize("why", ["pending", "disputed", "collected", "credit", "transfer"])
def test_nothing_leaves_while_money_is_on_its_way(why):
    assert next_reminder(Overdue(DUE, 100, silence=why), USUAL_SCHEDULE, days(60)) == Next(None, None, why)


def test_nothing_leaves_for_what_is_paid():
    assert next_reminder(Overdue(DUE, 0), USUAL_SCHEDULE, days(60)).why_not == "paid"
    assert next_reminder(Overdue(DUE, -5), USUAL_SCHEDULE, days(60)).why_not == "paid"


def test_a_pause_holds_until_its_day_or_until_somebody_ends_it():
    held = next_reminder(Overdue(DUE, 100, pauses=[Pause(days(10))]), USUAL_SCHEDULE, days(7))
    assert held == Next(KIND, days(10), "paused", days(10))
    assert next_reminder(Overdue(DUE, 100, pauses=[Pause(days(10))]), USUAL_SCHEDULE, days(10)).why_not is None
    assert next_reminder(Overdue(DUE, 100, pauses=[Pause()]), USUAL_SCHEDULE, days(99)) == Next(None, None, "paused")


def test_nothing_leaves_on_a_day_on_which_something_moved():
    """So whatever leaves has stood on the list the day before."""
    assert next_reminder(Overdue(DUE, 100, moved_on=days(7)), USUAL_SCHEDULE, days(7)).on == days(8)
    assert next_reminder(Overdue(DUE, 100), StepSchedule(USUAL_DAYS, begins_on=days(9)), days(8)).on == days(9)


def test_nothing_leaves_on_a_weekend():
    saturday = date(2026, 11, 7)
    assert [sending_day(saturday + timedelta(days=count)).day for count in (-1, 0, 1, 2)] == [6, 9, 9, 9]
    assert sending_day_after(date(2026, 11, 6)) == date(2026, 11, 9)
    assert next_reminder(Overdue(DUE, 100), StepSchedule({KIND: 5}), days(5)).on == date(2026, 11, 9)


@given(
    st.dictionaries(st.sampled_from(STEPS), st.integers(1, 90), min_size=1),
    st.integers(1, 30),
    st.lists(st.integers(1, 400), max_size=60),
)
def test_each_step_once_in_order_and_apart(steps, gap, looked):
    """Whatever days somebody looks on: each step once, in order, and never sooner than its day and the gap."""
    sent: dict[int, date] = {}
    for count in sorted(looked):
        coming = next_reminder(Overdue(DUE, 100, sent), StepSchedule(steps, gap), days(count))
        if coming.step is not None and coming.on == days(count):
            assert coming.step not in sent and coming.step > max(sent, default=0)
            assert count >= steps[coming.step] and coming.on.weekday() < 5
            assert all((coming.on - day).days >= gap for day in sent.values())
            sent = sent | {coming.step: coming.on}


def test_steps_come_one_after_the_other():
    check_steps({KIND: 7, FIRM: 21, FORMAL: 40})
    check_steps({FORMAL: 3})
    with pytest.raises(DaysInvalid):
        check_steps({KIND: 21, FIRM: 21})
    with pytest.raises(NoStepLeft):
        check_steps({})


# What lateness costs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "rate"),
    [
        (MENTIONS["penalty"].usual(date(2026, 11, 1)), PrintedRate(1000, above_ecb=True)),
        ("Pénalités de retard : 12,5 % par an.", PrintedRate(1250)),
        ("Pénalités : 1,5 % par mois de retard", PrintedRate(1800)),
        ("Pénalités : taux BCE majoré de 8 points", PrintedRate(800, above_ecb=True)),
        ("Pénalités : trois fois le taux d’intérêt légal", None),
        ("Escompte pour paiement anticipé : 2 %", None),
    ],
)
def test_the_rate_is_read_from_the_invoice(words, rate):
    assert printed_rate(["Nature de l’opération : prestations de services.", words]) == rate


def test_penalties_run_from_the_day_after_by_the_day():
    assert penalty_cents(100_000, PrintedRate(1200), DUE, days(365), {}) == 12_000
    assert penalty_cents(100_000, PrintedRate(1200), DUE, days(1), {}) == 33, "32.87 cents, half-up"
    assert penalty_cents(100_000, PrintedRate(1200), DUE, DUE, {}) == 0
    assert penalty_cents(100_000, None, DUE, days(9), {}) is None


def test_the_rate_of_each_half_year_holds_for_its_own_days():
    """Code de commerce L. 441-10, II: of the first half-year the rate on 1 January, of the second that on 1 July."""
    ecb = {date(2026, 1, 1): 215, date(2026, 7, 1): 315}
    due, today = date(2026, 6, 20), date(2026, 7, 10)
    rate = PrintedRate(1000, above_ecb=True)
    expected = (10 * 1215 + 10 * 1315) * 1_000_000 / (10_000 * 365)
    assert penalty_cents(1_000_000, rate, due, today, ecb) == round(expected)
    assert penalty_cents(1_000_000, rate, due, today, {date(2026, 1, 1): 215}) is None, "nobody looked it up"
    assert all(half_year(day) == day for day in ECB_RATES)


@given(st.integers(1, 10_000_000), st.integers(1, 3000), st.integers(0, 800), st.integers(0, 800))
def test_penalties_never_shrink_with_time(cents, bp, first, second):
    earlier, later = sorted((first, second))
    known = penalty_cents(cents, PrintedRate(bp), DUE, days(earlier), {})
    assert known is not None and 0 <= known <= (penalty_cents(cents, PrintedRate(bp), DUE, days(later), {}) or 0)


def costs(*, is_organisation: bool, says: bool) -> LateCosts:
    return late_costs(
        is_organisation=is_organisation,
        says_costs=says,
        owed_cents=100_000,
        notes=["Pénalités : 12 % par an"],
        due_on=DUE,
        today=days(365),
        ecb={},
    )


def test_the_forty_euros_are_for_organisations_alone_and_only_where_the_step_says_so():
    assert costs(is_organisation=True, says=True) == LateCosts(4000, 12_000)
    assert costs(is_organisation=True, says=False) == NO_COSTS
    assert costs(is_organisation=False, says=True) == NO_COSTS


def test_rates_are_read_as_people_write_them():
    assert [read_rate(text) for text in ("2,15", "2.15 %", " 3 ", "0,5")] == [215, 215, 300, 50]
    for text in ("", "deux", "2,155", "-1", "123"):
        with pytest.raises(RateUnreadable):
            read_rate(text)


# Words ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("step", "language"), list(USUAL))
def test_the_usual_words_hold_known_names_only(step, language):
    words = USUAL[step, language]
    check_words(language, words.subject, words.text, step=step)
    values = {meaning: f"<{meaning}>" for meaning in PLACEHOLDERS[language].values()}
    whole = with_values(language, f"{words.subject}\n\n{words.text}", values)
    assert "{" not in whole and "}" not in whole
    assert ("<costs>" in whole) == (step == FORMAL)
    if language == "fr":
        assert "!" not in whole


@pytest.mark.parametrize(
    ("language", "subject", "text", "step", "error", "field"),
    [
        ("fr", "Bonjour {prenom}", "{factures} {lien}", KIND, UnknownPlaceholder, "subject_fr"),
        ("fr", "Rappel", "{factures} {lien} {frais}", FIRM, UnknownPlaceholder, "text_fr"),
        ("fr", "{factures}", "{factures} {lien}", KIND, UnknownPlaceholder, "subject_fr"),
        ("en", "Reminder", "{invoices} {lien}", KIND, UnknownPlaceholder, "text_en"),
        ("en", "Reminder", "{link}", KIND, PlaceholderMissing, "text_en"),
        ("en", "Reminder", "{invoices} {}", KIND, UnknownPlaceholder, "text_en"),
        ("fr", "Rappel", "{factures}", FORMAL, PlaceholderMissing, "text_fr"),
    ],
)
def test_a_name_that_stands_for_nothing_is_refused_at_its_input(language, subject, text, step, error, field):
    with pytest.raises(error) as refused:
        check_words(language, subject, text, step=step)
    assert refused.value.at_field == field


def test_empty_paragraphs_go():
    words = Words("x", "Bonjour {payeur},\r\n\r\n{frais}\r\n\r\n{total}")
    assert with_values("fr", words.text, {"payer": "Lise", "costs": "", "total": "9 €"}) == "Bonjour Lise,\n\n9 €"

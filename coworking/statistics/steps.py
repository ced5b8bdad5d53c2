"""The steps of closing a month: what is done, what looks wrong, what is still to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from flask import url_for

from coworking.billing import queries as billing
from coworking.core.formats import day_month
from coworking.core.i18n import _, ngettext
from coworking.core.months import month_days, write_month
from coworking.spaces import queries as spaces
from coworking.statistics.labels import LABELS, percent
from coworking.statistics.models import MonthlyReturn
from coworking.statistics.month_state import MonthState
from coworking.statistics.pairs import known_enough
from coworking.statistics.schema import PROVISIONAL, Figures


@dataclass(frozen=True, slots=True)
class Step:
    """One step of closing. ``state``: done, todo (somebody must act), odd (worth a look), wait (later)."""

    state: str
    title: str
    detail: str = ""
    url: str | None = None
    action: str | None = None


def steps(state: MonthState, now: Figures, open_ones: int, *, money: bool) -> list[Step]:
    """The steps of a month, of whose booked half-days ``open_ones`` are not decided; ``now``: its figures as they stand.

    ``money``: with the invoices, for those who may see them.
    """
    found = [_over(state), *_partial(state), _decided(state, open_ones)]
    booked, known = now["desk_booked_halfdays"], now["desk_known_halfdays"]
    if booked and not known_enough(known, booked):
        share = percent(100 * known // booked)
        found.append(
            Step("odd", _("Attendance will not be shown"), _("Only %(share)s of the half-days are known.", share=share))
        )
    if state.last is not None:
        found.append(_closed(state, state.last))
    if money:
        found.append(_invoiced(state))
    found.append(_sent(state))
    return found


def _over(state: MonthState) -> Step:
    _first, last = month_days(state.month)
    if state.is_over:
        return Step("done", _("The month is over"), _("Its days are counted and keep the hours they had."))
    return Step(
        "wait",
        _("The month is not over"),
        _("Figures up to yesterday; it can be closed from %(day)s on.", day=day_month(last + timedelta(days=1))),
    )


def _partial(state: MonthState) -> list[Step]:
    """A month that began before the lieu did."""
    if state.counted_from is None:
        return []
    title = _("Counted from %(day)s on", day=day_month(state.counted_from))
    return [Step("odd", title, _("This place was not here before: do not compare it with a whole month."))]


def _decided(state: MonthState, open_ones: int) -> Step:
    if not open_ones:
        return Step(
            "done", _("Every booked half-day has its outcome"), _("Each is recorded as came, absent or not known.")
        )
    detail = _("Until then the return is provisional. After seven days they stay unknown.")
    title = ngettext("%(num)s half-day to confirm", "%(num)s half-days to confirm", open_ones)
    if not state.is_over:
        return Step("wait", title, detail)
    return Step("todo", title, detail, url_for("frontdesk.today"), _("Confirm them"))


def _invoiced(state: MonthState) -> Step:
    issued, waiting = billing.month_progress(state.month)
    done = ngettext("%(num)s issued", "%(num)s issued", issued)
    if not state.is_over:
        return Step("wait", _("Invoices of the month"), _("They are prepared once the month is over."))
    if not waiting:
        title = _("Invoices of the month: %(issued)s", issued=done) if issued else _("Nothing to invoice this month")
        return Step("done", title, _("Nothing is left to invoice."))
    left = ngettext("%(num)s to issue", "%(num)s to issue", waiting)
    url = url_for("billing.month", month=write_month(state.month))
    return Step("todo", _("Invoices of the month: %(left)s", left=left), done if issued else "", url, _("Prepare them"))


def _closed(state: MonthState, last: MonthlyReturn) -> Step:
    title = _("Closed on %(day)s: revision %(revision)s", day=day_month(_local(last)), revision=last.revision)
    if state.changed:
        names = [_(LABELS[name]) for name in state.changed if name in LABELS]
        return Step("odd", title, _("Changed since: %(names)s.", names=", ".join(names) or _("the hours of the week")))
    if last.status == PROVISIONAL:
        return Step("wait", title, _("Provisional: it becomes final once every half-day has its outcome."))
    return Step("done", title, _("Final: these figures no longer move."))


def _local(row: MonthlyReturn) -> date:
    return row.generated_at.astimezone(spaces.lieu().tz).date()


def _sent(state: MonthState) -> Step:
    to = state.recipient
    if to is None:
        return Step("wait", _("Nobody receives it"), _("This place belongs to no network: the return is kept here."))
    if to.trouble:
        return Step("todo", _("Not received yet by %(name)s", name=to.name), to.trouble)
    if to.sent_at is not None and state.last is not None and to.revision == state.last.revision:
        day = day_month(to.sent_at.astimezone(spaces.lieu().tz).date())
        said = _("Sent to %(name)s by e-mail", name=to.name) if to.by_email else _("Received by %(name)s", name=to.name)
        return Step("done", said, _("On %(day)s.", day=day))
    if state.last is None:
        return Step("wait", _("To be sent to %(name)s", name=to.name), _("Right after closing."))
    if to.since is not None and state.last.generated_at < to.since:
        said = _("It was closed before this place joined. A correction would be sent.")
        return Step("wait", _("Not sent to %(name)s", name=to.name), said)
    return Step(
        "wait", _("On its way to %(name)s", name=to.name), _("It is sent within minutes; there is nothing to do.")
    )

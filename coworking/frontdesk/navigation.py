"""The frame of every page: the lieu's name, the menu, the person signed in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from flask import Flask, current_app, request, url_for
from markupsafe import Markup

from coworking.core.i18n import _, language
from coworking.core.page_versions import Keep
from coworking.core.policy import Actor, Role, actor_or_none
from coworking.spaces import queries as spaces

THUMBS, STAFF_THUMBS, BESIDE_MORE = 5, 4, 3
"""How many entries a phone's bar holds (the team's words are longer), and how many when one leads to the others."""


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """One entry of the menu; ``current`` marks the part of the product being shown."""

    url: str
    label: str
    icon: str
    current: bool


@dataclass(frozen=True, slots=True)
class Sign:
    """The lieu's name in the head of a page."""

    name: str
    city: str


class PageBars(NamedTuple):
    """The bars around a page, drawn: ``top``, and ``thumbs`` for a phone (empty for visitors)."""

    top: Markup
    thumbs: Markup


_BARS, _BARS_KEPT = "coworking-page-bars", 256
"""Where an application keeps them, and how many: they differ by endpoint, roles and language, not by person."""


def _entries(*wanted: tuple[str, str, str]) -> list[NavigationEntry]:
    """Entries for the endpoints that exist; the current one by its blueprint or endpoint."""
    here = request.endpoint or ""
    found: list[NavigationEntry] = []
    for endpoint, label, icon in wanted:
        if endpoint in current_app.view_functions:
            found.append(NavigationEntry(url_for(endpoint), label, icon, _is_part(endpoint, here)))
    return found


_PARTS = {
    "frontdesk.today": {
        "frontdesk.arrival",
        "frontdesk.card",
        "frontdesk.scan",
        "frontdesk.paper",
        "frontdesk.print_all",
        "frontdesk.to_print",
        "frontdesk.ask_cancel_sale",
        "frontdesk.deposits",
        "frontdesk.drawer_of_day",
        "frontdesk.sale",
        "frontdesk.sell",
        "frontdesk.show_drawer",
        "register.enter_arrival",
        "register.settle",
        "register.show",
        "register.undo_settling",
    },
    "week.show": {
        "booking.booking",
        "week.book",
        "week.desks",
        "booking.mine",
        "booking.new_payer",
        "week.offer",
        "week.repeat",
    },
    "booking.rooms": {"booking.new_room_booking", "booking.book_room"},
    "accounts.people": {
        "accounts.accepted_on_paper",
        "accounts.agreements_of",
        "accounts.text_to_sign",
        "twins.compare",
        "twins.index",
        "twins.merge",
        "twins.other_record",
        "accounts.person",
        "accounts.new_person",
        "proxy.edit",
        "frontdesk.story",
        "imports.check",
        "imports.index",
        "imports.one",
        "membership.allowances_of",
        "membership.person",
    },
    "accounts.me": {
        "accounts.accept_terms",
        "accounts.agreements",
        "accounts.ask_terms",
        "accounts.tokens",
        "billing.mine",
        "employer.home",
        "employer.index",
        "employer.mine",
        "means.ask_withdraw",
        "means.page",
        "means.save",
        "presence.attestation",
        "presence.attestations",
        "presence.issue_attestation",
        "proxy.index",
        "proxy.offer",
        "proxy.page",
        "membership.allowances",
        "membership.ask",
        "membership.ask_pack",
        "billing.ask_for_rest",
        "billing.ask_withdrawal",
        "membership.mine",
    },
    "spaces.index": {
        "accounts.edit_texts",
        "accounts.publish_text",
        "billing.mention",
        "billing.mentions",
        "billing.settings",
        "gateways.ask_forget",
        "gateways.edit",
        "gateways.index",
        "gateways.save",
        "gateways.try_out",
        "means.everyone",
        "means.save_notice",
        "reminder_settings.index",
        "reminder_settings.save",
        "reminder_settings.save_step",
        "reminder_settings.step",
        "front.add",
        "front.describe",
        "front.index",
        "front.save_spot",
        "front.save_trial",
        "mail.edit",
        "mail.save",
        "privacy.kept",
        "privacy.keep",
        "privacy.register",
        "privacy.legal",
        "privacy.save_legal",
        "pricing.article",
        "pricing.articles",
        "pricing.new_article",
        "pricing.prices",
        "membership.new_pack",
        "membership.plans",
        "membership.price_group",
        "membership.reduced_prices",
        "membership.sold",
        "membership.subscriptions",
        "residents.index",
        "residents.look",
        "residents.new",
        "residents.page",
        "membership.organisations",
        "membership.organisation",
        "membership.new_organisation",
    },
    "statistics.index": {"statistics.month", "statistics.close"},
}


def _is_part(endpoint: str, here: str) -> bool:
    if here == endpoint or here in _PARTS.get(endpoint, ()):
        return True
    if endpoint == "billing.index":
        return (
            here.startswith(("billing.", "bank.", "closings.", "money.", "payouts.", "reminders."))
            and here not in {"billing.mine"} | _PARTS["spaces.index"]
        )
    if endpoint == "network_head.month":
        return here.startswith("network_head.")
    return endpoint.startswith("spaces.") and here.startswith(("spaces.", "network_lieu."))


def _staff_entries(actor: Actor) -> list[NavigationEntry]:
    entries = [
        ("frontdesk.today", _("Today"), "clock"),
        ("frontdesk.timeline", _("Planning"), "layout-grid"),
        ("accounts.people", _("Members"), "users"),
    ]
    if actor.has(Role.MANAGER):
        entries.append(("statistics.index", _("Month"), "chart-column"))
        entries.append(("billing.index", _("Invoices"), "receipt-text"))
        entries.append(("spaces.index", _("Settings"), "settings"))
    if actor.has(Role.LEAD):
        entries.append(("network_head.month", _("Network"), "map-pin"))
    return _entries(*entries)


def _or_mine(entries: list[NavigationEntry]) -> list[NavigationEntry]:
    """A member's own invoice or account belongs to « Moi », where no part of the menu is about everyone's."""
    if request.endpoint in {"billing.invoice", "billing.account"} and not any(entry.current for entry in entries):
        return [replace(entry, current=entry.url == url_for("accounts.me")) for entry in entries]
    return entries


def _own_entries() -> list[NavigationEntry]:
    """The entries for one's own bookings and account, for members of the team."""
    return _entries(("week.show", _("My week"), "calendar"), ("accounts.me", _("Me"), "user"))


def _member_entries(actor: Actor) -> list[NavigationEntry]:
    entries = [("week.show", _("Week"), "calendar"), ("booking.rooms", _("Room"), "door-open")]
    if actor.has(Role.LEAD):
        entries.insert(0, ("network_head.month", _("Network"), "map-pin"))
    if actor.has(Role.ACCOUNTANT) or actor.has(Role.LEAD):
        entries.append(("statistics.index", _("Month"), "chart-column"))
    if actor.has(Role.ACCOUNTANT):
        entries.append(("billing.index", _("Invoices"), "receipt-text"))
    return _or_mine(_entries(*entries, ("accounts.me", _("Me"), "user")))


def all_entries(actor: Actor) -> list[NavigationEntry]:
    """Every entry of the main menu for ``actor``."""
    return [*_staff_entries(actor), *_own_entries()] if actor.is_staff else _member_entries(actor)


def _thumb_bar(entries: list[NavigationEntry], most: int) -> list[NavigationEntry]:
    """What fits under a thumb: all, or the first three and the way to the rest (`BESIDE_MORE`)."""
    if len(entries) <= most:
        return entries
    rest = entries[BESIDE_MORE:]
    here = request.endpoint == "frontdesk.more" or any(entry.current for entry in rest)
    return [*entries[:BESIDE_MORE], NavigationEntry(url_for("frontdesk.more"), _("More"), "ellipsis", here)]


def _draw(actor: Actor | None, place: Sign | None) -> PageBars:
    """The bars of this endpoint's pages for people with ``actor``'s roles, in the reader's language."""
    context: dict[str, Any] = {"place": place, "signed_in": actor is not None, "nav": [], "top_nav": [], "account": []}
    context["home_url"] = url_for("public.home")
    thumbs = ""
    if actor is None:
        context["sign_in_url"] = url_for("accounts.sign_in")
    else:
        if actor.is_staff:
            context["nav"], context["account"], most = _staff_entries(actor), _own_entries(), STAFF_THUMBS
        else:
            context["top_nav"], most = _member_entries(actor), THUMBS
        every = [*context["nav"], *context["top_nav"], *context["account"]]
        thumbs = _template("_layout/thumbs.html", bottom_nav=_thumb_bar(every, most))
    return PageBars(Markup(_template("_layout/top.html", **context)), Markup(thumbs))  # noqa: S704 - templates escape


def _template(name: str, **context: Any) -> str:
    """The template without this module's own context, which is being made."""
    return current_app.jinja_env.get_template(name).render(**context)


def surroundings() -> dict[str, Any]:
    """The context that `_layout/base.html` needs."""
    lieu, actor, kept = spaces.lieu_or_none(), actor_or_none(), current_app.extensions[_BARS]
    place = Sign(lieu.name, lieu.city) if lieu is not None else None
    key = (place, language(), actor and actor.roles, request.endpoint, request.script_root)
    bars = kept.get(key)
    if bars is None:
        bars = _draw(actor, place)
        kept.put(key, bars)
    context: dict[str, Any] = {"lang": language(), "user": actor, "place": place, "bars": bars}
    if actor is None:
        context["sign_in_url"] = url_for("accounts.sign_in")
    return context


def init_navigation(app: Flask) -> None:
    """Add this context to every page; e-mails are rendered outside any endpoint and do not need it."""
    app.extensions[_BARS] = Keep[PageBars](_BARS_KEPT)

    @app.context_processor
    def around() -> dict[str, object]:
        return surroundings() if request.endpoint is not None else {"lang": language()}

"""What people and staff type about a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from coworking.accounts import password_rules, rules
from coworking.accounts.models import Person
from coworking.accounts.terms_queries import TextHead
from coworking.accounts.terms_rules import NotAccepted
from coworking.core import place
from coworking.core.forms import Form
from coworking.core.reading import email_of, normal_email, one_of, phone_of, postcode_of


def sign_up_form(typed: Mapping[str, str]) -> Form:
    form = Form(typed)
    check_names(form)
    form.check("email", email_of)
    words = (form["first_name"], form["last_name"], place.name())
    form.check("password", password_rules.check_password, normal_email(form["email"]), words)
    return form


def check_names(form: Form) -> None:
    """Ask for both names of somebody who gets an account."""
    form.check("first_name", rules.name_of)
    form.check("last_name", rules.name_of)


def check_accepts(form: Form, texts: Collection[TextHead]) -> None:
    """Ask for the box that accepts ``texts``, where there are any."""
    if texts and not form.checked("accepts"):
        form.refuse("accepts", NotAccepted())


def profile_form(typed: Mapping[str, str]) -> Form:
    form = Form(typed)
    form.check("first_name", rules.name_of)
    form.check("last_name", rules.name_of, required=False)
    form.maybe("phone", phone_of)
    form.check("locale", lambda text: one_of(rules.LOCALES, text))
    form.check("reminder", lambda text: one_of(rules.REMINDERS, text))
    _check_figures(form)
    return form


def person_form(typed: Mapping[str, str]) -> Form:
    """What staff types about someone."""
    form = Form(typed)
    form.check("first_name", rules.name_of)
    form.check("last_name", rules.name_of, required=False)
    form.maybe("email", email_of)
    form.maybe("phone", phone_of)
    form.check("note", rules.note_of)
    _check_figures(form)
    return form


def newcomer_form(typed: Mapping[str, str]) -> Form:
    """What staff type about someone new: also where their papers go."""
    form = person_form(typed)
    _check_postal(form)
    return form


def _check_figures(form: Form) -> None:
    """What is asked for the figures alone."""
    form.maybe("status", lambda text: one_of(rules.STATUSES, text))
    form.check("commune", rules.address_line_of)


def passkey_form(typed: Mapping[str, str]) -> Form:
    form = Form(typed)
    form.check("name", rules.token_name_of)
    return form


def postal_form(typed: Mapping[str, str]) -> Form:
    """Where someone's invoices are addressed to."""
    form = Form(typed)
    _check_postal(form)
    return form


def _check_postal(form: Form) -> None:
    form.check("address", rules.address_line_of)
    form.maybe("postcode", postcode_of)
    form.check("city", rules.address_line_of)


def postal_form_of(person: Person) -> Form:
    return Form({"address": person.address or "", "postcode": person.postcode or "", "city": person.city or ""})

"""A form names the input at fault, keeps what was typed, and answers 422."""

from __future__ import annotations

from datetime import date

import pytest
from werkzeug.datastructures import MultiDict

from coworking.core.errors import DomainError, Forbidden, NotFound
from coworking.core.forms import WHOLE, Form, form_page
from coworking.core.reading import phone_of


class Taken(DomainError):
    code, status, message, field = "taken", 409, "This name is taken.", "name"


class Later(DomainError):
    code, status, message = "later", 429, "Later."


@pytest.fixture
def request_context(app):
    with app.test_request_context():
        yield


@pytest.mark.usefixtures("request_context")
class TestForm:
    def test_a_good_form_has_values_and_no_errors(self):
        form = Form({"name": " Anne \n Marchand ", "day": "2026-11-26", "seats": "4", "from": "9 h 30", "box": "1"})
        values = (form.text("name"), form.day("day"), form.integer("seats", 1, 9), form.minute("from"))
        assert values == ("Anne Marchand", date(2026, 11, 26), 4, 570) and form.checked("box")
        assert form.is_good and form.status == 200

    def test_each_wrong_input_is_named_and_keeps_what_was_typed(self):
        form = Form({"day": "tomorrow", "seats": "many", "email": "anne@", "kind": "boat"})
        (
            form.text("name"),
            form.day("day"),
            form.integer("seats", 1, 9),
            form.email("email"),
            form.choice("kind", ("desk",)),
        )
        assert set(form.errors) == {"name", "day", "seats", "email", "kind"} and form.status == 422
        assert form["day"] == "tomorrow" and form["email"] == "anne@"

    def test_the_first_complaint_about_an_input_stays(self):
        form = Form()
        form.refuse("name", "first")
        form.refuse("name", "second")
        assert form.errors == {"name": "first"}

    def test_what_may_be_left_empty_is_none(self):
        form = Form({"phone": " ", "until": ""})
        assert form.maybe("phone", phone_of) is None and form.optional("note") is None and form.lines("text") is None
        assert form.is_good

    def test_what_a_service_refuses_is_said_at_its_input(self):
        form = Form({"name": "Anne"})
        with form.trying():
            raise Taken()
        assert form.errors == {"name": "This name is taken."} and form.status == 409

    def test_a_refusal_that_names_no_input_is_said_where_the_view_wants_it(self):
        form, whole = Form(), Form()
        with form.trying(at="email"):
            raise Later(extra={"retry_after": 30})
        with whole.trying():
            raise Later()
        assert set(form.errors) == {"email"} and set(whole.errors) == {WHOLE}
        assert form.retry_after == 30 and whole.retry_after is None

    @pytest.mark.parametrize("error", [NotFound, Forbidden])
    def test_an_error_of_the_whole_page_is_raised_again(self, error: type[DomainError]):
        with pytest.raises(error), Form().trying():
            raise error()

    def test_several_values_of_one_name(self):
        assert Form(MultiDict([("days", "1"), ("days", "4")])).several("days") == ["1", "4"]
        assert Form({"days": "1"}).several("days") == ["1"] and Form().several("days") == []

    def test_what_is_usual_shows_only_where_nothing_was_typed(self):
        form = Form({"name": "", "rate": "5"}).over({"name": "usual", "rate": "20", "day": "today"})
        assert (form["name"], form["rate"], form["day"]) == ("", "5", "today")

    def test_the_page_shows_the_words_at_their_input_and_answers_422(self, app):
        form = Form({"name": "<b>"})
        form.refuse("name", "No.")
        answer = form_page("spaces/zone.html", form, zone=type("Zone", (), {"name": "x", "public_id": "z"})())
        text = answer.get_data(as_text=True)
        assert answer.status_code == 422 and 'value="&lt;b&gt;"' in text and 'id="name-err"' in text
        assert 'aria-describedby="name-err" aria-invalid="true" autofocus' in text and "HX-Request" in answer.vary

    def test_a_password_is_never_shown_again(self, app):
        source = '{% from "_components/field.html" import field %}{{ field(form, "password", "P", type="password") }}'
        assert "secret" not in app.jinja_env.from_string(source).render(form=Form({"password": "secret"}))

"""Every letter as it is read, in both languages."""

from __future__ import annotations

import re

import pytest

from coworking.accounts import letters
from coworking.core.db import db
from coworking.core.units import write_unit
from tests.factories import make_person

NARROW = "\u202f"

GOLDEN = {
    ("confirm", "fr"): (
        "Cette adresse est-elle la vôtre ?",
        """Bonjour Anne,

Bienvenue à La Fabrique du Pont. Confirmez que nos messages vous parviennent à cette adresse :
http://lieu.test/confirm/…

Le lien vaut sept jours. Si vous n’avez pas créé de compte, laissez ce message.

À bientôt,
La Fabrique du Pont
""",
    ),
    ("confirm", "en"): (
        "Is this your address?",
        """Hello Anne,

Welcome to La Fabrique du Pont. Confirm that letters to this address reach you:
http://lieu.test/confirm/…

The link is good for seven days. If you did not create an account, leave this letter alone.

See you soon,
La Fabrique du Pont
""",
    ),
    ("registered", "fr"): (
        "Vous avez déjà un compte",
        """Bonjour Anne,

Quelqu’un, peut-être vous, a voulu créer un compte avec cette adresse, à La Fabrique du Pont. Vous en avez déjà un : rien n’a changé.

Se connecter : http://lieu.test/sign-in
Choisir un autre mot de passe : http://lieu.test/forgotten

À bientôt,
La Fabrique du Pont
""",  # noqa: E501 - letters do not wrap
    ),
    ("registered", "en"): (
        "You already have an account",
        """Hello Anne,

Someone, perhaps you, wanted to create an account with this address at La Fabrique du Pont. You already have one, so nothing was changed.

Sign in: http://lieu.test/sign-in
Choose another password: http://lieu.test/forgotten

See you soon,
La Fabrique du Pont
""",  # noqa: E501 - letters do not wrap
    ),
    ("reset", "fr"): (
        "Choisir un autre mot de passe",
        """Bonjour Anne,

Voici le lien pour choisir un autre mot de passe, à La Fabrique du Pont :
http://lieu.test/reset/…

Il vaut deux heures, une seule fois. Si vous n’avez rien demandé, rien ne change : laissez ce message.

À bientôt,
La Fabrique du Pont
""",
    ),
    ("reset", "en"): (
        "Choose another password",
        """Hello Anne,

Here is the link to choose another password at La Fabrique du Pont:
http://lieu.test/reset/…

It is good for two hours, once. If you did not ask for it, nothing changes: leave this letter alone.

See you soon,
La Fabrique du Pont
""",
    ),
    ("invitation", "fr"): (
        "Votre compte à La Fabrique du Pont",
        """Bonjour Anne,

La Fabrique du Pont vous a ouvert un compte. Avec lui, un bureau ou une salle se réserve en deux gestes, depuis un téléphone aussi.

Choisir un mot de passe : http://lieu.test/reset/…
Vous vous connecterez avec anne@demo.example. Le lien vaut quatorze jours.

À bientôt,
La Fabrique du Pont
""",  # noqa: E501 - letters do not wrap
    ),
    ("invitation", "en"): (
        "Your account at La Fabrique du Pont",
        """Hello Anne,

La Fabrique du Pont has opened an account for you. With it you book a desk or a room in two gestures, from a phone too.

Choose a password: http://lieu.test/reset/…
You will sign in with anne@demo.example. The link is good for fourteen days.

See you soon,
La Fabrique du Pont
""",
    ),
}


def _narrow(text):
    """The golden texts above are typed with plain spaces before French punctuation; letters have narrow ones."""
    return re.sub(r" ([:;?!])(?=\s|$)", NARROW + r"\1", text)


@pytest.mark.parametrize(("letter", "language"), GOLDEN)
def test_the_letter_reads(app, place, run_outbox, mailbox, letter, language):
    with app.app_context():
        person = make_person("Anne", "Marchand", "anne@demo.example", locale=language)
        with write_unit():
            person = db.session.merge(person)
            person.email_confirmed_at = None
            letters.enqueue(letter, person)
    run_outbox()
    (message,) = mailbox()
    subject, body = GOLDEN[letter, language]
    if language == "fr":
        subject, body = _narrow(subject), _narrow(body)
    plain = re.sub(r"(/(?:confirm|reset)/)\S+", r"\1…", message.get_body(("plain",)).get_content())
    assert (message["Subject"], plain) == (subject, body)
    assert message["Content-Language"] == language
    assert "La Fabrique du Pont" in message["From"]
    html = message.get_body(("html",)).get_content()
    assert f'lang="{language}"' in html
    assert html.count("<a href=") >= 1
    assert "<script" not in html
    assert "<img" not in html


def test_what_is_settled_meanwhile_is_not_asked(app, place, run_outbox, mailbox):
    with app.app_context():
        person = make_person("Anne", "Marchand", "anne@demo.example")
        gone = make_person("Karim", "Benali", "karim@demo.example", deactivated_at=person.created_at)
        with write_unit():
            letters.enqueue("confirm", person)
            letters.enqueue("reset", gone)
    run_outbox()
    assert mailbox() == []

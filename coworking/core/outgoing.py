"""Every call that leaves this machine: an HTTP request, an e-mail.

Nothing is waited for without end, no answer is read without limit, no redirect is followed, and no address inside a
private network is called unless a setting allows it.

The deadline is for the whole call: a server that sends a byte every few seconds keeps within the usual timeouts of a socket
and holds a thread for hours. A timer closes the connection under it.
"""

from __future__ import annotations

import http.client
import ipaddress
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

CONNECT_S, HTTP_S, MAIL_S = 5.0, 30.0, 60.0
"""How long connecting to one address, a whole post, and handing over a whole e-mail may take."""
MOST_ANSWER_BYTES = 64 * 1024

Resolver = Callable[[str, int], list[str]]


class Unreachable(Exception):
    """No whole answer came; the text says why, for the log."""


class AddressNotAllowed(Unreachable):
    """The name stands for an address inside a private network, which is not called."""


class MailRefused(Exception):
    """The server says that this e-mail will never be taken."""


_TUNNELS = [
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")
]
"""IPv6 ranges that carry an IPv4 address inside (NAT64, 6to4, Teredo, IPv4-compatible): where they end is not known here."""


def is_public(address: str) -> bool:
    """Whether ``address`` belongs to the internet at large: not private, loopback, link-local, multicast or reserved."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False  # with a zone, for example: link-local by its nature
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return (
        found.is_global
        and not (found.is_multicast or found.is_reserved or found.is_unspecified)
        and not any(found in network for network in _TUNNELS if network.version == found.version)
    )


def resolve(host: str, port: int) -> list[str]:
    """The addresses ``host`` stands for; raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def address_for(host: str, port: int, *, allow_private: bool, resolver: Resolver = resolve) -> str:
    """The one address to connect to. Raises `AddressNotAllowed` when any of ``host``'s is private, or `Unreachable`.

    Whoever connects must use this very address: asked a second time, the name may stand for another.
    """
    try:
        addresses = resolver(host, port)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{host} is not known: {error}"[:300]) from error
    if not addresses:
        raise Unreachable(f"{host} has no address")
    for address in addresses:
        if not (allow_private or is_public(address)):
            raise AddressNotAllowed(f"{host} stands for {address}, inside a private network")
    return addresses[0]


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allow_private: bool,
    total_s: float = HTTP_S,
    resolver: Resolver = resolve,
) -> tuple[int, bytes]:
    """Post ``body`` to ``url``, as `ask` does."""
    return ask("POST", url, body, headers, allow_private=allow_private, total_s=total_s, resolver=resolver)


def ask(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    allow_private: bool,
    total_s: float = HTTP_S,
    most_bytes: int = MOST_ANSWER_BYTES,
    resolver: Resolver = resolve,
) -> tuple[int, bytes]:
    """Send a request to ``url``; give the status and the body of the answer, a redirect's too.

    Raises `Unreachable`. Not to be called within a unit.
    """
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    ends = time.monotonic() + total_s
    address = address_for(host, port, allow_private=allow_private, resolver=resolver)
    client = http.client.HTTPConnection(host, port)
    try:
        raw = socket.create_connection((address, port), min(CONNECT_S, total_s))
        with raw, _ended_at(ends, raw):
            raw.settimeout(total_s)
            client.sock = raw if not secure else ssl.create_default_context().wrap_socket(raw, server_hostname=host)
            client.request(method, path, body, {"Host": parts.netloc.rpartition("@")[2], **headers})
            answer = client.getresponse()
            said = answer.read(most_bytes + 1)
        if time.monotonic() >= ends:
            raise Unreachable("the answer takes too long")
        if len(said) > most_bytes:
            raise Unreachable("the answer is too long")
        return answer.status, said
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = "the answer takes too long, " if time.monotonic() >= ends else ""
        raise Unreachable(f"{late}{type(error).__name__}: {error}"[:300]) from error
    finally:
        client.close()


def send_mail(url: str, message: EmailMessage, *, total_s: float = MAIL_S) -> str:
    """Hand ``message`` to the server of ``url``: ``smtp://``, ``smtp+starttls://`` or ``smtps://user:password@host:port``.

    Returns what it answered.
    Raises `MailRefused` for an answer that is for good (5xx), `OSError` for what may go better later. The server stands in
    this instance's own settings, so that it may well be inside a private network.
    """
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    port = parts.port or {"smtps": 465, "smtp+starttls": 587}.get(parts.scheme, 25)
    context, ends = ssl.create_default_context(), time.monotonic() + total_s
    raw = socket.create_connection((host, port), min(CONNECT_S, total_s))
    with raw, _ended_at(ends, raw):
        raw.settimeout(total_s)
        client = _Keeping(timeout=total_s)
        client._host = host  # type: ignore[attr-defined] - the name STARTTLS checks the certificate for
        client.sock = raw if parts.scheme != "smtps" else context.wrap_socket(raw, server_hostname=host)
        try:
            code, greeting = client.getreply()
            if code != 220:
                raise smtplib.SMTPConnectError(code, greeting)
            if parts.scheme == "smtp+starttls":
                client.starttls(context=context)
            if parts.username:
                client.login(unquote(parts.username), unquote(parts.password or ""))
            client.send_message(message)
            return f"{client.answer[0]} {_decoded(client.answer[1])}"
        except smtplib.SMTPRecipientsRefused as error:
            _stop_when_final(*next(iter(error.recipients.values())), error)
            raise
        except smtplib.SMTPDataError as error:
            _stop_when_final(error.smtp_code, error.smtp_error, error)
            raise
        finally:
            # An error at QUIT must not undo an e-mail that the server has accepted.
            with suppress(OSError):
                client.quit()
            client.close()


class _Keeping(smtplib.SMTP):
    """Keeps the answer to the message itself, which `send_message` drops."""

    answer: tuple[int, bytes] = (0, b"")

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.answer = super().data(msg)
        return self.answer


def words_of(error: Exception) -> str:
    """What went wrong on the way to the mail server or there. Never the user name or password."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_decoded(error.smtp_error)}"
    return str(error) or type(error).__name__


def _decoded(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said


def _stop_when_final(code: int, reason: bytes | str, error: Exception) -> None:
    """Raise `MailRefused` for an answer 5xx, which is for good; 4xx asks to come back."""
    if code >= 500:
        raise MailRefused(f"{code} {_decoded(reason)}") from error


@contextmanager
def _ended_at(ends: float, connection: socket.socket) -> Iterator[None]:
    """Shut ``connection`` down at ``ends`` (monotonic): whoever reads or writes then finds it at its end."""
    held = connection.dup()  # TLS takes the connection out of its socket; a second handle still reaches it

    def end() -> None:
        with suppress(OSError):
            held.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(ends - time.monotonic(), 0.0), end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        held.close()

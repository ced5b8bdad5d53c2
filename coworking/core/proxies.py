"""Proxies in front: whom to believe about a visitor's address, and how to notice that nobody said so.

Behind a proxy that is not declared in ``TRUSTED_PROXIES`` every visitor seems to come from the proxy's own address: they
share one throttle, and TLS goes unnoticed.
"""

from __future__ import annotations

import logging
from ipaddress import ip_address

from flask import Flask, current_app, request
from werkzeug.middleware.proxy_fix import ProxyFix

from coworking.core import health
from coworking.core.settings import settings

log = logging.getLogger(__name__)

HINT = (
    "Requests come through a proxy that TRUSTED_PROXIES does not count: all visitors share one address and one throttle. "
    "Set it to the number of proxies in front."
)
_SEEN = "coworking-undeclared-proxy"
_HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED")


def init_proxies(app: Flask) -> None:
    """Believe what the trusted proxies say of the visitor's address and of TLS, and nobody else."""
    count = app.extensions["settings"].trusted_proxies
    if count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign] - as documented
    else:
        app.before_request(_notice)


def undeclared() -> str | None:
    """What to tell the administrator when this process has seen a proxy that is not declared; None otherwise."""
    return HINT if settings().trusted_proxies == 0 and current_app.extensions.get(_SEEN) else None


health.hints["trusted_proxies"] = undeclared


def _notice() -> None:
    """Remember, and log once, a forwarding header from a neighbour. One from the internet is only somebody's claim."""
    environ = request.environ
    if current_app.extensions.get(_SEEN) or not any(name in environ for name in _HEADERS):
        return
    if _is_neighbour(request.remote_addr):
        current_app.extensions[_SEEN] = True
        log.warning(HINT)


def _is_neighbour(address: str | None) -> bool:
    try:
        return ip_address(address or "").is_private
    except ValueError:
        return not address  # a Unix socket has no address

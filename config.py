"""Typed settings, read once from the environment.

Every variable is documented in ``.env.example``. A secret has no default in production: with ``DATABASE_URL`` unset
(one small machine, SQLite) a secret is generated once and kept in the data directory, readable by its owner alone;
with a server database it must be given, because several machines have to share it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent


class ConfigError(Exception):
    """A setting is missing or unusable; the text says which one and what would be right."""


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of one instance.

    ``database_url`` is an SQLAlchemy URL, ``redis_url`` is ``None`` where the embedded broker is used, ``smtp_url`` is
    ``None`` where mails are written to ``data_dir/mail`` instead of being sent. ``trusted_proxies``: how many proxies in
    front add to ``X-Forwarded-For`` and ``X-Forwarded-Proto``; what lies further out is hearsay.
    """

    database_url: str
    secret_key: str
    data_dir: Path
    base_url: str
    redis_url: str | None = None
    smtp_url: str | None = None
    stripe_secret_key: str | None = None
    stripe_webhook_secret: str | None = None
    stripe_api_base: str | None = None
    sentry_dsn: str | None = None
    trusted_proxies: int = 0
    testing: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Config:
        """Read ``environ``; raise `ConfigError` when a required setting is missing or malformed."""
        data_dir = Path(environ.get("DATA_DIR") or ROOT / "var").resolve()
        data_dir.mkdir(parents=True, exist_ok=True)
        given_database = environ.get("DATABASE_URL")
        port = environ.get("PORT", "8000")
        base_url = (environ.get("BASE_URL") or f"http://127.0.0.1:{port}").rstrip("/")
        if not base_url.startswith(("http://", "https://")):
            raise ConfigError(f"BASE_URL must start with http:// or https://, not {base_url!r}")
        return cls(
            database_url=_database_url(given_database, data_dir),
            secret_key=_secret_key(environ.get("SECRET_KEY"), data_dir, shared=bool(given_database)),
            data_dir=data_dir,
            base_url=base_url,
            redis_url=environ.get("REDIS_URL") or None,
            smtp_url=environ.get("SMTP_URL") or None,
            stripe_secret_key=environ.get("STRIPE_SECRET_KEY") or None,
            stripe_webhook_secret=environ.get("STRIPE_WEBHOOK_SECRET") or None,
            stripe_api_base=environ.get("STRIPE_API_BASE") or None,
            sentry_dsn=environ.get("SENTRY_DSN") or None,
            trusted_proxies=_trusted_proxies(environ.get("TRUSTED_PROXIES")),
        )

    @property
    def cookies_secure(self) -> bool:
        """Cookies travel only over TLS, except on a plain-http address such as a trial on one's own machine."""
        return self.base_url.startswith("https://")


def _database_url(given: str | None, data_dir: Path) -> str:
    if not given:
        return f"sqlite:///{data_dir / 'coworking.db'}"
    scheme, separator, rest = given.partition("://")
    if not separator:
        raise ConfigError("DATABASE_URL must look like postgresql://user:password@host/name")
    if scheme in {"postgres", "postgresql"}:  # what hosting providers hand out; we speak psycopg 3
        scheme = "postgresql+psycopg"
    if scheme not in {"postgresql+psycopg", "sqlite"}:
        raise ConfigError(f"DATABASE_URL speaks {scheme!r}; only postgresql:// and sqlite:// are supported")
    return f"{scheme}://{rest}"


def _trusted_proxies(given: str | None) -> int:
    text = given or "0"
    if not text.isdecimal() or int(text) > 9:
        raise ConfigError(f"TRUSTED_PROXIES must be the number of proxies in front, 0 to 9, not {text!r}")
    return int(text)


def _secret_key(given: str | None, data_dir: Path, *, shared: bool) -> str:
    if given:
        if len(given) < 32:
            raise ConfigError("SECRET_KEY must have at least 32 characters")
        return given
    if shared:
        raise ConfigError("SECRET_KEY is required with DATABASE_URL: every web and worker process must share it")
    path = data_dir / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key := secrets.token_urlsafe(48))
    return key

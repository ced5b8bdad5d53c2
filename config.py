"""Typed settings, read once from the environment and the file ``.env``; the environment wins.

Every variable is documented in ``.env.example``. A secret has no default in production: with ``DATABASE_URL`` unset
(one small machine, SQLite) a secret is generated once and kept in the data directory, readable by its owner alone;
with a server database it must be given, because several machines have to share it.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent


class ConfigError(Exception):
    """A setting is missing or unusable; the text says which one and what would be right."""


SECRETS = (
    "SECRET_KEY",
    "DATABASE_URL",
    "REDIS_URL",
    "SMTP_URL",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "HELLOASSO_CLIENT_SECRET",
)
"""Variables that hold a password or key: a file that sets one must not be readable by every user of the machine."""


def environment(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """``given`` and, where it says nothing, the settings of ``.env`` beside this file (or of the file in ``ENV_FILE``).

    Every program of an instance reads its settings through this function, so that all of them agree.
    """
    path = Path(given.get("ENV_FILE") or ROOT / ".env")
    if not path.exists() and "ENV_FILE" not in given:
        return dict(given)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    settings = read_env(text, str(path))
    mode = path.stat().st_mode
    if mode & 0o007 and any(settings.get(name) for name in SECRETS):
        raise ConfigError(f"{path} holds secrets and every user of this machine can read it: chmod 600 {path}")
    return settings | dict(given)


_LINE = re.compile(
    r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*"
    r"(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s\"'][^\"']*)?)"
)


def read_env(text: str, name: str = ".env") -> dict[str, str]:
    """The settings in ``text``: lines ``NAME=value``, the value in quotes or not; raises `ConfigError` naming the line."""
    found: dict[str, str] = {}
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ConfigError(f"{name}, line {number}: write NAME=value, with quotes around all of the value or none")
        value = match["double"] or match["single"] or match["bare"] or ""
        if match["bare"] and re.search(r"\s#", value):
            raise ConfigError(f"{name}, line {number}: put the remark on a line of its own, or the value in quotes")
        if match["name"] in found:
            raise ConfigError(f"{name}, line {number}: {match['name']} was set on an earlier line")
        found[match["name"]] = value
    return found


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of one instance.

    ``database_url`` is an SQLAlchemy URL, ``redis_url`` is ``None`` where the embedded broker is used, ``smtp_url`` is
    ``None`` where mails are written to ``data_dir/mail`` instead of being sent. ``trusted_proxies``: how many proxies in
    front add to ``X-Forwarded-For`` and ``X-Forwarded-Proto``; what lies further out is hearsay. ``allow_private_heads``:
    whether a network head may have an address inside a private network. ``metrics_token`` opens ``/metrics`` to others than
    this machine.
    """

    database_url: str
    secret_key: str
    data_dir: Path
    base_url: str
    redis_url: str | None = None
    smtp_url: str | None = None
    mail_from: str | None = None
    stripe_secret_key: str | None = None
    stripe_webhook_secret: str | None = None
    stripe_api_base: str | None = None
    helloasso_client_id: str | None = None
    helloasso_client_secret: str | None = None
    helloasso_organisation: str | None = None
    helloasso_api_base: str | None = None
    trusted_proxies: int = 0
    backup_dir: Path | None = None
    backup_keep: int = 14
    allow_private_heads: bool = False
    metrics_token: str | None = None
    testing: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Config:
        """Read ``environ`` (by default `environment`); raise `ConfigError` when a setting is missing or malformed."""
        environ = environment() if environ is None else environ
        data_dir = data_dir_of(environ)
        given_database = environ.get("DATABASE_URL")
        port = environ.get("PORT") or "8000"
        base_url = (environ.get("BASE_URL") or f"http://127.0.0.1:{port}").rstrip("/")
        if not base_url.startswith(("http://", "https://")):
            raise ConfigError(f"BASE_URL must start with http:// or https://, not {base_url!r}")
        helloasso = _helloasso_keys(environ)
        return cls(
            database_url=_database_url(given_database, data_dir),
            secret_key=_secret_key(environ.get("SECRET_KEY"), data_dir, shared=bool(given_database)),
            data_dir=data_dir,
            base_url=base_url,
            redis_url=environ.get("REDIS_URL") or None,
            smtp_url=_smtp_url(environ.get("SMTP_URL")),
            mail_from=_mail_from(environ.get("MAIL_FROM")),
            stripe_secret_key=environ.get("STRIPE_SECRET_KEY") or None,
            stripe_webhook_secret=environ.get("STRIPE_WEBHOOK_SECRET") or None,
            stripe_api_base=_stripe_api_base(environ.get("STRIPE_API_BASE"), environ.get("STRIPE_SECRET_KEY")),
            helloasso_client_id=helloasso[0],
            helloasso_client_secret=helloasso[1],
            helloasso_organisation=helloasso[2],
            helloasso_api_base=_api_base("HELLOASSO_API_BASE", environ.get("HELLOASSO_API_BASE")),
            trusted_proxies=_trusted_proxies(environ.get("TRUSTED_PROXIES")),
            backup_dir=(ROOT / environ["BACKUP_DIR"]).resolve() if environ.get("BACKUP_DIR") else None,
            backup_keep=_backup_keep(environ.get("BACKUP_KEEP")),
            allow_private_heads=_allow_private_heads(environ.get("ALLOW_PRIVATE_HEADS"), base_url),
            metrics_token=_metrics_token(environ.get("METRICS_TOKEN")),
        )

    @property
    def cookies_secure(self) -> bool:
        """Cookies travel only over TLS, except on a plain-http address such as a trial on one's own machine."""
        return self.base_url.startswith("https://")


def data_dir_of(environ: Mapping[str, str]) -> Path:
    """The data directory, made where it is missing. A relative one lies in this project, wherever a program is started."""
    path = (ROOT / (environ.get("DATA_DIR") or "var")).resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"DATA_DIR cannot be made: {error}") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ConfigError(f"DATA_DIR {path} cannot be written by this user")
    return path


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


def _stripe_api_base(given: str | None, secret_key: str | None) -> str | None:
    if given and "_live_" in (secret_key or ""):
        raise ConfigError("STRIPE_API_BASE is for test keys: a live STRIPE_SECRET_KEY is sent to Stripe's address only")
    return _api_base("STRIPE_API_BASE", given)


def _helloasso_keys(environ: Mapping[str, str]) -> tuple[str | None, str | None, str | None]:
    """HelloAsso's client id and secret and the association; all of them or none, for none works without the others."""
    names = ("HELLOASSO_CLIENT_ID", "HELLOASSO_CLIENT_SECRET", "HELLOASSO_ORGANISATION")
    found = {name: environ.get(name, "").strip() or None for name in names}
    missing = [name for name, value in found.items() if value is None]
    if 0 < len(missing) < len(names):
        raise ConfigError(f"HelloAsso's keys are set in part: {', '.join(missing)} is missing")
    return found[names[0]], found[names[1]], found[names[2]]


def _api_base(name: str, given: str | None) -> str | None:
    """The origin that stands in for a provider's own address in tests and the demo."""
    if not given:
        return None
    try:
        parts = urlsplit(given)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and not parts.query
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(f"{name} must look like http://127.0.0.1:12111, not {given!r}")
    return given.rstrip("/")


def _trusted_proxies(given: str | None) -> int:
    text = given or "0"
    if not text.isdecimal() or int(text) > 9:
        raise ConfigError(f"TRUSTED_PROXIES must be the number of proxies in front, 0 to 9, not {text!r}")
    return int(text)


def _smtp_url(given: str | None) -> str | None:
    if not given:
        return None
    schemes = ("smtp", "smtp+starttls", "smtps")
    try:
        parts = urlsplit(given)
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError("SMTP_URL must look like smtps://user:password@host:port (or smtp://, smtp+starttls://)")
    return given


def _mail_from(given: str | None) -> str | None:
    if given and not re.fullmatch(r"[^@\s<>,\"]+@[^@\s<>,\"]+", given):
        raise ConfigError(f"MAIL_FROM must be one e-mail address such as lieu@example.org, not {given!r}")
    return given or None


def _backup_keep(given: str | None) -> int:
    text = given or "14"
    if not text.isdecimal() or not 1 <= int(text) <= 9999:
        raise ConfigError(f"BACKUP_KEEP must be how many nightly backups are kept, 1 or more, not {text!r}")
    return int(text)


def _allow_private_heads(given: str | None, base_url: str) -> bool:
    if given and given not in {"yes", "no"}:
        raise ConfigError(f"ALLOW_PRIVATE_HEADS must be yes or no, not {given!r}")
    if not given:  # a trial that only this machine reaches may have its head here too
        return urlsplit(base_url).hostname in {"127.0.0.1", "localhost", "::1"}
    return given == "yes"


def _metrics_token(given: str | None) -> str | None:
    if given and len(given) < 16:
        raise ConfigError("METRICS_TOKEN must have at least 16 characters")
    return given or None


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

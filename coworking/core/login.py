"""The login manager, where the factory and the package that knows people both find it."""

from __future__ import annotations

from flask_login import LoginManager

login = LoginManager()

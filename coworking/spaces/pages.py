"""What the settings pages of the lieu show that packages above know."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from coworking.spaces.models import Resource

beside: list[Callable[[Resource], Markup]] = []
"""What the packages above add to the page of a desk, room or office."""

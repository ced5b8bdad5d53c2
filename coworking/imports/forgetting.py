"""What becomes of the lines of imported files when their person is erased."""

from __future__ import annotations

from coworking.core import erasing
from coworking.core.erasing import Forgets
from coworking.imports.models import ImportLine

erasing.declare(Forgets(ImportLine, lambda person: ImportLine.person_id == person, deletes=True))

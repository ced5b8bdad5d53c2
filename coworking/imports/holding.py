"""What the lieu holds about somebody from a file that was imported, for the copy of their data."""

from __future__ import annotations

from coworking.core import holdings
from coworking.core.errors import N_
from coworking.core.holdings import OTHERS, Holds
from coworking.imports.models import ImportFile, ImportLine

holdings.declare(Holds("imported_lines", N_("Lines about me in an imported file"), ImportLine))
holdings.leave(OTHERS, N_("Files that are being imported"), ImportFile)

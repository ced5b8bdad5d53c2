"""How long files that are imported are kept."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select

from coworking.core import retention
from coworking.core.errors import N_
from coworking.core.retention import Keeps
from coworking.imports.models import ImportFile, ImportLine

MOVING = N_("To finish what was begun, and to say what became of each line.")

_made = select(ImportFile.created_at).where(ImportFile.id == ImportLine.file_id).scalar_subquery()


def _waiting() -> Sequence[ColumnElement[bool]]:
    return ImportFile.content.is_not(None), ImportFile.state != "running"


def _over() -> Sequence[ColumnElement[bool]]:
    return (ImportLine.file_id.in_(select(ImportFile.id).where(ImportFile.state != "running")),)


def _named() -> Sequence[ColumnElement[bool]]:
    return ImportFile.file_name != "", ImportFile.state != "running"


retention.declare(
    Keeps(
        "import_contents",
        N_("Files that wait to be imported"),
        MOVING,
        ImportFile,
        ImportFile.created_at,
        7,
        only=_waiting,
        empties={"content": None},
    ),
    Keeps("import_reports", N_("Reports of imported lines"), MOVING, ImportLine, _made, 30, only=_over),
    Keeps(
        "import_names",
        N_("Names of imported files"),
        MOVING,
        ImportFile,
        ImportFile.created_at,
        30,
        only=_named,
        empties={"file_name": "", "decisions": {}},
    ),
)

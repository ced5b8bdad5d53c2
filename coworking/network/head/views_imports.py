"""What the imports of the directory did, and what they could not read."""

from __future__ import annotations

from collections import Counter
from math import ceil

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.core import exports
from coworking.core.errors import N_, NotFound
from coworking.core.i18n import _
from coworking.core.policy import Role, requires
from coworking.core.reading import nearest_number
from coworking.network.head import directory_queries
from coworking.network.head.census_rules import Remark
from coworking.network.head.import_labels import CODE_NAMES, remark_words
from coworking.network.head.models import DirectoryImport
from coworking.network.head.pages import blueprint

PAGE_SIZE = 100
COLUMNS = (N_("Line"), N_("Place"), N_("Remark"), N_("In the file"), N_("In the directory"))


@blueprint.get("/directory/imports")
@requires(Role.LEAD)
def imports() -> ResponseReturnValue:
    """The latest import, or the one asked for, with its remarks, narrowed to one kind where that is asked for."""
    kept = directory_queries.imports()
    if not kept:
        return render_template("network/head/imports.html", kept=kept, shown=None)
    shown, remarks = _asked(kept)
    code = request.args.get("code", "")
    counts = Counter(one.code for one in remarks)
    narrowed = [one for one in remarks if one.code == code] if code in counts else remarks
    pages = max(1, ceil(len(narrowed) / PAGE_SIZE))
    number = nearest_number(request.args.get("page"), 1, 1, pages)

    def url(page: int = 1, only: str = code) -> str:
        kind = only if only in counts else None
        return url_for("network_head.imports", id=shown.id, code=kind, page=page if page > 1 else None)

    tabs = [
        ("", _("All"), len(remarks)),
        *((one, _(CODE_NAMES[one]), counts[one]) for one in CODE_NAMES if counts[one]),
    ]
    return render_template(
        "network/head/imports.html",
        kept=kept,
        shown=shown,
        remarks=narrowed[(number - 1) * PAGE_SIZE : number * PAGE_SIZE],
        total=len(narrowed),
        tabs=[
            {"url": url(1, name), "label": label, "count": count, "current": name == (code if code in counts else "")}
            for name, label, count in tabs
        ],
        page=number,
        pages=pages,
        url=url,
        remark_words=remark_words,
    )


@blueprint.get("/directory/imports.csv")
@requires(Role.LEAD)
def imports_table() -> ResponseReturnValue:
    """Every remark of an import."""
    kept = directory_queries.imports()
    if not kept:
        raise NotFound()
    _shown, remarks = _asked(kept)
    rows = [(one.line, one.place, remark_words(one), one.value, one.instead) for one in remarks]
    return exports.list_answer(exports.asked() or "csv", N_("Import"), exports.numbered(COLUMNS), rows)


def _asked(kept: list[DirectoryImport]) -> tuple[DirectoryImport, list[Remark]]:
    wanted = request.args.get("id")
    shown = next((one for one in kept if wanted in (None, str(one.id))), None)
    if shown is None:
        raise NotFound()
    return shown, directory_queries.remarks(shown.id)

"""Files as people upload them, and the steps of an import through the pages."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from xlsxwriter import Workbook

HEAD = ("Prénom", "Nom", "E-mail", "Téléphone", "Adresse", "Code postal", "Ville", "Notes")


def csv_file(rows: Iterable[Sequence[object]], *, encoding: str = "utf-8", delimiter: str = ";") -> bytes:
    """``rows`` as CSV."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def xlsx_file(rows: Iterable[Sequence[object]]) -> bytes:
    """``rows`` as a workbook; text that begins with ``=`` is a formula in it."""
    file = io.BytesIO()
    book = Workbook(file)
    sheet = book.add_worksheet()
    for line, row in enumerate(rows):
        for at, cell in enumerate(row):
            sheet.write(line, at, cell)
    book.close()
    return file.getvalue()


class Steps:
    """A manager at the pages of imports."""

    def __init__(self, browser, run_outbox) -> None:
        self.browser, self.run_outbox = browser, run_outbox

    def upload(self, content: bytes, name: str = "membres.csv", **form: str):
        """The answer to uploading ``content``."""
        data = {"subject": "people", **form, "file": (io.BytesIO(content), name)}
        return self.browser.post("/imports", data=data, content_type="multipart/form-data")

    def place(self, content: bytes, **form: str) -> str:
        """The address of the import of ``content``."""
        answer = self.upload(content, **form)
        assert answer.status_code == 303, answer.text
        return answer.location

    def choose(self, place: str, columns: Sequence[str], replaces: str = "0"):
        """Say what the columns hold."""
        form = {f"column-{at}": field for at, field in enumerate(columns)}
        return self.browser.post(f"{place}/columns", data={**form, "replaces": replaces})

    def chosen(self, place: str) -> list[str]:
        """What the page proposes that the columns hold."""
        page = self.browser.get(place).text
        return [
            next(iter(re.findall(r'<option value="([^"]*)" selected>', select)), "")
            for select in re.findall(r'<select id="column-.*?</select>', page, re.S)
        ]

    def whole(self, content: bytes, replaces: str = "0", **start: str) -> str:
        """Import ``content`` as it is understood; the address of its report."""
        place = self.place(content)
        assert self.choose(place, self.chosen(place), replaces).status_code == 303
        assert self.browser.get(f"{place}/check").status_code == 200
        assert self.browser.post(f"{place}/start", data={"doubts": "skip", "then": "start", **start}).status_code == 303
        self.run_outbox()
        return place

    def report(self, place: str) -> list[list[str]]:
        """The report of an import, line by line, without its head."""
        text = self.browser.get(f"{place}?as=csv").get_data().decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))[1:]

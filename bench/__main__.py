"""``make bench``: measure, print the table, write ``bench/results.json``.

Ours and the yardstick take turns within one run, so that whatever else the machine does strikes both. Nothing here is a
test: a slow machine changes the figures beside the ratio, hardly the ratio.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
from datetime import date
from pathlib import Path

from bench import ground, measures
from bench.report import Line, table
from config import ROOT
from tests.support import postgres

RESULTS = ROOT / "bench" / "results.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--bookings", type=int, default=45_000, help="how much history (default %(default)s)")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), action="append", help="only this engine")
    parser.add_argument("--only", choices=tuple(measures.MEASURES), action="append", help="only this measure")
    parser.add_argument("--quick", action="store_true", help="shorter rounds: to see that it runs, not to quote")
    given = parser.parse_args()
    effort = ground.QUICK if given.quick else ground.FULL
    lines: list[Line] = []
    server = None
    try:
        for engine in given.engine or ("sqlite", "postgresql"):
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                if engine == "postgresql":
                    server = server or postgres.start(autovacuum=True)
                    with server.admin() as admin:
                        admin.execute("CREATE DATABASE bench")
                    url = server.url("bench")
                else:
                    url = f"sqlite:///{folder}/coworking.db"
                lines += measures.engine(
                    engine, url, Path(folder), given.bookings, effort, tuple(given.only or measures.MEASURES)
                )
    finally:
        if server is not None:
            server.stop()
    print(f"\n{table(lines)}")
    if not given.quick and not given.only and not given.engine:
        document = {
            "date": date.today().isoformat(),  # noqa: DTZ011 - when it was run, by the reader's calendar
            "python": platform.python_version(),
            "machine": platform.machine(),
            "bookings": given.bookings,
            "lines": [line.plain() for line in lines],
        }
        RESULTS.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"\nwritten to {RESULTS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()

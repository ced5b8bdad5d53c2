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
                wanted = tuple(given.only or measures.MEASURES)
                for name, found in measures.engine(engine, url, Path(folder), given.bookings, effort, wanted):
                    lines += found
                    if not given.quick:
                        keep(engine, given.bookings, name, found)
    finally:
        if server is not None:
            server.stop()
    print(f"\n{table(lines)}")


def keep(engine: str, bookings: int, name: str, lines: list[Line]) -> None:
    """Write what was found into `RESULTS`, in the place of what stood there of the measure ``name`` on this engine."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    of_engine = {known: result for known, result in kept.get(engine, {}).items() if known in measures.MEASURES}
    run = {
        "date": date.today().isoformat(),  # noqa: DTZ011 - when it was run, by the reader's calendar
        "python": platform.python_version(),
        "machine": platform.machine(),
        "bookings": bookings,
    }
    of_engine[name] = run | {"lines": [line.plain() for line in lines]}
    whole = {**kept, engine: of_engine}
    RESULTS.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""The embedded broker: kombu's filesystem transport, with messages that appear whole.

The original opens a message's file under its final name and writes afterwards, so a worker that looks in between takes
an empty message and stops. Here a file is written aside and renamed, which is atomic. Fetching renames too, inside the
same folder: the original moves to the system's temporary folder, which may be another disk. Every process declares
the one queue before it uses it, so bindings need no file either, which two processes could write at once.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from queue import Empty
from time import time_ns
from typing import Any

from kombu.transport import filesystem, virtual
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    """One message is one file ``<nanoseconds>_<random>.<queue>.msg`` in the folder ``data_folder_in``."""

    supports_fanout = False
    get_table = virtual.Channel.get_table

    def _put(self, queue: str, payload: dict[str, Any], **_: Any) -> None:
        folder = Path(self.data_folder_in)
        name = f"{time_ns():020}_{uuid.uuid4().hex}.{queue}.msg"
        aside = folder / f"{name}.part"
        aside.write_text(dumps(payload), encoding="utf-8")
        aside.rename(folder / name)

    def _get(self, queue: str) -> Any:
        folder = Path(self.data_folder_in)
        for name in sorted(name for name in os.listdir(folder) if name.partition(".")[2] == f"{queue}.msg"):
            taken = folder / f"{name}.taken"
            try:
                (folder / name).rename(taken)
            except FileNotFoundError:
                continue  # another worker was quicker
            try:
                return loads(taken.read_text(encoding="utf-8"))
            finally:
                taken.unlink()
        raise Empty()


class Transport(filesystem.Transport):
    Channel = Channel

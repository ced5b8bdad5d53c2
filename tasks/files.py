"""The broker of a small lieu: messages are files in a folder, and none is ever seen half written.

kombu's own transport creates a message under its final name and fills it afterwards; a worker that polls in between
reads an empty file, fails to parse it and stops. Here a message gets its name once it is whole. Fetching renames too,
in the same folder: the original moves to the system's temporary folder, which may be another disk. Every process
declares the one queue before it uses it, so bindings need no file either, which two processes could write at once.
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

    def _put(self, queue: str, payload: dict[str, Any], **_kwargs: Any) -> None:
        folder = Path(str(self.data_folder_out))
        name = f"{time_ns():020}_{uuid.uuid4().hex}.{queue}.msg"
        draft = folder / f"{name}.draft"
        draft.write_text(dumps(payload), encoding="utf-8")
        draft.rename(folder / name)

    def _get(self, queue: str) -> Any:
        folder = Path(str(self.data_folder_in))
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

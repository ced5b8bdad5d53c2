"""The broker of a small lieu: messages are files in a folder, and none is ever seen half written.

kombu's own transport creates a message under its final name and fills it afterwards; a worker that polls in between
reads an empty file, fails to parse it and stops. Here a message gets its name once it is whole.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from time import monotonic_ns
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: dict[str, Any], **_kwargs: Any) -> None:
        folder = Path(str(self.data_folder_out))
        name = f"{monotonic_ns() // 1_000_000}_{uuid.uuid4()}"
        draft = folder / f"{name}.draft"
        draft.write_text(dumps(payload), encoding="utf-8")
        draft.replace(folder / f"{name}.{queue}.msg")


class Transport(filesystem.Transport):
    Channel = Channel

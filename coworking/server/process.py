"""Settings of the web and worker processes, made before the product is loaded."""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

MMAP_FROM = 1024 * 1024
"""Bytes from which memory is asked of the system by itself, and goes back to it at once."""

SMALL = 1024**3
"""Bytes of memory below which a server has room for one web process."""

TRIM_AFTER = 250
"""Requests after which a web process gives free memory back to the system."""

HEAPS = 2
"""Heaps of the C library per process. Eight threads of Python rarely allocate at once: a heap each is mostly waste."""

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8


def prepare() -> None:
    """Files are this user's alone, a crash says where it happened, and free memory goes back."""
    os.umask(0o077)  # the database, keys and e-mails
    faulthandler.enable()
    _keep_little_memory()


@contextmanager
def loading() -> Iterator[None]:
    """Load the product within the block without the search for dead cycles, which took a fifth of each start.

    What was loaded lives as long as the process: later searches leave it out.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def web_processes(memory: int | None = None) -> int:
    """How many web processes a server of ``memory`` bytes runs (None: this one): one below a gigabyte, else two."""
    if memory is None:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 1 if memory < SMALL else 2


def _keep_little_memory() -> None:
    """Fix two habits of glibc: a heap per thread, and a growing limit between its heaps and the system's memory.

    glibc raises that limit to what was last freed, up to 32 MB. Argon2 frees 19 MiB for each sign-in: from the second one
    on these stay in the heap of whichever thread checked a password, some 150 MB with eight threads.
    """
    allocator = ctypes.CDLL(None)
    if hasattr(allocator, "mallopt"):  # other C libraries have neither the function nor the habits
        allocator.mallopt(_M_MMAP_THRESHOLD, MMAP_FROM)
        allocator.mallopt(_M_ARENA_MAX, HEAPS)


def give_free_memory_back() -> None:
    """Return to the system what is free between what is used.

    glibc keeps what is freed in the middle of a heap, and a process seems to grow though it holds no more than before. It
    takes some milliseconds.
    """
    allocator = ctypes.CDLL(None)
    if hasattr(allocator, "malloc_trim"):  # as above
        allocator.malloc_trim(0)

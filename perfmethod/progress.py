"""Progress of long work, on stderr, and only where somebody watches."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

__all__ = ["progress"]

T = TypeVar("T")


def progress(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Pass items through and show how far they are.

    Nothing is written where stderr is no terminal or ``PERFMETHOD_QUIET`` is set, so notebooks and
    logs stay the same from run to run.

    Parameters
    ----------
    items : iterable
    what : str
    total : int
        Number of items.
    """
    shown = sys.stderr.isatty() and not os.environ.get("PERFMETHOD_QUIET")
    for i, item in enumerate(items, start=1):
        yield item
        if shown:
            end = "\n" if i == total else "\r"
            print(f"{what}: {100 * i // total} %", end=end, file=sys.stderr, flush=True)

"""When the compiled loops are used, and how they are made."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from perfmethod.errors import PerfmethodError, suggest

__all__ = ["LARGE", "VARIABLE", "Kernels", "prepare", "ready"]

VARIABLE = "PERFMETHOD_COMPILED"
WORDS = ("auto", "never", "always")
LARGE = 2**22  # draws from which loading the compiled loops is worth while
ANY_ORDER = frozenset({"count_sure"})  # loops whose sums may be taken in any order

Loop = Callable[..., None]


class Kernels(NamedTuple):
    """The loops of `perfmethod.compiled.kernels`, compiled."""

    pack_keys: Loop
    read_keys: Loop
    put_back: Loop
    count_places: Loop
    count_above: Loop
    fill_places: Loop
    unit_floats: Loop
    scale_rows: Loop
    pack_single: Loop
    count_sure: Loop


class _State:
    """Which loops this process uses now."""

    loops: Kernels | None = None


def word() -> str:
    """What the environment says: auto, never or always.

    Raises
    ------
    PerfmethodError
        If it says something else.
    """
    said = os.environ.get(VARIABLE, "").strip() or "auto"
    if said not in WORDS:
        raise PerfmethodError(f"{VARIABLE}: found {said!r}; allowed: {suggest(said, WORDS)}")
    return said


def prepare(draws: int) -> bool:
    """Use the compiled loops from now on if they are wanted for so many draws.

    Parameters
    ----------
    draws : int

    Returns
    -------
    bool
        Whether they are used.

    Raises
    ------
    PerfmethodError
        If they must be used and numba is missing, or the environment's word is not known.
    """
    said = word()
    wanted = said == "always" or (said == "auto" and draws >= LARGE)
    _State.loops = compiled() if wanted else None
    if said == "always" and _State.loops is None:
        raise PerfmethodError(
            f"{VARIABLE}: found 'always' and no numba; allowed: install the extra "
            "'perfmethod[fast]', or one of auto, never"
        )
    return _State.loops is not None


def ready() -> Kernels | None:
    """The compiled loops where they are in use."""
    return _State.loops


@cache
def compiled() -> Kernels | None:
    """The loops, compiled when they are first called; None without numba."""
    try:
        from numba import njit
    except ImportError:
        return None
    from perfmethod.compiled import kernels

    def make(name: str) -> Loop:
        free = {"reassoc"} if name in ANY_ORDER else False
        loop: Loop = njit(cache=True, nogil=True, fastmath=free)(getattr(kernels, name))
        return loop

    return Kernels(*map(make, Kernels._fields))

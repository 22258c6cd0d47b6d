"""Compiled loops for very many draws: the same results, sooner, where numba is installed.

With the extra ``fast`` (numba) the loops of `perfmethod.compiled.kernels` are compiled on first
use and kept in a cache on disk. They are whole-number work and elementwise arithmetic in a fixed
order, so every result has the same bytes with and without them.

The environment variable ``PERFMETHOD_COMPILED`` says when they are used:

- ``auto`` (or not set): where numba can be imported and there are at least `LARGE` draws, so that
  what loading takes (about a second and 100 MB in every process) is earned back;
- ``never``: numba is not even looked for;
- ``always``: from the first draw on; an error where numba is missing.

Worker processes read the variable for themselves.
"""

from perfmethod.compiled.loading import LARGE, VARIABLE, Kernels, prepare, ready

__all__ = ["LARGE", "VARIABLE", "Kernels", "prepare", "ready"]

"""How a reduction is told from arrays and tables, without loading what makes one."""

from __future__ import annotations

__all__ = ["Reduced"]


class Reduced:
    """Base of `Reduction`."""

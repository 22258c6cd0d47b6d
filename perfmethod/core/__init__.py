"""The one scoring core: a tree of weighted power means over arrays, with room for draws.

Structure (which child hangs on which parent) is apart from numbers (weights, powers, scores): the
structure never changes between draws, and any number may carry a leading ``draws`` axis. Scoring
one scheme and scoring many perturbed ones is therefore the same function. Letters of shapes:
``u`` units, ``n`` nodes, ``k`` draws.
"""

from perfmethod.core.sums import BLOCK, Columns, Leaves, Numbers, blocks, product
from perfmethod.core.tree import FILLS, Structure, tree_scores, tree_shares

__all__ = [
    "BLOCK",
    "FILLS",
    "Columns",
    "Leaves",
    "Numbers",
    "Structure",
    "blocks",
    "product",
    "tree_scores",
    "tree_shares",
]

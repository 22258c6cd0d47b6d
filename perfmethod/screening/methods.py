"""The table of flags: what each looks at, against what, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["METHODS", "Method"]


class Method(NamedTuple):
    """One kind of flag.

    Attributes
    ----------
    seen : str
        The statistic, and of what.
    null : str
        What it is compared with; empty for what is impossible rather than improbable.
    adjustment : str
        How its p-values are adjusted for the number of tests of the kind.
    sets_aside : bool
        Whether the flag names ballots, so that `effect` can set them aside. Evidence on a whole
        group names none.
    source : str
    zh : str
        Chinese name of the kind.
    """

    seen: str
    null: str
    adjustment: str
    sets_aside: bool
    source: str
    zh: str


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "straight-lining": Method(
            "ballots of a rater with one answer to every question (longest string = questions), "
            "the rater's most frequent such ballot left out",
            "beta-binomial over the raters of the category; those without a mixed ballot left out",
            "Benjamini-Hochberg",
            True,
            "Johnson, J. Res. Pers. 39 (2005) 103-129 (longest string); Skellam, JRSS B 10 (1948) "
            "257-261 (beta-binomial)",
            "直线作答",
        ),
        "identical ballots": Method(
            "share of a rater's ballots, over units asked the same questions, that are the same",
            "beta-binomial over the raters of the category; those with one vector only left out",
            "Benjamini-Hochberg",
            True,
            "Johnson, J. Res. Pers. 39 (2005) 103-129; Skellam, JRSS B 10 (1948) 257-261",
            "答卷雷同",
        ),
        "too uniform": Method(
            "ballots of a unit in a mode whose answers do not vary (intra-individual response "
            "variability 0)",
            "the unit's other modes, at the odds ratio that is usual between these modes "
            "(Fisher's noncentral hypergeometric)",
            "Holm",
            False,
            "Dunn et al., J. Bus. Psychol. 33 (2018) 105-121 (variability); Fisher, JRSS 98 "
            "(1935) 39-82",
            "过于一致",
        ),
        "online all best": Method(
            "online ballots of a unit with the best answer to every question",
            "the unit's other modes, at the usual odds ratio: two binomials given their sum "
            "(Fisher's noncentral hypergeometric)",
            "Holm",
            False,
            "Fisher, JRSS 98 (1935) 39-82",
            "网上全优",
        ),
        "copied session": Method(
            "pairs of identical ballots on one unit inside a session, over what the unit has",
            "sessions made up of raters drawn from the same category (Monte Carlo, sequential)",
            "Holm",
            True,
            "Wollack & Fremer (eds), Handbook of Test Security (2013); Besag & Clifford, "
            "Biometrika 78 (1991) 301-304",
            "整场抄填",
        ),
        "burst": Method(
            "most ballots of a unit in any window of time (scan statistic)",
            "independent times; a window holds no more than the busiest one of other units",
            "Holm",
            True,
            "Naus, JASA 60 (1965) 532-538; Glaz, Naus & Wallenstein, Scan Statistics (2001)",
            "突击投票",
        ),
        "ring": Method(
            "units on which two raters of a category gave identical ballots",
            "independent raters with their own habits on units as they are (binomial, which "
            "bounds the sum of unequal chances)",
            "Holm",
            True,
            "Wesolowsky, J. Appl. Stat. 27 (2000) 909-921; Hoeffding, Ann. Math. Stat. 27 (1956) "
            "713-721",
            "评议人串通",
        ),
        "repeated ballot": Method(
            "ballots of one rater on one unit beyond the first",
            "",
            "none",
            True,
            "by definition",
            "重复投票",
        ),
        "impossible count": Method(
            "ballots on a unit beyond the registered raters; a rater with more ballots than "
            "units; a ballot id that stands twice",
            "",
            "none",
            False,
            "by definition",
            "票数不可能",
        ),
    }
)

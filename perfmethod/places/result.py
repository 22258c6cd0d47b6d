"""What a comparison of quota rules found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.survey import noted, unmeasured_told

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from perfmethod.places.rules import QuotaRule

__all__ = ["KINDS", "RuleComparison"]

KINDS = ("tradeoff", "rates", "changes")


@dataclass(frozen=True, eq=False, repr=False)
class RuleComparison:
    """Quota rules on one year.

    Attributes
    ----------
    rules : mapping of str to QuotaRule
        The rules, each with its patch of the scheme and its wording.
    table : DataFrame
        One row per rule: name, name_en; places, filled and unfilled (best grade); contested
        (places for which pools tie), tied_units (units tied at an edge); rate_min, rate_max and
        rate_range (shares of the units of each group), least_range (the smallest gap that so many
        whole places allow), parity_p (exact p of the places by group, were they drawn by lot:
        where places are spread by group, the rule's own doing); changed, gain, lose (grades other
        than under the scheme as it is). With draws or a truth: found (expected share of the true
        best that hold the best grade), found_gain (over the scheme as it is). With draws:
        expected_wrong (units with another grade under other raters), changed_mean (grades other
        than the scheme's, both under the same raters), range_low, range_high, changed_low,
        changed_high (5th and 95th percentile of the draws). Columns ending in ``_mcse`` are Monte
        Carlo standard errors. efficient: no other rule is as good on rate_range, found,
        expected_wrong and changed, and better on one.
    rates : DataFrame
        rule, group, units, held (best grade), rate, low, high (Clopper-Pearson, 95 %).
    ties : DataFrame
        rule, kind (pools or units), number (of places that pools tie for, or of units), tied (who),
        settled (how).
    changes : DataFrame
        rule, unit_id, name, name_en, group, total, rank, group_rank, before, after, gains.
    meta : mapping
        Digests of scheme and data, draws, seed, what counts as the truth. Read-only.
    unmeasured_weight : float or None
        Share of the survey's weight whose error cannot be measured and is not in what other raters
        change; None without draws or ballots.
    lonely : tuple of str
        Categories with a single rater: nothing of their noise can be known.
    """

    rules: Mapping[str, QuotaRule]
    table: pd.DataFrame
    rates: pd.DataFrame
    ties: pd.DataFrame
    changes: pd.DataFrame
    meta: Mapping[str, Any] = field(default_factory=dict)
    unmeasured_weight: float | None = None
    lonely: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("rules", "meta"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __repr__(self) -> str:
        changing = int((self.table["changed"] > 0).sum())
        good = int(self.table["efficient"].sum())
        return (
            f"<RuleComparison of {len(self.table)} rules: {changing} change a grade, "
            f"{good} efficient, {self.meta.get('draws', 0)} draws"
            f"{noted(self.unmeasured_weight, self.lonely)}>"
        )

    def words(self, lang: str = "zh") -> tuple[str, ...]:
        """What the numbers of draws leave out, in a sentence; empty where that is nothing.

        Parameters
        ----------
        lang : {"zh", "en"}
        """
        return unmeasured_told(self.unmeasured_weight, self.lonely, lang)

    def to_frame(self) -> pd.DataFrame:
        """One row per rule; see `table`."""
        return self.table.copy()

    def winners_and_losers(self, rule: str | None = None, lang: str = "zh") -> pd.DataFrame:
        """Who would gain and who would lose this year.

        Parameters
        ----------
        rule : str, optional
            By default all rules.
        lang : {"zh", "en"}
            Of the names.

        Returns
        -------
        DataFrame
            rule, unit_id, name, group, total, rank, group_rank, before, after, gains; those who
            gain first. Empty where the rule changes no grade.

        Raises
        ------
        PerfmethodError
            If there is no such rule or language.
        """
        if rule is not None and rule not in self.rules:
            raise PerfmethodError(f"found rule '{rule}'; allowed: {suggest(rule, self.rules)}")
        if lang not in ("zh", "en"):
            raise PerfmethodError(
                f"found language '{lang}'; allowed: {suggest(lang, ('zh', 'en'))}"
            )
        rows = self.changes if rule is None else self.changes[self.changes["rule"] == rule]
        named = rows.assign(name=rows["name"] if lang == "zh" else rows["name_en"])
        return named.drop(columns="name_en").reset_index(drop=True)

    def plot(self, kind: str = "tradeoff", ax: Axes | None = None, lang: str = "zh") -> Axes:
        """Draw the comparison.

        Parameters
        ----------
        kind : {"tradeoff", "rates", "changes"}
            Fairness, truth found, reliability and agreement of every rule; rates by group; or who
            gains and loses under which rule.
        ax : Axes, optional
        lang : {"zh", "en"}

        Raises
        ------
        PerfmethodError
            If the kind is none of these, or the figure needs draws that were not made.
        """
        from perfmethod.places.figures import draw

        return draw(self, kind, ax, lang)

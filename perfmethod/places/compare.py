"""Quota rules compared on one year: rates, ties, what they find, whom they change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.errors import DataError, PerfmethodError, Problems, suggest
from perfmethod.fairness import exact_rate, p_values, table_law
from perfmethod.places.applied import Applied, Field, applied, drawn, field_of
from perfmethod.places.efficient import OBJECTIVES, efficient
from perfmethod.places.result import RuleComparison
from perfmethod.places.rules import BOUNDED, QuotaRule, chosen, quota_rules
from perfmethod.places.truth import least_range, mean_and_error, share_found, true_best
from perfmethod.reliability.review_draws import normal_draws
from perfmethod.scoring import Evaluation, anchors_of, evaluate, measured_of
from perfmethod.year import Year

__all__ = ["compare_rules"]

Bools = NDArray[np.bool_]
Codes = NDArray[np.int8]


def compare_rules(
    year: Year | Evaluation,
    rules: Iterable[str | QuotaRule] | None = None,
    *,
    anchors: Iterable[str] | None = None,
    carried: Mapping[str, float] | None = None,
    places: int | None = None,
    lot_seed: int = 0,
    truth: pd.Series | pd.DataFrame | None = None,
    best_of: str = "class",
    draws: int = 2000,
    seed: int = 0,
) -> RuleComparison:
    """Compare quota rules on a year.

    Parameters
    ----------
    year : Year or Evaluation
        Under a scheme with grades.
    rules : iterable of str or QuotaRule, optional
        Names from `quota_rules`, or rules of your own; by default all of `quota_rules`, but for
        floors and caps that do not fit the year's groups (``meta["left_out"]`` says why). The
        scheme as it is (``nominal``) always stands first.
    anchors : iterable of str, optional
        Nodes on whose mean units of different pools can be compared; by default those of
        `scoring.anchors_of`, which units of all classes share. Without any, the two rules by merit
        are left out.
    carried, places, lot_seed
        See `quota_rules`.
    truth : Series or DataFrame, optional
        True merit by unit_id (index of a Series, columns of a DataFrame whose rows are draws of
        it). By default the measured totals count as the truth that other raters would blur.
    best_of : {"class", "all"}
        Whether the true best are taken inside each class (whose totals rest on other tasks) or
        among all units together.
    draws : int
        Samples of raters (`reliability.grade_risk`, normal); 0 for none.
    seed : int

    Returns
    -------
    RuleComparison

    Raises
    ------
    SchemeError, DataError
        With every problem of every rule: unknown names (with the nearest one), more places than
        units, floors and caps that do not fit, balances of unknown pools, groups without units,
        true values that are missing.
    PerfmethodError
        Another argument out of range; with `draws`, most of the survey's weight on answers whose
        error cannot be measured.

    Notes
    -----
    What ``found`` means depends on `truth`. With measured totals as the truth, it is the expected
    share of the best by measured total that the rule still grades best when other raters are
    asked; measured totals spread wider than true ones, so it is rather too high, and a rule that
    compares totals of a whole class is then right by definition but for noise: what panels of
    unequal stringency do to it, only a truth can show. With a truth given, it is the share of the
    true best whom this year's grades name: one number, without an error, for a Series; the mean
    over its draws for a DataFrame.

    All rules see the same draws, so differences between rules are surer than the rules' own
    numbers; ``found_gain`` has its own error.
    """
    evaluation = year if isinstance(year, Evaluation) else evaluate(year)
    _check(evaluation, best_of, draws, truth)
    catalogue = quota_rules(
        evaluation.year.scheme,
        anchors=anchors_of(evaluation) if anchors is None else tuple(anchors),
        carried=carried, places=places, lot_seed=lot_seed,
        pool="group" if evaluation.scores["group"].notna().any() else "class",
    )  # fmt: skip
    wanted = chosen(catalogue, rules)
    spare = BOUNDED if rules is None else ()
    ready, left_out = applied(evaluation.year, evaluation._plan, wanted, spare=spare)
    now = field_of(evaluation._plan, evaluation._scored, _anchors(wanted))
    noisy = None
    unmeasured = measured_of(evaluation, "no other raters (draws=0)") if draws else None
    if evaluation.review is not None and unmeasured is not None:
        sampled = normal_draws(evaluation.year, evaluation.review, draws, 1.0, seed)
        noisy = drawn(evaluation.year, sampled, _anchors(wanted))
    study = _Study(evaluation, ready, now, noisy, truth, best_of)
    table = pd.DataFrame([study.row(name) for name in ready], index=pd.Index(ready, name="rule"))
    table["efficient"] = efficient(table, [c for c in OBJECTIVES if c in table])
    meta = {**evaluation.year.meta, "draws": draws if noisy is not None else 0, "seed": seed,
            "best_of": best_of, "truth": study.told, "parity": study.parity_told,
            "best": study.level, "left_out": left_out,
            "groups": {lang: _pool_names(evaluation, lang) for lang in ("zh", "en")}}  # fmt: skip
    names = {lang: evaluation.year.unit_names(lang) for lang in ("zh", "en")}
    kept = {name: wanted[name] for name in ready}
    lost = (None, ()) if unmeasured is None else (unmeasured.weight, unmeasured.lonely)
    tables = table, study.rates(), study.ties(), study.changes(names)
    return RuleComparison(kept, *tables, meta, *lost)


def _pool_names(evaluation: Evaluation, lang: str) -> dict[str, str]:
    """Names of classes and groups, by what stands in the rates."""
    scheme = evaluation.year.scheme
    classes = {c: scheme.name(f"classes.{c}", lang) for c in scheme.classes}
    named = {str(g): str(name) for g, name in evaluation.year.group_names(lang).items()}
    return named | classes


def _anchors(rules: Mapping[str, QuotaRule]) -> list[tuple[str, ...]]:
    return [rule.anchors for rule in rules.values() if rule.by_merit]


def _check(
    evaluation: Evaluation, best_of: str, draws: int, truth: pd.Series | pd.DataFrame | None
) -> None:
    if best_of not in ("class", "all"):
        raise PerfmethodError(f"best_of: found '{best_of}'; {suggest(best_of, ('class', 'all'))}")
    if draws < 0 or draws == 1:
        raise PerfmethodError(f"draws: found {draws}; allowed: 0, or 2 or more")
    if truth is None:
        return
    problems = Problems("truth")
    index = truth.columns if isinstance(truth, pd.DataFrame) else truth.index
    for unit in evaluation.scores.index:
        column = truth[unit] if unit in index else np.nan
        if np.isnan(np.asarray(column, float)).any():
            problems.add("no true value", "a number for every unit", row=str(unit))
    problems.raise_any(DataError)


@dataclass
class _Study:
    """One year under all rules."""

    evaluation: Evaluation
    ready: Mapping[str, Applied]
    now: Field
    noisy: Field | None
    truth: pd.Series | pd.DataFrame | None
    best_of: str

    def __post_init__(self) -> None:
        nominal = self.ready["nominal"]
        self.level = nominal.levels[0]
        self.given = {name: one.grade(self.now) for name, one in self.ready.items()}
        self.drawn: dict[str, Codes] = {}
        if self.noisy is not None:
            self.drawn = {n: one.grade(self.noisy).codes for n, one in self.ready.items()}
        units = self.evaluation.year.units.loc[list(nominal.plan.units)]
        label = units["group"].fillna(units["class"]).replace("", np.nan)
        self.label = label.fillna(units["class"]).astype(str)
        self.codes, self.groups = pd.factorize(self.label)
        self.sizes = np.bincount(self.codes)
        self.parity_told = "exact (Fisher-Freeman-Halton)"
        self.shares = self._shares()

    @property
    def told(self) -> str:
        """What counts as the truth."""
        if self.truth is not None:
            return "given draws" if isinstance(self.truth, pd.DataFrame) else "given"
        return "measured totals" if self.noisy is not None else "none"

    def _held(self, name: str) -> Bools:
        return np.asarray(self.given[name].codes == 0)

    def _shares(self) -> dict[str, NDArray[np.float64]]:
        """Share of the true best found, by rule, (k,); nothing without truth and draws."""
        nominal = self.ready["nominal"]
        number = next((n for one in self.ready.values() if (n := one.places)), 0)
        within = nominal.plan.unit_class if self.best_of == "class" else None
        ids = list(nominal.plan.units)
        if self.truth is not None:
            true = np.atleast_2d(self.truth[ids].to_numpy(float))
            best = true_best(true, number, within)
            return {n: share_found(self._held(n), best) for n in self.ready}
        if self.noisy is None:
            return {}
        best = true_best(self.now.totals, number, within)
        return {n: share_found(codes == 0, best) for n, codes in self.drawn.items()}

    def row(self, name: str) -> dict[str, Any]:
        """Everything about one rule that is a number."""
        one, held = self.ready[name], self._held(name)
        rates = self._rates(held)
        filled, table = int(held.sum()), one.table
        found: dict[str, Any] = {
            "name": one.rule.name["zh"], "name_en": one.rule.name["en"], "places": one.places,
            "filled": filled, "contested": 0 if table is None else table.contested,
            "tied_units": int(self.given[name].tied.sum()),
            "rate_min": rates.min(), "rate_max": rates.max(), "rate_range": np.ptp(rates),
            "least_range": least_range(self.sizes, filled), "parity_p": self._parity(held),
        }  # fmt: skip
        found["places"] = filled if one.places is None else one.places
        found["unfilled"] = found["places"] - filled
        before, after = self.given["nominal"].codes, self.given[name].codes
        found |= {"changed": int((before != after).sum()), "gain": int((after < before).sum()),
                  "lose": int((after > before).sum())}  # fmt: skip
        return found | self._found(name) | self._noise(name)

    def _rates(self, held: Bools) -> NDArray[np.float64]:
        """Rates of the groups, (..., g)."""
        marks = np.eye(len(self.sizes))[self.codes]
        return np.asarray(held.astype(float) @ marks / self.sizes)

    def _parity(self, held: Bools) -> float:
        try:
            law = table_law(self.sizes, int(held.sum()))
        except PerfmethodError as error:
            self.parity_told = f"not computed: {error}"
            return float("nan")
        count = np.bincount(self.codes[held], minlength=len(self.sizes))
        return float(p_values(law, "fisher_freeman_halton")[law.find(count)])

    def _found(self, name: str) -> dict[str, float]:
        if not self.shares:
            return {}
        mean, error = mean_and_error(self.shares[name])
        gain, gain_error = mean_and_error(self.shares[name] - self.shares["nominal"])
        errors = {"found_mcse": error, "found_gain_mcse": gain_error}
        return {"found": mean, "found_gain": gain} | (errors if self.shares[name].size > 1 else {})

    def _noise(self, name: str) -> dict[str, float]:
        """What other raters do to this rule's grades."""
        if self.noisy is None:
            return {}
        codes = self.drawn[name]
        wrong, error = mean_and_error((codes != self.given[name].codes).sum(-1))
        gaps = np.ptp(self._rates(codes == 0), axis=-1)
        apart = (codes != self.drawn["nominal"]).sum(-1)
        ends = {
            "range": np.quantile(gaps, [0.05, 0.95]),
            "changed": np.quantile(apart, [0.05, 0.95]),
        }
        found = {"expected_wrong": wrong, "expected_wrong_mcse": error,
                 "changed_mean": float(apart.mean())}  # fmt: skip
        for what, (low, high) in ends.items():
            found |= {f"{what}_low": float(low), f"{what}_high": float(high)}
        return found

    def rates(self) -> pd.DataFrame:
        """Rate of the best grade by rule and group."""
        parts = []
        for name in self.ready:
            held = np.bincount(self.codes[self._held(name)], minlength=len(self.sizes))
            low, high = exact_rate(held, self.sizes)
            parts.append(
                pd.DataFrame(
                    {"rule": name, "group": self.groups, "units": self.sizes, "held": held,
                     "rate": held / self.sizes, "low": low, "high": high}
                )
            )  # fmt: skip
        return pd.concat(parts, ignore_index=True)

    def ties(self) -> pd.DataFrame:
        """Ties that a rule meets: pools for the last places, units for the last place."""
        rows = []
        for name, one in self.ready.items():
            ids, table = np.array(one.plan.units), one.table
            if table is not None and table.tied:
                pools = ", ".join(one.plan.pool_names[i] for i in table.tied)
                rows.append((name, "pools", table.contested, pools, _settled(one)))
            tied = ids[self.given[name].tied]
            if len(tied):
                word = one.plan.scheme.document["grades"].get("edge_tie", "none_in")
                rows.append((name, "units", len(tied), ", ".join(tied), word))
        return pd.DataFrame(rows, columns=["rule", "kind", "number", "tied", "settled"])

    def changes(self, names: Mapping[str, pd.Series]) -> pd.DataFrame:
        """Units whose grade another rule would change."""
        levels, scores = self.ready["nominal"].levels, self.evaluation.scores
        parts = []
        before = self.given["nominal"].codes
        for name in self.ready:
            after = self.given[name].codes
            at = np.flatnonzero(before != after)
            ids = scores.index[at]
            part = pd.DataFrame({"rule": name, "unit_id": ids, "name": names["zh"][ids].to_numpy(),
                                 "name_en": names["en"][ids].to_numpy()})  # fmt: skip
            for column in ("group", "total", "rank", "group_rank"):
                part[column] = scores[column].to_numpy()[at]
            part["before"] = [levels[c] for c in before[at]]
            part["after"] = [levels[c] for c in after[at]]
            part["gains"] = after[at] < before[at]
            parts.append(part.sort_values(["gains", "total"], ascending=False, kind="stable"))
        return pd.concat(parts, ignore_index=True)


def _settled(one: Applied) -> str:
    if one.rule.by_merit:
        return "merit"
    return str(one.plan.scheme.document["grades"].get("pool_tie", "unfilled"))

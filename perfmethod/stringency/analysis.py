"""Stringency or true performance: the whole analysis of a year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.errors import DataError, Problems
from perfmethod.stringency.ancova import Ancova, ancova
from perfmethod.stringency.canonical import Canonical, canonical
from perfmethod.stringency.dif import holm
from perfmethod.stringency.graph import connectivity, nested_ratings
from perfmethod.stringency.parts import Parts, parts_of
from perfmethod.stringency.posterior import group_posterior
from perfmethod.stringency.power import anchored_power, detectable_ratio, permutation_p
from perfmethod.stringency.reliability import (
    Reliabilities,
    chosen_reliability,
    corrected_effects,
)
from perfmethod.stringency.result import Stringency

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["stringency"]

Array = NDArray[np.float64]

RATIOS = (0.25, 0.5, 0.75, 1.0, 1.5)  # of the residual spread, at which power is given


def stringency(
    evaluation: Evaluation,
    *,
    panel: str | Sequence[str] | None = None,
    anchors: str | Sequence[str] | None = None,
    by: str | pd.Series = "group",
    leave_out: Sequence[str] = (),
    reliability: Mapping[str, float] | None = None,
    raters: tuple[Sequence[str], Sequence[str]] | None = None,
    level: float = 0.95,
    alpha: float = 0.05,
    draws: int = 9999,
    seed: int = 0,
) -> Stringency:
    """Are the differences between groups their panels' stringency, or performance?

    Three statements, of which the data decide the first two only: whether any group effect stands
    in the panel's scores beyond the anchors; whether the same groups also lead on the anchors,
    which others scored; and which grades hang on what the rest is, stringency or performance
    (`sweep`).

    Parameters
    ----------
    evaluation : Evaluation
    panel : str or sequence of str, optional
        Nodes that each group's own assessors score. By default what the scheme marks so
        (``assessors = "own"``), else nodes none of whose indicators two groups share
        (`scoring.panels_of`), in the largest class with two groups. A node that panels score
        among others, such as an internal assessment with the group's own leader, can be added;
        units of other classes that have it too are then to be left out.
    anchors : str or sequence of str, optional
        Nodes that others score for all groups alike: by default those of `scoring.anchors_of`
        (indicators that every unit holds, the shared survey) that are no part of the panel.
    by : str or Series, default "group"
        Who shares a panel: column of the units, or labels by unit_id.
    leave_out : sequence of str
        Units not to compare.
    reliability : mapping of str to float, optional
        Reliability of anchors inside groups, for the bound on the slope; by default that of survey
        anchors by their ballots (`survey_reliability`). Other anchors without one count as free of
        error. Where a survey's cannot be told, or it is all noise, the analysis goes on without
        the bound, and `Stringency.words` says so.
    raters : pair of sequences, optional
        Who rated whom (raters, units) in the panels; by default every panel rates its own group
        only.
    level : float, default 0.95
        Of all intervals.
    alpha : float, default 0.05
        Of the tests whose power is given.
    draws, seed : int
        Of the permutation test.

    Returns
    -------
    Stringency

    Raises
    ------
    DataError
        If nodes, units or groups do not allow the comparison; all problems at once.

    References
    ----------
    Cochran (1957), *Biometrics* 13, 261-281; Wald (1940), *Annals of Mathematical Statistics* 11,
    96-100; Morris (1983), *JASA* 78, 47-55.

    Examples
    --------
    >>> import perfmethod as pm
    >>> from perfmethod.synthetic import synthetic_year
    >>> drawn = synthetic_year(seed=0, ballots=4000)
    >>> year = pm.Year.from_frames(pm.Scheme.loads(drawn.scheme), **drawn.tables)
    >>> found = stringency(pm.evaluate(year), draws=999)
    >>> found.connectivity
    <Connectivity: 7 parts, 45 ratings>
    >>> found.groups.shape[0], len(found.words("en")), found.sweep().exact
    (7, 4, True)
    """
    _check(level, alpha, draws)
    parts = parts_of(evaluation, panel, anchors, by, leave_out)
    fit = ancova(parts.panel, parts.anchors, parts.groups)
    found = canonical(fit)
    theta = found.most_likely()
    rated = _rated(parts, raters)
    known = chosen_reliability(evaluation, parts, reliability)
    corrected = known.corrected(fit)
    power = pd.DataFrame({"ratio": RATIOS})
    power["sd"] = power["ratio"] * fit.sigma
    power["power"] = anchored_power(found, power["ratio"], alpha=alpha)
    return Stringency(
        _groups(fit, found, theta, corrected, level),
        _slopes(parts, fit, corrected, known, level),
        _tests(fit, found, alpha, draws, seed),
        _variance(fit, found, theta, level),
        power,
        connectivity(*rated),
        alpha,
        level,
        {**evaluation.year.meta, "panel": parts.panel_nodes, "anchors": parts.anchor_nodes,
         "by": by if isinstance(by, str) else "given labels", "left_out": parts.left_out,
         "names": {lang: evaluation.year.group_names(lang).to_dict() for lang in ("zh", "en")}},
        evaluation, parts, fit, found,
    )  # fmt: skip


def _rated(
    parts: Parts, raters: tuple[Sequence[str], Sequence[str]] | None
) -> tuple[list[str], list[str]]:
    """Ratings of the units that are compared, by panels of their own where nothing is said."""
    if raters is None:
        return nested_ratings(parts.groups)
    known = {str(unit) for unit in parts.panel.index}
    pairs = [(r, str(u)) for r, u in zip(*raters, strict=True) if str(u) in known]
    problems = Problems("stringency")
    if lacking := sorted(known - {u for _, u in pairs}):
        problems.add(f"no rater of {', '.join(lacking[:5])} ({len(lacking)} units)",
                     "a rater of every unit that is compared", column="raters")  # fmt: skip
    problems.raise_any(DataError)
    return [r for r, _ in pairs], [u for _, u in pairs]


def _check(level: float, alpha: float, draws: int) -> None:
    problems = Problems("stringency")
    for name, value in (("level", level), ("alpha", alpha)):
        if not 0 < value < 1:
            problems.add(f"{value:g}", "between 0 and 1", column=name)
    if draws < 99:
        problems.add(f"{draws}", "99 or more", column="draws")
    problems.raise_any(DataError)


def _groups(
    fit: Ancova, found: Canonical, theta: float, corrected: Array, level: float
) -> pd.DataFrame:
    from scipy.special import stdtr, stdtrit

    posterior = group_posterior(found, level=level)
    se, limit = fit.effects_se, float(stdtrit(fit.df, (1 + level) / 2))
    lead = fit.anchor_means @ fit.slopes
    frame = pd.DataFrame({"units": fit.sizes}, index=pd.Index(fit.labels, name="group"))
    frame["panel_mean"] = fit.panel_means
    frame["panel_lead"] = fit.panel_means - fit.panel_means.mean()
    frame["anchor_lead"] = lead - lead.mean()
    frame["effect"], frame["se"] = fit.effects, se
    frame["low"], frame["high"] = fit.effects - limit * se, fit.effects + limit * se
    frame["p"] = 2 * stdtr(fit.df, -np.abs(fit.effects) / se)
    frame["p_holm"] = holm(frame["p"])
    frame["shrunk"] = found.shrunk(theta)
    frame["average"], frame["average_se"] = posterior.mean, posterior.sd
    frame["average_low"], frame["average_high"] = posterior.low, posterior.high
    frame["corrected"] = corrected_effects(fit, corrected)
    frame["same_side"] = frame["panel_lead"] * frame["anchor_lead"] > 0
    return frame


def _slopes(
    parts: Parts, fit: Ancova, corrected: Array, known: Reliabilities, level: float
) -> pd.DataFrame:
    from scipy.special import stdtrit

    limit = float(stdtrit(fit.df, (1 + level) / 2))
    frame = pd.DataFrame(index=pd.Index(parts.anchor_nodes, name="anchor"))
    frame["slope"], frame["se"] = fit.slopes, fit.slopes_se
    frame["low"] = fit.slopes - limit * fit.slopes_se
    frame["high"] = fit.slopes + limit * fit.slopes_se
    frame["reliability"], frame["unmeasured"] = known.share, known.unmeasured
    frame["corrected"] = corrected
    return frame


def _tests(fit: Ancova, found: Canonical, alpha: float, draws: int, seed: int) -> pd.DataFrame:
    detectable = detectable_ratio(found, alpha=alpha) * fit.sigma
    p = permutation_p(fit, draws=draws, seed=seed)
    rows = [
        ("f", fit.f, len(fit.sizes) - 1, fit.df, fit.p, 0.0, detectable),
        ("permutation", fit.f, len(fit.sizes) - 1, fit.df, p,
         float(np.sqrt(p * (1 - p) / draws)), detectable),
    ]  # fmt: skip
    columns = ["test", "f", "df", "df_within", "p", "p_mcse", "detectable_sd"]
    return pd.DataFrame(rows, columns=columns).set_index("test")


def _variance(fit: Ancova, found: Canonical, theta: float, level: float) -> pd.DataFrame:
    low, high = found.interval(level)
    ratios = np.sqrt([theta, low, high])
    return pd.DataFrame(
        {"ratio": ratios, "sd": ratios * fit.sigma},
        index=pd.Index(["estimate", "low", "high"], name="value"),
    ).T.rename_axis("spread")

"""What ``sensitivity YEAR`` varies: every weight, and the survey by its sampling error."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation
    from perfmethod.uncertainty import Spec

__all__ = ["WEIGHTS", "factors", "fits", "paths_of", "patterns", "specs", "survey_scores"]

# weights of rater categories of the survey are not among them: survey noise draws the scores that
# they have made
WEIGHTS = {
    "nodes": ("classes.*.nodes.*.weight",),
    "indicators": ("indicators.*.weight", "indicators.*.weight.*"),
    "internal raters": ("internal.categories.*.weight", "internal.categories.*.weight.*"),
}
KINDS = {
    "blocks": {"en": "block weights", "zh": "板块权重"},
    "aspects": {"en": "aspect weights", "zh": "下级指标类权重"},
    "indicators": {"en": "indicator weights", "zh": "指标权重"},
    "internal raters": {"en": "internal raters", "zh": "内部评议人权重"},
    "survey": {"en": "the survey's noise", "zh": "评议抽样误差"},
}


def paths_of(evaluation: Evaluation) -> dict[str, list[str]]:
    """Paths of the weights of each kind: blocks, aspects, indicators, internal raters."""
    document = evaluation.year.scheme.document
    found: dict[str, list[str]] = {"blocks": [], "aspects": [], "indicators": [],
                                   "internal raters": []}  # fmt: skip
    for path, value in evaluation.year.scheme.numbers.items():
        kind = next((k for k, names in WEIGHTS.items() if any(fits(path, n) for n in names)), None)
        if kind is None or not value:  # a weight of zero times a factor is zero
            continue
        if kind == "nodes":
            _, name, _, node, _ = path.split(".")
            inner = "parent" in document["classes"][name]["nodes"][node]
            kind = "aspects" if inner else "blocks"
        found[kind].append(path)
    return {kind: paths for kind, paths in found.items() if paths}


def fits(path: str, pattern: str) -> bool:
    """Whether a path has the form of a pattern, step by step."""
    steps, wanted = path.split("."), pattern.split(".")
    return len(steps) == len(wanted) and all(map(fnmatchcase, steps, wanted))


def patterns(evaluation: Evaluation) -> list[str]:
    """Patterns of `WEIGHTS` that this scheme has."""
    numbers = evaluation.year.scheme.numbers
    names = [name for group in WEIGHTS.values() for name in group]
    return [name for name in names if any(fits(path, name) for path in numbers)]


def specs(evaluation: Evaluation, spread: float) -> list[Spec]:
    """All weights times log-normal factors, and survey noise where there is a survey."""
    from perfmethod.uncertainty import multiplicative

    return [multiplicative(*patterns(evaluation), spread=spread), *_survey(evaluation)]


def factors(evaluation: Evaluation, spread: float, lang: str) -> dict[str, list[Spec]]:
    """The same by kind: each kind of weight is one factor, the survey another."""
    from perfmethod.uncertainty import multiplicative

    made: dict[str, list[Spec]] = {
        KINDS[kind][lang]: [multiplicative(*paths, spread=spread)]
        for kind, paths in paths_of(evaluation).items()
    }
    return made | ({KINDS["survey"][lang]: noise} if (noise := _survey(evaluation)) else {})


def survey_scores(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Survey scores that there are and that the scheme reads: unit and dimension."""
    if evaluation.review is None:
        return []
    classes, own = evaluation.year.scheme.document["classes"], evaluation.scores["class"]
    reads = {name: {node.get("survey") for node in part.get("nodes", {}).values()}
             for name, part in classes.items()}  # fmt: skip
    there = evaluation.review.scores.stack().dropna().index
    return [(u, d) for u, d in there if d in reads[own[u]]]


def _survey(evaluation: Evaluation) -> list[Spec]:
    """Survey noise of the scores that the scheme reads, if there are any."""
    import pandas as pd

    from perfmethod.uncertainty import survey_noise

    scored = survey_scores(evaluation)
    if not scored or evaluation.review is None:
        return []
    index = pd.MultiIndex.from_tuples(scored)
    covariance = evaluation.review.covariance().loc[index, index]
    mean = pd.Series(evaluation.review.scores.stack()).loc[index]
    return [survey_noise(mean=mean, covariance=covariance)]

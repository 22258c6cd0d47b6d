"""What ``sensitivity YEAR`` varies: every weight, and the survey by its sampling error."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from perfmethod.errors import PerfmethodError

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation
    from perfmethod.uncertainty import Spec

__all__ = [
    "WEIGHTS",
    "factors",
    "fits",
    "paths_of",
    "patterns",
    "refusal",
    "specs",
    "survey_scores",
]

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
    idle = _idle(evaluation)
    for path, value in evaluation.year.scheme.numbers.items():
        if idle.intersection(path.split(".")[1::2]):
            continue
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
    """Patterns of `WEIGHTS` that this scheme has, in classes that have units."""
    numbers, idle = evaluation.year.scheme.numbers, _idle(evaluation)
    names = [name for group in WEIGHTS.values() for name in group]
    if idle:
        own = sorted(set(evaluation.scores["class"]))
        nodes = [f"classes.{name}.nodes.*.weight" for name in own]
        names = [*nodes, *(name for name in names if name not in WEIGHTS["nodes"])]
    return [name for name in names if any(fits(path, name) for path in numbers)]


def _idle(evaluation: Evaluation) -> set[str]:
    """Classes of the scheme without a unit in this year: their weights move nothing."""
    return set(evaluation.year.scheme.classes) - set(evaluation.scores["class"])


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
    """Survey scores that there are and that the scheme reads: unit and dimension.

    None where all ballots of a year say the same: such scores have no error to draw. Nor where
    most of the survey's error cannot be measured (`refusal`).
    """
    if evaluation.review is None or not evaluation.review.covariance().to_numpy().any():
        return []
    if refusal(evaluation) is not None:
        return []
    classes, own = evaluation.year.scheme.document["classes"], evaluation.scores["class"]
    reads = {name: {node.get("survey") for node in part.get("nodes", {}).values()}
             for name, part in classes.items()}  # fmt: skip
    there = evaluation.review.scores.stack().dropna().index
    return [(u, d) for u, d in there if d in reads[own[u]]]


def refusal(evaluation: Evaluation) -> PerfmethodError | None:
    """Why the survey's errors are not drawn where most of them cannot be measured."""
    from perfmethod.scoring import measured_of

    try:
        measured_of(evaluation)
    except PerfmethodError as error:
        return error
    return None


def _survey(evaluation: Evaluation) -> list[Spec]:
    """Survey noise of the scores that the scheme reads, if there are any."""
    import pandas as pd

    from perfmethod.scoring import survey_weights
    from perfmethod.uncertainty import survey_noise

    scored = survey_scores(evaluation)
    if not scored or evaluation.review is None:
        return []
    index = pd.MultiIndex.from_tuples(scored)
    covariance = evaluation.review.covariance().loc[index, index]
    mean = pd.Series(evaluation.review.scores.stack()).loc[index]
    weights = survey_weights(evaluation)
    return [survey_noise(evaluation.review, mean=mean, covariance=covariance, weights=weights)]

"""``reliability YEAR``: how far the survey can be trusted, and what a better one would cost."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perfmethod.cli.commands import UsageError, _year
from perfmethod.display import show
from perfmethod.errors import PerfmethodError
from perfmethod.frames import rows

if TYPE_CHECKING:
    from perfmethod.reliability import GStudy, SurveyPlan
    from perfmethod.reliability.grades import GradeRisk

__all__ = ["TARGET", "run"]

TARGET = 0.95  # dependability asked of the cheapest design

_SAID = {
    "en": {
        "components": "Components of variance, 95 % intervals:",
        "phi": "Dependability Phi (against a standard)",
        "rho": "Generalizability E rho2 (for ranks)",
        "interval": "{}: {}, 95 % interval {} to {}",
        "risk": "Grades: {} of {} expected to differ under another sample of raters ({} draws)",
        "unit": "{}  {}  {}: another grade with probability {}",
        "sure": "no unit has another grade in more than 5 % of the draws",
        "none": "Grades: the scheme gives none",
        "lonely": "note: {} with a single rater, whose noise is not counted",
        "plan": "Cheapest survey with Phi {}: {} ballots per unit (now {}), {} of them in all",
        "short": "Cheapest survey with Phi {}: none; {}",
        "written": "written to {}",
    },
    "zh": {
        "components": "方差分量(95%区间):",
        "phi": "可靠性指数Φ(对照标准)",
        "rho": "概化系数Eρ²(排名)",
        "interval": "{}: {}, 95%区间{}至{}",
        "risk": "等次: 换一批评议人, 预计{}个(共{}个)单位等次不同({}次抽样)",
        "unit": "{}  {}  {}: 等次不同的概率{}",
        "sure": "没有单位在超过5%的抽样中等次不同",
        "none": "等次: 方案未设",
        "lonely": "注意: {}只有一名评议人, 其误差未计入",
        "plan": "Φ达到{}的最省方案: 每单位{}张票(现为{}张), 共{}张",
        "short": "Φ达到{}的最省方案: 无; {}",
        "written": "已写入{}",
    },
}


def run(arguments: argparse.Namespace) -> None:
    """``reliability YEAR --out DIR``: components, coefficients, risk of grades, a design."""
    from perfmethod.reliability import generalizability
    from perfmethod.reliability.grades import grade_risk
    from perfmethod.scoring import evaluate

    if arguments.seed < 0:
        raise UsageError(f"found --seed {arguments.seed}; allowed: 0 or more")
    year, said = _year(arguments), _SAID[arguments.lang]
    graded = "grades" in year.scheme.document
    study = generalizability(year)
    risk = grade_risk(evaluate(year, lang=arguments.lang), seed=arguments.seed) if graded else None
    _say_study(study, said)
    if risk is None:
        print(said["none"])
    else:
        level = {name: year.scheme.name(f"grades.levels.{name}", arguments.lang)
                 for name in risk.levels}  # fmt: skip
        _say_risk(risk, said, level)
    plan = _say_plan(study, said)
    if arguments.out:
        _write(arguments.out, study, risk, plan, arguments.lang)
        print(said["written"].format(arguments.out))


def _say_study(study: GStudy, said: dict[str, str]) -> None:
    print(said["components"])
    for row in study.to_frame().reset_index().itertuples(index=False):
        print(f"  {row.term:<16}{show(row.variance):>10}  ({show(row.lower)}, {show(row.upper)})")
    found = study.decision()
    for name, value, ends in (
        ("phi", found.dependability, found.dependability_interval),
        ("rho", found.generalizability, found.generalizability_interval),
    ):
        lower, upper = ends or (float("nan"), float("nan"))
        print(said["interval"].format(said[name], *(show(x, 3) for x in (value, lower, upper))))


def _say_risk(risk: GradeRisk, said: dict[str, str], level: dict[str, str]) -> None:
    print(said["risk"].format(show(risk.expected_wrong), len(risk.units), risk.draws))
    doubtful = risk.doubtful()
    for row in rows(doubtful.reset_index()):
        values = row.unit_id, row.name, level[row.grade], show(row.p_other, 3)
        print("  " + said["unit"].format(*values))
    if doubtful.empty:
        print("  " + said["sure"])
    if risk.lonely:
        print(said["lonely"].format(", ".join(risk.lonely)))


def _say_plan(study: GStudy, said: dict[str, str]) -> SurveyPlan | None:
    """Print and return the cheapest design, where there is one."""
    try:
        plan = study.plan(TARGET)
    except PerfmethodError as error:
        print(said["short"].format(TARGET, error))
        return None
    now, wanted = study.strata["ballots"].sum(), int(plan.design["ballots"].sum())
    print(said["plan"].format(TARGET, wanted, show(float(now), 0), wanted * study.units))
    for row in rows(plan.design):
        print(f"  {row.category:<6}{row.mode:<18}{row.ballots:>6}")
    return plan


def _write(
    folder: Path, study: GStudy, risk: GradeRisk | None, plan: SurveyPlan | None, lang: str
) -> None:
    from perfmethod.cli.output import _figure, _json, csv, write_folder

    files: dict[str, Any] = {
        "components.csv": csv(study.to_frame(), index=True),
        "decision.csv": csv(study.study()),
        "components.png": _figure(partial(study.plot, "components", lang=lang)),
        "reliability.png": _figure(partial(study.plot, "study", lang=lang)),
    }
    meta = {name: value for name, value in study.meta.items() if name not in ("random", "fixed")}
    if risk is not None:
        files["grade_risk.csv"] = csv(risk.to_frame(), index=True)
        meta |= dict(risk.meta)
    if plan is not None:
        files["design.csv"] = csv(plan.to_frame())
    files["meta.json"] = _json(meta)
    write_folder(folder, files)

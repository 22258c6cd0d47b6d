"""What ``reliability YEAR`` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from perfmethod.cli._review_text import say_severity, say_weighted
from perfmethod.cli.commands import _names
from perfmethod.display import show
from perfmethod.frames import rows

if TYPE_CHECKING:
    from perfmethod.cli.reliability import Found
    from perfmethod.reliability.grades import GradeRisk
    from perfmethod.scoring import Evaluation

__all__ = ["SAID", "say"]

SAID = {
    "en": {
        "components": "Components of variance, 95 % intervals:",
        "phi": "Dependability Phi (against a standard)",
        "rho": "Generalizability E rho2 (for ranks)",
        "interval": "{}: {}, 95 % interval {} to {}",
        "coefficients": "Coefficients of the largest class (dimensions: values, 95 % limits):",
        "coefficient": "  {:<34}{} {}: {}  ({}, {})",
        "dimensions": "dimensions",
        "together": "dimensions together",
        "range": "{} to {}",
        "risk": "Grades: {} of {} expected to differ under another sample of raters ({} draws)",
        "unit": "{}  {}  {}: another grade with probability {}",
        "sure": "no unit has another grade in more than 5 % of the draws",
        "more": "  with {} times the raters: {} (+- {})",
        "none": "Grades: the scheme gives none",
        "lonely": "note: {} with a single rater, whose noise is not counted",
        "absolute": "Phi",
        "relative": "E rho2",
        "plan": "Cheapest survey with {} {}: {} ballots per unit (now {}), {} in all, cost {}",
        "short": "Cheapest survey with {} {}: none; see the note",
        "flags": "Screening: {} flags on {} ballots",
        "flag": "  {:<18}{:>6} ballots  {}",
        "where": "{} {}",
        "aside": "  without the {} ballots that can be set aside: largest change {} points ({}), "
                 "{} grades change",
        "severity": "Severity (harsh is positive, points, {} % intervals): categories {} apart; "
                    "raters inside one differ by {} (SD, {} to {})",
        "end": "  {}  {}: {}  ({}, {})",
        "hidden": "  categories have too few raters to be shown",
        "places": "  without it: {} of {} units change place in the review, by {} at most",
        "totals": "  the totals then: {} other ranks, {} other grades",
        "change": "  {}  {}: {} instead of {}",
        "opinion": "Second opinion ({}): rank correlation {}, {} places apart at most",
        "opinions": "  {} other grades than with the linear model",
        "weighted": "Weighted to the shares of {}: design effect {} in the middle ({} to {}; from "
                    "unequal weights alone {})",
        "worth": "  standard error of a total {} in the middle, under the scheme's weights {}",
        "moved": "  {} of {} totals change by more than chance (95 %; about {} would by chance "
                 "alone); largest change {} points ({})",
        "left_out": "{}: left out, the ballots do not tell it from {}",
        "empty": "no ballots of category {}: its severity is unknown, the others carry its weight",
        "apart": "units fall into {} sets without a rater in common; between them severity rests "
                 "on raters of a category being alike",
        "stopped": "{}: the fit did not converge",
        "lent": "{} scores have no valid answer of a category with a share; the others carry it",
        "of_severity": "severity",
        "of_opinion": "second opinion",
        "note": "note: {}",
        "written": "written to {}",
    },
    "zh": {
        "components": "方差分量(95%区间):",
        "phi": "可靠性指数Φ(对照标准)",
        "rho": "概化系数Eρ²(排名)",
        "interval": "{}: {}, 95%区间{}至{}",
        "coefficients": "最大类别的信度系数(维度: 值, 95%界限):",
        "coefficient": "  {:<34}{}{}: {}  ({}, {})",
        "dimensions": "个维度",
        "together": "个维度合计",
        "range": "{}至{}",
        "risk": "等次: 换一批评议人, 预计{}个(共{}个)单位等次不同({}次抽样)",
        "unit": "{}  {}  {}: 等次不同的概率{}",
        "sure": "没有单位在超过5%的抽样中等次不同",
        "more": "  评议人增至{}倍: {} (误差{})",
        "none": "等次: 方案未设",
        "lonely": "注意: {}只有一名评议人, 其误差未计入",
        "absolute": "Φ",
        "relative": "Eρ²",
        "plan": "{}达到{}的最省方案: 每单位{}张票(现为{}张), 共{}张, 费用{}",
        "short": "{}达到{}的最省方案: 无; 见注意",
        "flags": "筛查: {}项异常, 共{}张测评票",
        "flag": "  {:<18}{:>6}张  {}",
        "where": "{} {}",
        "aside": "  剔除其中可剔除的{}张后: 总分最多变动{}分({}), {}个单位等次改变",
        "severity": "评议人宽严(正为严, 分, {}%区间): 类别之间相差{}; "
                    "同类评议人之间标准差{}({}至{})",
        "end": "  {}  {}: {}  ({}, {})",
        "hidden": "  各类别评议人过少, 不予显示",
        "places": "  去掉宽严差别后: {}个(共{}个)单位评议名次变动, 最多{}位",
        "totals": "  总分随之: {}个名次、{}个等次改变",
        "change": "  {}  {}: 改为{}, 原为{}",
        "opinion": "第二种模型({}): 名次相关{}, 最多相差{}位",
        "opinions": "  与线性模型相比有{}个等次不同",
        "weighted": "按{}中的比例加权: 设计效应中位数{}({}至{}; 仅因权重不等为{})",
        "worth": "  总分标准误中位数{}, 按方案权重为{}",
        "moved": "  {}个(共{}个)总分的变动超出偶然(95%; 偶然约有{}个); 最大变动{}分({})",
        "left_out": "{}: 未列入, 测评票无法将其与{}分开",
        "empty": "类别{}没有测评票: 其宽严未知, 权重由其他类别分担",
        "apart": "单位分为{}组, 组间没有共同评议人; 组间的宽严比较以同类评议人相同为前提",
        "stopped": "{}: 拟合未收敛",
        "lent": "{}项得分缺少某一有比例类别的有效回答, 由其他类别分担",
        "of_severity": "评议人宽严",
        "of_opinion": "第二种模型",
        "note": "注意: {}",
        "written": "已写入{}",
    },
}  # fmt: skip


def say(evaluation: Evaluation, found: Found, lang: str) -> None:
    """Print every result in a few lines."""
    said = SAID[lang]
    _say_study(found, said, lang)
    _say_coefficients(found, said)
    if found.risk is None:
        print(said["none"])
    else:
        scheme = evaluation.year.scheme
        level = {name: scheme.name(f"grades.levels.{name}", lang) for name in found.risk.levels}
        _say_risk(found.risk, said, level, _names(evaluation.year, lang))
        _say_more(found, said)
    _say_plan(found, said)
    _say_flags(found, _names(evaluation.year, lang), lang)
    say_severity(evaluation.year, found, said, lang)
    say_weighted(evaluation, found, said, lang)
    for note in _left_out(found, said, lang):
        print(said["note"].format(note))
    for note in found.notes:
        print(said["note"].format(note))


def _say_study(found: Found, said: Mapping[str, str], lang: str) -> None:
    print(said["components"])
    named = found.study.named(lang)
    for row in found.study.to_frame().reset_index().itertuples(index=False):
        told = named.get(row.term, row.term)
        print(f"  {told:<22}{show(row.variance):>10}  ({show(row.lower)}, {show(row.upper)})")
    decision = found.study.decision()
    for name, value, ends in (
        ("phi", decision.dependability, decision.dependability_interval),
        ("rho", decision.generalizability, decision.generalizability_interval),
    ):
        lower, upper = ends or (float("nan"), float("nan"))
        print(said["interval"].format(said[name], *(show(x, 3) for x in (value, lower, upper))))


def _left_out(found: Found, said: Mapping[str, str], lang: str) -> list[str]:
    """Terms of the default model that the ballots do not tell apart."""
    from perfmethod.reliability.gstudy import study_names

    named = study_names(lang)
    told: Mapping[str, str] = found.study.meta["left_out"]
    return [said["left_out"].format(*(named.get(x, x) for x in pair)) for pair in told.items()]


def _say_coefficients(found: Found, said: Mapping[str, str]) -> None:
    """One line each: its range over dimensions, and the outermost limits."""
    print(said["coefficients"])
    table = found.coefficients
    for name, part in table.dropna(subset="value").groupby("coefficient", sort=False):
        whole = len(part) == 1 and "+" in part["dimension"].iloc[0]
        number = part["dimension"].iloc[0].count("+") + 1 if whole else len(part)
        ends = sorted({show(x, 3) for x in (part["value"].min(), part["value"].max())})
        told = ends[0] if len(ends) == 1 else said["range"].format(*ends)
        limits = show(part["low"].min(), 3), show(part["high"].max(), 3)
        of = said["together" if whole else "dimensions"]
        print(said["coefficient"].format(name, number, of, told, *limits))
    for row in rows(table[table["value"].isna()]):
        print(said["note"].format(f"{row.coefficient}, {row.dimension}: {_flat(row.notes)}"))


def _flat(text: object) -> str:
    """Text on one line."""
    return " ".join(line.strip() for line in str(text).splitlines())


def _say_risk(
    risk: GradeRisk, said: Mapping[str, str], level: Mapping[str, str], names: Mapping[str, str]
) -> None:
    print(said["risk"].format(show(risk.expected_wrong), len(risk.units), risk.draws))
    doubtful = risk.doubtful()
    for row in rows(doubtful.reset_index()):
        values = row.unit_id, names[row.unit_id], level[row.grade], show(row.p_other, 3)
        print("  " + said["unit"].format(*values))
    if doubtful.empty:
        print("  " + said["sure"])
    if risk.lonely:
        print(said["lonely"].format(", ".join(risk.lonely)))


def _say_more(found: Found, said: Mapping[str, str]) -> None:
    if found.more is None:
        return
    for row in rows(found.more[found.more.index > 1]):
        errors = show(row.expected_wrong), show(row.expected_wrong_mcse, 3)
        print(said["more"].format(f"{row.Index:g}", *errors))


def _say_plan(found: Found, said: Mapping[str, str]) -> None:
    kind, target = found.target
    if found.plan is None:
        print(said["short"].format(said[kind], f"{target:g}"))
        return
    now, design = found.study.strata["ballots"].sum(), found.plan.design
    wanted = int(design["ballots"].sum())
    whole = wanted * found.study.units
    print(said["plan"].format(said[kind], f"{target:g}", wanted, show(float(now), 0), whole,
                              show(found.plan.cost, 0)))  # fmt: skip
    for row in rows(design):
        print(f"  {row.category:<6}{row.mode:<18}{row.ballots:>6}")


def _say_flags(found: Found, names: Mapping[str, str], lang: str) -> None:
    from perfmethod.screening import METHODS

    said, screening = SAID[lang], found.screening
    print(said["flags"].format(len(screening.flags), f"{screening.ballots:,}"))
    for row in rows(screening.to_frame()):
        where = " ".join(filter(None, (row.unit, row.category, row.mode, row.batch)))
        kind = METHODS[row.kind].zh if lang == "zh" else row.kind
        print(said["flag"].format(kind, row.ballots, where))
    for note in screening.notes:
        print(said["note"].format(note))
    if found.aside is None:
        return
    change = found.aside["total_change"]
    most = str(change.abs().idxmax())
    told = f"{most} {names.get(most, '')}".strip()
    grades = int(found.aside["grade_changes"].sum()) if "grade_changes" in found.aside else 0
    aside = int(found.aside["set_aside"].sum())
    print(said["aside"].format(aside, show(float(change[most])), told, grades))

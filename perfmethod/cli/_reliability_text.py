"""What ``reliability YEAR`` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from perfmethod.cli._review_text import say_severity, say_weighted
from perfmethod.cli._say import _names
from perfmethod.display import pad, show, width
from perfmethod.frames import rows

if TYPE_CHECKING:
    from perfmethod.cli.reliability import Found
    from perfmethod.reliability.grades import GradeRisk
    from perfmethod.scoring import Evaluation
    from perfmethod.year import Year

__all__ = ["SAID", "say"]

SAID = {
    "en": {
        "components": "Components of variance, 95 % intervals ({}):",
        "phi": "Dependability Phi (against a standard)",
        "rho": "Generalizability E rho2 (for ranks)",
        "interval": "{}: {}, 95 % interval {} to {}",
        "coefficients": "Coefficients of the largest class (dimensions: values, 95 % limits):",
        "coefficient": "  {}{} {}: {}  ({}, {})",
        "dimensions": "dimensions",
        "together": "dimensions together",
        "range": "{} to {}",
        "risk": "Grades: {} of {} expected to differ under another sample of raters ({} draws)",
        "unit": "{}  {}  {}: another grade with probability {}",
        "sure": "no unit has another grade in more than 5 % of the draws",
        "more": "  with {} times the raters: {} (+- {})",
        "none": "Grades: the scheme gives none",
        "absolute": "Phi",
        "relative": "E rho2",
        "plan": "Cheapest survey with {} {}: {} ballots per unit (now {}), {} in all, cost {}",
        "short": "Cheapest survey with {} {}: none; see the note",
        "flags": "Screening: {} flags on {} ballots",
        "rounded": "  (ballots to the nearest {0}; – where fewer than {0} raters gave them)",
        "flag": "  {}{:>6} ballots  {}",
        "where": "{} {}",
        "aside": "  without the ballots that can be set aside ({}): largest change {} points ({}), "
                 "{} grades change",
        "severity": "Severity (harsh is positive, points, {} % intervals by Student's t, "
                    "Satterthwaite): categories {} apart; raters inside one differ by {} "
                    "(SD, {} to {}; {})",
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
        "model": "{}",
        "reason": "{}: {}",
        "of_screening": "screening",
        "of_risk": "grades under another sample of raters",
        "of_study": "components of variance and cheapest survey",
        "of_coefficients": "coefficients",
        "of_plan": "cheapest survey",
        "of_aside": "ballots set aside",
        "of_adjusted": "totals without severity",
        "of_weighting": "weighting",
        "note": "note: {}",
        "written": "written to {}",
    },
    "zh": {
        "components": "方差分量(95%区间, {}):",
        "phi": "可靠性指数Φ(对照标准)",
        "rho": "概化系数Eρ²(排名)",
        "interval": "{}: {}, 95%区间{}至{}",
        "coefficients": "最大类别的信度系数(维度: 值, 95%界限):",
        "coefficient": "  {}{}{}: {}  ({}, {})",
        "dimensions": "个维度",
        "together": "个维度合计",
        "range": "{}至{}",
        "risk": "等次: 换一批评议人, 预计{}个(共{}个)单位等次不同({}次抽样)",
        "unit": "{}  {}  {}: 等次不同的概率{}",
        "sure": "没有单位在超过5%的抽样中等次不同",
        "more": "  评议人增至{}倍: {} (误差{})",
        "none": "等次: 方案未设",
        "absolute": "Φ",
        "relative": "Eρ²",
        "plan": "{}达到{}的最省方案: 每单位{}张票(现为{}张), 共{}张, 费用{}",
        "short": "{}达到{}的最省方案: 无; 见注意",
        "flags": "筛查: {}项异常, 共{}张测评票",
        "rounded": "  (票数按{0}取整; 评议人不足{0}人的以–表示)",
        "flag": "  {}{:>6}张  {}",
        "where": "{} {}",
        "aside": "  剔除其中可剔除的票({}张)后: 总分最多变动{}分({}), {}个单位等次改变",
        "severity": "评议人宽严(正为严, 分, {}%区间, 学生t分布, Satterthwaite自由度): "
                    "类别之间相差{}; 同类评议人之间标准差{}({}至{}; {})",
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
        "model": "多面等级量表Rasch模型",
        "reason": "{}: 本年数据不足以作此分析(程序原文: {})",
        "of_screening": "筛查",
        "of_risk": "换一批评议人的等次",
        "of_study": "方差分量与最省方案",
        "of_coefficients": "信度系数",
        "of_plan": "最省方案",
        "of_aside": "剔除异常票",
        "of_adjusted": "去掉宽严后的总分",
        "of_weighting": "按比例加权",
        "note": "注意: {}",
        "written": "已写入{}",
    },
}  # fmt: skip


# words of the coefficients' exact names; symbols stay
COEFFICIENTS = {
    "Cronbach's alpha": "克龙巴赫α",
    "Krippendorff's alpha": "克里彭多夫α",
    "Kendall's W": "肯德尔W",
    "Gwet's": "格韦特",
    "Fleiss' kappa": "弗莱斯κ",
    "mean rwg(j)": "平均rwg(j)",
    " items": "题",
    "(raw)": "(原始)",
    "(standardized)": "(标准化)",
    "(ordinal)": "(等级)",
    "(quadratic weights)": "(二次权重)",
    "(corrected for ties)": "(同秩校正)",
    " without ": " 去掉",
    " and ": "和",
}


def say(evaluation: Evaluation, found: Found, lang: str) -> None:
    """Print every result in a few lines."""
    said = SAID[lang]
    _say_study(found, said, lang)
    _say_coefficients(found, said, lang)
    if "grades" not in evaluation.year.scheme.document:
        print(said["none"])
    elif found.risk is not None:  # else a note says why
        scheme = evaluation.year.scheme
        level = {name: scheme.name(f"grades.levels.{name}", lang) for name in found.risk.levels}
        _say_risk(found.risk, said, level, _names(evaluation.year, lang))
        _say_more(found, said)
    _say_plan(found, evaluation.year, lang)
    _say_flags(found, evaluation.year, lang)
    say_severity(evaluation.year, found, said, lang)
    say_weighted(evaluation, found, said, lang)
    unmeasured = () if found.risk is None else found.risk.words(lang)[1:]
    for note in (*unmeasured, *_left_out(found, said, lang)):
        print(said["note"].format(note))
    for note in found.notes:
        print(said["note"].format(note))


def _say_study(found: Found, said: Mapping[str, str], lang: str) -> None:
    if found.study is None:  # a note says why
        return
    print(said["components"].format(found.study.told(lang)))
    named = found.study.named(lang)
    for row in found.study.to_frame().reset_index().itertuples(index=False):
        told = named.get(row.term, row.term)
        print(f"  {pad(told, 22)}{show(row.variance):>10}  "
              f"({show(row.lower)}, {show(row.upper)})")  # fmt: skip
    decision = found.study.decision()
    for name, value, ends in (
        ("phi", decision.dependability, decision.dependability_interval),
        ("rho", decision.generalizability, decision.generalizability_interval),
    ):
        lower, upper = ends or (float("nan"), float("nan"))
        print(said["interval"].format(said[name], *(show(x, 3) for x in (value, lower, upper))))
    if decision.told(lang):
        print(f"  {decision.told(lang)}")


def _left_out(found: Found, said: Mapping[str, str], lang: str) -> list[str]:
    """Terms of the default model that the ballots do not tell apart."""
    from perfmethod.reliability.gstudy import study_names

    named = study_names(lang)
    told: Mapping[str, str] = {} if found.study is None else found.study.meta["left_out"]
    return [said["left_out"].format(*(named.get(x, x) for x in pair)) for pair in told.items()]


def _say_coefficients(found: Found, said: Mapping[str, str], lang: str) -> None:
    """One line each: its range over dimensions, and the outermost limits."""
    table = found.coefficients
    if table is None:
        return
    print(said["coefficients"])
    for name, part in table.dropna(subset="value").groupby("coefficient", sort=False):
        whole = len(part) == 1 and "+" in part["dimension"].iloc[0]
        number = part["dimension"].iloc[0].count("+") + 1 if whole else len(part)
        ends = sorted({show(x, 3) for x in (part["value"].min(), part["value"].max())})
        told = ends[0] if len(ends) == 1 else said["range"].format(*ends)
        limits = show(part["low"].min(), 3), show(part["high"].max(), 3)
        of = said["together" if whole else "dimensions"]
        spoken = pad(_coefficient(str(name), lang), 34)
        print(said["coefficient"].format(spoken, number, of, told, *limits))
    for row in rows(table[table["value"].isna()]):
        about = f"{_coefficient(str(row.coefficient), lang)}, {row.dimension}"
        print(said["note"].format(said["reason"].format(about, _flat(row.notes))))


def _coefficient(name: str, lang: str) -> str:
    """Exact name of a coefficient; in Chinese with the usual word where there is one."""
    if lang == "en":
        return name
    for english, chinese in COEFFICIENTS.items():
        name = name.replace(english, chinese)
    return name


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


def _say_more(found: Found, said: Mapping[str, str]) -> None:
    if found.more is None:
        return
    for row in rows(found.more[found.more.index > 1]):
        errors = show(row.expected_wrong), show(row.expected_wrong_mcse, 3)
        print(said["more"].format(f"{row.Index:g}", *errors))


def _say_plan(found: Found, year: Year, lang: str) -> None:
    said = SAID[lang]
    kind, target = found.target
    if found.study is None:
        return
    if found.plan is None:
        print(said["short"].format(said[kind], f"{target:g}"))
        return
    now, design = found.study.strata["ballots"].sum(), found.plan.design
    wanted = int(design["ballots"].sum())
    whole = wanted * found.study.units
    print(said["plan"].format(said[kind], f"{target:g}", wanted, show(float(now), 0), whole,
                              show(found.plan.cost, 0)))  # fmt: skip
    cells = [(_survey(year, "categories", row.category, lang),
              _survey(year, "modes", row.mode, lang), str(row.ballots))
             for row in rows(design)]  # fmt: skip
    wide = [max(width(row[k]) for row in cells) + 2 for k in (0, 1)]
    for category, mode, ballots in cells:
        print(f"  {pad(category, wide[0])}{pad(mode, wide[1])}{ballots:>6}")


def _survey(year: Year, part: str, code: object, lang: str) -> str:
    """Code and name of a category of raters, or the name of a mode."""
    if not code:
        return ""
    name = year.scheme.name(f"survey.{part}.{code}", lang)
    return name if part == "modes" or name == code else f"{code} {name}"


def _say_flags(found: Found, year: Year, lang: str) -> None:
    from perfmethod.screening import METHODS
    from perfmethod.survey.disclosure import count_text

    said, screening, names = SAID[lang], found.screening, _names(year, lang)
    print(said["flags"].format(len(screening.flags), f"{screening.ballots:,}"))
    if len(screening.flags) and screening.min_cell > 1:
        print(said["rounded"].format(screening.min_cell))
    for row in rows(screening.shown()):
        unit = f"{row.unit} {names.get(row.unit, '')}".strip()
        where = (unit, _survey(year, "categories", row.category, lang),
                 _survey(year, "modes", row.mode, lang), row.batch)  # fmt: skip
        kind = METHODS[row.kind].zh if lang == "zh" else row.kind
        told = "  ".join(filter(None, where))
        print(said["flag"].format(pad(kind, 18), row.ballots, told))
    for note in screening.notes:
        print(said["note"].format(said["reason"].format(said["of_screening"], note)))
    if found.aside is None:
        return
    change = found.aside["total_change"]
    most = str(change.abs().idxmax())
    told = f"{most} {names.get(most, '')}".strip()
    grades = int(found.aside["grade_changes"].sum()) if "grade_changes" in found.aside else 0
    aside = count_text(int(found.aside["set_aside"].sum()), screening.min_cell)
    print(said["aside"].format(aside, show(float(change[most])), told, grades))

"""Actual values, certification and quarterly progress of every task."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.synthetic.latent import Latent
from perfmethod.synthetic.template import SPOT_CHECKS_PER_DEPARTMENT, Plan, Template

__all__ = ["draw_tasks"]

Floats = NDArray[np.float64]

MARGIN, QUALITY_EFFECT, NOISE = 0.03, 0.06, 0.05  # of the target
PUSHED = 0.65  # share of those about to miss who are pushed just over the target
LEAD_SHARE = 0.7  # of a city value that several departments answer for
CORRECTED, LATE = 0.03, 0.01
BEHIND = 0.12
PATHS = {"linear": (25, 50, 75), "back": (8, 30, 62), "season": (16, 44, 80)}
_COLUMNS = (
    "unit_id indicator_id role target actual reported status q1 q2 q3 q4 "
    "self_certified leader_role office person_role"
)


def draw_tasks(
    source: Template, plan: Plan, latent: Latent, streams: list[np.random.Generator]
) -> pd.DataFrame:
    """Draw tasks.csv.

    The value of a task is ``target * (1 + 0.03 + 0.06 quality + 0.05 noise)``; most of those that
    would miss their target end just over it, as they do where the target is what counts.
    Departments that answer for one city value have the same value.

    Parameters
    ----------
    source : Template
        The template, for the indicators.
    plan : Plan
        The year before any number is drawn.
    latent : Latent
        The planted truth.
    streams : list of Generator
        Three sources of randomness: values, certification, progress.

    Returns
    -------
    DataFrame
        One row per task.
    """
    values, certification, progress = streams
    tasks = _with_spot_checks(plan, source, values)
    tasks = tasks.merge(source.indicators, on="indicator_id", sort=False, validate="m:1")
    slack = _slack(tasks, latent, values)
    tasks["number"] = _values(tasks, slack, latent, values)
    tasks["actual"] = _shown(tasks, slack)
    _certify(tasks, certification)
    _progress(tasks, progress)
    _responsible(tasks, plan)
    return tasks[_COLUMNS.split()]


def _with_spot_checks(plan: Plan, source: Template, rng: np.random.Generator) -> pd.DataFrame:
    """Add the topics drawn for each department, without replacement."""
    topics = source.indicators.loc[source.indicators["source"] == "spot_check", "indicator_id"]
    department = plan.units[plan.units["class"] == "municipal_department"]
    drawn = np.argsort(rng.random((len(department), len(topics))), axis=1)
    drawn = np.sort(drawn[:, :SPOT_CHECKS_PER_DEPARTMENT], axis=1)
    rows = department.loc[
        department.index.repeat(SPOT_CHECKS_PER_DEPARTMENT), ["unit_id", "template_id", "copy"]
    ]
    checks = rows.assign(
        u=rows.index, indicator_id=topics.to_numpy()[drawn.ravel()], role="spot_check", target="10"
    )
    return pd.concat([plan.tasks, checks]).sort_values("u", kind="stable", ignore_index=True)


def _answers(tasks: pd.DataFrame) -> NDArray[np.intp]:
    """Code of the value a task shows: one for all departments behind the same city value."""
    shared = tasks["role"].isin(["lead_department", "co_department"])
    owner = np.where(shared, "city" + tasks["copy"].astype(str), tasks["unit_id"])
    return pd.MultiIndex.from_arrays([tasks["indicator_id"], owner]).factorize()[0]


def _slack(tasks: pd.DataFrame, latent: Latent, rng: np.random.Generator) -> Floats:
    """By how much of the target each value is better than the target."""
    answer = _answers(tasks)
    tasks["shared"] = np.bincount(answer)[answer] > 1
    share = np.where(tasks["role"] == "co_department", 1 - LEAD_SHARE, LEAD_SHARE)
    quality = np.bincount(answer, share * latent.quality[tasks["u"]]) / np.bincount(answer, share)
    slack = MARGIN + QUALITY_EFFECT * quality + NOISE * rng.standard_normal(len(quality))
    pushed = (slack < 0) & (rng.random(len(quality)) < PUSHED)
    practical = np.bincount(answer, tasks["practical_matter"] == "yes") > 0
    just = rng.uniform(0, 0.004, len(quality))
    slack = np.where(pushed | (practical & (slack < 0)), just, slack)
    return slack[answer]


def _values(tasks: pd.DataFrame, slack: Floats, latent: Latent, rng: np.random.Generator) -> Floats:
    """Actual values as numbers; NaN where a letter stands instead."""
    form = tasks["form"].to_numpy()
    target = pd.to_numeric(tasks["target"], errors="coerce").to_numpy(float)
    spread = pd.to_numeric(tasks["spread"], errors="coerce").fillna(1).to_numpy(float)
    sign = np.where(tasks["direction"] == "negative", -1, 1)
    value = target * (1 + sign * spread * slack)
    value = np.where(form == "growth", target + 40 * slack, value)
    value = np.where(
        form == "interval", np.where(slack < 0, 4.2 - 10 * slack, 2 - 15 * slack), value
    )
    value = np.where(form == "count", np.ceil(np.maximum(-slack, 0) / 0.06), value)
    value = np.where(form == "checklist", _checklist(tasks, slack, latent, rng), value)
    value = np.where(form == "rated", target * _rated(tasks, latent, rng) / 100, value)
    value = np.where(form == "levels", np.nan, value)
    seed = pd.to_numeric(tasks["context_actual"], errors="coerce").to_numpy(float)
    city = (tasks["copy"] == 0) & tasks["role"].isin(["lead_department", "co_department"])
    value = np.where(city & ~np.isnan(seed), seed, value)
    return _rounded(tasks, value, np.where(slack >= 0, target, np.nan), sign)


def _checklist(
    tasks: pd.DataFrame, slack: Floats, latent: Latent, rng: np.random.Generator
) -> Floats:
    """Items fulfilled of 10: all where the target is met; more on topics that come by surprise."""
    surprise = rng.poisson(0.8 * np.exp(-0.4 * latent.quality[tasks["u"]]))
    missed = np.where(
        tasks["source"] == "spot_check", surprise, np.ceil(np.maximum(-slack, 0) / 0.04)
    )
    return 10 - np.minimum(missed, 10)


def _rated(tasks: pd.DataFrame, latent: Latent, rng: np.random.Generator) -> Floats:
    """Points given by the group: what the unit deserves, less the stringency of its group."""
    u = tasks["u"].to_numpy()
    points = 87 + 3 * latent.quality[u] - latent.stringency[u] + 3 * rng.standard_normal(len(u))
    return np.clip(points, 0, 100)


def _rounded(tasks: pd.DataFrame, value: Floats, floor: Floats, sign: NDArray[np.int_]) -> Floats:
    """Round as the unit of measure is counted; rounding never unmakes a met target."""
    scale = 10.0 ** tasks["decimals"].astype(int).to_numpy()
    highest = pd.to_numeric(tasks["natural_max"], errors="coerce").fillna(np.inf)
    value = np.minimum(np.round(value * scale) / scale, highest.to_numpy(float))
    met = np.where(tasks["form"].isin(["ratio", "growth"]), floor, np.nan)
    return np.where(sign > 0, np.fmax(value, met), np.fmin(value, met))


def _shown(tasks: pd.DataFrame, slack: Floats) -> pd.Series:
    """Numbers, or letters where the target is a letter."""
    letter = np.select([slack >= 0, slack > -0.06], ["A", "B"], "C")
    levels = (tasks["form"] == "levels").to_numpy()
    shown = tasks["number"].astype(object)
    shown[levels] = letter[levels]
    return shown


def _certify(tasks: pd.DataFrame, rng: np.random.Generator) -> None:
    """Add reported values and statuses; a corrected value had been reported too well."""
    number = tasks["number"].to_numpy()
    free = ~tasks["shared"] & (tasks["practical_matter"] == "no") & (tasks["form"] == "ratio")
    free &= tasks["source"].isin(["provincial", "municipal"]) & (tasks["context_actual"] == "")
    order = rng.permutation(np.flatnonzero(free.to_numpy() & (number > 0)))
    corrected, late = round(CORRECTED * len(tasks)), round(LATE * len(tasks))
    status = np.full(len(tasks), "certified", dtype=object)
    status[order[:corrected]] = "corrected"
    status[order[corrected : corrected + late]] = "late"
    status[order[corrected + late : corrected + late + 1]] = "disputed"
    sign = np.where(tasks["direction"] == "negative", -1, 1)
    step = 10.0 ** -tasks["decimals"].astype(int).to_numpy()
    gain = np.maximum(np.round(number * rng.uniform(0.01, 0.05, len(tasks)) / step), 1) * step
    better = number + sign * gain
    tasks["status"] = status
    tasks["reported"] = tasks["actual"].where(tasks["status"] != "corrected", better)
    tasks["self_certified"] = np.where(tasks["certifier_id"] == tasks["unit_id"], "yes", "no")


def _progress(tasks: pd.DataFrame, rng: np.random.Generator) -> None:
    """Add cumulative values by quarter, some of them behind their path in the middle of it."""
    n = len(tasks)
    number, path = tasks["number"].to_numpy(), tasks["path"]
    share = np.full((n, 3), np.nan)
    for name, percent in PATHS.items():
        share[path == name] = np.array(percent) / 100
    share *= 1 + 0.04 * rng.standard_normal((n, 3))
    behind = rng.random(n) < BEHIND
    share[:, 1:] *= np.where(behind, rng.uniform(0.55, 0.85, n), 1)[:, None]
    level = 1 + 0.008 * rng.standard_normal((n, 3))
    share = np.where((path == "state").to_numpy()[:, None], level, share)
    quarters = number[:, None] * share
    growing = path.isin(list(PATHS)).to_numpy()[:, None]
    quarters = np.where(growing, np.maximum.accumulate(quarters, axis=1), quarters)
    highest = pd.to_numeric(tasks["natural_max"], errors="coerce").fillna(np.inf).to_numpy(float)
    quarters = np.minimum(quarters, np.where(growing, number[:, None], highest[:, None]))
    scale = 10.0 ** tasks["decimals"].astype(int).to_numpy()[:, None]
    quarters = np.round(quarters * scale) / scale
    tasks[["q1", "q2", "q3"]] = quarters
    tasks["q4"] = tasks["actual"]


def _responsible(tasks: pd.DataFrame, plan: Plan) -> None:
    """Add who answers inside the unit: always a role, never a person."""
    tasks["leader_role"] = plan.units["leader_role_zh"].to_numpy()[tasks["u"]]
    office = tasks["role"].isin(["common", "spot_check"])
    operations = (tasks["practical_matter"] == "yes") | (tasks["role"] == "statutory_duty")
    tasks["office"] = np.select([office, operations], ["办公室", "业务科"], "综合科")
    tasks["person_role"] = np.where(office, "办公室主任", "科长")

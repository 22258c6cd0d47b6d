"""The samples of the California API data as designs, and what R's survey 4.1-1 says of them.

Numbers with 17 digits were computed by R 4.2.2 with the R expressions quoted beside them, on the
data of the folder of references (survey::api). They are not in the folder's own JSON file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from perfmethod.calibration import Design, Margin

TYPES = {"E": 4421, "H": 755, "M": 1018}
WIDE = {"No": 1072, "Yes": 5122}
AWARDS = {"No": 2027, "Yes": 4167}
TOTALS = [6194, 755, 1018, 3914069]  # of 1, H, M, api99


def table(reference: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(reference / "reliability" / "data" / f"survey_{name}.csv")


def srs(reference: Path) -> tuple[pd.DataFrame, Design]:
    """svydesign(~1, weights = ~pw, fpc = ~fpc, data = apisrs)"""
    data = table(reference, "apisrs")
    return data, Design.of(data["pw"], population=6194)


def strat(reference: Path) -> tuple[pd.DataFrame, Design]:
    """svydesign(~1, strata = ~stype, weights = ~pw, fpc = ~fpc, data = apistrat)"""
    data = table(reference, "apistrat")
    return data, Design.of(data["pw"], strata=data["stype"], population=TYPES)


def clus1(reference: Path) -> tuple[pd.DataFrame, Design]:
    """svydesign(~dnum, weights = ~pw, fpc = ~fpc, data = apiclus1)"""
    data = table(reference, "apiclus1")
    return data, Design.of(data["pw"], clusters=data["dnum"], population=757)


def margins(data: pd.DataFrame, n: int = 2) -> list[Margin]:
    found = [
        Margin("stype", data["stype"], TYPES),
        Margin("sch.wide", data["sch.wide"], WIDE),
        Margin("awards", data["awards"], AWARDS),
    ]
    return found[:n]


def model_matrix(data: pd.DataFrame) -> np.ndarray:
    """~ stype + api99"""
    columns = [np.ones(len(data)), data["stype"] == "H", data["stype"] == "M", data["api99"]]
    return np.column_stack(columns).astype(float)


def _calibrated(start: Callable, **how: object) -> Callable[[Path], tuple[pd.DataFrame, Design]]:
    def make(reference: Path) -> tuple[pd.DataFrame, Design]:
        data, design = start(reference)
        given = {k: data[v] if k == "scale" else v for k, v in how.items()}
        return data, design.calibrate(model_matrix(data), TOTALS, **given)

    return make


def _strat_raked(reference: Path) -> tuple[pd.DataFrame, Design]:
    data, design = strat(reference)
    x = np.column_stack([np.ones(len(data)), data["sch.wide"] == "Yes", data["api99"]])
    return data, design.calibrate(x.astype(float), [6194, 5122, 3914069], method="raking")


def _strat_wide(reference: Path) -> tuple[pd.DataFrame, Design]:
    data, design = strat(reference)
    return data, design.post_stratify(Margin("sch.wide", data["sch.wide"], WIDE))


def _raked3(reference: Path) -> tuple[pd.DataFrame, Design]:
    data, design = clus1(reference)
    return data, design.rake(margins(data, 3))


def _strat_raked2(reference: Path) -> tuple[pd.DataFrame, Design]:
    data, design = strat(reference)
    return data, design.rake(margins(data, 3)[1:])


# name -> (maker, first 3 weights,
#   mean of api00: estimate, SE, deff, deff "replace"; total of enroll: estimate, SE, deff)
CALIBRATED = {
    # dclus1 |> calibrate(~stype + api99, c(6194, 755, 1018, 3914069))
    "greg": (
        _calibrated(clus1),
        [51.632742594884782, 27.038358315084828, 25.267846248428164],
        [665.30907116577976, 3.4417531164048429, 0.21022362910884659, 0.20401263070282161],
        [3638487.2041318817, 385524.42735247884, 4.128304105425773],
    ),
    # dstrat |> calibrate(~stype + api99, ...)
    "greg of strata": (
        _calibrated(strat),
        [45.438190233369419, 43.119949632994128, 43.583597753069185],
        [664.63020026088464, 1.899918595199837, 0.049113500949926503, 0.047527659782670241],
        [3680331.7299543419, 110678.65591757925, 0.33850307598954882],
    ),
    # dclus1 |> calibrate(~stype + api99, ..., calfun = "raking", epsilon = 1e-14)
    "raking": (
        _calibrated(clus1, method="raking"),
        [49.216386137372098, 26.721267166472934, 25.323562182574822],
        [665.39379600015013, 3.4377535398348669, 0.20641892433273279, 0.20032033486665432],
        [3616588.5632687532, 387618.63037994015, 4.2710759259887414],
    ),
    # ..., calfun = "logit", bounds = c(0.5, 2.5), epsilon = 1e-14
    "logit": (
        _calibrated(clus1, method="logit", bounds=(0.5, 2.5)),
        [50.58392339079316, 26.219927440641094, 25.005045131920323],
        [665.43157481167555, 3.4325468497900649, 0.20360443238653045, 0.19758899629890775],
        [3624254.1013050675, 385446.04914824851, 4.194264897721701],
    ),
    # ..., calfun = "linear", bounds = c(0.5, 2.5), epsilon = 1e-14
    "linear with bounds": (
        _calibrated(clus1, bounds=(0.5, 2.5)),
        [51.61710823296049, 26.981566986222884, 25.198997911641555],
        [665.34677694098696, 3.4392253097943524, 0.20975679355335494, 0.20355958767342855],
        [3637046.3353171609, 385427.97356582276, 4.1252788906939157],
    ),
    # dclus1 |> calibrate(~stype + api99, ..., variance = enroll)
    "greg with scale": (
        _calibrated(clus1, scale="enroll"),
        [38.761018883932039, 25.076821716767803, 22.999402181420045],
        [664.39153011163239, 3.8241765273268462, 0.25996973153269759, 0.2522889984247732],
        [3494948.6413121731, 437838.9331414841, 6.3639199490264966],
    ),
    # dstrat |> calibrate(~sch.wide + api99, c(6194, 5122, 3914069), calfun = "raking")
    "raking of strata": (
        _strat_raked,
        [45.415896807317907, 43.047174578353442, 44.091923925064187],
        [664.55528059613744, 1.5566799284779347, 0.032948449467823278, 0.031884566695210316],
        [3682594.0451743957, 121985.39157000561, 0.40980577933621237],
    ),
    # postStratify(dstrat, ~sch.wide, data.frame(sch.wide = c("No", "Yes"), Freq = c(1072, 5122)))
    "post-stratified strata": (
        _strat_wide,
        [44.155602451527713, 44.155602451527713, 44.471768122707743],
        [662.20302945044443, 9.2725438999078076, 1.1695439142196249, 1.1317801455977448],
        [3689885.6776593062, 125625.23333752091, 0.43354860647824112],
    ),
    # dclus1 |> calibrate(~stype + sch.wide + awards, c(6194, 755, 1018, 5122, 4167),
    #   calfun = "raking", epsilon = 1e-15); rake() has the same weights, and a variance from ten
    #   rounds of residuals where these are exact
    "three margins": (
        _raked3,
        [52.160497432164952, 30.320357252003806, 30.320357252003806],
        [641.37598423253019, 23.391828958619961, 9.3737025714629318, None],
        [3640969.6296383552, 393091.56421722152, 4.3337510777270278],
    ),
    # dstrat |> calibrate(~sch.wide + awards, c(6194, 5122, 4167), calfun = "raking")
    "two margins of strata": (
        _strat_raked2,
        [36.063130447648916, 46.549541342306583, 44.471768122707751],
        [662.48976145031713, 9.2855715908125855, 1.1744251535825716, None],
        [3689013.2496125591, 126801.78502764246, 0.44158081140012101],
    ),
}  # fmt: skip

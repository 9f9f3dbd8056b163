"""An invented nomogram: a straight line, a folded one, and levels that stand close together."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from scorebuilder.explanation.nomogram_scales import (
    BETWEEN,
    END,
    TURN,
    Band,
    Nomogram,
    Reading,
    Scale,
    Tick,
)

UNIT, BASE, MOST = 0.02, -1.5, 190.0
HAZARDS = {"3 years": 0.071, "5 years": 0.118}


def nomogram() -> dict[str, Any]:
    """Plain values, as a summary holds them."""
    age = [
        Tick(f"{value}", 2.0 * (value - 36), rank=1 if value % 10 == 0 else BETWEEN)
        for value in range(40, 86, 5)
    ]
    age.append(Tick("86", 100.0, rank=END))
    pressure = [Tick(f"{v}", round(0.008 * (v - 125) ** 2, 2), below=v < 125) for v in
                (100, 110, 120, 140, 150, 160, 180, 190)]  # fmt: skip
    pressure.append(Tick("125", 0.0, rank=TURN))
    levels = [Tick("none", 0.0), Tick("micro-albuminuria", 21.5), Tick("macro-albuminuria", 24.0)]
    inputs = (
        Scale("Age (years)", 0.0, 100.0, tuple(age)),
        Scale("Systolic pressure (mmHg)", 0.0, 66.0, tuple(pressure)),
        Scale("Albuminuria", 0.0, 24.0, tuple(levels), levels=True),
    )
    totals = Scale("Total points", 0.0, MOST, tuple(Tick(f"{v}", float(v)) for v in
                                                    range(0, 181, 20)))  # fmt: skip
    bands = tuple(Band(k, 17.0 * k, min(17.0 * k + 17.0, MOST)) for k in range(11))
    risks = tuple(_risk_scale(words, hazard) for words, hazard in HAZARDS.items())
    steps = (age[4], pressure[3], levels[0])
    total = float(sum(round(step.points) for step in steps))
    read = tuple(1 - math.exp(-h * math.exp(BASE + UNIT * total)) for h in HAZARDS.values())
    reading = Reading(steps, total, int(total // 17), read)
    return asdict(Nomogram(inputs, totals, bands, risks, UNIT, BASE, reading))


def _risk_scale(words: str, hazard: float) -> Scale:
    places = {
        percent: (math.log(-math.log1p(-percent / 100) / hazard) - BASE) / UNIT
        for percent in (2, 3, 5, 10, 20, 30, 50, 70)
    }
    ticks = tuple(Tick(f"{percent}", at) for percent, at in places.items() if 0.0 <= at <= MOST)
    return Scale(f"Risk by {words}, %", 0.0, MOST, ticks)

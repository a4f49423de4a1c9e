"""A chaotic series from a delay equation."""

from __future__ import annotations

from typing import ClassVar

from dlspec.data.datasets.base import DATASETS, Column, Columns, Dataset, Description
from dlspec.language.fields import NonNegativeNumber, SampleCount, Timesteps


@DATASETS.register
class MackeyGlass(Dataset):
    """The Mackey-Glass equation dx/dt = 0.2 x(t-tau) / (1 + x(t-tau)^10) - 0.1 x(t) (Mackey and Glass, 1977).

    Integrated by the fourth-order Runge-Kutta method with steps of 0.1 and read at whole times; chaotic
    from `tau: 17` on. The start is drawn by the seed.
    """

    generated = True
    examples: ClassVar = ["mackey_glass", {"mackey_glass": {"samples": 500, "tau": 30}}]

    samples: SampleCount = 3000
    tau: Timesteps = 17
    noise: NonNegativeNumber = 0.0

    def describe(self) -> Description:
        return Description(
            "series",
            (Column("t", "time"), Column("x")),
            time="t",
            target="x",
            about=f"{self.samples:,} values of the Mackey-Glass equation with tau = {self.tau} (Mackey and "
            "Glass, 1977).",
            rows=self.samples,
        )

    def load(self, seed: int) -> Columns:
        import numpy as np

        random = np.random.default_rng(seed)
        per_time, warm_up = 10, 200
        delay = self.tau * per_time
        x = np.empty(delay + 1 + (self.samples + warm_up) * per_time)
        x[: delay + 1] = 1.2 + 0.2 * random.uniform(-1, 1)
        step = 1 / per_time

        def slope(now: float, before: float) -> float:
            return 0.2 * before / (1 + before**10) - 0.1 * now

        for i in range(delay, len(x) - 1):
            before, after = x[i - delay], x[i - delay + 1]
            middle = (before + after) / 2
            k1 = slope(x[i], before)
            k2 = slope(x[i] + step / 2 * k1, middle)
            k3 = slope(x[i] + step / 2 * k2, middle)
            k4 = slope(x[i] + step * k3, after)
            x[i + 1] = x[i] + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        values = x[delay + 1 :: per_time][warm_up : warm_up + self.samples]
        values = values + random.normal(0, self.noise, len(values)) if self.noise else values
        return {"t": np.arange(self.samples), "x": values}

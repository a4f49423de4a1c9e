"""What the samples of a test part are judged with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from dlspec.data.datasets import Columns
from dlspec.data.preparation import Part
from dlspec.data.signature import Signature

Array = np.ndarray


class Judged(Protocol):
    """Samples whose truth is known, and what their errors are measured by; see `Prepared`, which is one."""

    @property
    def signature(self) -> Signature: ...
    @property
    def test(self) -> Part: ...
    @property
    def columns(self) -> Columns: ...
    @property
    def times(self) -> Array | None: ...
    @property
    def groups(self) -> Array | None: ...
    @property
    def text_rows(self) -> Array | None: ...
    @property
    def naive_error(self) -> Array | None: ...
    @property
    def naive_of_series(self) -> Mapping[str, Array]: ...
    @property
    def deviations(self) -> Array: ...

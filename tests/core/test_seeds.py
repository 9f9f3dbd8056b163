"""Seeds are whole numbers."""

from __future__ import annotations

import numpy as np
import pytest

from scorebuilder.core.seeds import generator, seed_of


def test_any_whole_number_is_a_seed() -> None:
    assert seed_of(3, "fold", 1) == seed_of(np.int64(3), "fold", 1) != seed_of(3, "fold", 2)


@pytest.mark.parametrize("wrong", [None, -1, 1.5, "1"])
def test_nothing_else_is(wrong) -> None:
    with pytest.raises(ValueError, match="`random_state` must be a whole number of at least 0"):
        generator(wrong, "fold")

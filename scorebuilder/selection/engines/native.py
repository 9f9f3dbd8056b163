"""Trees grown by compiled code: exact statistic of every cut between the codes of a column."""

from __future__ import annotations

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from scorebuilder.core.kernels import announce_compilation
from scorebuilder.core.seeds import seed_of
from scorebuilder.selection.bags import SeededBags
from scorebuilder.selection.binning import bin_columns, code_values
from scorebuilder.selection.engine import ENGINES, GrownForest
from scorebuilder.selection.growth_settings import SPLIT_RULES, GrowthSettings
from scorebuilder.selection.joining import Nodes, join
from scorebuilder.selection.kernels.column import LEVELS, ORDERED, SUBSETS
from scorebuilder.selection.kernels.grow import grow_tree
from scorebuilder.selection.kernels.leaves import Jumps, leaf_jumps
from scorebuilder.selection.placed_outcome import PlacedOutcome


def grow(X: pd.DataFrame, outcome: PlacedOutcome, settings: GrowthSettings) -> GrownForest:
    r"""
    Grow a forest; each tree depends on the seed and its own number only.

    Parameters
    ----------
    X : DataFrame of shape (n_patients, n_features)
        Numeric columns, and categorical ones named in the settings; NaN is missing.
    outcome : PlacedOutcome
        On the time grid.
    settings : GrowthSettings
        How trees are grown.

    Returns
    -------
    GrownForest
        Trees, terminal nodes, codes and samples.

    Notes
    -----
    A node tries `max_features` columns drawn without replacement and, only if all of these are
    constant in the node, further ones until one is not. Of a column it tabulates the weight by code
    and event cell; the cut between two codes that maximises :math:`U^2 / V` follows from running
    sums over the codes,

    .. math:: U = \sum_k \Bigl(d_{1k} - Y_{1k} \frac{d_k}{Y_k}\Bigr), \quad
       V = \sum_k v_k (Y_{1k} Y_k - Y_{1k}^2), \quad v_k = \frac{d_k (Y_k - d_k)}{Y_k^2 (Y_k - 1)}

    over the cells k that hold events of the node [1]_. U is a sum over the patients of the left
    side. With n patients, b codes and m event cells of the node this costs n + b m, without any
    approximation beyond the codes and the grid.

    References
    ----------
    .. [1] LeBlanc M, Crowley J. Survival trees by goodness of split. J Am Stat Assoc
       1993;88:457-67.
    """
    announce_compilation(grow_tree, "the survival forest (about 20 s)")
    binning = bin_columns(X, n_bins=settings.n_bins, categorical=settings.categorical)
    codes = binning.codes(X)
    values = code_values(X, binning, codes)
    columns = np.ascontiguousarray(codes.T)
    n_codes = np.array([column.n_codes for column in binning.columns], dtype=np.int64)
    unordered = SUBSETS if settings.categorical_split == "subset" else LEVELS
    kinds = np.array(
        [ORDERED if column.levels is None else unordered for column in binning.columns],
        dtype=np.int64,
    )
    mark = (2 * outcome.cell + (outcome.status == 1)).astype(np.int32)
    bags = SeededBags(mark.size, settings.n_draws, settings.random_state)

    def _grow_one(tree: int) -> tuple[Nodes, Jumps]:
        """Grow one tree and estimate in its terminal nodes."""
        counts = bags.counts(tree)
        left, feature, cut, missing_left, level_sets, bounds, rows = grow_tree(
            columns,
            n_codes,
            values,
            kinds,
            mark,
            counts,
            outcome.weight,
            outcome.n_times,
            settings.max_features,
            settings.min_samples_leaf,
            -1 if settings.max_depth is None else settings.max_depth,
            SPLIT_RULES.index(settings.split_rule),
            seed_of(settings.random_state, "columns", tree),
        )
        jumps = leaf_jumps(
            left,
            bounds,
            rows,
            outcome.cell,
            outcome.status,
            counts * outcome.weight,
            outcome.n_times,
            outcome.incidence,
        )
        return (left, feature, cut, missing_left, level_sets), jumps

    trees = Parallel(n_jobs=settings.n_jobs, require="sharedmem")(
        delayed(_grow_one)(tree) for tree in range(settings.n_estimators)
    )
    arrays, leaves = join(trees)
    return GrownForest(arrays, leaves, binning, codes, bags)


ENGINES.register("native", grow)

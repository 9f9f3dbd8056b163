"""Out-of-bag predictions of blocks of trees, and their change when values are replaced."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray, IntArray, Outcome
from scorebuilder.core.errors import ModelError
from scorebuilder.core.seeds import seed_of
from scorebuilder.selection.forest import SurvivalForest
from scorebuilder.selection.importance_measure import JudgedPatients
from scorebuilder.selection.kernels.permute import add_changes, curves_at
from scorebuilder.selection.time_grid import TimeGrid
from scorebuilder.selection.vimp_donors import RANDOM_CHILD, Donors
from scorebuilder.selection.vimp_groups import PermutedGroups
from scorebuilder.survival.outcome import check_outcome


class OutOfBagWalk:
    """
    Walks the development patients down the trees that did not see them.

    Parameters
    ----------
    forest : SurvivalForest
        Fitted.
    times : ndarray of shape (n_times,) or None
        Predict the cumulative hazard, with competing risks the incidence, at these times; None
        predicts the mortality.
    random_state : int
        Seed of random node assignment.

    Attributes
    ----------
    n_patients, n_values : int
        Shape of a prediction.

    Notes
    -----
    What the terminal nodes predict is rounded to a multiple of a power of 2 so small that it does
    not matter, and so large that sums over all trees, and differences of sums, are exact. Patients
    who reach the same terminal nodes then stay tied however their sum came about, as C and AUC want
    it.
    """

    def __init__(
        self, forest: SurvivalForest, *, times: FloatArray | None, random_state: int
    ) -> None:
        self.forest = forest
        self.codes = forest.codes_
        self.n_patients = self.codes.shape[0]
        self.n_before = None if times is None else np.searchsorted(forest.times_, times, "right")
        self.n_values = 1 if times is None else times.size
        self.random_state = random_state
        leaves, n_trees = forest.leaves_, forest.trees_.n_trees
        if self.n_before is None:
            largest = leaves.mortality.max()
        else:
            sums = np.concatenate([[0.0], np.cumsum(leaves.jump)])[leaves.start]
            largest = np.diff(sums).max()
        # Sums of a change and of a prediction stay below 4 n_trees largest, in 53 bits.
        self.unit = 2.0 ** (np.ceil(np.log2(4.0 * n_trees * max(largest, 1e-300))) - 53.0)

    def predictions(self, trees: IntArray) -> tuple[FloatArray, IntArray]:
        """
        Add up the predictions of some trees.

        Parameters
        ----------
        trees : ndarray of int
            Their numbers.

        Returns
        -------
        total : ndarray of shape (n_patients, n_values)
            Sum over the trees whose sample misses the patient.
        count : ndarray of int of shape (n_patients,)
            Number of those trees.
        """
        total = np.zeros((self.n_patients, self.n_values))
        count = np.zeros(self.n_patients, dtype=np.int64)
        nodes = self.forest.trees_
        for tree in trees.tolist():
            rows = self.forest.out_of_bag(tree)
            reached = nodes.terminal_nodes(tree, self.codes, rows)
            total[rows] += self._values(tree)[reached - nodes.root[tree]]
            count[rows] += 1
        return total, count

    def changes(
        self,
        trees: IntArray,
        groups: PermutedGroups,
        numbers: IntArray,
        donors: Donors,
        repeat: int,
    ) -> FloatArray:
        """
        Add up what replaced values change.

        Parameters
        ----------
        trees : ndarray of int
            Their numbers.
        groups : PermutedGroups
            All groups.
        numbers : ndarray of int of shape (n_groups,)
            The groups wanted.
        donors : Donors
            Where the values come from.
        repeat : int
            Number of the permutation.

        Returns
        -------
        ndarray of shape (n_patients, n_groups, n_values)
            To be added to the first of `predictions`, group by group.
        """
        nodes = self.forest.trees_
        change = np.zeros((self.n_patients, numbers.size, self.n_values))
        wanted = groups.take(numbers)
        start, group = wanted.by_column()
        donor_set = donors.sets(numbers)
        tossed = bool(np.any(donor_set == RANDOM_CHILD))
        for tree in trees.tolist():
            rows = self.forest.out_of_bag(tree)
            seed = seed_of(self.random_state, "vimp", "child", tree, repeat) if tossed else 0
            add_changes(
                int(nodes.root[tree]),
                nodes.left,
                nodes.feature,
                nodes.cut,
                nodes.missing_left,
                nodes.level_sets,
                int(np.iinfo(self.codes.dtype).max),
                self.codes,
                rows,
                donors.draw(tree, rows, repeat, numbers),
                donor_set,
                start,
                group,
                wanted.member,
                seed,
                self._values(tree),
                change,
            )
        return change

    def _values(self, tree: int) -> FloatArray:
        """Return what each node of a tree predicts, shape (n_tree_nodes, n_values)."""
        first, end = (int(node) for node in self.forest.trees_.root[tree : tree + 2])
        leaves = self.forest.leaves_
        if self.n_before is None:
            values = leaves.mortality[first:end, None]
        else:
            values = curves_at(first, end, leaves.start, leaves.at, leaves.jump, self.n_before)
        rounded: FloatArray = np.round(values / self.unit) * self.unit
        return rounded


def judged_patients(
    forest: SurvivalForest, X: pd.DataFrame, y: Outcome, *, horizon: float | None
) -> JudgedPatients:
    """
    Check that a forest was grown on these patients, and had some of them out of bag.

    Parameters
    ----------
    forest : SurvivalForest
        Fitted.
    X : DataFrame of shape (n_patients, n_features)
        Should be the table of `fit`.
    y : structured ndarray of shape (n_patients,)
        Should be the outcome of `fit`.
    horizon : float or None
        In the unit of `y`.

    Returns
    -------
    JudgedPatients
        On whom the forest is judged.

    Raises
    ------
    ModelError
        If the forest was read from a file, or grown without bootstrap.
    ValueError
        If patients or outcome are others.
    """
    forest.out_of_bag(0)  # refuses a forest that was read from a file
    if not forest.bootstrap:
        message = "without bootstrap nobody is out of bag, and VIMP has no patients to judge"
        raise ModelError(message)
    codes = forest.codes(X)
    if codes.shape != forest.codes_.shape:
        message = f"`X` must hold the {forest.codes_.shape[0]} patients of `fit`; got {len(X)} rows"
        raise ValueError(message)
    differ = int(np.sum(np.any(codes != forest.codes_, axis=1)))
    if differ:
        message = (
            f"`X` must hold the patients of `fit`, in that order; the rows differ ({differ} of "
            f"{len(X)})"
        )
        raise ValueError(message)
    event, _ = check_outcome(y)
    status = forest.outcome_.status
    same = event.size == status.size and np.array_equal(event, status == 1)
    if not same or not np.array_equal(TimeGrid(forest.times_).place(y), forest.outcome_.cell):
        message = "`y` must be the outcome of `fit`, patients in that order; it differs"
        raise ValueError(message)
    competing = status == 2 if forest.outcome_.incidence else None
    return JudgedPatients(y, competing, horizon)

"""VIMP of groups of columns with what its errors need: of the ensemble, and of blocks of trees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray
from scorebuilder.selection.importance_measure import ImportanceMeasure
from scorebuilder.selection.vimp_donors import Donors
from scorebuilder.selection.vimp_groups import PermutedGroups
from scorebuilder.selection.vimp_walk import OutOfBagWalk

N_BLOCKS = 10
MOST_BYTES = 2**30
"""Changes kept at a time; more groups of columns are walked in batches."""


@dataclass(frozen=True)
class Drops:
    """
    What each group of columns is worth, and how that varies.

    Attributes
    ----------
    vimp : ndarray of shape (n_groups, n_repeats)
        Rise of the loss in each repeat.
    by_block : ndarray of shape (n_blocks, n_groups)
        Mean over repeats: of the ensemble without each block, or of each block.
    influence : ndarray of shape (n_groups, n_patients)
        What each patient adds to the sampling error of the mean over repeats.
    """

    vimp: FloatArray
    by_block: FloatArray
    influence: FloatArray

    @classmethod
    def join(cls, parts: Iterable[Drops]) -> Drops:
        """
        Put groups side by side.

        Parameters
        ----------
        parts : iterable of Drops
            In the order of the groups.

        Returns
        -------
        Drops
            Of all groups.
        """
        parts = list(parts)
        return cls(
            np.concatenate([part.vimp for part in parts]),
            np.concatenate([part.by_block for part in parts], axis=1),
            np.concatenate([part.influence for part in parts]),
        )

    def combine(self, weights: FloatArray) -> Drops:
        """
        Form sums and differences of groups.

        Parameters
        ----------
        weights : ndarray of shape (n_results, n_groups)
            One row per result.

        Returns
        -------
        Drops
            Of the results.
        """
        return Drops(weights @ self.vimp, self.by_block @ weights.T, weights @ self.influence)

    @property
    def patient_error(self) -> FloatArray:
        """
        Error from the patients, the trees held fixed.

        Returns
        -------
        ndarray of shape (n_groups,)
            Root of the sum of squared influences.
        """
        # group by group: a sum over an axis depends on how many groups stand beside
        return np.array([np.sqrt(np.sum(own**2)) for own in self.influence])


@dataclass(frozen=True)
class VimpTask:
    """
    A forest, what judges it, and how variables lose their values.

    Attributes
    ----------
    walk : OutOfBagWalk
        The forest and its patients.
    measure : ImportanceMeasure
        What judges the prediction.
    groups : PermutedGroups
        Columns that lose their values together.
    donors : Donors
        Where other values come from.
    n_repeats : int
        Independent permutations.
    n_jobs : int
        Workers.
    """

    walk: OutOfBagWalk
    measure: ImportanceMeasure
    groups: PermutedGroups
    donors: Donors
    n_repeats: int
    n_jobs: int

    def batches(self, bytes_per_value: int) -> list[IntArray]:
        """
        Cut the groups into batches that fit the memory.

        Parameters
        ----------
        bytes_per_value : int
            Kept for each group, patient and value.

        Returns
        -------
        list of ndarray of int
            Numbers of groups; results do not depend on how they are cut.
        """
        each = self.walk.n_patients * self.walk.n_values * bytes_per_value
        return self.groups.batches(max(1, MOST_BYTES // each))

    def parallel(self) -> Parallel:
        """
        Start the workers.

        Returns
        -------
        joblib.Parallel
            Yields results in the order of the work.
        """
        return Parallel(n_jobs=self.n_jobs, require="sharedmem", return_as="generator")


def ensemble_drops(task: VimpTask) -> Iterator[Drops]:
    """
    VIMP of the ensemble, and of the ensemble without each of 10 blocks of consecutive trees.

    Parameters
    ----------
    task : VimpTask
        What is measured.

    Yields
    ------
    Drops
        Of some groups, in their order, as many as fit the memory. `by_block` leaves blocks out; as
        many blocks as trees when there are fewer than 10.
    """
    n_trees = task.walk.forest.trees_.n_trees
    blocks = np.array_split(np.arange(n_trees), min(N_BLOCKS, n_trees))
    observed = list(task.parallel()(delayed(task.walk.predictions)(block) for block in blocks))
    judge = _EnsembleJudge(
        task.measure, np.stack([part[0] for part in observed]), [part[1] for part in observed]
    )
    for batch in task.batches(8 * len(blocks)):
        yield _batch_drops(task, judge, blocks, batch)


def _batch_drops(
    task: VimpTask, judge: _EnsembleJudge, blocks: list[IntArray], batch: IntArray
) -> Drops:
    """Walk all trees for some groups, repeat by repeat."""
    n_groups, n_repeats = batch.size, task.n_repeats
    vimp = np.empty((n_groups, n_repeats))
    by_block = np.zeros((len(blocks), n_groups))
    influence = np.zeros((n_groups, task.walk.n_patients))
    for repeat in range(n_repeats):
        changes = list(
            task.parallel()(
                delayed(task.walk.changes)(block, task.groups, batch, task.donors, repeat)
                for block in blocks
            )
        )
        judged = task.parallel()(
            delayed(judge)([change[:, group] for change in changes]) for group in range(n_groups)
        )
        for group, (drop, left_out, patients) in enumerate(judged):
            vimp[group, repeat] = drop
            by_block[:, group] += left_out / n_repeats
            influence[group] += patients / n_repeats
    return Drops(vimp, by_block, influence)


class _EnsembleJudge:
    """Compares predictions after a permutation with those before, with and without each block."""

    def __init__(
        self, measure: ImportanceMeasure, totals: FloatArray, counts: list[IntArray]
    ) -> None:
        self.measure = measure
        self.total, self.totals = totals.sum(axis=0), totals
        self.count = np.sum(counts, axis=0)
        self.counts = [self.count - count for count in counts]
        prediction, include = _mean(self.total, self.count)
        self.loss = measure.loss(prediction, include)
        self.influence = measure.influence(prediction, include)
        self.losses = [
            measure.loss(*_mean(self.total - part, count))
            for part, count in zip(totals, self.counts, strict=True)
        ]

    def __call__(self, changes: list[FloatArray]) -> tuple[float, FloatArray, FloatArray]:
        """Drop, drops without each block, and influence, of one group."""
        n_blocks = len(changes)
        change = changes[0].copy()
        for part in changes[1:]:
            change += part
        if not any(part.any() for part in changes):
            return 0.0, np.zeros(n_blocks), np.zeros(self.count.size)
        prediction, include = _mean(self.total + change, self.count)
        drop = self.measure.loss(prediction, include) - self.loss
        influence = self.measure.influence(prediction, include) - self.influence
        left_out = np.empty(n_blocks)
        for block, part in enumerate(changes):
            rest = (self.total - self.totals[block]) + (change - part)
            judged = self.measure.loss(*_mean(rest, self.counts[block]))
            left_out[block] = judged - self.losses[block]
        return drop, left_out, influence


def block_drops(task: VimpTask, *, block_size: int) -> Iterator[Drops]:
    """
    VIMP of each block of consecutive trees, and its mean.

    Parameters
    ----------
    task : VimpTask
        What is measured.
    block_size : int
        Trees of a block; blocks are a little larger where they do not divide the forest.

    Yields
    ------
    Drops
        Of some groups, in their order, as many as fit the memory. `by_block` holds the blocks
        themselves.
    """
    n_trees = task.walk.forest.trees_.n_trees
    blocks = np.array_split(np.arange(n_trees), max(1, n_trees // block_size))
    workers = effective_n_jobs(task.n_jobs)
    for batch in task.batches(16 * workers):
        yield _drops_of_blocks(task, blocks, batch)


def _drops_of_blocks(task: VimpTask, blocks: list[IntArray], batch: IntArray) -> Drops:
    vimp = np.zeros((batch.size, task.n_repeats))
    by_block = np.empty((len(blocks), batch.size))
    influence = np.zeros((batch.size, task.walk.n_patients))
    judged = task.parallel()(delayed(_one_block)(task, block, batch) for block in blocks)
    for number, (drops, patients) in enumerate(judged):
        vimp += drops / len(blocks)
        by_block[number] = sum(drops.T) / task.n_repeats
        influence += patients / len(blocks)
    return Drops(vimp, by_block, influence)


def _one_block(task: VimpTask, block: IntArray, batch: IntArray) -> tuple[FloatArray, FloatArray]:
    """Drop in each repeat and mean influence, of the groups of a batch in one block."""
    measure = task.measure
    total, count = task.walk.predictions(block)
    prediction, include = _mean(total, count)
    loss, influence = measure.loss(prediction, include), measure.influence(prediction, include)
    drops = np.zeros((batch.size, task.n_repeats))
    patients = np.zeros((batch.size, count.size))
    for repeat in range(task.n_repeats):
        changes = task.walk.changes(block, task.groups, batch, task.donors, repeat)
        for group in range(batch.size):
            if not changes[:, group].any():
                continue
            permuted, _ = _mean(total + changes[:, group], count)
            drops[group, repeat] = measure.loss(permuted, include) - loss
            patients[group] += measure.influence(permuted, include) - influence
    return drops, patients / task.n_repeats


def _mean(total: FloatArray, count: IntArray) -> tuple[FloatArray, BoolArray]:
    """Prediction of each patient over the trees that did not see him, and who has one."""
    return total / np.maximum(count, 1)[:, None], count > 0

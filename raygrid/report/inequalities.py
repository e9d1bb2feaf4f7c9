"""A claim about a table as a set of inequalities between its numbers, and whether they hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isnan, nan
from typing import Any, Literal

from raygrid.axes import level_name
from raygrid.report.left_out import Key
from raygrid.report.render import fixed, printed
from raygrid.report.tables import DECIMALS
from raygrid.wording import plural

MOST_EXAMPLES = 3

Verdict = Literal["holds", "does not hold", "cannot be told"]
Arm = tuple[str, str]
Tested = tuple[Any, Any, frozenset[tuple[str, ...]]]
"""The metric and level of a row, and two columns."""
BASE = "none"


@dataclass(frozen=True)
class Claim:
    """A claim in short, how it came out, the numbers that decide it in a sentence, and what tests say of them."""

    statement: str
    verdict: Verdict
    because: str
    tested: str = ""


@dataclass(frozen=True)
class Inequality:
    """One inequality: the first number should be above the second; NaN where a number is missing."""

    where: str
    first: str
    higher: float
    second: str
    lower: float
    told_apart: bool | None = None
    """Whether the difference is more than chance; None where there is no test of it."""

    @property
    def outcome(self) -> bool | None:
        """Whether it is true; None where it cannot be told. Numbers that are printed alike are equal."""
        if isnan(self.higher) or isnan(self.lower):
            return None
        return round(self.higher, DECIMALS) > round(self.lower, DECIMALS)

    def __str__(self) -> str:
        higher, lower = ("no number" if isnan(value) else fixed(value) for value in (self.higher, self.lower))
        tie = " (a tie)" if higher == lower and self.outcome is False else ""
        return f"{self.where}: {self.first} {higher} against {self.second} {lower}{tie}"


@dataclass(frozen=True)
class Numbers:
    """The numbers of a table by metric, level of the row axis, representation, classifier, resampler; NaN is a dash."""

    values: Mapping[Key, float]
    told_apart: Mapping[Tested, bool] = field(default_factory=dict)

    @property
    def rows(self) -> list[tuple[Any, Any]]:
        """The metric and level of each row."""
        return list(dict.fromkeys((key[0], key[1]) for key in self.values))

    def resamplers(self, arm: Arm) -> list[str]:
        """Return the resamplers of an arm in order."""
        return list(dict.fromkeys(str(key[-1]) for key in self.values if key[2:4] == arm))

    def at(self, row: tuple[Any, Any], arm: Arm, resampler: str) -> float:
        """Return one number, NaN where there is none."""
        return self.values.get((*row, *arm, resampler), nan)

    def gain(self, row: tuple[Any, Any], arm: Arm, resampler: str) -> float:
        """Return by how much a resampler is above the base case of its arm."""
        return self.at(row, arm, resampler) - self.at(row, arm, BASE)

    def relative_drop(self, start: tuple[Any, Any], end: tuple[Any, Any], arm: Arm) -> float:
        """Return the share of the base case's value in one row that is lost in another; NaN if it is 0."""
        value = self.at(start, arm, BASE)
        return 1 - self.at(end, arm, BASE) / value if value else nan

    def above(self, row: tuple[Any, Any], first: tuple[Arm, str], second: tuple[Arm, str]) -> Inequality:
        """Return the inequality that in a row the first column, an arm and a resampler, is above the second."""
        where = f"{row[0]} {level_name(row[1])}"
        tested = self.told_apart.get((*row, frozenset({(*first[0], first[1]), (*second[0], second[1])})))
        higher, lower = self.at(row, *first), self.at(row, *second)
        return Inequality(where, column_name(*first), higher, column_name(*second), lower, tested)


def column_name(arm: Arm, resampler: str) -> str:
    """Return what sentences call a column."""
    return f"{arm[0]} {printed('resampler', resampler)}"


def judge(statement: str, inequalities: Sequence[Inequality], *, share_needed: float = 1) -> Claim:
    """Return the verdict of the numbers on a claim, as `verdict_of` has it, and what tests say of them."""
    claim = verdict_of(statement, inequalities, share_needed=share_needed)
    tested = [one for one in inequalities if one.told_apart is not None]
    told = [one.higher > one.lower for one in tested if one.told_apart]
    by_tests = f"{told.count(True)} for, {told.count(False)} against, of {len(tested)}" if tested else "no test"
    return replace(claim, tested=by_tests)


def verdict_of(statement: str, inequalities: Sequence[Inequality], *, share_needed: float = 1) -> Claim:
    """Return the verdict on a claim.

    Parameters
    ----------
    statement : str
    inequalities : sequence of Inequality
    share_needed : float
        The claim holds if more than this share of the inequalities is true, or all: 1/2 for what is said to be usual.

    Returns
    -------
    Claim
        It "cannot be told" as long as the missing numbers could still turn the verdict.
    """
    if not inequalities:
        return Claim(statement, "cannot be told", "The tables lack the rows or columns that it compares.")
    true, false, unknown = ([one for one in inequalities if one.outcome is kind] for kind in (True, False, None))
    n_needed = min(int(share_needed * len(inequalities)) + 1, len(inequalities))
    compared = plural(len(inequalities), "comparison")
    if len(true) >= n_needed:
        closest = min(true, key=lambda one: one.higher - one.lower)
        but = f" Not so: {_examples(false)}." if false else ""
        return Claim(statement, "holds", f"True of {len(true)} of {compared}; the closest is {closest}.{but}")
    if len(true) + len(unknown) < n_needed:
        return Claim(statement, "does not hold", f"Not true of {len(false)} of {compared}: {_examples(false)}.")
    return Claim(statement, "cannot be told", f"{len(unknown)} of {compared} lack a number: {_examples(unknown)}.")


def _examples(inequalities: Sequence[Inequality]) -> str:
    more = f"; and {len(inequalities) - MOST_EXAMPLES} more" if len(inequalities) > MOST_EXAMPLES else ""
    return "; ".join(map(str, inequalities[:MOST_EXAMPLES])) + more

"""What a study found, in three sentences that claim no more than the primary tests do, and what confounds it."""

from collections.abc import Iterator, Sequence
from math import isnan

from raygrid.report.inference.families import ALPHA, PairedDifference
from raygrid.report.inference.paired import DECIMALS
from raygrid.report.inference.questions import BASELINE, BEST, COST, GAIN, Question
from raygrid.report.inference.samples import Column
from raygrid.report.ranking import RankedMethod, Ranking, compared
from raygrid.report.render import printed
from raygrid.report.statistics import Answer, Statistics
from raygrid.wording import listed, plural

MOST_NAMED = 3


def findings(statistics: Statistics, rankings: Sequence[Ranking]) -> tuple[str, ...]:
    """Return what is best and whether that is more than chance, what resampling gained, and what imbalance cost.

    Parameters
    ----------
    statistics : Statistics
        Whose primary answers the last two sentences are of.
    rankings : sequence of Ranking
        The first of which, by the same metric, the first sentence is of.
    """
    found = [_best(rankings[0])] if rankings and len(rankings[0].methods) > 1 else []
    best, gain, cost = (_primary(statistics, question) for question in (BEST, GAIN, COST))
    found += filter(None, [_gain(gain) + _why_more(gain, best), _cost(cost)])
    return tuple(found) or ("Nothing can be compared yet.",)


def _primary(statistics: Statistics, question: Question) -> Answer:
    return next(answer for answer in statistics.answers if answer.question == question and answer.is_primary)


def _best(ranking: Ranking) -> str:
    """Name the method with the highest mean, and those that are shown to be worse."""
    best = ranking.methods[0]
    ties = [other for other in ranking.methods if abs(other.mean - best.mean) < 10.0**-DECIMALS]
    others = ranking.methods[len(ties) :]
    where = f"on {ranking.datasets[0]}" if len(ranking.datasets) == 1 else f"over {len(ranking.datasets)} data sets"
    has = "has" if len(ties) == 1 else "share"
    start = f"{_named(ties)} {has} the highest mean {ranking.metric} {where}, {best.mean:.3f}{_ends(best)}"
    if not others:
        return f"{start}: there is no other method."
    if all(isnan(other.difference_low) for other in others):
        return f"{start}, but the design allows no test of whether that is more than chance."
    if above := [other for other in others if other.difference_low > 0]:
        each = "is" if len(above) == 1 else "are"
        return f"{start}, but {_named(above)} {each} above it on more data sets than by chance."
    return f"{start}. {_shown_worse(others, ranking)}."


def _shown_worse(others: Sequence[RankedMethod], ranking: Ranking) -> str:
    """Say which methods could be shown to be worse than the best: of the others nothing is known."""
    each = "" if len(ranking.datasets) == 1 or ranking.is_over_datasets else " on each data set"
    worse = [other for other in others if other.told_apart]
    close = [other for other in others if not other.told_apart]
    tests = f"({compared(ranking.n_comparisons)})"
    if len(others) == 1:
        return f"The other method could {'' if worse else 'not '}be shown to be worse{each} {tests}"
    if not worse:
        return f"None of the other {len(others)} could be shown to be worse{each} {tests}"
    if not close:
        return f"All of the other {len(others)} could be shown to be worse{each} {tests}"
    return f"{_named(worse)} could be shown to be worse{each}, {_named(close)} could not {tests}"


def _named(methods: Sequence[RankedMethod]) -> str:
    names = [_method(method.method) for method in methods[:MOST_NAMED]]
    more = len(methods) - MOST_NAMED
    return listed([*names, *([f"{more} more"] if more > 0 else [])])


def _method(column: Column) -> str:
    """Return a method as a sentence has it: *SMOTE with features · svm*."""
    return f"{printed('resampler', column[-1])} with {' · '.join(column[:-1])}"


def _ends(method: RankedMethod) -> str:
    return "" if isnan(method.low) else f" (95% interval of it alone: {method.low:.3f} to {method.high:.3f})"


def _gain(answer: Answer) -> str:
    """Say, of each arm, which resamplers are shown to differ from none, and in which direction."""
    arms = dict.fromkeys(one.left[:-1] for one in answer.differences)
    parts = [_gain_of([one for one in answer.differences if one.left[:-1] == arm], arm) for arm in arms]
    is_tested = any(not isnan(one.p) for one in answer.differences)
    tests = f" ({compared(len(answer.differences))})" if is_tested else ""
    start = f"Each resampler against {printed('resampler', BASELINE)} only{tests}"
    return f"{start}: {'; '.join(parts)}." if parts else ""


def _why_more(gain: Answer, best: Answer) -> str:
    """Say why a difference is shown here and not where all methods are compared, if there is one."""
    if gain.units != best.units:
        return ""
    shown = {(one.dataset, frozenset((one.left, one.right))) for one in gain.differences if one.told_apart}
    is_lost = any(
        (one.dataset, frozenset((one.left, one.right))) in shown and not one.told_apart and one.raw_p < ALPHA
        for one in best.differences
    )
    reason = "because they correct for more comparisons"
    return f" The tests of all methods do not show all of this, {reason}." if is_lost else ""


def _gain_of(differences: Sequence[PairedDifference], arm: Column) -> str:
    """Return what resampling does in an arm: *SMOTE gains 0.019 and IHT loses 0.050 with features · svm*."""
    told = [text for sign, verb in ((1, "gains"), (-1, "loses")) for text in _told(differences, sign, verb)]
    name = " · ".join(arm)
    told_apart = {one.left[-1] for one in differences if one.told_apart}
    names = dict.fromkeys(one.left[-1] for one in differences)
    others = [printed("resampler", name) for name in names if name not in told_apart]
    if not told:
        return f"with {name} {_untold(differences)}"
    rest = f", and of {listed(others)} no difference could be shown" if others else ""
    return f"with {name} {listed(told)}{rest}"


def _untold(differences: Sequence[PairedDifference]) -> str:
    """Say that nothing was found, which is not that there is nothing."""
    if all(isnan(one.p) for one in differences):
        return "the design allows no test"
    return "no difference could be shown"


def _told(differences: Sequence[PairedDifference], sign: int, verb: str) -> Iterator[str]:
    """Yield each resampler that is shown to differ in this direction, by how much and on how many data sets."""
    for name in dict.fromkeys(one.left[-1] for one in differences):
        tried = [one for one in differences if one.left[-1] == name]
        sizes = [sign * one.difference for one in tried if one.told_apart and sign * one.difference > 0]
        if sizes:
            on = f" on {len(sizes)} of {plural(len(tried), 'data set')}" if len(tried) > 1 else ""
            yield f"{printed('resampler', name)} {verb} {_range(sizes)}{on}"


def _range(sizes: Sequence[float]) -> str:
    low, high = f"{min(sizes):.3f}", f"{max(sizes):.3f}"
    return low if low == high else f"{low} to {high}"


def _cost(answer: Answer) -> str:
    """Say what each arm loses without resampling from the least imbalance to the most."""
    arms = dict.fromkeys(one.left[:-1] for one in answer.differences)
    parts = [_cost_of([one for one in answer.differences if one.left[:-1] == arm]) for arm in arms]
    if not parts:
        return ""
    first = answer.differences[0]
    return f"From {first.left[-1]} to {first.right[-1]} without resampling, {'; '.join(parts)}."


def _cost_of(differences: Sequence[PairedDifference]) -> str:
    name = " · ".join(differences[0].left[:-1])
    told = [one.difference for one in differences if one.told_apart]
    on = f" on {len(told)} of {plural(len(differences), 'data set')}" if len(differences) > 1 else ""
    if not told:
        return f"with {name} {_untold(differences)}"
    if min(told) < 0 < max(told):
        return f"{name} loses on some data sets and gains on others"
    return f"{name} {'loses' if min(told) > 0 else 'gains'} {_range([abs(size) for size in told])}{on}"

"""The comparison with published results on one screen."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean, median

from raygrid.axes import level_phrase
from raygrid.report.compare import Contrast, Difference
from raygrid.report.inequalities import Claim
from raygrid.report.protocol import in_words
from raygrid.report.render import printed
from raygrid.report.sheets import Sheet, number
from raygrid.wording import plural

_FAR = 2  # standard errors
_NAMED = 5  # levels that only one side has


def summary_sheet(name: str, contrasts: Sequence[Contrast], claims: Sequence[Claim]) -> Sheet:
    """Return what was compared, how far the numbers are apart, what was not compared and why, and the claims in short.

    Parameters
    ----------
    name : str
        The grid's.
    """
    lines = [line for contrast in contrasts for line in _lines(contrast)]
    if claims:
        verdicts = Counter(claim.verdict for claim in claims)
        counted = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
        lines.append(f"The paper's {len(claims)} claims, on the numbers of {name}: {counted}.")
        lines += [f"  {claim.verdict}: {claim.statement}" for claim in claims if claim.verdict != "cannot be told"]
    return Sheet(f"{name} against published results", (), (), tuple(lines))


def _lines(contrast: Contrast) -> Iterator[str]:
    published = contrast.published
    source = published.remarks.get("source", "")
    yield f"{published.name}{f' ({source})' if source else ''}"
    n_both = len(contrast.differences) + len(contrast.refused)
    if not n_both:
        yield "  No number is in both."
        yield f"  Only here: {'; '.join(contrast.only_here[:_NAMED])}"
        return
    yield f"  {len(contrast.differences)} of the {plural(n_both, 'number')} that both have are compared."
    if contrast.differences:
        yield from _distances(contrast.differences)
    correlations = [one.correlation for one in contrast.agreements if one.correlation == one.correlation]
    if correlations:
        yield (
            f"  Order of the resamplers: rank correlation from {min(correlations):+.2f} to {max(correlations):+.2f}, "
            f"median {median(correlations):+.2f}, of {plural(len(correlations), 'row')} of an arm."
        )
    for differing, count in Counter(in_words(one.differing) for one in contrast.refused).items():
        yield f"  Not compared: {plural(count, 'number')}, because these differ: {differing}."
    if contrast.refused:
        facts = dict.fromkeys(fact for one in contrast.refused for fact in one.differing)
        yield f"  To compare them all the same: --despite {','.join(facts)}"
    for differing in dict.fromkeys(in_words(one.differing) for one in contrast.differences if one.differing):
        yield f"  Compared although these differ: {differing}."
    if not published.protocol:
        yield "  It states no protocol (lines such as '# image_size: 64' above its columns), so that none was checked."


def _distances(differences: Sequence[Difference]) -> Iterator[str]:
    signed = [one.difference for one in differences]
    largest = max(differences, key=lambda one: abs(one.difference))
    yield (
        f"  Here minus published: mean {number(fmean(signed), '+.4f')}, mean size "
        f"{number(fmean(map(abs, signed)))}, largest {number(largest.difference, '+.4f')} ({_name(largest)})."
    )
    above, below = sum(one > 0 for one in signed), sum(one < 0 for one in signed)
    known = [abs(one.in_standard_errors) for one in differences if one.in_standard_errors == one.in_standard_errors]
    far = f"; {sum(one > _FAR for one in known)} of {len(known)} by more than {_FAR} standard errors" if known else ""
    yield f"  {above} above, {below} below, {len(signed) - above - below} tied{far}."


def _name(difference: Difference) -> str:
    axis_level = difference.level if isinstance(difference.level, str) else level_phrase("imbalance", difference.level)
    method = " · ".join([*difference.column[:-1], printed("resampler", difference.column[-1])])
    return f"{difference.metric}, {axis_level}, {method}"

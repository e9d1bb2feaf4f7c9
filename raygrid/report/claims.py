"""The paper's claims, each checked on the numbers of its two tables: the published numbers or the user's.

The numbers decide, even if they are close; beside them stands how many of the differences tests tell from chance.
Quotations are from sections 3 and 4 of Koziarski, Cyganek, Wiatr (2020), The Choice of Feature Representation in
Small-Scale MobileNet-Based Imbalanced Image Recognition, VISAPP.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan

from raygrid.axes import IMBALANCE, level_name, level_phrase
from raygrid.report.inequalities import BASE, Claim, Inequality, Numbers, Tested, column_name, judge
from raygrid.report.inference.questions import BEST
from raygrid.report.left_out import Key
from raygrid.report.statistics import Answer

IMAGE, FEATURES = ("image", "cnn"), ("features", "svm")
ROS, SMOTE = "ros", "smote"
DETERIORATING = ("rus", SMOTE, "smote_enn", "iht")
EXCEPTION = ("mnist", SMOTE)


@dataclass(frozen=True)
class Tables:
    """The numbers of Table 1 and Table 2."""

    by_dataset: Numbers
    by_ir: Numbers

    def __iter__(self) -> Iterator[Numbers]:
        return iter((self.by_dataset, self.by_ir))


def check_claims(
    by_dataset: Mapping[Key, float], by_ir: Mapping[Key, float], answers: Sequence[Answer] = ()
) -> tuple[Claim, ...]:
    """Check every claim.

    Parameters
    ----------
    by_dataset, by_ir : mapping
        The numbers of Table 1 and Table 2: the `values` of a `Published`, or `raygrid.report.compare.values_of` a
        table. Where they lack a number, a claim "cannot be told", unless other numbers refute it.
    answers : sequence of Answer
        Of the statistics of the same study, whose tests within data sets say which differences are more than chance. Of
        rows by IR, which average data sets, there is no test.
    """
    tables = Tables(Numbers(by_dataset, _told_apart(answers)), Numbers(by_ir))
    return tuple(
        judge(statement, list(inequalities(tables)), share_needed=share)
        for statement, (inequalities, share) in CLAIMS.items()
    )


def _told_apart(answers: Sequence[Answer]) -> dict[Tested, bool]:
    return {
        (answer.metric, one.dataset, frozenset({one.left, one.right})): one.told_apart
        for answer in answers
        if answer.question == BEST and answer.units == "folds"
        for one in answer.differences
        if not isnan(one.p)
    }


def image_over_features(tables: Tables) -> Iterator[Inequality]:
    """Yield the base cases of both arms in every row of both tables.

    "using the original image representation to train a convolutional neural network led to achieving a significantly
    better performance than using the high-level features extracted from a pretrained network, regardless of the choice
    of dataset, imbalance ratio or performance metric"
    """
    for table in tables:
        for row in table.rows:
            yield table.above(row, (IMAGE, BASE), (FEATURES, BASE))


def image_over_features_resampled(tables: Tables) -> Iterator[Inequality]:
    """Yield the same, by every resampler that both arms have: the strictest reading of the same sentence."""
    for table in tables:
        shared = [name for name in table.resamplers(FEATURES) if name != BASE and name in table.resamplers(IMAGE)]
        for row in table.rows:
            yield from (table.above(row, (IMAGE, name), (FEATURES, name)) for name in shared)


def image_preferable(tables: Tables) -> Iterator[Inequality]:
    """Yield the image base case against all of the features arm.

    "due to the significantly worse baseline performance, simply using the original image representation without any
    resampling was still a preferable strategy"
    """
    for table in tables:
        for row in table.rows:
            yield from (table.above(row, (IMAGE, BASE), (FEATURES, name)) for name in table.resamplers(FEATURES))


def ros_alone(tables: Tables) -> Iterator[Inequality]:
    """Yield ROS over the base case in every row, and for each other resampler the row where it is worst.

    "the only technique that improved the performance of classification with original image representation for all of
    the datasets was random oversampling"
    """
    table = tables.by_dataset
    others = [name for name in table.resamplers(IMAGE) if name not in (BASE, ROS)]
    if others:
        yield from (table.above(row, (IMAGE, ROS), (IMAGE, BASE)) for row in table.rows)
    for name in others:
        rows = [table.above(row, (IMAGE, BASE), (IMAGE, name)) for row in table.rows]
        yield max(rows, key=lambda one: (one.outcome is True, one.outcome is None, one.higher - one.lower))


def ros_best(tables: Tables) -> Iterator[Inequality]:
    """Yield ROS on images against every other column.

    "using the original image representation with simple random oversampling leads to the best results on the
    considered benchmark datasets"
    """
    table = tables.by_dataset
    columns = [(arm, name) for arm in (IMAGE, FEATURES) for name in table.resamplers(arm)]
    for row in table.rows:
        yield from (table.above(row, (IMAGE, ROS), column) for column in columns if column != (IMAGE, ROS))


def image_deteriorates(tables: Tables) -> Iterator[Inequality]:
    """Yield the image base case against RUS, SMOTE, S+ENN and IHT, but for the paper's own exception.

    "Both random undersampling, as well as the more advanced techniques, that is SMOTE, S+ENN and IHT, actually resulted
    in a deteriorated performance, in some cases significantly. The only exception was MNIST dataset, for which SMOTE
    actually produced a marginally better results"
    """
    table = tables.by_dataset
    for row in table.rows:
        for name in DETERIORATING:
            if (row[1], name) != EXCEPTION and name in table.resamplers(IMAGE):
                yield table.above(row, (IMAGE, BASE), (IMAGE, name))


def mnist_excepted(tables: Tables) -> Iterator[Inequality]:
    """Yield SMOTE on MNIST images over the base case and ROS.

    "The only exception was MNIST dataset, for which SMOTE actually produced a marginally better results than both the
    baseline and the random oversampling"
    """
    dataset, resampler = EXCEPTION
    for row in tables.by_dataset.rows:
        if row[1] == dataset:
            yield from (tables.by_dataset.above(row, (IMAGE, resampler), (IMAGE, name)) for name in (BASE, ROS))


def smote_improves_features(tables: Tables) -> Iterator[Inequality]:
    """Yield SMOTE over the base case of the features arm.

    "using SMOTE was a feasible strategy when operating on a high-level features extracted from the convolutional neural
    network, leading to a greater improvement in performance"
    """
    for row in tables.by_dataset.rows:
        yield tables.by_dataset.above(row, (FEATURES, SMOTE), (FEATURES, BASE))


def smote_gains_more(tables: Tables) -> Iterator[Inequality]:
    """Yield what SMOTE gains on features over what ROS gains on images: the "greater" of the same sentence."""
    table = tables.by_dataset
    for row in table.rows:
        smote, ros = (table.gain(row, *column) for column in ((FEATURES, SMOTE), (IMAGE, ROS)))
        where = f"{row[0]} {level_name(row[1])}, gain over Base"
        yield Inequality(where, column_name(FEATURES, SMOTE), smote, column_name(IMAGE, ROS), ros)


def features_deteriorate(tables: Tables) -> Iterator[Inequality]:
    """Yield the features' base case against S+ENN and IHT.

    "using other resampling techniques usually led to a deteriorated performance", of which the images' half is
    `image_deteriorates`; that it is also meant of features is our reading: the sentence names neither arm.
    """
    table = tables.by_dataset
    for row in table.rows:
        for name in ("smote_enn", "iht"):
            if name in table.resamplers(FEATURES):
                yield table.above(row, (FEATURES, BASE), (FEATURES, name))


def features_drop_more(tables: Tables) -> Iterator[Inequality]:
    """Yield, of each metric, the relative drop of both base cases from the lowest IR to the highest.

    "the relative drop of the performance with the increase of imbalance ratio is, in the baseline case, higher for the
    features extracted from the convolutional neural network than the original image representation"
    """
    table = tables.by_ir
    for metric in dict.fromkeys(metric for metric, _ in table.rows):
        levels = [level for other, level in table.rows if other == metric]  # from the lowest IR to the highest
        if len(levels) > 1:
            low, high = (metric, levels[0]), (metric, levels[-1])
            features, image = (table.relative_drop(low, high, arm) for arm in (FEATURES, IMAGE))
            start, end = level_phrase(IMBALANCE, levels[0]), level_name(levels[-1])
            where = f"{metric}, relative drop from {start} to {end}"
            yield Inequality(where, column_name(FEATURES, BASE), features, column_name(IMAGE, BASE), image)


# Statement -> its inequalities, and the share of them that must be true: 1/2 for what is "usually" so.
CLAIMS: dict[str, tuple[Callable[[Tables], Iterator[Inequality]], float]] = {
    "Images beat features without resampling, in every data set, IR and metric": (image_over_features, 1),
    "Images beat features with the same resampler, in every data set, IR and metric": (
        image_over_features_resampled,
        1,
    ),
    "Images without resampling beat features with any resampler": (image_preferable, 1),
    "ROS is the only resampler that improves images on every data set": (ros_alone, 1),
    "Images with ROS are the best of all on every data set": (ros_best, 1),
    "RUS, SMOTE, S+ENN and IHT hurt on images, except SMOTE on MNIST": (image_deteriorates, 1),
    "On MNIST images SMOTE beats both the base case and ROS": (mnist_excepted, 1),
    "SMOTE improves features on every data set": (smote_improves_features, 1),
    "SMOTE gains more on features than ROS does on images": (smote_gains_more, 1),
    "S+ENN and IHT usually hurt on features": (features_deteriorate, 0.5),
    "With growing IR, features without resampling lose a larger share than images": (features_drop_more, 1),
}

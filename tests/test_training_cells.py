"""Networks within cells: what the validation part decides, what the test part does not, and what is shown of it."""

from dataclasses import replace

import made_up
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure as Canvas
from test_training import Tiny

from raygrid import trial
from raygrid.cells import Cell
from raygrid.classifiers import CLASSIFIERS
from raygrid.classifiers.training.stopping import EarlyStopping
from raygrid.commands.logs import _described
from raygrid.datasets import DATASETS
from raygrid.errors import GridError
from raygrid.gridfile.faults import load_grid
from raygrid.gridfile.schema import Grid
from raygrid.host import Runtime
from raygrid.imbalance import PROFILES
from raygrid.inputs import Inputs
from raygrid.level import labels
from raygrid.report.figures import curves as figure
from raygrid.report.figures import figures_of
from raygrid.report.figures.style import styles
from raygrid.representations import REPRESENTATIONS
from raygrid.resampling import NoResampling
from raygrid.storage.cache import Cache
from raygrid.storage.checkpoint import NO_CHECKPOINT
from raygrid.storage.record import Curves, Record

NETWORK = Tiny(epochs=30, learning_rate=0.3, optimizer="sgd", early_stopping=EarlyStopping(patience=2))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    images = DATASETS["digits"]().load(8, "nearest")
    cache = Cache(tmp_path_factory.mktemp("products"))
    return Inputs(images.X, images.y, images.class_names, images.parts, cache, "digits")


def computed(inputs, **changes):
    profile, representation = PROFILES["natural"](), REPRESENTATIONS["image"]()
    cell = Cell(
        DATASETS["digits"](), profile, 0, representation, NoResampling(), NETWORK, 8, "nearest", 1, validation=0.2
    )
    return trial.compute(replace(cell, **changes), inputs, trial.Clock(), NO_CHECKPOINT, Runtime(1))


def test_the_labels_of_the_test_part_change_no_stop_no_epoch_and_no_prediction(inputs):
    y, test = inputs.y.copy(), inputs.parts["test"]
    y[test] = np.random.default_rng(0).permutation(y[test])
    (fields, first), (permuted, second) = (computed(one) for one in (inputs, replace(inputs, y=y)))
    assert fields["curves"] == permuted["curves"]
    assert 1 < fields["curves"].kept < len(fields["curves"].train["loss"]) < 30
    assert np.array_equal(first["scores"], second["scores"])
    assert permuted["metrics"]["AvAcc"] < 0.3 < fields["metrics"]["AvAcc"]
    kept = fields["curves"].validation["AvAcc"][fields["curves"].kept - 1]
    assert kept == pytest.approx(fields["validation"]["AvAcc"], rel=1e-3)


def test_other_classifiers_have_no_curves(inputs, cells_of):
    vectors = replace(inputs, X=inputs.X[..., 0].reshape(len(inputs.X), -1).astype(np.float32))
    cell = next(iter(cells_of(validation=0.2)))
    fields, _ = trial.compute(cell, vectors, trial.Clock(), NO_CHECKPOINT, Runtime(1))
    assert fields["curves"] is None


CNN = "cnn, alpha: 0.25, weights: embedded"


@pytest.mark.parametrize(
    ("classifier", "fault"),
    [
        (
            "early_stopping: {patience: 3}",
            "5:77: arms[0].classifier.early_stopping: got early_stopping without a validation part, on which alone it "
            "looks; write a share beside `arms`: `validation: 0.2`; or leave it out",
        ),
        ("select: best", "5:69: arms[0].classifier.select: got select without a validation part"),
        ("select: first", "5:69: arms[0].classifier.select: got 'first'; expected one of last, best"),
        ("early_stopping: {by: AvAc}", "got 'AvAc'; expected one of AvAcc, CBA, MAvG, loss; did you mean 'AvAcc'?"),
        ("early_stopping: {patience: 0}", "early_stopping.patience: got 0; expected a number above 0"),
        ("momentum: 0.9", "got momentum with optimizer rmsprop; it is a setting of sgd; leave one out"),
        ("schedule: cosin", "schedule: got 'cosin'; expected one of constant, step, cosine; did you mean 'cosine'?"),
        (
            "schedule: {name: step, at: [2]}",
            "schedule.at: unknown key: got 'at'; expected one of name, warm_up, after, ",
        ),
        ("schedule: {name: step}", "schedule: after: got nothing; expected a value; it has no default"),
        ("schedule: {name: constant, warm_up: 50}", "got 50 epochs of warm-up of 50; expected fewer"),
        ("augment: [flip, mixup, remix]", "augment: got two that mix images"),
        ("augment: [flip, {name: crop, padding: 0}]", "augment[1].padding: got 0; expected a number above 0"),
    ],
)
def test_what_is_wrong_with_the_settings_of_a_training_is_said_with_its_place(tmp_path, classifier, fault):
    path = tmp_path / "grid.yaml"
    path.write_text(
        "name: small\ndatasets: [digits]\narms:\n  - representation: image\n"
        f"    classifier: {{name: {CNN}, {classifier}}}\n    resamplers: [none]\n"
    )
    with pytest.raises(GridError) as refused:
        load_grid(path)
    assert fault in str(refused.value)
    assert str(refused.value).startswith(f"{path}:5:")


def test_settings_at_their_defaults_are_in_no_key(tiny):
    written = {
        "name": "cnn",
        "schedule": "constant",
        "augment": [],
        "momentum": 0.0,
        "weight_decay": 0.0,
        "early_stopping": None,
        "select": None,
    }
    arms = [
        {"representation": "image", "classifier": classifier, "resamplers": ["none"]}
        for classifier in ("cnn", written, written | {"augment": "flip"})
    ]
    plain, same, other = (Grid.model_validate(tiny | {"arms": [arm]}).arms[0].classifier for arm in arms)
    assert plain.identity() == same.identity()
    assert other.identity() == plain.identity() | {"augment": [{"name": "flip"}]}


def test_levels_within_a_label_are_short():
    step = {"name": "step", "after": [2, 4]}
    settings = [{}, {"schedule": step, "augment": ["flip", {"name": "crop", "padding": 2}]}, {"early_stopping": {}}]
    given = labels(CLASSIFIERS["cnn"].model_validate({"name": "cnn", **each}) for each in settings)
    assert list(given.values()) == [
        "cnn",
        "cnn(schedule=step(after=(2, 4)), augment=flip+crop(padding=2))",
        "cnn(early_stopping=patience 5 by AvAcc)",
    ]


def curves(kept, *values, part="validation"):
    """Curves in which every measure has these values on one part, and a half of them on the other."""
    other = {"train": "validation", "validation": "train"}[part]
    halves = [None if value is None else value / 2 for value in values]
    return Curves(
        kept=kept, **{part: {"loss": [*values], "AvAcc": [*values]}, other: {"loss": halves, "AvAcc": halves}}
    )


def with_curves(record: Record, given: Curves) -> Record:
    return record.model_copy(update={"curves": given})


def test_what_logs_say_of_a_training(cells_of):
    record = made_up.record(cells_of()[0], np.random.default_rng(0))
    lines = _described(with_curves(record, curves(2, 0.5, 0.75, None)))
    start = lines.index("epochs: 3; the weights of epoch 2 are kept")
    assert lines[start + 1 : start + 3] == [
        "  training, epochs 1, 2, 3: loss 0.25, 0.375, -; AvAcc 0.25, 0.375, -",
        "  validation, epochs 1, 2, 3: loss 0.5, 0.75, -; AvAcc 0.5, 0.75, -",
    ]
    assert not [line for line in _described(record) if line.startswith("epochs")]


def test_a_mean_over_folds_is_of_those_that_have_the_epoch():
    assert figure.mean_of([[1, 2, 3], [3, None]]).tolist() == [2, 2, 3]
    assert np.isnan(figure.mean_of([[None], [None]])).tolist() == [True]


def test_curves_are_drawn_with_the_mean_of_the_kept_epochs():
    results = made_up.study(folds=2, datasets=["mnist"], imbalance_ratios=[2, 5])
    assert figure.curves_by_epoch(results, "loss") is None
    records = [
        with_curves(record, curves(1 + i % 2, 0.2, 0.4)) if "epochs" in record.cell["classifier"] else record
        for i, record in enumerate(results.records.values())
    ]
    drawn = made_up.results(results.cells, records)
    names = [one.name for one in figures_of(drawn)]
    assert [name for name in names if name.startswith("curves")] == ["curves-loss", "curves-AvAcc"]
    one = figure.curves_by_epoch(drawn, "loss")
    assert one.title == "Loss by epoch at IR 5"
    assert "Drawn from all 12 cells." in one.caption  # of the networks, at the highest ratio
    axes = Canvas().subplots()
    lines = [curves(1, 0.2, 0.4, 0.6), curves(3, 0.4, 0.4, 0.8), curves(2, 0.6, 0.6)]
    part = pd.DataFrame([{"resampler": "none", "measure": "loss", "value": each} for each in lines])
    [end] = figure._draw(axes, part, styles(["none"]))
    train, validation, kept = axes.lines
    assert validation.get_ydata() == pytest.approx([0.4, 1.4 / 3, 0.7])
    assert train.get_ydata() == pytest.approx([0.2, 0.7 / 3, 0.35])
    assert kept.get_xydata().tolist() == [[1, 0.2], [3, 0.8], [2, 0.6]]
    assert (end.label, end.x) == ("Base", 3)

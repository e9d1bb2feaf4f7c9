"""A network's label: what tables call it."""

import pytest
import yaml
from pydantic import ValidationError

from raygrid.cells import expand
from raygrid.classifiers.cnn import Cnn
from raygrid.commands.selection import select
from raygrid.gridfile.schema import Grid
from raygrid.level import labels


def test_a_label_is_what_tables_call_a_network_and_no_part_of_a_key():
    plain, labelled = Cnn(focal_gamma=2), Cnn(focal_gamma=2, label="focal")
    assert (labelled.text, list(labels([Cnn(), labelled]).values())) == ("focal", ["cnn", "focal"])
    assert labelled.identity() == plain.identity()
    given = """
    name: mine
    datasets: [digits]
    arms:
      - {representation: image, classifier: {name: cnn, focal_gamma: 2, label: focal}, resamplers: [none]}
      - {representation: image, classifier: cnn, resamplers: [none]}
    """
    grid = Grid.model_validate(yaml.safe_load(given))
    cells = select(expand(grid), ["classifier=focal"], grid.levels())
    assert {cell.classifier for cell in cells} == {labelled}


def test_a_label_is_one_word():
    with pytest.raises(ValidationError, match="label"):
        Cnn(label="a, b")


@pytest.mark.parametrize("other", ["{name: cnn, label: b}", "cnn"])
def test_two_labels_of_one_network_are_refused(other):
    given = f"""
    name: mine
    datasets: [digits]
    arms:
      - {{representation: image, classifier: {{name: cnn, label: a}}, resamplers: [none]}}
      - {{representation: image, classifier: {other}, resamplers: [rus]}}
    """
    with pytest.raises(ValidationError, match="under another label; remove one"):
        Grid.model_validate(yaml.safe_load(given))


def test_a_label_is_not_chosen():
    classifier = {"name": "cnn", "label": {"choose": ["a", "b"]}}
    arm = {"representation": "image", "classifier": classifier, "resamplers": ["none"]}
    with pytest.raises(ValidationError, match="a label changes nothing"):
        Grid.model_validate({"name": "mine", "datasets": ["digits"], "arms": [arm]})

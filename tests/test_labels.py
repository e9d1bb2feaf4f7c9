"""A network's label: what tables call it."""

import pytest
import yaml
from pydantic import ValidationError

from raygrid.cells import expand, select
from raygrid.classifiers.cnn import Cnn
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

"""What a plan says of the images that each level keeps, and of what the sizes of the classes forbid."""

import json
import re

STEPS = [{"name": "step", "ir": 10}, {"name": "step", "ir": 10, "minority": 0.2}]
SMOTE_OF_MANY = {"name": "smote", "k_neighbors": 11}  # at IR 10 the smallest class of digits has 11 samples


def test_a_plan_tells_levels_of_one_name_apart_and_what_sizes_forbid(raygrid, grid_file, tiny, tmp_path):
    del tiny["imbalance_ratios"]
    tiny["arms"][0]["resamplers"] = ["none", SMOTE_OF_MANY]
    code, out, _ = raygrid("plan", grid_file(imbalance=STEPS), "--store", tmp_path / "store", "--json")
    said = json.loads(out)
    assert code == 0
    assert [(each["imbalance"], sorted(each["train"])[4]) for each in said["sizes"]] == [
        ("step-10(minority=0.5)", 11),
        ("step-10(minority=0.2)", 116),
    ]
    assert {line["imbalance"] for line in said["strata"]} == {each["imbalance"] for each in said["sizes"]}
    assert said["infeasible"] == sum(said["refused"].values()) == 4
    expected = r"digits: smote: got 11 samples of class (\d), '\1'; expected at least 12 \(k_neighbors \+ 1\)"
    assert all(re.fullmatch(expected, why) for why in said["refused"])

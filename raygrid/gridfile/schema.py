"""The schema of the grid file. `raygrid.gridfile.faults` loads a file."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveInt,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails

from raygrid.axes import AXES, IMBALANCE, METHOD_AXES
from raygrid.classifiers import CLASSIFIERS
from raygrid.datasets.resizing import INTERPOLATIONS
from raygrid.errors import choices
from raygrid.gridfile.arms import Arm, Axis
from raygrid.gridfile.choices import Choosing
from raygrid.gridfile.exclusions import Exclusion
from raygrid.gridfile.levels import AnyDataset, AnyProfile, AnySplit, spelled
from raygrid.gridfile.names import namesakes, twins
from raygrid.gridfile.resources import Resources
from raygrid.imbalance import Harmonic
from raygrid.level import STRICT
from raygrid.metrics.confusion import METRICS
from raygrid.metrics.further import MetricName, with_distinct_headings
from raygrid.splits import Official


def _validation(value: object) -> object:
    if value in (None, "official") or (isinstance(value, float) and 0 < value < 1):
        return value
    raise ValueError(f"got {value!r}; expected a share between 0 and 1, or official: the data set's own part")


MOST_CELLS = 250_000  # what `plan` takes some seconds and a gigabyte for

# A folder has it, too.
GRID_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


def _fault(message: str, *keys: str | int) -> InitErrorDetails:
    return InitErrorDetails(type="value_error", loc=keys, input=None, ctx={"error": ValueError(message)})


def _with_ratios(schema: dict[str, Any]) -> None:
    """Describe the other name of the axis of imbalance, which is for numbers."""
    schema["properties"]["imbalance_ratios"] = {
        "type": "array",
        "minItems": 1,
        "items": {"type": "number", "minimum": 1},
    }


class Grid(BaseModel):
    """The levels of every axis, and the settings that all cells share. The defaults are the paper's.

    Attributes
    ----------
    name : str
        The grid's name, and that of its store, ``runs/<name>``.
    seed : int
        Of everything random.
    folds : int
        How often everything is repeated; `split` and `imbalance` say what differs between folds.
    image_size : int
        Side in pixels to which images are resized.
    interpolation : str
        How images are resized.
    imbalance : tuple of Profile
        How many images of each class are kept. A number is the level ``harmonic`` at this ratio.
    split : Split
        What a fold trains on and what it is tested on, for all data sets.
    validation : float, "official" or None
        A share of each class of the training part, taken out before resampling, or the data set's own validation part.
    datasets : tuple of DatasetLevel
        The images.
    arms : tuple of Arm
        What is compared.
    choose : Choosing
        How a cell chooses among parameters with several values.
    exclude : tuple of Exclusion
        Cells to leave out.
    metrics : tuple of str
        What the report shows, the first one first of all.
    resources : mapping of str to Resources
        What a trial may use, by the name of its classifier.
    """

    model_config = ConfigDict(**STRICT, json_schema_extra=_with_ratios)

    name: str = Field(pattern=GRID_NAME)
    seed: int = Field(0, ge=0)
    folds: PositiveInt = 10
    image_size: int = Field(64, ge=32)
    interpolation: Literal[tuple(INTERPOLATIONS)] = "bilinear"  # type: ignore[valid-type]
    imbalance: Annotated[Axis[AnyProfile], Field(validation_alias=AliasChoices("imbalance", "imbalance_ratios"))] = (
        *(Harmonic(ir=ir) for ir in (2, 5, 10)),
    )
    split: AnySplit = Official()
    validation: Annotated[float | Literal["official"] | None, BeforeValidator(_validation)] = None
    datasets: Axis[AnyDataset]
    arms: Axis[Arm]
    choose: Choosing = Choosing()
    exclude: Annotated[tuple[Exclusion, ...], Field(strict=False)] = ()
    metrics: Annotated[Axis[MetricName], AfterValidator(with_distinct_headings)] = tuple(METRICS)
    resources: dict[str, Resources] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _cells_can_be_counted(self) -> Self:
        n_methods = sum(len(arm.resamplers) for arm in self.arms)
        n_cells = self.folds * len(self.imbalance) * len(self.datasets) * n_methods
        if n_cells > MOST_CELLS:
            raise ValueError(f"got {n_cells} cells; expected at most {MOST_CELLS}; make several grids of it")
        return self

    @model_validator(mode="after")
    def _levels_exist(self) -> Self:
        valid, datasets = self.levels(), [dataset.name for dataset in self.datasets]
        faults = [
            _fault(f"got the name {name!r} twice; give each data set a name of its own", "datasets", i, "name")
            for i, name in enumerate(datasets)
            if name in datasets[:i]
        ]
        faults += [
            _fault(choices(level, valid[axis]), "exclude", i, exclusion.key_of(axis))
            for i, exclusion in enumerate(self.exclude)
            for axis, level in exclusion.levels().items()
            if level not in valid[axis]
        ]
        faults += [
            _fault(choices(classifier, self.classifiers()), "resources", classifier)
            for classifier in self.resources
            if classifier not in self.classifiers()
        ]
        placed = [(i, axis, level) for i, arm in enumerate(self.arms) for axis, level in arm.levels()]
        faults += [_fault(message, "arms", i) for i, message in (*namesakes(placed), *twins(placed))]
        if faults:
            raise ValidationError.from_exception_data("Grid", faults)
        return self

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        faults = []
        if self.folds % (n := self.split.n_folds_in_turn):
            turns = f"got {n} folds in turn, of {self.folds}; expected folds to be a multiple of {n}"
            faults.append(_fault(f"{turns}, so that every sample is tested equally often; change one of them", "split"))
        if self.validation == "official" and not isinstance(self.split, Official):
            pools = f"got official with split {self.split.name}, which pools all parts; write a share, e.g. 0.2"
            faults.append(_fault(pools, "validation"))
        if self.choose.scored_on == "validation" and self.validation is None:
            lacking = "got scored_on: validation without a validation part; write a share beside it, `validation: 0.2`"
            faults.append(_fault(f"{lacking}, or leave scored_on out", "choose"))
        if self.validation is None:
            faults += self._without_validation()
        if faults:
            raise ValidationError.from_exception_data("Grid", faults)
        return self

    def _without_validation(self) -> Iterator[InitErrorDetails]:
        """Yield a fault for each setting that needs a validation part."""
        for i, arm in enumerate(self.arms):
            needed = [("classifier", name) for each in arm.classifier.candidates for name in each.needs_validation]
            needed += [("representation", name) for name in arm.representation.needs_validation]
            for axis, name in dict.fromkeys(needed):
                lacking = f"got {name} without a validation part, on which alone it looks; write a share beside `arms`"
                yield _fault(f"{lacking}: `validation: 0.2`; or leave it out", "arms", i, axis, *name.split("."))

    def classifiers(self) -> list[str]:
        """Return the names of all classifiers: raygrid's, and the user's own in this grid."""
        return list(dict.fromkeys([*CLASSIFIERS, *(arm.classifier.name for arm in self.arms)]))

    def levels(self) -> dict[str, list[str]]:
        """Return the levels of every axis as the text that --only has for them."""
        of_arms = [each for arm in self.arms for each in arm.levels()]
        levels: dict[str, Iterable[object]] = {
            "dataset": self.datasets,
            IMBALANCE: self.imbalance,
            "fold": range(self.folds),
            **{axis: [level for axis_of_level, level in of_arms if axis_of_level == axis] for axis in METHOD_AXES},
        }
        return {axis: list(dict.fromkeys(map(spelled, levels[axis]))) for axis in AXES}

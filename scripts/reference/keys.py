"""The keys of a grid file, and those of the mappings in it."""

from collections.abc import Callable

from pydantic import BaseModel

from raygrid.classifiers.training.stopping import EarlyStopping
from raygrid.gridfile.arms import Arm
from raygrid.gridfile.choices import Choosing
from raygrid.gridfile.exclusions import Exclusion
from raygrid.gridfile.resources import Resources
from raygrid.gridfile.schema import Grid
from reference.docstrings import meanings, summary
from reference.tables import default, parameters, table

# Whose values are levels or mappings: where they are explained.
_ELSEWHERE = {
    "imbalance": "numbers, or [levels](levels.md#imbalance)",
    "split": "a [level](levels.md#splits)",
    "datasets": "[levels](levels.md#data-sets)",
    "arms": "[mappings](#an-arm)",
    "choose": "a [mapping](#choose)",
    "exclude": "[mappings](#exclude)",
    "metrics": "[names](../protocol/metrics.md)",
    "resources": "by classifier, a [mapping](#resources)",
    "representation": "a [level](levels.md#representations)",
    "classifier": "a [level](levels.md#classifiers)",
    "resamplers": "[levels](levels.md#resamplers)",
}
_MAPPINGS: dict[str, type[BaseModel]] = {
    "choose": Choosing,
    "exclude": Exclusion,
    "resources": Resources,
    "early stopping": EarlyStopping,
}


def of_levels(kind: type[BaseModel]) -> str:
    """Return the table of a mapping most of whose values are levels."""
    plain = {line.split("`")[1]: line for line in parameters(kind).splitlines()[2:]}
    said = meanings(kind)
    rows = {
        name: [f"`{name}`", _ELSEWHERE[name], default(field), said[name]]
        for name, field in kind.model_fields.items()
        if name in _ELSEWHERE
    }
    head, rule, *lines = table(["key", "values", "default", "meaning"], rows.values()).splitlines()
    by_name = plain | dict(zip(rows, lines, strict=True))
    return "\n".join([head, rule, *(by_name[name] for name in kind.model_fields)]) + "\n"


def undescribed() -> list[str]:
    """Return the keys of which no docstring says what they are."""
    kinds = (Grid, Arm, *_MAPPINGS.values())
    return [f"{kind.__name__}.{name}" for kind in kinds for name in kind.model_fields if name not in meanings(kind)]


GENERATED: dict[str, Callable[[], str]] = {
    "grid": lambda: of_levels(Grid),
    "arm": lambda: f"{summary(Arm)}\n\n{of_levels(Arm)}",
    **{name: lambda kind=kind: f"{summary(kind)}\n\n{parameters(kind)}" for name, kind in _MAPPINGS.items()},
}

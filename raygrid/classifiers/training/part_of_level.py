"""Parameters that are levels themselves, a bare name or a mapping: a schedule, an augmentation."""

from collections.abc import Mapping
from typing import Annotated, Any, Union

from pydantic import BeforeValidator, Field

from raygrid.errors import choices
from raygrid.level import Level


def one_of(registry: Mapping[str, type[Level]]) -> Any:
    """Return the type of a parameter whose value is one of these levels, by their names."""

    def named(value: object) -> object:
        given = {"name": value} if isinstance(value, str) else value
        if isinstance(given, Mapping):
            name = given.get("name")
            if not isinstance(name, str):
                raise ValueError(f"got {value!r}; expected a name, or a mapping with a name: {', '.join(registry)}")
            if name not in registry:
                raise ValueError(choices(name, registry))
        elif not isinstance(given, Level):
            raise ValueError(f"got {value!r}; expected a name, or a mapping with a name: {', '.join(registry)}")
        return given

    kinds: Any = Union[tuple(registry.values())]  # noqa: UP007 (as many as the registry has)
    return Annotated[kinds, Field(discriminator="name"), BeforeValidator(named)]

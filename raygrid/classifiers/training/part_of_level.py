"""Parameters that are levels themselves, a bare name or a mapping: a loss, a schedule, an augmentation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from raygrid.errors import choices
from raygrid.level import Level


@dataclass(frozen=True)
class OneOf:
    """Marks the type of a parameter whose value is one of some levels: ``Annotated[Loss, OneOf(LOSSES)]``."""

    registry: Mapping[str, type[Level]]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return how pydantic reads a bare name, a mapping with a name, or a level."""
        kinds: Any = Union[tuple(self.registry.values())]  # noqa: UP007  # of types that only the registry knows
        of_name: Any = Annotated[kinds, Field(discriminator="name")]
        described: Any = Union[Literal[tuple(self.registry)], kinds]  # noqa: UP007
        return handler.generate_schema(
            Annotated[of_name, BeforeValidator(self._named, json_schema_input_type=described)]
        )

    def _named(self, value: object) -> object:
        """Return a mapping whose name is known, or a level."""
        if isinstance(value, Level):
            return value
        given = {"name": value} if isinstance(value, str) else value
        name = given.get("name") if isinstance(given, Mapping) else None
        if not isinstance(name, str):
            raise ValueError(f"got {value!r}; expected a name, or a mapping with a name: {', '.join(self.registry)}")
        if name not in self.registry:
            raise ValueError(choices(name, self.registry))
        return given

"""A YAML file, loaded safely, with the place of each value in its text."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from raygrid.errors import GridError

_START = yaml.Mark("", 0, 0, 0, None, 0)


class _Loader(yaml.SafeLoader):
    """Loads plain values only, and 1e-4 as a number, as in YAML 1.2."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d[\d_]*(\.[\d_]*)?|\.\d[\d_]*)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


class Place(NamedTuple):
    """The place of a value in a file; places sort in reading order."""

    file: str
    line: int
    column: int
    keys: str

    def __str__(self) -> str:
        return ":".join(map(str, self[:3])) + (f": {self.keys}" if self.keys else "")


class YamlFile:
    """The content of a YAML file and the place of every value in it.

    Parameters
    ----------
    path : Path
        The file; UTF-8.

    Raises
    ------
    GridError
        The file cannot be read, is not YAML, is not a mapping, or has a key twice.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            loader = _Loader(path.read_text(encoding="utf-8"))
            # An empty file has no node at all.
            self._root = loader.get_single_node() or yaml.ScalarNode("tag:yaml.org,2002:null", "", _START, _START)
            repeated = list(_repeated_keys(self._root, set()))  # before merging (<<) changes the nodes
            self.content: Any = loader.construct_document(self._root)
        except OSError as error:
            raise GridError(f"{path}: {error.strerror}; name a grid file") from None
        except UnicodeDecodeError as error:
            raise GridError(f"{path}: got bytes that are not UTF-8 ({error.reason}); expected a YAML file") from None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
            raise GridError(f"{where}: not YAML: {error.problem}") from None
        except (yaml.YAMLError, ValueError) as error:  # ValueError: for example a date of month 13
            raise GridError(f"{path}: not YAML: {getattr(error, 'reason', error)}") from None
        if not isinstance(self.content, dict):
            raise GridError(f"{path}: got {type(self.content).__name__}; expected a mapping with name, datasets, arms")
        if repeated:
            raise GridError(
                "\n".join(
                    f"{path}:{node.start_mark.line + 1}: got key {node.value!r} twice; remove one" for node in repeated
                )
            )

    def place(self, keys: Sequence[str | int]) -> "Place":
        """Return the place of the value at `keys`, as deep as the file goes; unknown keys are skipped."""
        node, spelled = self._root, ""
        for key in keys:
            if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
                node, spelled = node.value[key], f"{spelled}[{key}]"
            elif isinstance(node, yaml.MappingNode):
                found = [value for name, value in node.value if name.value == key]
                if found:
                    node, spelled = found[-1], f"{spelled}.{key}"  # merged keys (<<) come before the mapping's own
        mark = node.start_mark
        return Place(str(self.path), mark.line + 1, mark.column + 1, spelled.lstrip("."))


def parsed(text: str) -> Any:
    """Return the value that a text has in a YAML file."""
    return _Loader(text).get_single_data()


def _repeated_keys(node: yaml.Node, visited: set[int]) -> Iterator[yaml.Node]:
    """Yield the nodes of keys that a mapping already has (PyYAML would silently take the last one)."""
    if id(node) in visited:  # an alias, perhaps of a node that contains it
        return
    visited.add(id(node))
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                yield key
            seen.add(str(key.value))
            yield from _repeated_keys(value, visited)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item, visited)

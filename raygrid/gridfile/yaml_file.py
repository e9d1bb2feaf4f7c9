"""A YAML file, loaded safely, with the place of each value in its text."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from types import FunctionType
from typing import Any, NamedTuple

import yaml

from raygrid.errors import GridError
from raygrid.gridfile.yaml_size import MOST_BYTES, check_size
from raygrid.storage.checksum import content_of

_KINDS = {str: "a text", list: "a list", type(None): "nothing"}
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
    text : str
        The content of the file.
    name : str
        What messages call it.

    Raises
    ------
    GridError
        It is not YAML, is not a mapping, or has a key twice.
    """

    def __init__(self, text: str, name: str) -> None:
        self.text, self.name = text, name
        try:
            loader = _Loader(text)
            # An empty file has no node at all.
            self._root = loader.get_single_node() or yaml.ScalarNode("tag:yaml.org,2002:null", "", _START, _START)
            check_size(self._root, name)
            repeated = list(_repeated_keys(self._root, set()))  # before merging (<<) changes the nodes
            self.content: Any = loader.construct_document(self._root)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
            raise GridError(f"{where}: not YAML: {error.problem}") from None
        except RecursionError:
            raise GridError(f"{name}: got lists or mappings too deep in each other; expected a grid file") from None
        except (yaml.YAMLError, ValueError, ArithmeticError) as error:  # for example a date of month 13
            raise GridError(f"{name}: not YAML: {getattr(error, 'reason', error)}") from None
        if not isinstance(self.content, dict):
            got = _KINDS.get(type(self.content), type(self.content).__name__)
            raise GridError(f"{name}: got {got}; expected a mapping with name, datasets, arms")
        if repeated:
            raise GridError(
                "\n".join(
                    f"{name}:{node.start_mark.line + 1}: got key {node.value!r} twice; remove one" for node in repeated
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
        return Place(self.name, mark.line + 1, mark.column + 1, spelled.lstrip("."))


def read_yaml(path: Path) -> YamlFile:
    """Read a YAML file, UTF-8.

    Raises
    ------
    GridError
        The file cannot be read, is not YAML, is not a mapping, or has a key twice.
    """
    try:
        return YamlFile(content_of(path, MOST_BYTES).decode("utf-8"), str(path))
    except OSError as error:
        raise GridError(f"{path}: {error.strerror or f'got {error}'}; name a grid file") from None
    except UnicodeDecodeError as error:
        raise GridError(f"{path}: got bytes that are not UTF-8 ({error.reason}); expected a YAML file") from None


def to_yaml(content: Mapping[str, Any]) -> str:
    """Return a mapping of plain values as the text of a YAML file; a path is a plain value as well.

    Raises
    ------
    GridError
        It has a value of another kind.
    """
    try:
        return yaml.dump(dict(content), Dumper=_Dumper, sort_keys=False)
    except yaml.representer.RepresenterError as error:
        raise GridError(f"grid: {_refusal(error.args[1])}") from None


def _refusal(value: object) -> str:
    """Return what to say of a value of another kind; a class or an object must be named, because keys have its name."""
    if not (isinstance(value, type | FunctionType) or hasattr(value, "fit") or hasattr(value, "fit_resample")):
        return f"got {type(value).__name__} {value!r}; expected names, numbers, lists and mappings"
    named = value if isinstance(value, type | FunctionType) else type(value)
    got = f"{named.__qualname__} itself" if named is value else f"an object of {named.__qualname__}"
    module = named.__module__.partition("._")[0]  # of a library the public one, if it has it, too
    if getattr(sys.modules.get(module), named.__name__, None) is not named:
        module = named.__module__
    in_file = "" if module != "__main__" else " and put it into my_module.py"
    reference = f"{'my_module' if in_file else module}:{named.__name__}"
    example = repr(reference) if named is value else f"{{'name': {reference!r}}} with its parameters beside the name"
    return f"got {got}; expected its name as text; write {example}{in_file}"


class _Dumper(yaml.SafeDumper):
    """Writes plain values, and paths as text."""


_Dumper.add_multi_representer(PurePath, lambda dumper, path: dumper.represent_str(str(path)))


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

"""How large a grid file may be: a few lines with aliases can stand for more values than any memory holds."""

import yaml

from raygrid.errors import GridError

MOST_BYTES = 300_000  # which take PyYAML some seconds
_MOST_VALUES = 100_000
_MOST_LETTERS = 10_000  # of a value, which messages repeat
_MOST_DIGITS = 400  # Python itself does not print whole numbers of more than 4,300
_DEEPEST = 40
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def check_size(root: yaml.Node, name: str) -> None:
    """Raise GridError if a YAML file has too many values, aliases written out, or too deep or too long ones.

    Parameters
    ----------
    root : yaml.Node
        Of the whole file.
    name : str
        What messages call the file.
    """
    known: dict[int, int] = {}

    def refuse(node: yaml.Node, what: str) -> None:
        raise GridError(f"{name}:{node.start_mark.line + 1}:{node.start_mark.column + 1}: {what}")

    def count(node: yaml.Node, depth: int) -> int:
        if depth > _DEEPEST:
            refuse(node, f"got a value in {depth} others, or in itself; expected at most {_DEEPEST}")
        if isinstance(node, yaml.ScalarNode):
            if len(node.value) > (most := _MOST_DIGITS if node.tag in _NUMBERS else _MOST_LETTERS):
                refuse(node, f"got a value of {len(node.value)} characters; expected at most {most}")
            return 1
        if id(node) not in known:
            pairs = isinstance(node, yaml.MappingNode)
            below = [each for pair in node.value for each in pair] if pairs else node.value
            known[id(node)] = 1 + sum(count(each, depth + 1) for each in below)
            if known[id(node)] > _MOST_VALUES:
                refuse(node, f"got more than {_MOST_VALUES} values, aliases written out; expected a grid file")
        return known[id(node)]

    count(root, 0)

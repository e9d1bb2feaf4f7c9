"""What docstrings say of a class: its summary, the meaning of each parameter, its references."""

import inspect
import re
import sys

_SECTION = r"\n{}\n-+\n(.*?)(?=\n\n?[A-Z][a-z]+\n-+\n|\Z)"
_PARAMETER = re.compile(r"^(\w[\w, ]*) : [^\n]*\n?((?:[ \n][^\n]*\n?)*)", re.MULTILINE)


def summary(described: object) -> str:
    """Return the first paragraph of a docstring, on one line."""
    return one_line((inspect.getdoc(described) or "").partition("\n\n")[0])


def details(described: object) -> str:
    """Return the paragraphs between the summary and the first section."""
    text = re.split(r"\n\w+\n-+\n", inspect.getdoc(described) or "")[0]
    return text.partition("\n\n")[2].strip().replace("``", "`")


def meanings(described: type) -> dict[str, str]:
    """Return what the docstrings of a class and its superclasses say of each parameter; the class itself wins."""
    found: dict[str, str] = {}
    for each in reversed(described.__mro__):
        for names, text in _PARAMETER.findall(_section(each, "Attributes")):
            found |= {name: one_line(text) for name in names.split(", ")}
    return {name: text for name, text in found.items() if text}


def references(described: type) -> str:
    """Return the references of a class; empty if it has none."""
    return one_line(_section(described, "References"))


def references_of_module(described: type) -> str:
    """Return the references of the module of a class; empty if it has none."""
    return one_line(_of_text(inspect.getdoc(sys.modules[described.__module__]) or "", "References"))


def one_line(text: str) -> str:
    """Return a paragraph as one line of Markdown: None is null in YAML."""
    return re.sub(r"\bNone\b", "`null`", " ".join(text.split()).replace("``", "`"))


def _section(described: type, name: str) -> str:
    return _of_text(inspect.cleandoc(described.__doc__ or ""), name)


def _of_text(text: str, name: str) -> str:
    found = re.search(_SECTION.format(name), "\n" + text, re.DOTALL)
    return found[1] if found else ""

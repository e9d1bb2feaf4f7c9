"""The commands and their options, from the command line itself."""

from collections.abc import Callable
from typing import Any

import typer

from raygrid.cli import app
from reference.tables import table


def commands() -> str:
    """Return a section for each command."""
    group: Any = typer.main.get_command(app)
    return "\n".join(_section(name, command) for name, command in group.commands.items())


def _section(name: str, command: Any) -> str:
    context = command.make_context(f"raygrid {name}", [], resilient_parsing=True)
    arguments = [_argument(each) for each in command.params if each.param_type_name == "argument"]
    usage = " ".join(["raygrid", name, *arguments, "[OPTIONS]"])
    parts = [f"## {name}", f"```text\n{usage}\n```", _prose(command.help or ""), _options(command, context)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _argument(parameter: Any) -> str:
    name = (parameter.metavar or parameter.name.upper()).strip("[]")
    several = f"{name}..." if parameter.nargs != 1 and not name.endswith("...") else name
    return several if parameter.required else f"[{several}]"


def _prose(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _options(command: Any, context: Any) -> str:
    """Return the table of arguments and options, those of a group of the help below its name."""
    groups: dict[str, list[list[str]]] = {}
    for parameter in command.params:
        if not parameter.hidden and parameter.name != "help":
            groups.setdefault(parameter.rich_help_panel or "", []).append(_row(parameter, context))
    rows = [
        row for group, members in groups.items() for row in [*([["", f"**{group}**", ""]] if group else []), *members]
    ]
    return table(["argument or option", "meaning", "default"], rows) if rows else ""


def _row(parameter: Any, context: Any) -> list[str]:
    shown = parameter.show_default if isinstance(parameter.show_default, str) else _plain(parameter.default)
    is_option = parameter.param_type_name == "option"
    names = parameter.get_help_record(context)[0] if is_option else _argument(parameter)
    environment = f" In the environment: `{parameter.envvar}`." if parameter.envvar else ""
    return [f"`{_prose(names)}`", _prose(parameter.help or "") + environment, shown]


def _plain(value: object) -> str:
    """Return a default as the help shows it; nothing where it says nothing."""
    is_silent = callable(value) or value in (None, "", False, float("inf")) or value == [] or value == ()
    return "" if is_silent else f"`{value}`"


GENERATED: dict[str, Callable[[], str]] = {"commands": commands}

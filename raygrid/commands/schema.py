"""schema: the JSON Schema of a grid file, for editors."""

import json

from raygrid.gridfile.schema import Grid


def show_schema() -> None:
    """Print the JSON Schema of a grid file."""
    print(json.dumps(Grid.model_json_schema(), indent=1))

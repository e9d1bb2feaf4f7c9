"""Write the tables of docs/reference/ from the code: each stands between `<!-- generated: NAME -->` and `<!-- end -->`.

Run it after a change of a level, a key, an option or a field; a test fails where a page says something else than the
code.
"""

import re
from pathlib import Path

from reference import GENERATED

PAGES = Path(__file__).parents[1] / "docs" / "reference"
TABLE = re.compile(r"^<!-- generated: ([^\n]+) -->\n.*?^<!-- end -->$", re.MULTILINE | re.DOTALL)


def written(page: str) -> str:
    """Return a page with its tables as the code has them; a name that nothing generates is a KeyError."""
    return TABLE.sub(lambda old: f"<!-- generated: {old[1]} -->\n\n{GENERATED[old[1]]().strip()}\n\n<!-- end -->", page)


if __name__ == "__main__":
    for path in PAGES.glob("*.md"):
        path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")

"""The hook of mkdocs: on each page, what is generated takes the place of its marker, `<!-- generated: NAME -->`."""

import re
from typing import Any

from reference import GENERATED

MARKER = re.compile(r"^<!-- generated: (.+) -->$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return the page with each marker replaced; a name that nothing generates is a KeyError."""
    return MARKER.sub(lambda marker: GENERATED[marker[1]](), markdown)

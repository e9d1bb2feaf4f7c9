"""The hook of mkdocs: on each page, what is generated takes the place of its marker, `<!-- generated: NAME -->`.

The note for those who read the Markdown, where the markers show nothing, is left out.
"""

import re
from typing import Any

from reference import GENERATED

NOTE = re.compile(r"^\*The tables of this page are made when the site is built: .+\*\n\n", re.MULTILINE)
MARKER = re.compile(r"^<!-- generated: (.+) -->$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return the page with each marker replaced; a name that nothing generates is a KeyError."""
    return MARKER.sub(lambda marker: GENERATED[marker[1]](), NOTE.sub("", markdown))

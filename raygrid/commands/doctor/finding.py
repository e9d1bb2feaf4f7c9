"""The result of one check of `doctor`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One line that the doctor prints: whether something is right, what was found, and what to do."""

    ok: bool
    what: str
    do: str = ""

    def __str__(self) -> str:
        return f"{'ok' if self.ok else 'WRONG':<6}{self.what}" + (f"; {self.do}" if self.do else "")

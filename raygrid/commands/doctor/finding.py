"""What a check finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's: whether it is as it must be, what was found, and what to do."""

    ok: bool
    what: str
    do: str = ""

    def __str__(self) -> str:
        return f"{'ok' if self.ok else 'WRONG':<6}{self.what}" + (f"; {self.do}" if self.do else "")

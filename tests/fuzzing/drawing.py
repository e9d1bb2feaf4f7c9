"""What is drawn for inputs of every kind: names, numbers and values of ill will, and changes to sound bytes."""

from collections.abc import Sequence

from hypothesis import strategies as st

NAMES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "..",
            "../victim.txt",
            "/etc/passwd",
            "a\x00b",
            "x" * 300,
            "a\nb",
            "a\tb",
            "\x1b[31mred",
            "\x1b]8;;http://x\x07y",
            "[bold]",
            "[/]",
            "[link=file:///etc/passwd]x[/link]",
            "</script><script>alert(1)</script>",
            "=1+1",
            "$x_1$",
            "${7*7}",
            "{{7*7}}",
            "%s%n",
            "\u202eevil",
            "\u2028",
            "C:\\x",
            "-1",
            "~root",
            "~nobody123/x",
            "nan",
            "con",
            " ",
            r"\input{/etc/passwd}",
            "'; DROP TABLE",
            "\ufeff",
            "é",
            "日本語",
            "",
            "none",
            "svm",
            "os:system",
            "raygrid:run",
        ]
    ),
)
NUMBERS = st.one_of(
    st.integers(-3, 70),
    st.sampled_from([2**31, 2**63, 2**64, 10**30, -(10**30), 10**400, 0.0, -0.0, 1e308, 5e-324, 1e-4]),
    st.floats(),
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
_SPLICED = [
    b"\0",
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\x80",
    b"\n",
    b'"',
    b"{",
    b"[",
    b"]" * 9,
    b"../",
    b"\xef\xbb\xbf",
]
_SPLICED += [
    b"&a ",
    b"*a",
    b"!!python/object/apply:os.system ['x']",
    b": ",
    b"- ",
    b"\t",
    b"NaN",
    b"Infinity",
    b"-1",
    b"9" * 400,
]
_KINDS = ("flip", "cut", "insert", "repeat", "truncate", "zero", "swap")


@st.composite
def bent(draw: st.DrawFn, sound: bytes, most: int = 6) -> bytes:
    """Draw bytes that differ from sound ones in a few places."""
    found = bytearray(sound)
    for _ in range(draw(st.integers(1, most))):
        if not found:
            break
        kind, at = draw(st.sampled_from(_KINDS)), draw(st.integers(0, len(found) - 1))
        end = min(len(found), at + draw(st.sampled_from([1, 2, 4, 8, 32, 256, 4096])))
        if kind == "flip":
            found[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "cut":
            del found[at:end]
        elif kind == "insert":
            found[at:at] = draw(st.sampled_from(_SPLICED))
        elif kind == "repeat":
            found[at:at] = found[at:end] * draw(st.integers(1, 4))
        elif kind == "truncate":
            del found[at:]
        elif kind == "zero":
            found[at:end] = bytes(end - at)
        else:
            found[at:end] = draw(st.sampled_from(_SPLICED))
    return bytes(found)


@st.composite
def changed(draw: st.DrawFn, sound: object, most: int = 3) -> object:
    """Draw a value of JSON that differs from a sound one in a few places: other values, lacking and further keys."""
    found = sound
    for _ in range(draw(st.integers(1, most))):
        found = _changed_at(draw, found)
    return found


def _changed_at(draw: st.DrawFn, value: object) -> object:
    """Change one place of a value, deeper with a high chance."""
    if isinstance(value, dict) and value:
        keys: Sequence[object] = list(value)
        key = draw(st.sampled_from(keys))
        how = draw(st.integers(0, 9))
        if how == 0:
            return {each: of for each, of in value.items() if each != key}
        if how == 1:
            return {**value, draw(NAMES): draw(VALUES)}
        if how == 2:
            return {draw(NAMES) if each == key else each: of for each, of in value.items()}
        return {**value, key: _changed_at(draw, value[key])}
    if isinstance(value, list) and value:
        at, how = draw(st.integers(0, len(value) - 1)), draw(st.integers(0, 9))
        if how == 0:
            return value[:at] + value[at + 1 :]
        if how == 1:
            return [*value[:at], draw(VALUES), *value[at:]]
        if how == 2:
            return value + value[at:]
        return [*value[:at], _changed_at(draw, value[at]), *value[at + 1 :]]
    return draw(VALUES)

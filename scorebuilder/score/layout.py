"""How an artifact is laid out as text: sorted keys, and what fits in a line stands in one."""

from __future__ import annotations

import json
from typing import Any

WIDTH = 100
"""Characters of the longest line that holds several values."""


def lay_out(content: Any) -> str:
    """
    Write JSON for readers: an object or list is one line if it is short, else one entry a line.

    Parameters
    ----------
    content : object
        Anything that JSON can hold; NaN and infinity are refused.

    Returns
    -------
    str
        Sorted keys, shortest floats that read back exactly, LF line ends; the same text for the
        same content. A coefficient never shares its line with another term's.

    Examples
    --------
    >>> print(lay_out({"b": [1.0, 2.5], "a": None}), end="")
    {
      "a": null,
      "b": [1.0, 2.5]
    }
    """
    return _block(content, "", 0) + "\n"


def _flat(content: Any) -> str:
    return json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _block(content: Any, indent: str, used: int) -> str:
    """Write one value that begins at column `used` of a line indented by `indent`."""
    if not isinstance(content, dict | list) or not content:
        return _flat(content)
    line = _flat(content)
    if indent and used + len(line) < WIDTH and not _holds_objects(content):
        return line
    inner = indent + "  "
    if isinstance(content, dict):
        entries = []
        for key in sorted(content):
            name = f"{_flat(key)}: "
            entries.append(inner + name + _block(content[key], inner, len(inner + name)))
        opening, closing = "{", "}"
    else:
        entries = [inner + _block(item, inner, len(inner)) for item in content]
        opening, closing = "[", "]"
    return f"{opening}\n" + ",\n".join(entries) + f"\n{indent}{closing}"


def _holds_objects(content: dict[str, Any] | list[Any]) -> bool:
    """Tell whether objects stand in a list: each gets a line of its own."""
    return isinstance(content, list) and any(isinstance(item, dict) for item in content)

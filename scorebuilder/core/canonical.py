"""JSON that is the same text for the same content, and the hash of bytes."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def dump_json(content: Any) -> str:
    """
    Write JSON with sorted keys, two spaces and a final line end; NaN and infinity are refused.

    Parameters
    ----------
    content : object
        Anything that JSON can hold.

    Returns
    -------
    str
        The same text for the same content.
    """
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def sha256(content: bytes) -> str:
    """
    Return the SHA-256 of `content` in hexadecimal.

    Parameters
    ----------
    content : bytes
        What is hashed.

    Returns
    -------
    str
        64 characters.
    """
    return hashlib.sha256(content).hexdigest()

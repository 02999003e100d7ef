"""What a piece of JSON holds, in one number."""

import hashlib
import json


def content_digest(content: object) -> str:
    """SHA-256 in hex of plain JSON types; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

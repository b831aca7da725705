"""Records that cannot be changed, moved or left out unseen: each has a digest of all before it."""

import re
from hashlib import sha256

from optmodel.ground.rule_errors import RuleError

REPAIR = "restore snapshot and journal as they were written, both of the same moment"
RECORD = re.compile(rb'\{"sha256":"([0-9a-f]{64})","record":(.*)\}\n', re.DOTALL)
NOTHING = "0" * 64
"""In the place of a digest where there is nothing to digest."""


def digest_of(content: bytes, before: str = "") -> str:
    """Return the SHA-256 of a content that comes after the record with the digest `before`."""
    return sha256(before.encode() + content).hexdigest()


def sealed(content: bytes, before: str) -> tuple[str, bytes]:
    """Return digest and line of a record that comes after the one with digest `before`.

    The content is JSON text without a line break.
    """
    digest = digest_of(content, before)
    return digest, b'{"sha256":"%s","record":%s}\n' % (digest.encode(), content)


def unsealed(line: bytes, before: str) -> tuple[str, bytes]:
    """Return the digest and the content of a record that comes after the one with digest `before`.

    Raises
    ------
    RuleError
        If it is no record, was changed, or comes after something else.
    """
    found = RECORD.fullmatch(line)
    # Of the bytes as they stand: JSON that only reads the same is another record.
    if found is None or found[1].decode() != digest_of(found[2], before):
        raise RuleError(
            "",
            "the record that follows on what stands before it",
            "one that was changed, or has lost what stood before it",
            REPAIR,
        )
    return found[1].decode(), found[2]

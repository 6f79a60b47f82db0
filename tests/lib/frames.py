"""Builds messages of com.atproto.sync.subscribeRepos, whole and broken, for tests.

A frame is two DAG-CBOR items back to back, header and body (atproto.com/specs/event-stream). Everything here
returns plain bytes:

    import frames
    op = frames.create("app.bsky.feed.post/3k2a", {"$type": "app.bsky.feed.post", "text": "hi"})
    wire = frames.commit(1001, "did:plc:abc", [op])
    frames.write_capture("some.frames", [wire, frames.identity(1002, "did:plc:abc")])

Any field of a body can be replaced or left out by keyword: commit(..., tooBig=True, blocks=frames.OMIT). Where a
test needs bytes that no honest encoder writes, it gives Raw(b"...") in the place of a value.
"""

import base64
import hashlib
import io
import struct
from dataclasses import dataclass, field

import cbor2

DAG_CBOR = 0x71
RAW = 0x55
TIME = "2026-01-02T03:04:05.678Z"


class _Omit:
    def __repr__(self):
        return "OMIT"


OMIT = _Omit()  # as the value of a field: leave the field out


@dataclass(frozen=True)
class Raw:
    """Encoded bytes that stand in a value's place as they are, well formed or not."""

    encoded: bytes


# -- DAG-CBOR -------------------------------------------------------------------------------------------------


def head(major, argument, width=None):
    """The head of an item; `width` (0, 1, 2, 4, 8 bytes) forces a longer form than the shortest."""
    if width is None:
        width = next(w for w, limit in ((0, 24), (1, 1 << 8), (2, 1 << 16), (4, 1 << 32), (8, 1 << 64)) if argument < limit)
    if width == 0:
        return bytes([major << 5 | argument])
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[width]]) + argument.to_bytes(width, "big")


def cbor(value):
    """The DAG-CBOR of a value: dict, list, str, bytes, int, bool, None, link(), Raw. Map keys are sorted.

    Containers are written here and scalars by cbor2 (whose own canonical order is the same), so that Raw works
    at any depth. Python's recursion limit bounds the nesting; see nested() for more.
    """
    if isinstance(value, Raw):
        return value.encoded
    if isinstance(value, dict):
        pairs = sorted((cbor(k), cbor(v)) for k, v in value.items())
        pairs.sort(key=lambda pair: (len(pair[0]), pair[0]))
        return head(5, len(pairs)) + b"".join(k + v for k, v in pairs)
    if isinstance(value, (list, tuple)):
        return head(4, len(value)) + b"".join(cbor(item) for item in value)
    return cbor2.dumps(value, canonical=True)


def raw_map(*pairs):
    """A map with its pairs in the order given: unsorted, or with one key twice."""
    return Raw(head(5, len(pairs)) + b"".join(cbor(k) + cbor(v) for k, v in pairs))


def nested(depth, innermost=b"\x80"):
    """`depth` arrays, one in the other; the innermost one is given (empty if not)."""
    return Raw(b"\x81" * (depth - 1) + innermost)


# -- CID and CAR ----------------------------------------------------------------------------------------------


def cid(block, codec=DAG_CBOR):
    """The binary CID (36 bytes) of a block."""
    return bytes([1, codec, 0x12, 0x20]) + hashlib.sha256(block).digest()


def link(binary_cid):
    """A CID as a value: tag 42."""
    return cbor2.CBORTag(42, b"\0" + binary_cid)


def cid_text(binary_cid):
    """The text form, "bafy…"."""
    return "b" + base64.b32encode(binary_cid).decode().rstrip("=").lower()


def cid_from_text(text):
    digits = text[1:].upper()
    return base64.b32decode(digits + "=" * (-len(digits) % 8))


def varint(number):
    """Unsigned LEB128."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def section(data):
    return varint(len(data)) + data


def car(blocks, roots):
    """CAR v1. `blocks` is a list of (binary cid, data), written in this order."""
    header = cbor({"version": 1, "roots": [link(root) for root in roots]})
    return section(header) + b"".join(section(c + data) for c, data in blocks)


def tid(number):
    """A TID (13 digits of base32-sortable); rises with the number."""
    digits = "234567abcdefghijklmnopqrstuvwxyz"
    return "".join(digits[number >> shift & 31] for shift in range(60, -1, -5))


# -- Frames ---------------------------------------------------------------------------------------------------


@dataclass
class Op:
    """One op of a commit. `block` is the record's encoding; None brings no block along."""

    action: str
    path: str
    block: bytes = None
    cid: bytes = None  # None: null
    prev: bytes = None  # None: absent
    fields: dict = field(default_factory=dict)  # replaces or adds

    def body(self):
        body = {"action": self.action, "path": self.path, "cid": link(self.cid) if self.cid else None}
        if self.prev:
            body["prev"] = link(self.prev)
        return _replace(body, self.fields)


def create(path, record, /, **fields):
    """An op that creates a record; the record is a value or Raw."""
    block = cbor(record)
    return Op("create", path, block, cid(block), fields=fields)


def update(path, record, /, previous=b"previous", **fields):
    block = cbor(record)
    return Op("update", path, block, cid(block), prev=cid(previous), fields=fields)


def delete(path, /, previous=b"previous", **fields):
    return Op("delete", path, prev=cid(previous), fields=fields)


def _replace(body, fields):
    merged = {**body, **fields}
    return {k: v for k, v in merged.items() if v is not OMIT}


def frame(t, body, op=1, header=None):
    """Header and body. `body` is a dict or Raw; `header` (dict or Raw) replaces {op, t}."""
    if header is None:
        header = {"op": op} if t is None else {"op": op, "t": t}
    return cbor(header) + cbor(body)


def commit_blocks(repo, rev, ops):
    """(root, blocks): commit block, one node of a tree and the records, as a relay sends them. The signature
    and the tree are dummies: for verification tests, real commits are needed."""
    node = cbor({"l": None, "e": []})
    root = cbor({"did": repo, "version": 3, "data": link(cid(node)), "rev": rev, "prev": None, "sig": b"\1" * 64})
    records = [(op.cid, op.block) for op in ops if op.block is not None and op.cid is not None]
    return cid(root), [(cid(root), root), (cid(node), node)] + records


def commit(seq, repo, ops=(), /, *, rev=None, extra_blocks=(), **fields):
    """A #commit whose CAR holds the records of its ops, and `extra_blocks` behind them."""
    rev = rev or tid(seq)
    root, blocks = commit_blocks(repo, rev, ops)
    body = {
        "seq": seq,
        "repo": repo,
        "rev": rev,
        "since": tid(max(seq - 1, 0)),
        "commit": link(root),
        "ops": [op.body() for op in ops],
        "blocks": car(blocks + list(extra_blocks), [root]),
        "blobs": [],
        "prevData": link(cid(b"previous tree")),
        "rebase": False,
        "tooBig": False,
        "time": TIME,
    }
    return frame("#commit", _replace(body, fields))


def identity(seq, did, /, handle=OMIT, **fields):
    return frame("#identity", _replace({"seq": seq, "did": did, "time": TIME, "handle": handle}, fields))


def account(seq, did, /, active=True, status=OMIT, **fields):
    body = {"seq": seq, "did": did, "time": TIME, "active": active, "status": status}
    return frame("#account", _replace(body, fields))


def sync(seq, did, /, *, rev=None, **fields):
    rev = rev or tid(seq)
    root, blocks = commit_blocks(did, rev, [])
    body = {"seq": seq, "did": did, "rev": rev, "blocks": car(blocks[:1], [root]), "time": TIME}
    return frame("#sync", _replace(body, fields))


def info(name="OutdatedCursor", message=OMIT, **fields):
    return frame("#info", _replace({"name": name, "message": message}, fields))


def error(name="ConsumerTooSlow", message=OMIT, **fields):
    """An error frame: the server closes the connection after it."""
    return frame(None, _replace({"error": name, "message": message}, fields), op=-1)


def unknown(seq, did, /, t="#label", **fields):
    """A kind that this protocol does not know (yet)."""
    return frame(t, _replace({"seq": seq, "did": did, "time": TIME}, fields))


def handle(seq, did, new_handle="alice.example"):
    """#handle, removed from the protocol."""
    return unknown(seq, did, "#handle", handle=new_handle)


def migrate(seq, did, to="https://pds.example"):
    """#migrate, removed from the protocol."""
    return unknown(seq, did, "#migrate", migrateTo=to)


def tombstone(seq, did):
    """#tombstone, removed from the protocol."""
    return unknown(seq, did, "#tombstone")


# -- Captures: repeated [u32 little-endian length][frame] ------------------------------------------------------


def capture(frames):
    return b"".join(struct.pack("<I", len(f)) + f for f in frames)


def write_capture(path, frames):
    with open(path, "wb") as out:
        out.write(capture(frames))


def read_capture(path):
    with open(path, "rb") as file:
        data = io.BytesIO(file.read())
    found = []
    while length := data.read(4):
        found.append(data.read(struct.unpack("<I", length)[0]))
    return found

"""Builds messages of com.atproto.sync.subscribeRepos for tests, valid and broken.

A frame is two DAG-CBOR items, a header and a body (atproto.com/specs/event-stream). All functions return plain
bytes:

    import frames
    op = frames.create("app.bsky.feed.post/3k2a", {"$type": "app.bsky.feed.post", "text": "hi"})
    wire = frames.commit(1001, "did:plc:abc", [op])
    frames.write_capture("some.frames", [wire, frames.identity(1002, "did:plc:abc")])

A keyword replaces a field of the body, or leaves it out: commit(..., tooBig=True, blocks=frames.OMIT). A test that
needs bytes which no correct encoder writes puts Raw(b"...") in the place of a value.
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
    """Encoded bytes in the place of a value, well formed or not."""

    encoded: bytes


# -- DAG-CBOR -------------------------------------------------------------------------------------------------


def head(major, argument, width=None):
    """Returns the head of an item. `width` (0, 1, 2, 4 or 8 bytes) forces a longer form than the shortest."""
    if width is None:
        limits = ((0, 24), (1, 1 << 8), (2, 1 << 16), (4, 1 << 32), (8, 1 << 64))
        width = next(w for w, limit in limits if argument < limit)
    if width == 0:
        return bytes([major << 5 | argument])
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[width]]) + argument.to_bytes(width, "big")


def cbor(value):
    """Returns the DAG-CBOR of a value: dict, list, str, bytes, int, bool, None, link() or Raw. It sorts map keys.

    cbor2 encodes the scalars, and this function the containers, so that Raw works at any depth. Python's recursion
    limit bounds the nesting; nested() goes further.
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
    """Returns a map with its pairs in the given order: unsorted, or with one key twice."""
    return Raw(head(5, len(pairs)) + b"".join(cbor(k) + cbor(v) for k, v in pairs))


def nested(depth, innermost=b"\x80"):
    """Returns `depth` nested arrays. `innermost` is the encoded innermost one, by default an empty one."""
    return Raw(b"\x81" * (depth - 1) + innermost)


# -- CID and CAR ----------------------------------------------------------------------------------------------


def cid(block, codec=DAG_CBOR):
    """Returns the binary CID (36 bytes) of a block."""
    return bytes([1, codec, 0x12, 0x20]) + hashlib.sha256(block).digest()


def link(binary_cid):
    """Returns a CID as a value: tag 42."""
    return cbor2.CBORTag(42, b"\0" + binary_cid)


def cid_text(binary_cid):
    """Returns the text form of a CID, "bafy…"."""
    return "b" + base64.b32encode(binary_cid).decode().rstrip("=").lower()


def cid_from_text(text):
    digits = text[1:].upper()
    return base64.b32decode(digits + "=" * (-len(digits) % 8))


def varint(number):
    """Returns the unsigned LEB128 of a number."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def section(data):
    return varint(len(data)) + data


def car(blocks, roots):
    """Returns a CAR v1. `blocks` is a list of (binary cid, data), in the order of the file."""
    header = cbor({"version": 1, "roots": [link(root) for root in roots]})
    return section(header) + b"".join(section(c + data) for c, data in blocks)


def tid(number):
    """Returns a TID (13 digits of base32-sortable), which rises with the number."""
    digits = "234567abcdefghijklmnopqrstuvwxyz"
    return "".join(digits[number >> shift & 31] for shift in range(60, -1, -5))


# -- Frames ---------------------------------------------------------------------------------------------------


@dataclass
class Op:
    """One op of a commit. `block` is the encoded record; with None the commit has no block for it."""

    action: str
    path: str
    block: bytes = None
    cid: bytes = None  # None: null
    prev: bytes = None  # None: absent
    fields: dict = field(default_factory=dict)  # replaced or added fields

    def body(self):
        body = {"action": self.action, "path": self.path, "cid": link(self.cid) if self.cid else None}
        if self.prev:
            body["prev"] = link(self.prev)
        return _replace(body, self.fields)


def create(path, record, /, **fields):
    """Returns an op that creates a record. The record is a value or Raw."""
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
    """Returns a header and a body. `body` is a dict or Raw; `header` (a dict or Raw) replaces {op, t}."""
    if header is None:
        header = {"op": op} if t is None else {"op": op, "t": t}
    return cbor(header) + cbor(body)


def commit_blocks(repo, rev, ops):
    """Returns (root, blocks): the commit block, one node of a tree and the records, as a relay sends them. The
    signature and the tree are dummies, which no verification accepts."""
    node = cbor({"l": None, "e": []})
    root = cbor({"did": repo, "version": 3, "data": link(cid(node)), "rev": rev, "prev": None, "sig": b"\1" * 64})
    records = [(op.cid, op.block) for op in ops if op.block is not None and op.cid is not None]
    return cid(root), [(cid(root), root), (cid(node), node)] + records


def commit(seq, repo, ops=(), /, *, rev=None, extra_blocks=(), **fields):
    """Returns a #commit. Its CAR holds the records of its ops, and `extra_blocks` after them."""
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
    """Returns an error frame. A server closes the connection after it."""
    return frame(None, _replace({"error": name, "message": message}, fields), op=-1)


def unknown(seq, did, /, t="#label", **fields):
    """Returns a message of a kind that the protocol does not have (yet)."""
    return frame(t, _replace({"seq": seq, "did": did, "time": TIME}, fields))


def handle(seq, did, new_handle="alice.example"):
    """Returns a #handle, which the protocol has dropped."""
    return unknown(seq, did, "#handle", handle=new_handle)


def migrate(seq, did, to="https://pds.example"):
    """Returns a #migrate, which the protocol has dropped."""
    return unknown(seq, did, "#migrate", migrateTo=to)


def tombstone(seq, did):
    """Returns a #tombstone, which the protocol has dropped."""
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

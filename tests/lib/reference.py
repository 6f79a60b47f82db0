"""An independent decoder of frames. Tests compare firehosed with it. It is slow and plain on purpose.

It shares only the specification with the C code. It is strict by one rule: bytes are DAG-CBOR if a lenient decoder
(cbor2) and a canonical encoder give the same bytes back. This covers shortest forms, definite lengths, and the
order and uniqueness of keys. check_value() checks the kinds of values.
"""

import base64
import hashlib
import io
import json

import cbor2
import frames

MAX_DEPTH = 128
MAX_OPS = 200
MAX_EVENT, MAX_GROWTH, FREE_GROWTH = 4 << 20, 8, 1024
MAX_DID, MAX_COLLECTION, MAX_RECORD_KEY, MAX_HANDLE = 2048, 317, 512, 253
MAX_BLOCKS = {"#commit": 2_000_000, "#sync": 10_000}
ACTIONS = ("create", "update", "delete")


class Refused(Exception):
    """The frame is not valid. The text says why, in other words than the C code."""


def read_item(stream):
    """Returns the next DAG-CBOR item of a BytesIO, as Python values (CIDs as CBORTag)."""
    start = stream.tell()
    try:
        value = cbor2.CBORDecoder(stream).decode()
        encoded = cbor2.dumps(value, canonical=True)
    except Exception as e:  # cbor2 raises many kinds on malformed input
        raise Refused(f"cbor2: {e!r}") from e
    check_value(value, 0)
    if encoded != stream.getbuffer()[start : stream.tell()]:
        raise Refused("not in canonical form")
    return value


def check_value(value, depth):
    kind = type(value)
    if kind in (dict, list):
        if depth == MAX_DEPTH:
            raise Refused("too deep")
        for item in value.items() if kind is dict else value:
            if kind is dict:
                if type(item[0]) is not str:
                    raise Refused("key is not text")
                item = item[1]
            check_value(item, depth + 1)
    elif kind is int:
        if not -(2**63) <= value < 2**64:
            raise Refused("integer out of range")
    elif kind is cbor2.CBORTag:
        if value.tag != 42 or type(value.value) is not bytes or not is_cid(value.value[1:]) or value.value[0] != 0:
            raise Refused("tag")
    elif kind not in (str, bytes, bool, type(None)):
        raise Refused(f"a {kind.__name__} is not in the data model")


def is_cid(data):
    return len(data) == 36 and data[0] == 1 and data[1] in (0x71, 0x55) and data[2:4] == b"\x12\x20"


def to_json(value):
    """Returns a value in the JSON of the AT data model."""
    if type(value) is dict:
        return {k: to_json(v) for k, v in value.items()}
    if type(value) is list:
        return [to_json(v) for v in value]
    if type(value) is bytes:
        return {"$bytes": base64.b64encode(value).decode().rstrip("=")}
    if type(value) is cbor2.CBORTag:
        return {"$link": frames.cid_text(value.value[1:])}
    return value


def dumps(value):
    """Returns the text that JavaScript's JSON.stringify writes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read_varint(stream):
    value = 0
    for i in range(10):
        byte = stream.read(1)
        if not byte:
            raise Refused("varint ends")
        value |= (byte[0] & 0x7F) << 7 * i
        if byte[0] < 0x80:
            if value >= 2**64:
                raise Refused("varint too large")
            return value
    raise Refused("varint too long")


def read_section(stream):
    length = read_varint(stream)
    data = stream.read(min(length, 1 << 26))
    if len(data) != length:
        raise Refused("section ends")
    return data


def skip_foreign_cid(data):
    stream = io.BytesIO(data)
    if data[:2] == b"\x12\x20":
        length = 34
    else:
        if read_varint(stream) != 1:
            raise Refused("CID version")
        read_varint(stream), read_varint(stream)
        length = read_varint(stream)
    if length > len(data) - stream.tell():
        raise Refused("CID ends")


def read_car(data):
    """Returns {cid: data}. The first of several blocks with one CID counts."""
    stream = io.BytesIO(data)
    header_bytes = io.BytesIO(read_section(stream))
    header = read_item(header_bytes)
    if header_bytes.read(1) or type(header) is not dict or type(header.get("version")) is not int:
        raise Refused("CAR header")
    roots = header.get("roots")
    if header["version"] != 1 or type(roots) is not list or any(type(r) is not cbor2.CBORTag for r in roots):
        raise Refused("CAR header")
    blocks = {}
    while stream.tell() < len(data):
        block = read_section(stream)
        if is_cid(block[:36]):
            blocks.setdefault(block[:36], block[36:])
        else:
            skip_foreign_cid(block)
    return blocks


def field(body, name, kind, required=True):
    value = body.get(name)
    if value is None and not required:
        return None
    if name not in body or type(value) is not kind:
        raise Refused(f"{name} is missing or of the wrong type")
    return value.value[1:] if kind is cbor2.CBORTag else value


def check_length(text, most):
    if len((text or "").encode()) > most:
        raise Refused("a text is longer than allowed")


def record_or_drop(op, blocks):
    """Returns (record, None) or (None, reason)."""
    cid = field(op, "cid", cbor2.CBORTag, required=False)
    if cid is None:
        return None, "no_cid"
    if cid not in blocks:
        return None, "no_block"
    block = blocks[cid]
    if hashlib.sha256(block).digest() != cid[4:]:
        return None, "hash_mismatch"
    try:
        stream = io.BytesIO(block)
        record = read_item(stream)
        if stream.read(1) or type(record) is not dict or cid[1] != frames.DAG_CBOR:
            return None, "bad_record"
    except Refused:
        return None, "bad_record"
    if type(record.get("$type")) is not str or record["$type"] == "":
        return None, "no_type"
    return to_json(record), None


def check_op(op):
    if type(op) is not dict or field(op, "action", str) not in ACTIONS:
        raise Refused("op")
    collection, _, record_key = field(op, "path", str).partition("/")
    check_length(collection, MAX_COLLECTION)
    check_length(record_key, MAX_RECORD_KEY)
    field(op, "cid", cbor2.CBORTag, required=False)
    field(op, "prev", cbor2.CBORTag, required=False)


def commit_ops(body, extended):
    """Returns (ops as JSON, reasons of dropped ops)."""
    ops = field(body, "ops", list)
    if len(ops) > MAX_OPS:
        raise Refused("too many ops")
    for op in ops:
        check_op(op)
    blocks = read_car(body["blocks"]) if body.get("blocks") else {}
    out, dropped = [], []
    for op in ops:
        entry = {"action": op["action"], "path": op["path"]}
        prev = {"prev": frames.cid_text(op["prev"].value[1:])} if extended and op.get("prev") else {}
        if op["action"] == "delete":
            out.append({**entry, **prev})
            continue
        record, reason = record_or_drop(op, blocks)
        if reason:
            dropped.append(reason)
        else:
            out.append({**entry, "cid": frames.cid_text(op["cid"].value[1:]), **prev, "record": record})
    return out, dropped


def commit_event(body, extended):
    details = {}
    repo, time, rev = (field(body, name, str) for name in ("repo", "time", "rev"))
    check_length(repo, MAX_DID)
    since = field(body, "since", str, required=False)
    commit = field(body, "commit", cbor2.CBORTag)
    prev_data = field(body, "prevData", cbor2.CBORTag, required=False)
    field(body, "tooBig", bool, required=False)
    if extended:
        details = {"rev": rev, "since": since, "time": time, "commit": frames.cid_text(commit)}
        if prev_data:
            details["prevData"] = frames.cid_text(prev_data)
    ops, dropped = commit_ops(body, extended)
    return {"repo": repo, **details, "ops": ops}, dropped


def small_event(t, body, extended):
    did, time = field(body, "did", str), field(body, "time", str)
    check_length(did, MAX_DID)
    if t == "#identity":
        check_length(field(body, "handle", str, required=False), MAX_HANDLE)
        data = {"did": did, "handle": field(body, "handle", str, required=False) or did}
    elif t == "#account":
        data = {"did": did, "active": field(body, "active", bool)}
        status = field(body, "status", str, required=False)
        if extended and status is not None:
            data["status"] = status
    else:
        data = {"did": did, "rev": field(body, "rev", str)}
    return {**data, "time": time} if extended or t == "#sync" else data


def kind_of(header):
    if type(header) is not dict or type(header.get("op")) is not int:
        raise Refused("header")
    if "t" in header and type(header["t"]) is not str:
        raise Refused("header t")
    if header["op"] == -1:
        return "error"
    if header["op"] != 1:
        return "unknown"
    if "t" not in header:
        raise Refused("header has no t")
    t = header["t"]
    return t if t in ("#commit", "#sync", "#identity", "#account", "#info") else "unknown"


def event(frame, extended=False):
    """Returns what a decoder must make of a frame: (outcome, kind, data, reasons of dropped ops)."""
    try:
        return _event(frame, extended)
    except Refused:
        return "refused", None, None, []


def _event(frame, extended):
    stream = io.BytesIO(frame)
    kind = kind_of(read_item(stream))
    body = read_item(stream)
    if stream.tell() != len(frame):
        raise Refused("bytes behind the body")
    if kind == "unknown":
        return "filtered", kind, None, []
    if type(body) is not dict:
        raise Refused("body")
    if kind in ("error", "#info"):
        field(body, "error" if kind == "error" else "name", str)
        field(body, "message", str, required=False)
        return "filtered", kind.lstrip("#"), None, []
    if field(body, "seq", int) >= 2**63 or body["seq"] < 0:
        raise Refused("seq")
    if kind in MAX_BLOCKS and len(field(body, "blocks", bytes, required=False) or b"") > MAX_BLOCKS[kind]:
        raise Refused("blocks too large")
    if kind == "#commit":
        data, dropped = commit_event(body, extended)
    else:
        data, dropped = small_event(kind, body, extended), []
    if kind == "#sync" and not extended:
        return "filtered", "sync", None, []
    if len(dumps(data).encode()) > min(MAX_EVENT, MAX_GROWTH * len(frame) + FREE_GROWTH):
        raise Refused("event too large")
    return "ready", kind[1:], data, dropped

"""The firehose into a Redis stream with atproto and redis-py: the cursor saved and one XADD, for each event."""

import base64
import json
import sys

import redis
from atproto import CAR, CID, FirehoseSubscribeReposClient, parse_subscribe_repos_message

CURSOR_KEY = "firehose:python_cursor"
LINK = b"\x01\x71\x12\x20", b"\x01\x55\x12\x20"  # a link comes as its bytes; nothing else tells it from others


def main(relay, redis_url, stream, max_len):
    db = redis.Redis.from_url(redis_url)
    client = FirehoseSubscribeReposClient(base_uri=relay + "/xrpc")

    def on_message(message):
        event = parse_subscribe_repos_message(message)
        kind = message.header.t
        if kind == "#commit":
            data = {"repo": event.repo, "ops": commit_ops(event)}
        elif kind == "#identity":
            data = {"did": event.did, "handle": event.handle or event.did}
        elif kind == "#account":
            data = {"did": event.did, "active": event.active}
        else:
            return
        entry = {"type": kind[1:], "data": dump(data), "seq": event.seq}
        db.set(CURSOR_KEY, event.seq)
        db.xadd(stream, entry, maxlen=max_len, approximate=True)

    client.start(on_message)


def commit_ops(commit):
    blocks = CAR.from_bytes(commit.blocks).blocks if commit.blocks else {}
    ops = []
    for op in commit.ops:
        if op.action == "delete":
            ops.append({"action": op.action, "path": op.path})
            continue
        record = blocks.get(op.cid) if op.cid else None
        if record is None or not record.get("$type"):
            continue
        ops.append({"action": op.action, "path": op.path, "cid": str(op.cid), "record": record})
    return ops


def plain(value):
    """What the JSON encoder asks for: bytes, and the links among them."""
    if value[:4] in LINK and len(value) == 36:
        return {"$link": str(CID.decode(value))}
    return {"$bytes": base64.b64encode(value).decode().rstrip("=")}


def dump(data):
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=plain)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))

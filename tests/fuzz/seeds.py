#!/usr/bin/python3
"""Writes a first corpus for each fuzz target: good bytes of every kind, and broken ones that the tests know.

    seeds.py DIRECTORY BUILD [CAPTURE…]

One folder a target in DIRECTORY; one file an input. BUILD is where firehose-replay and firehosed are. Frames of a capture
(repeated [u32 little-endian length][frame]) are added to those of our own.
"""

import struct
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

import cbor2
import frames

DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
LARGEST = 16_384  # bytes; larger inputs make a fuzzer slow and find nothing more
RECORDS = [
    {"$type": "app.bsky.feed.post", "text": "hi\n\"é天😀\\\0", "langs": ["en"], "createdAt": frames.TIME},
    {"$type": "a", "n": [0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1, -1, -24, -25, -(2**63)]},
    {"$type": "a", "b": b"", "c": b"\0\1\2", "l": frames.link(frames.cid(b"x")), "r": frames.link(frames.cid(b"y", frames.RAW))},
    {"$type": "a", "m": {"": None, "a": True, "b": False, "aa": {}, "bb": []}, "u": 2**64 - 1},
    {"$type": "", "x": 1},
    {"text": "no type"},
    ["a", "list"],
    {"$type": "a", "deep": frames.nested(126)},
    {"$type": "a", "deep": frames.nested(127)},
    {"$type": "a", "deep": frames.nested(128)},
    frames.raw_map(("b", 1), ("a", 2)),
    frames.raw_map(("a", 1), ("a", 2)),
    {"$type": "a", "f": frames.Raw(b"\xfb\x3f\xf8" + b"\0" * 6)},
    {"$type": "a", "i": frames.Raw(b"\x9f\xff")},
    {"$type": "a", "s": frames.Raw(b"\x62\xc3\x28")},
    {"$type": "a", "t": frames.Raw(b"\xc1\x00")},
    {"$type": "a", "w": frames.Raw(frames.head(0, 5, 8))},
]


def good_frames():
    create, update, delete = frames.create, frames.update, frames.delete
    yield frames.commit(1, DID, [create("app.bsky.feed.post/3k", RECORDS[0])])
    yield frames.commit(2, DID, [update("a.b.c/1", RECORDS[3]), delete("a.b.c/2"), create("a.b.c/3", RECORDS[2])])
    yield frames.commit(3, DID, [frames.Op("create", "a/b")], prevData=frames.OMIT, since=None)
    yield frames.commit(4, DID, [], blocks=b"", tooBig=True)
    yield frames.commit(5, DID, [create(f"a/{i}", {"$type": "a", "i": i}) for i in range(20)])
    yield frames.commit(6, DID, [frames.Op("create", "a/b", frames.cbor(RECORDS[0]), frames.cid(b"another"))])
    yield frames.identity(7, DID, "alice.example")
    yield frames.identity(8, DID)
    yield frames.account(9, DID)
    yield frames.account(10, DID, False, "takendown")
    yield frames.sync(11, DID)
    yield frames.info("OutdatedCursor", "some were lost")
    yield frames.error("FutureCursor", "too far")
    yield frames.unknown(12, DID)
    yield frames.tombstone(13, DID)
    yield frames.frame("#x", frames.Raw(b"\x01"))
    yield frames.frame("#commit", {"seq": 5}, op=7)


def broken_frames():
    body = (("time", frames.TIME), ("seq", 1), ("did", DID))
    yield frames.frame("#identity", frames.raw_map(*body))
    yield frames.identity(1, DID) + b"\0"
    yield frames.identity(-5, DID)
    yield frames.identity(2**63, DID)
    yield frames.identity(1, DID, extra=frames.nested(128))
    yield frames.identity(1, DID, extra=frames.nested(129))
    yield frames.account(1, DID, frames.OMIT)
    yield frames.commit(1, DID, [frames.delete("a/b", action="explode")])
    yield frames.commit(1, DID, [], blocks=b"\xff" * 50)
    yield frames.cbor([1, "#commit"]) + frames.cbor({})
    yield frames.cbor({"op": 1}) + frames.cbor({})
    yield b"\xa0"


def generated(build):
    with tempfile.NamedTemporaryFile(suffix=".frames") as capture:
        command = [build / "firehose-replay", "generate", capture.name, "--force", "--count", "300", "--seed", "11",
                   "--poison", "10"]  # fmt: skip
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return list(split(Path(capture.name).read_bytes()))


def split(capture):
    data = BytesIO(capture)
    while length := data.read(4):
        yield data.read(struct.unpack("<I", length)[0])


def cars(of_frames):
    """The CARs inside frames, as far as they can be read."""
    for frame in of_frames:
        try:
            stream = BytesIO(frame)
            cbor2.CBORDecoder(stream).decode()
            blocks = cbor2.CBORDecoder(stream).decode().get("blocks")
        except Exception:  # cbor2 raises many kinds on malformed input
            continue
        if isinstance(blocks, bytes):
            yield blocks


def foreign_cars():
    root = frames.cid(b"x")
    yield frames.car([(root, b"data"), (root, b"again"), (b"\x12\x20" + b"z" * 32, b"v0")], [root])
    yield frames.car([(b"\1\x70\x12\x20" + b"z" * 32, b"dag-pb"), (b"\1\x55\x13\x40" + b"z" * 64, b"sha-512")], [])
    yield frames.car([(frames.cid(bytes([i])), bytes([i])) for i in range(40)], [root])
    yield frames.car([(b"\1\x71\x12\x20" + b"same" * 2 + bytes([i]) * 24, b"") for i in range(80)], [root])


def websocket_bytes(payloads):
    def one(opcode, payload, fin=0x80, mask=0):
        n = len(payload)
        head = bytes([n | mask]) if n < 126 else bytes([126 | mask]) + n.to_bytes(2, "big")
        return bytes([fin | opcode]) + head + (b"\1\2\3\4" if mask else b"") + payload

    yield b"".join(one(2, p) for p in payloads)
    yield one(2, b"ab", 0) + one(9, b"ping") + one(0, b"cd", 0) + one(0, b"") + one(2, b"next")
    yield one(1, "天".encode(), 0) + one(0, b"x") + one(8, b"\x03\xe8bye")
    yield one(8, b"") + one(2, b"after the end")
    yield one(2, b"masked", 0x80, 0x80) + one(10, b"pong", 0x80, 0x80) + one(2, b"a" * 200, 0x80, 0x80)
    yield b"\x82\x7f" + (70_000).to_bytes(8, "big") + b"x" * 100
    yield b"\xc2\x01a"
    yield b"\x82\x7e\x00\x05abcde"
    yield b"\x00\x01a"


ANSWERS = [
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x82\x01a",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 x\r\nconnection: keep-alive, upgrade\r\nupgrade: WebSocket\r\n"
    b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
    b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\nContent-Type: text/plain\r\n\r\nslow down\x1b[31m",
    b"HTTP/1.1 503 Unavailable\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello",
    b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{}",
    b"HTTP/1.1 101 x\n\n",
    b"HTTP/1.1 404\r\n folded\r\n\r\n",
    b"\x15\x03\x03\x00\x02\x02\x28",
]
REQUESTS = [
    b"GET /xrpc/com.atproto.sync.subscribeRepos?cursor=5 HTTP/1.1\r\nHost: localhost:8080\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nUser-Agent: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\n\r\n",
]
URLS = [
    b"wss://bsky.network",
    b"ws://localhost:2470/xrpc/com.atproto.sync.subscribeRepos?cursor=0",
    b"ws://[::1]:8080/x",
    b"ws://[fe80::1%eth0]:80/",
    b"ws://[[]:80/",
    b"redis://localhost",
    b"redis://user:pass%40word@redis.example:6380/2",
    b"rediss://:secret@redis.example/0?db=3",
    b"unix:///run/redis/redis.sock?db=1",
    b"unix://user:p@/tmp/a%20b",
    b"ws://a#b",
]
REQUESTS_OF_CONTROL = [
    b'{"command":"status"}',
    b'{"v":1,"id":7,"command":"config","args":{"key":"relay"}}',
    b'{"v":2,"id":"x","command":"tail","args":{"collection":"a.b.*","did":"did:plc:a","n":5}}',
    b'{"command":"workers","args":[1]}',
    b'{"id":1.5,"command":1}',
    '{"天天天天天天天天天天天天天天天天天天天天天天天":1}'.encode(),
    b'{"command":"a","command":"b"}',
    b'"\\ud800"',
    b"[[[[[[[[1]]]]]]]]",
]
REDIS_BAD = [b"-NOAUTH Authentication required.\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"*-1\r\n$-1\r\n", b":1\r\n" * 30]


def redis_answers():
    marks = b"*64\r\n" + b"$-1\r\n" * 64

    def claim(owner, first=b"$-1\r\n", kind=b"+stream\r\n", marks=marks):
        return b"+OK\r\n" + owner + kind + b"+none\r\n" + marks + first

    mine, queued = b"$18\r\n000000000000abcd:2\r\n", b"+QUEUED\r\n"
    done = b"+OK\r\n" + queued * 2 + b"*2\r\n$3\r\n1-0\r\n:1\r\n+OK\r\n" + mine
    login, change = b"+OK\r\n", b"+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n"
    yield login + claim(mine) + done
    yield login + claim(b"$-1\r\n") + change + claim(mine) + done
    yield login + claim(b"$18\r\n000000000000abcd:1\r\n") + change + claim(mine) + done
    yield login + claim(b"$18\r\n000000000000abcd:3\r\n")
    yield login + claim(b"$18\r\n000000000000abce:1\r\n")
    yield login + claim(mine, b"$1\r\nx\r\n")
    yield login + claim(mine, kind=b"+list\r\n")
    yield login + claim(mine, marks=b"-WRONGTYPE not a hash\r\n")
    yield login + claim(mine) + b"+OK\r\n" + queued * 2 + b"*-1\r\n+OK\r\n" + mine + claim(mine)
    yield login + claim(mine) + b"+OK\r\n" + queued * 2 + b"*2\r\n-OOM\r\n:1\r\n+OK\r\n" + mine + claim(mine) + change
    yield login + claim(mine) + b"+OK\r\n-OOM command\r\n+QUEUED\r\n-EXECABORT x\r\n+OK\r\n" + mine + claim(mine) + done
    yield login + claim(mine) + done.replace(mine, b"$-1\r\n") + claim(mine)
    yield from REDIS_BAD


def frame_ref(number):
    return struct.pack("=QIBBBBQq", number * 500, number * 40, 3, 0, 0, 0, number, number)


def channel_bytes():
    data = b"".join(map(frame_ref, range(1, 9)))
    message = struct.pack("=IIQ", 5, 0, 99) + b"text".ljust(232, b"\0")
    for how in range(4):
        yield b"\0" + bytes([how]) + data
        yield b"\1" + bytes([how]) + message * 3


def worker_steps():
    """Messages of every type with an id in range, one with any fields, one that is none, and stores into both pages."""
    message = struct.pack("=IIQ", 0, 1, 3) + struct.pack("=58I", *range(58))
    steps = [b"\x02" + struct.pack(">H", at) + message for at in (0, 1, 2, 3, 0x8000, 0x8001)]
    steps += [b"\x06" + struct.pack(">H", at) + message for at in (0x8000, 0x8004)]
    stores = [b"\x01" + struct.pack(">H", at) + b"\xff" * 248 for at in (0, 1, 600, 601, 1000)]
    for frames_there in (0, 1, 90):
        yield bytes([frames_there]) + b"".join(steps + stores)
        yield from (bytes([frames_there]) + step for step in steps)
    yield b"\x05" + b"\x03\0\0" + struct.pack("=I", 999) + bytes(244)
    yield b"\x05" + b"\x00\0\0"


def config_files(build):
    sample = subprocess.run([build / "firehosed", "--sample"], check=True, stdout=subprocess.PIPE).stdout
    lines = [line.lstrip(b"#").strip() for line in sample.splitlines()]
    settings = [line for line in lines if b" = " in line and line.split(b" = ")[0].replace(b"_", b"").isalpha()]
    yield b"\n".join(settings)
    yield from settings
    yield b'redis = "redis://:p#w@h/1" # comment\nworkers=4\n\n# a comment\nring_size = 32 MB\n'
    yield b"worker = 3\n"
    yield b"workers = 3\nworkers = 4\n"


def config_dictionary(build):
    """The keys, as a libFuzzer dictionary."""
    keys = [line.split(b" = ")[0].decode() for line in list(config_files(build))[1:]]
    return "".join(f'"{key} = "\n' for key in keys if key.replace("_", "").isalpha())


TEXTS = ["plain", "\x1b[31mred\x07", "caf\u00e9 \u20ac \U0001f600", "\u202eright to left", "\u2028\x85\x7f"]
TEXTS = [t.encode() for t in TEXTS] + [b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xff\xfe\0"]
VALUES = [b"\0role:master\r\nmaxmemory:9\r\nmaxmemory_policy:allkeys-lru\r\naof_enabled:1\r\n", b"\0role:slave\r\n"]
VALUES += [b"\1" + t for t in (b"0123456789abcdef:4294967297", b"1:1", b"ffffffffffffffff:18446744073709551615")]
VALUES += [b"\2" + t for t in (b"2026-01-02T03:04:05.678Z", b"1999-12-31T23:59:60+23:59", b"9999-12-31T23:59:59Z")]


def all_seeds(build, captures):
    ours = [*good_frames(), *broken_frames(), *generated(build)]
    ours += [frame for capture in captures for frame in list(split(Path(capture).read_bytes()))[::25]]
    records = [frames.cbor(r) for r in RECORDS] + [frames.nested(n).encoded for n in (1, 127, 128, 129)]
    many = [block for car in cars(ours) for block in record_blocks(car)][:200]
    return {
        "frame": ours,
        "car": [*cars(ours), *foreign_cars()],
        "cbor": records + many,
        "record": records + many,
        "event": [b"\0" + f for f in ours] + [b"\1" + r for r in records + many],
        "websocket": [bytes([how, 0, 7, 64]) + b for how in range(12) for b in websocket_bytes(ours[:3])],
        "http": [b"\0" + a for a in ANSWERS] + [b"\1" + r for r in REQUESTS],
        "url": URLS,
        "text": [b"\0\x20" + t for t in TEXTS],
        "value": VALUES,
        "config": config_files(build),
        "control": REQUESTS_OF_CONTROL,
        "channel": channel_bytes(),
        "worker": worker_steps(),
        "redis": [bytes([how, 0, 9]) + a for how in range(2) for a in redis_answers()],
    }


def record_blocks(car):
    """The data of a CAR's blocks that have one of our CIDs."""
    at = 0
    while at < len(car):
        length = shift = 0
        while True:
            if at == len(car) or shift > 63:
                return
            byte = car[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        section, at = car[at : at + length], at + length
        if section[:4] == b"\x01\x71\x12\x20":
            yield section[36:]


def main():
    directory, build, *captures = sys.argv[1:]
    for target, inputs in all_seeds(Path(build), captures).items():
        folder = Path(directory, target)
        folder.mkdir(parents=True, exist_ok=True)
        for i, data in enumerate(inputs):
            if len(data) <= LARGEST:
                (folder / f"seed-{i:04}").write_bytes(data)
    Path(directory, "config.dict").write_text(config_dictionary(Path(build)))


if __name__ == "__main__":
    main()

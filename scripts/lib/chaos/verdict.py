"""verdict.py: reads all data in Redis, and lists what is wrong with it."""

import base64
import socket
from collections import Counter

from chaos.frames import FIRST_SEQ

PAGE = 5000
SHOWN = 5  # examples of each fault


def read_stream(redis, key, fields):
    """Returns [(id, value, value, …)] in the order of the stream. Each entry must have exactly these fields. This
    function reads RESP itself, as a client library takes a minute where it takes a second. No value may hold CR LF;
    JSON, numbers, reasons and base64 never do."""
    lines_each = 1 + 2 + 1 + 4 * len(fields)  # *2, the id, *N, and then names and values
    found, start = [], "-"
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(redis.socket))
        reader = connection.makefile("rb", buffering=1 << 20)
        while True:
            words = ["XRANGE", key, start, "+", "COUNT", str(PAGE)]
            connection.sendall("".join([f"*{len(words)}\r\n", *(f"${len(w)}\r\n{w}\r\n" for w in words)]).encode())
            head = reader.readline()
            assert head[:1] == b"*", f"XRANGE {key}: {head!r}"
            count = int(head[1:])
            for _ in range(count):
                lines = [reader.readline()[:-2] for _ in range(lines_each)]
                names = [name.decode() for name in lines[5::4]]
                assert lines[0] == b"*2" and names == fields, f"entry of {key} is not as it should be: {lines}"
                found.append((lines[2], *lines[7::4]))
            if count < PAGE:
                return found
            start = "(" + found[-1][0].decode()


def read_events(redis, key="firehose:events"):
    return [(stamp.decode(), kind, data, int(seq)) for stamp, kind, data, seq in read_stream(redis, key, ["type", "data", "seq"])]


def read_letters(redis, key="firehose:undecodable"):
    """Returns [(seq or 0, reason, frame as base64)]."""
    if not redis.client().exists(key):
        return []
    return [(int(seq), why, frame) for _, seq, why, frame in read_stream(redis, key, ["seq", "reason", "frame"])]


class Verdict:
    def __init__(self):
        self.faults = []  # lines of text

    def __bool__(self):
        return not self.faults

    def claim(self, holds, text):
        if not holds:
            self.faults.append(text)

    def none(self, what, examples, total=None):
        if examples:
            shown = ", ".join(str(e) for e in examples[:SHOWN])
            self.faults.append(f"{total or len(examples):,} {what}: {shown}{' …' if len(examples) > SHOWN else ''}")


def judge_stream(verdict, frames, count, entries):
    """Checks that each event is there once, as in the undisturbed run, and that each repo is in order."""
    last = FIRST_SEQ + count
    wanted = [seq for seq in range(FIRST_SEQ, last) if frames.place(seq) in frames.entries]
    counts = Counter(seq for _, _, _, seq in entries)
    verdict.none("events are lost", [seq for seq in wanted if not counts[seq]])
    verdict.none("events are there more than once", [seq for seq, n in counts.items() if n > 1])
    known = set(wanted)
    verdict.none("events must not be there", [seq for seq in counts if seq not in known])
    wrong, disorder, newest = [], [], {}
    for _, kind, data, seq in entries:
        place = frames.place(seq)
        if (kind, data) != frames.entries.get(place):
            wrong.append(seq)
        repo = frames.repos.get(place)
        if seq < newest.get(repo, 0):
            disorder.append(f"{seq} behind {newest[repo]}")
        newest[repo] = max(seq, newest.get(repo, 0))
    verdict.none("events have another payload than in the undisturbed run", wrong)
    verdict.none("events stand behind later ones of their repo", disorder)
    return len(wanted)


def judge_letters(verdict, frames, count, letters, redis_lost, garbled):
    """Checks that the dead letters are exactly the poison. A frame without a seq has no mark: after a fault it may be
    there twice, or not at all if Redis has lost it. `garbled`: the relay has sent noise between the frames."""
    wanted = [seq for seq in range(FIRST_SEQ, FIRST_SEQ + count) if frames.place(seq) in frames.poison]
    counts = Counter(seq for seq, _, _ in letters if seq)
    verdict.none("poison frames are not in the dead letters", [seq for seq in wanted if not counts[seq]])
    verdict.none("dead letters are there more than once", [seq for seq, n in counts.items() if n > 1])
    known = set(wanted)
    verdict.none("dead letters are of good frames", [seq for seq in counts if seq not in known])
    verdict.none("dead letters hold other bytes than the frame's", [
        seq for seq, _, frame in letters if seq in known and base64.b64decode(frame) != frames.frame(seq)])  # fmt: skip
    anonymous = Counter(base64.b64decode(frame) for seq, _, frame in letters if not seq)
    rounds = (count - 1) // frames.round  # complete rounds at least
    known = Counter(frames.anonymous)
    if not garbled:
        verdict.none("dead letters without seq were never sent", [f[:20].hex() for f in anonymous if f not in known])
    if not redis_lost:
        missing = [f[:20].hex() for f, n in known.items() if anonymous[f] < n * rounds]
        verdict.none("frames without seq are missing in the dead letters", missing)
    return len(wanted)

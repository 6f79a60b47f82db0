"""frames.py: the frames that the relay serves, and what firehosed must make of them.

The relay serves a capture of generated frames and poison again and again, with rising seqs. An undisturbed run of
firehosed shows what it must make of each frame. The independent decoder of the system tests checks a part of that.
"""

import base64
import random
import struct

import frames
import reference
from decoder import Decoder
from events import repo
from rig import run

FIRST_SEQ = 31_000_000_001
COUNT = 3000  # good frames of a round
POISON_EVERY = 60
CHECKED = 150  # entries of the undisturbed run that the independent decoder checks


class Frames:
    """The frames of one round. All rounds follow from it."""

    def __init__(self, directory, seed):
        self.path = directory / "chaos.frames"
        self.seed = seed
        self.frames = compose(directory, seed)
        frames.write_capture(self.path, self.frames)
        self.numbered, self.anonymous = classify(self.frames)  # with a readable seq, and without
        self.entries = {}  # place in the round → (type, data) in the stream
        self.repos = {}  # place in the round → the repo whose order counts
        self.poison = set()  # places in the round whose frames are dead letters

    @property
    def round(self):
        return len(self.numbered)

    def place(self, seq):
        return (seq - FIRST_SEQ) % self.round

    def frame(self, seq):
        """Returns the bytes that the relay sends for a frame."""
        frame, place = self.numbered[self.place(seq)], self.place(seq)
        return renumbered(frame, FIRST_SEQ + place, seq)

    def learn(self, entries, letters):
        """Takes the result of an undisturbed round: [(id, type, data, seq)], [(seq, reason, frame)]."""
        for _, kind, data, seq in entries:
            place = self.place(seq)
            assert place not in self.entries, f"seq {seq} is twice in the stream of the undisturbed run"
            self.entries[place] = (kind, data)
        self.poison = {self.place(seq) for seq, _, _ in letters if seq}
        assert not self.poison & set(self.entries), "the undisturbed run has both delivered and refused a frame"
        anonymous = sorted(base64.b64decode(frame) for seq, _, frame in letters if not seq)
        assert anonymous == sorted(self.anonymous), "the undisturbed run has lost or invented dead letters without seq"
        self._check(random.Random(self.seed).sample(range(self.round), min(CHECKED, self.round)))
        for place, (_, data) in self.entries.items():
            self.repos[place] = repo_of(data)

    def _check(self, places):
        for place in places:
            outcome, kind, data, _ = reference.event(self.numbered[place])
            if outcome == "ready":
                wanted = (kind.encode(), reference.dumps(data).encode())
                assert self.entries.get(place) == wanted, f"frame {place} differs from the independent decoder's"
            else:
                assert (place in self.poison) == (outcome == "refused"), f"frame {place} should be {outcome}"


def renumbered(frame, old, new):
    was, now = (b"\x63seq\x1b" + struct.pack(">Q", seq) for seq in (old, new))
    return frame.replace(was, now, 1)


def repo_of(data):
    """Returns the DID of a commit, an identity or an account: the first value of all three."""
    return data.split(b'"', 4)[3]


def compose(directory, seed):
    good, bad = directory / "good.frames", directory / "bad.frames"
    for path, arguments in ((good, ["--count", COUNT]), (bad, ["--count", COUNT // POISON_EVERY, "--poison", 1])):
        arguments += ["--seed", seed, "--dids", 200, "--first-seq", FIRST_SEQ]
        done = run("firehose-replay", "generate", path, *arguments)
        assert done.returncode == 0, done.stderr
    chance = random.Random(seed)
    made = frames.read_capture(good)
    poison = frames.read_capture(bad) + list(poison_frames().values())
    chance.shuffle(poison)
    for frame in poison:
        made.insert(chance.randrange(1, len(made)), frame)
    # The seq of each frame is the number of its place, as at the relay.
    numbered, place = [], 0
    for frame, seq in zip(made, seqs_of(made)):
        if seq is None:
            if b"\x63seq\x1b" in frame:  # the relay reads a seq and firehosed does not: of both kinds
                continue
            numbered.append(frame)
        else:
            fresh = renumbered(frame, seq, FIRST_SEQ + place)
            assert fresh != frame or seq == FIRST_SEQ + place
            numbered.append(fresh)
            place += 1
    return numbered


def poison_frames():
    """Returns frames that break one rule each: first those with a readable seq, then those without."""
    seq, did = FIRST_SEQ, repo(5)
    post = frames.create("app.bsky.feed.post/3k", {"$type": "app.bsky.feed.post", "text": "x" * 300})
    body = (("time", frames.TIME), ("seq", seq), ("did", did))
    return {
        "bytes behind the body": frames.identity(seq, did) + b"\0",
        "unsorted keys": frames.frame("#identity", frames.raw_map(*body)),
        "key twice": frames.frame("#identity", frames.raw_map(("did", did), *body)),
        "text that is not UTF-8": frames.identity(seq, did, frames.Raw(b"\x63\xff\xfe\xfd")),
        "float for a bool": frames.account(seq, did, frames.Raw(b"\xfb" + b"\0" * 8)),
        "field is missing": frames.account(seq, did, frames.OMIT),
        "wrong type": frames.identity(seq, did, handle=[1, 2]),
        "integer in a long form": frames.identity(seq, did, extra=frames.Raw(frames.head(0, 5, 8))),
        "indefinite length": frames.identity(seq, did, extra=frames.Raw(b"\x9f\xff")),
        "nested too deeply": frames.identity(seq, did, extra=frames.nested(3000)),
        "garbage for a CAR": frames.commit(seq, did, [post], blocks=b"\xff" * 50),
        "too many ops": frames.commit(seq, did, [frames.delete(f"a.b.c/{i}") for i in range(201)]),
        "unknown action": frames.commit(seq, did, [frames.delete("a.b.c/1", action="explode")]),
        "no DAG-CBOR": bytes(range(255, 0, -1)),
        "header alone": frames.cbor({"op": 1, "t": "#commit"}),
        "text": b"hello, world",
        "empty": b"",
        "seq is text": frames.identity("5000", did),
    }  # fmt: skip


def seqs_of(made):
    """Returns the seq of each frame as firehosed reads it, or None."""
    decoder = Decoder()
    seqs = []
    for frame in made:
        peek = decoder(frame)["peek"]
        seqs.append(peek["seq"] if peek["ok"] else None)
    decoder.close()
    return seqs


def classify(made):
    numbered, anonymous = [], []
    for frame, seq in zip(made, seqs_of(made)):
        if seq is None:
            anonymous.append(frame)
        else:
            assert seq == FIRST_SEQ + len(numbered), f"frame {len(numbered)} of the round has seq {seq}"
            numbered.append(frame)
    return numbered, anonymous

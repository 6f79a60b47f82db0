"""Events for a relay to serve: many, of all kinds, of several repos, as in a real network."""

import random
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property, lru_cache

import frames
import reference

FIRST_SEQ = 31_527_015_000  # past 2^32 and 2^34, as real ones are


@dataclass(frozen=True)
class Event:
    seq: int  # None: the frame has no seq
    repo: str
    frame: bytes
    like: "Event" = None  # an event that differs only in its seq

    @cached_property
    def expected(self):
        """What firehosed must make of the event: (outcome, type, data), as an independent decoder has it."""
        if self.like is not None:
            return self.like.expected
        outcome, kind, data, _ = reference.event(self.frame)
        return outcome, kind, data

    @property
    def is_delivered(self):
        return self.expected[0] == "ready"


def partition(did):
    """Returns the partition of a repo, as include/base/hash.h has it."""
    mask, h = 2**64 - 1, 0xCBF29CE484222325
    for byte in did.encode():
        h = (h ^ byte) * 0x100000001B3 & mask
    h = (h ^ h >> 33) * 0xFF51AFD7ED558CCD & mask
    h = (h ^ h >> 33) * 0xC4CEB9FE1A85EC53 & mask
    return (h ^ h >> 33) % 64


def repo(number):
    return f"did:plc:{frames.cid_text(frames.cid(b'repo %d' % number))[1:25]}"


def post(seq, did, text="hello", **record):
    value = {"$type": "app.bsky.feed.post", "text": text, "createdAt": frames.TIME, "langs": ["en"], **record}
    return Event(seq, did, frames.commit(seq, did, [frames.create(f"app.bsky.feed.post/{frames.tid(seq)}", value)]))


def _like(seq, did):
    subject = {"uri": f"at://{did}/app.bsky.feed.post/{frames.tid(seq - 1)}", "cid": frames.cid_text(frames.cid(b"x"))}
    value = {"$type": "app.bsky.feed.like", "subject": subject, "createdAt": frames.TIME}
    return Event(seq, did, frames.commit(seq, did, [frames.create(f"app.bsky.feed.like/{frames.tid(seq)}", value)]))


def _delete(seq, did):
    return Event(seq, did, frames.commit(seq, did, [frames.delete(f"app.bsky.graph.follow/{frames.tid(seq)}")]))


def _identity(seq, did):
    return Event(seq, did, frames.identity(seq, did, "alice.example"))


def _account(seq, did):
    return Event(seq, did, frames.account(seq, did, True))


def _sync(seq, did):
    return Event(seq, did, frames.sync(seq, did))


KINDS = [post, _like, _delete, _identity, _account, _sync]
WEIGHTS = [20, 60, 8, 5, 5, 2]


VARIANTS = 16


@lru_cache(maxsize=None)
def _template(kind, did, variant, text):
    seq = FIRST_SEQ + variant
    return kind(seq, did, text or f"variant {variant}") if kind is post else kind(seq, did)


def _at(template, seq):
    """Returns the same event with another seq, which is much cheaper than a new event. All seqs above 2^32 have the
    same length, and no hash covers the seq, so the frame stays valid."""
    was, now = (b"\x63seq\x1b" + n.to_bytes(8, "big") for n in (template.seq, seq))
    assert template.frame.count(was) == 1
    return Event(seq, template.repo, template.frame.replace(was, now), template)


def make(count, first_seq=FIRST_SEQ, repos=40, text=None, seed=1):
    """Makes `count` events with rising seqs and legal gaps. With `text` all of them are posts of this text."""
    chance = random.Random(seed)
    names = [repo(n) for n in range(repos)]
    made, seq = [], first_seq
    for _ in range(count):
        did = chance.choice(names)
        kind = post if text is not None else chance.choices(KINDS, WEIGHTS)[0]
        if seq > 1 << 32:
            made.append(_at(_template(kind, did, chance.randrange(VARIANTS) if text is None else 0, text), seq))
        else:
            made.append(kind(seq, did, text) if text is not None else kind(seq, did))
        seq += 1 if chance.random() < 0.95 else chance.randrange(2, 50)
    return made


def after(events):
    """Returns the first seq for the events that follow these."""
    return max(e.seq for e in events if e.seq is not None) + 1


def other(frame, seq=None, did=None):
    """Makes an event of any bytes."""
    return Event(seq, did, frame)


def _time(seconds_ago):
    """Returns the time of `seconds_ago`, as servers write it."""
    moment = datetime.fromtimestamp(time.time() - seconds_ago, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def aged(count, first, seconds_ago, did=None):
    """Makes events of one age. They are identities, which are the cheapest to make."""
    made = []
    for seq in range(first, first + count):
        owner = did or repo(seq % 40)
        made.append(other(frames.identity(seq, owner, "a.example", time=_time(seconds_ago)), seq, owner))
    return made

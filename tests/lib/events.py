"""Events for a relay to serve: many, of all kinds, of several repos, as a network makes them."""

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
    seq: int  # None: a frame that has none
    repo: str
    frame: bytes
    like: "Event" = None  # the same but for the seq

    @cached_property
    def expected(self):
        """What must come of it: (outcome, type, data) as an independent decoder says."""
        if self.like is not None:
            return self.like.expected
        outcome, kind, data, _ = reference.event(self.frame)
        return outcome, kind, data

    @property
    def is_delivered(self):
        return self.expected[0] == "ready"


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
    """The same event with another seq. Seqs above 2^32 are all as long as each other; seq is no part of what is
    hashed, so the frame stays valid, at a fraction of the cost of building one."""
    was, now = (b"\x63seq\x1b" + n.to_bytes(8, "big") for n in (template.seq, seq))
    assert template.frame.count(was) == 1
    return Event(seq, template.repo, template.frame.replace(was, now), template)


def make(count, first_seq=FIRST_SEQ, repos=40, text=None, seed=1):
    """`count` events with rising seqs (and legal gaps). With a text: posts of it only."""
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
    """The seq that events made next should start with."""
    return max(e.seq for e in events if e.seq is not None) + 1


def other(frame, seq=None, did=None):
    """An event of any bytes."""
    return Event(seq, did, frame)


def _time(seconds_ago):
    """The time of an event, as servers write it."""
    moment = datetime.fromtimestamp(time.time() - seconds_ago, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def aged(count, first, seconds_ago, did=None):
    """Events of one age: identities, which are the cheapest to make."""
    made = []
    for seq in range(first, first + count):
        owner = did or repo(seq % 40)
        made.append(other(frames.identity(seq, owner, "a.example", time=_time(seconds_ago)), seq, owner))
    return made

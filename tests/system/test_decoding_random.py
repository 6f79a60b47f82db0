"""Random frames: random values, and valid frames with changed bytes. The tests print their seed. FIREHOSED_SEED repeats
a run, and FIREHOSED_RANDOM_FRAMES makes it longer."""

import os
import random

import pytest

import frames

COUNT = int(os.environ.get("FIREHOSED_RANDOM_FRAMES", 4000))
DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
ALPHABET = 'ab$"\\/\0\n\x1f\x7f éß天😀\u2028'
HEADS = bytes([0x00, 0x18, 0x1B, 0x20, 0x3B, 0x40, 0x5F, 0x60, 0x7F, 0x80, 0x9B, 0x9F, 0xA0, 0xBB, 0xBF, 0xC0, 0xD8, 0xF6, 0xF7, 0xFB, 0xFF])


@pytest.fixture
def rng():
    seed = int(os.environ.get("FIREHOSED_SEED", 0)) or random.SystemRandom().randrange(1, 2**32)
    print(f"FIREHOSED_SEED={seed}")
    return random.Random(seed)


def random_text(rng):
    return "".join(rng.choices(ALPHABET, k=rng.choice((0, 1, 2, 5, 9, 30, 300))))


def random_value(rng, depth=0):
    kind = rng.randrange(9 if depth < 6 else 6)
    if kind == 0:
        return rng.choice((1, -1)) * rng.getrandbits(rng.choice((1, 5, 8, 16, 32, 53, 63)))
    if kind == 1:
        return random_text(rng)
    if kind == 2:
        return rng.randbytes(rng.choice((0, 1, 2, 3, 32, 300)))
    if kind == 3:
        return frames.link(frames.cid(rng.randbytes(4), rng.choice((frames.DAG_CBOR, frames.RAW))))
    if kind < 6:
        return rng.choice((None, True, False, 2**64 - 1, -(2**63)))
    size = rng.choice((0, 1, 2, 5))
    if kind == 6:
        return [random_value(rng, depth + 1) for _ in range(size)]
    return {random_text(rng): random_value(rng, depth + 1) for _ in range(size)}


def random_frame(rng, longest=None):
    """Makes a frame. Of handles and paths it takes `longest` characters: 63 are always within the lexicon's limits."""
    did, seq = DID + random_text(rng), rng.getrandbits(40)
    kind = rng.randrange(10)
    if kind == 0:
        return frames.identity(seq, did, rng.choice((random_text(rng)[:longest], frames.OMIT, None)))
    if kind == 1:
        return frames.account(seq, did, rng.random() < 0.5, rng.choice((frames.OMIT, random_text(rng))))
    if kind == 2:
        return rng.choice((frames.sync(seq, did), frames.info(random_text(rng)), frames.error(), frames.handle(seq, did)))
    ops = []
    for i in range(rng.choice((0, 1, 1, 1, 3, 30))):
        record = {"$type": "a.b.c", "v": random_value(rng), random_text(rng): i}
        ops.append(rng.choice((frames.create, frames.update))(random_text(rng)[:longest], record))
        if rng.random() < 0.3:
            ops.append(frames.delete(random_text(rng)[:longest]))
    return frames.commit(seq, did, ops, extra=random_value(rng))


def mutate(rng, frame):
    frame = bytearray(frame)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at, what = rng.randrange(len(frame)), rng.randrange(6)
        if what == 0:
            frame[at] ^= 1 << rng.randrange(8)
        elif what == 1:
            frame[at] = rng.choice(HEADS)
        elif what == 2:
            frame[at] = rng.randrange(256)
        elif what == 3:
            frame[at:at] = rng.randbytes(rng.choice((1, 2, 8)))
        elif what == 4 and len(frame) > 9:
            del frame[at : at + rng.choice((1, 2, 8))]
        else:
            frame[at : at + 8] = b"\xff" * 8
        if not frame:
            return b"\0"
    return bytes(frame)


def test_random_values_agree_with_the_reference(decoder, rng):
    for _ in range(COUNT // 4):
        assert decoder.agree(random_frame(rng, 63))["outcome"] != "refused"


def test_mutated_frames_agree_with_the_reference(decoder, rng):
    """They do no harm either: one process decodes them all."""
    outcomes = {"ready": 0, "filtered": 0, "refused": 0}
    for _ in range(COUNT // 4):
        frame = random_frame(rng)
        for _ in range(4):
            outcomes[decoder.agree(mutate(rng, frame))["outcome"]] += 1
    assert all(outcomes.values()), outcomes


def test_mutated_records_agree_with_the_reference(decoder, rng):
    """The test changes the block and computes a new CID, so that only the record is broken."""
    kept = 0
    for _ in range(COUNT):
        block = mutate(rng, frames.cbor({"$type": "a.b.c", "v": random_value(rng)}))
        answer = decoder.agree(frames.commit(1, DID, [frames.Op("create", "a/b", block, frames.cid(block))]))
        kept += len(answer["data"]["ops"])
    assert 0 < kept < COUNT


def test_random_bytes_are_refused(decoder, rng):
    for _ in range(COUNT):
        decoder.agree(rng.randbytes(rng.randrange(1, 200)))

"""frames.py: the frames of a measurement."""

import os

from bench.table import output
from firehosed import SHARED, program

CORPUS = SHARED / "corpus" / "live.frames"
GENERATED = 20_000


class Capture:
    """A capture: a file of [u32 little-endian length][frame]…"""

    def __init__(self, path, what):
        self.path = path
        self.count = self.bytes = self.wire_bytes = 0
        with open(path, "rb") as file:
            while head := file.read(4):
                length = int.from_bytes(head, "little")
                file.seek(length, os.SEEK_CUR)
                self.count += 1
                self.bytes += length
                self.wire_bytes += length + (2 if length < 126 else 4 if length < 65536 else 10)
        self.mean_bytes = self.bytes / self.count
        self.mean_wire_bytes = self.wire_bytes / self.count  # with the headers of WebSocket
        self.description = f"{what}, {self.count:,} of {self.mean_bytes:,.0f} bytes on average, repeated"


def choose_capture(rig, generated):
    """Returns real frames if there are any, or as many generated ones as the options ask for."""
    if not generated and CORPUS.exists():
        return Capture(CORPUS, "of the real network")
    path = rig.directory / "generated.frames"
    output(program("firehose-replay"), "generate", path, "--count", generated or GENERATED, "--seed", 1)
    return Capture(path, "generated")

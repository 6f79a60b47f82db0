"""firehosed's decoder behind a pipe (tests/tools/decode-frames), compared with two references: the one in Python
(reference.py), and the one in C (tests/reference/). That one runs in the same process, which reports a disagreement."""

import json
import struct
import subprocess

import reference
from firehosed import program


class Decoder:
    """One process decodes many frames, so that the next frame shows any harm that a frame does to the process."""

    def __init__(self, *flags):
        self.extended = "--extended" in flags
        command = [program("tests/tools/decode-frames"), "--stream", *flags]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def line(self, frame):
        self.process.stdin.write(struct.pack("<I", len(frame)) + frame)
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line.endswith(b"\n"), f"decode-frames died of this frame: {frame.hex()}"
        return line.decode()

    def __call__(self, frame):
        """Returns the answer, with the exact text of the event's JSON as "text"."""
        line = self.line(frame)
        answer = json.loads(line)
        # No JSON string holds an unescaped quote. So the first "data" and the last "peek" are those of the answer.
        answer["text"] = line.split(',"data":', 1)[-1].rsplit(',"peek":', 1)[0]
        return answer

    def agree(self, frame):
        """Asserts that the answer equals the reference's byte for byte, and returns it."""
        outcome, kind, data, dropped = reference.event(frame, self.extended)
        answer = self(frame)
        context = f"{answer}\nframe: {frame[:4096].hex()}"
        assert answer["disagreement"] is None, context
        assert answer["outcome"] == outcome, context
        if outcome == "refused":
            assert answer["rule"] and 0 <= answer["offset"] <= len(frame), context
            return answer
        assert answer["kind"] == kind, context
        assert answer["text"] == ("null" if data is None else reference.dumps(data)), context
        assert {k: n for k, n in answer["dropped"].items() if n} == {k: dropped.count(k) for k in set(dropped)}, context
        self._agree_on_first_drop(answer, dropped, len(frame), context)
        self._agree_on_peek(answer, context)
        return answer

    @staticmethod
    def _agree_on_first_drop(answer, dropped, size, context):
        if not dropped:
            assert "first_drop" not in answer, context
        else:
            first = answer["first_drop"]
            assert first["reason"] == dropped[0] and first["rule"] and 0 <= first["offset"] <= size, context

    @staticmethod
    def _agree_on_peek(answer, context):
        """Asserts that the master can route each frame that a worker decodes."""
        peek = answer["peek"]
        assert peek["ok"] and peek["kind"] == answer["kind"], context
        assert peek["did"] == answer["did"] and (peek["seq"] or 0) == answer["seq"], context

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(timeout=30) == 0

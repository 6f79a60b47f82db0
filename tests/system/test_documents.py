"""README.md and doc/: every command line in them is run, or stands below the mark of an example."""

import os
import re
import threading
from contextlib import contextmanager, nullcontext

import pytest

import events
from control import ctl
from firehosed import ROOT, run

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "doc").glob("*.md"))]
EXAMPLE = "<!-- example, not run by a test -->"
PROGRAMS = ("firehosed", "firehosectl", "firehose-replay")
A_COMMAND = re.compile(
    r"(firehosed -|(firehosectl|firehose-replay|apt-get|(\./)?autogen\.sh|(\./)?scripts/[a-z-]+)(?![\w/.:-])).*"
)


def lines_of_code(text):
    """Returns the indented lines that look like commands, with their continuations; and those of marked blocks."""
    found, marked = [], False
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() == EXAMPLE:
            marked = True
        elif line and not line.startswith("    "):
            marked = False
        elif not marked and A_COMMAND.fullmatch(line.strip()):
            found.append(re.split(r"\s{3,}| #", line.strip())[0].strip())
    return found


def commands(path):
    text = path.read_text()
    inline = re.findall(r"`([^`\n]+)`", text)
    return lines_of_code(text) + [code for code in inline if " " in code and A_COMMAND.fullmatch(code)]


COMMANDS = sorted({command for path in DOCUMENTS for command in commands(path)})


@contextmanager
def events_coming(s):
    """Lets events come until the block ends."""
    ended = threading.Event()

    def come():
        while not ended.wait(0.1):
            s.more(20)

    thread = threading.Thread(target=come)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def of(program):
    return [command for command in COMMANDS if command.split()[0] == program]


def test_there_are_commands_of_every_program():
    for program in ("firehosed", "firehosectl"):
        assert len(of(program)) >= 3, COMMANDS
    rest = [c for c in COMMANDS if c.split()[0] not in PROGRAMS and not re.match(r"(\./)?scripts/", c)]
    assert rest == [], f"run them here, or mark them with {EXAMPLE}"


def test_firehosectl_takes_every_command_of_the_documents(lab):
    s = lab.system(events.make(50))
    s.assert_all()
    values = {"SEQ": "1", "N": "2", "L": "info", "W|all": "all", "MODE": "info"}
    for command in of("firehosectl"):
        arguments = [values.get(word, word) for word in command.split()[1:]]
        if arguments[0] == "top":
            arguments += ["--json", "-n", "1"]
        elif arguments[:2] == ["cursor", "set"]:
            arguments += ["--yes"]
        with events_coming(s) if arguments[0] == "tail" else nullcontext():
            done = ctl(s.daemon, *arguments, *(["-n", "1"] if arguments[0] == "tail" else []))
        # 1: refused, as there is no such dead letter, or the relay is being read
        assert done.returncode in (0, 1) and "usage:" not in done.stderr, f"{command}: {done.returncode} {done.stderr}"
        if arguments[:1] in (["drain"], ["pause"]):
            assert ctl(s.daemon, "resume").returncode == 0


def test_firehosed_takes_every_command_of_the_documents(tmp_path):
    file = tmp_path / "firehosed.conf"
    file.write_text(f"pid_file = {tmp_path}/pid\ncontrol_socket = {tmp_path}/socket\n")
    for command in of("firehosed"):
        words = command.split()[1:]
        arguments = [file if word == "FILE" or word.startswith("/etc/") else word for word in words]
        done = run("firehosed", "-t", *arguments)
        assert done.returncode == 0, f"{command}: {done.stderr}"


def test_firehose_replay_has_every_option_of_the_documents():
    known = "".join(run("firehose-replay", verb, "--help").stdout for verb in ("serve", "record", "inspect"))
    for command in of("firehose-replay"):
        for option in re.findall(r"--[a-z-]+", command):
            assert option in known, command


@pytest.mark.parametrize("command", [c for c in COMMANDS if re.match(r"(\./)?scripts/", c)])
def test_scripts_are_there_and_know_the_options(command):
    script, *arguments = command.split()
    path = ROOT / script
    assert os.access(path, os.X_OK), command
    text = path.read_text() + "".join(
        p.read_text() for p in (ROOT / "scripts" / "lib" / path.name).glob("*.py") if path.name != "check")  # fmt: skip
    for option in re.findall(r"(?<!\w)--?[a-z-]+", " ".join(arguments)):
        assert option.lstrip("-") in text, command


def test_the_size_of_an_entry_is_the_same_everywhere():
    sizes = [found for path in DOCUMENTS for found in re.findall(
        r"(?:entry takes about|`stream_max_len` ×) ([\d.]+ kB)", path.read_text())]  # fmt: skip
    assert len(sizes) >= 2 and set(sizes) == {"0.6 kB"}

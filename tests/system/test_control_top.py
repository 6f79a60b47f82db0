"""firehosectl top in a real terminal (tmux)."""

import json
import os
import re
import signal

import pytest

import events
from control import ctl
from firehosed import program, run
from terminal import HAS_TMUX, Terminal
from waiting import hold_for

in_terminal = pytest.mark.skipif(not HAS_TMUX, reason="tmux is not installed")


@pytest.fixture
def top(lab):
    """Returns a function that starts top on a daemon. The terminals end with the test."""
    terminals = []

    def start(daemon, columns=80, rows=24, term=None, **environment):
        kind = [] if term is None else ["env", f"TERM={term}"]  # tmux sets TERM in its windows
        arguments = [*kind, program("firehosectl"), "-s", daemon.control_socket, "top"]
        terminals.append(Terminal(arguments, columns, rows, **environment))
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


def assert_given_back(terminal, code):
    screen = terminal.wait("it has left with")
    assert f"it has left with {code}" in screen
    assert screen.startswith("it was here before\n"), screen
    assert "events" not in screen
    terminal.keys("typed", "Enter")  # the terminal shows what is typed again
    terminal.wait("typed")


@in_terminal
def test_everything_is_on_a_screen_of_80_by_24(lab, top):
    s = lab.system(events.make(2000), workers=3)
    s.assert_all()
    terminal = top(s.daemon)
    screen = terminal.wait("q quit", "workers", "collections", "app.bsky.feed.like", "identity")
    lines = screen.splitlines()
    assert len(lines) <= 24 and all(len(line) <= 80 for line in lines)
    for label in ("rate", "ring", "kinds", "events", "lag"):
        assert any(line.startswith(label) for line in lines), label
    for text in ("firehosed 0", "running", s.relay.authority, "redis ready", "stream", "q quit", "p pause", "s sort",
                 "w workers/collections"):  # fmt: skip
        assert text in screen, text
    for pid in s.daemon.worker_pids():
        assert re.search(rf"^ +\d+ +{pid}  ready", screen, re.M), pid
    assert re.search(r"commit \d+ +identity \d+", screen)
    assert "█" in lines[4] or "█" in lines[5], "the last minutes as bars"
    terminal.keys("q")
    assert_given_back(terminal, 0)


@in_terminal
def test_wide_screen_has_workers_and_collections_beside_each_other(lab, top):
    s = lab.system(events.make(2000), workers=3)
    s.assert_all()
    terminal = top(s.daemon, 200, 50)
    screen = terminal.wait("app.bsky.feed.like", "collections", "workers", "q quit", "cursor")
    assert re.search(r"workers ─+ +── collections", screen)
    assert re.search(r"^ +0 +\d+  ready .*app\.bsky", screen, re.M)
    assert "cursor " + str(s.events[-1].seq) in screen
    assert all(len(line) <= 200 for line in screen.splitlines())


@in_terminal
@pytest.mark.parametrize("size", [(200, 50), (40, 10), (20, 4), (1, 1), (100, 60), (80, 24)])
def test_window_may_be_of_any_size_and_change_it(lab, top, size):
    s = lab.system(events.make(500), workers=12)
    s.assert_all()
    terminal = top(s.daemon)
    terminal.wait("q quit")
    terminal.resize(*size)
    if size[0] >= 20:
        terminal.wait(" q quit", "firehosed 0")
    terminal.resize(100, 40)
    screen = terminal.wait("q quit", "workers", "rate")
    assert all(len(line) <= 100 for line in screen.splitlines())
    terminal.keys("q")
    terminal.wait("it has left with 0")


@in_terminal
def test_daemon_may_go_and_come_back(lab, top):
    s = lab.system(events.make(200), workers=2)
    s.assert_all()
    terminal = top(s.daemon)
    terminal.wait("ready", absent=["trying"])
    s.daemon.kill()
    terminal.wait("not there, trying", "q quit")
    s.daemon.restart()
    pids = s.daemon.wait_workers(2)
    terminal.wait(*[f"{pid}  ready" for pid in pids], absent=["trying"])
    s.daemon.signal(signal.SIGSTOP)
    terminal.wait("no answer within")
    s.daemon.signal(signal.SIGCONT)
    terminal.wait("ready", absent=["trying"])


@in_terminal
def test_it_may_be_started_before_the_daemon(lab, top):
    s = lab.system([], start=False)
    terminal = top(s.daemon)
    terminal.wait("not there, trying", "is it started")
    s.daemon.start()
    terminal.wait("workers", "ready", absent=["trying"])


@in_terminal
def test_keys_do_what_the_last_line_says(lab, top):
    s = lab.system(events.make(1000), workers=30)  # more than the screen has room for
    s.assert_all()
    terminal = top(s.daemon)
    terminal.wait("ready", "workers ─")
    terminal.keys("w")
    terminal.wait("collections ─", "app.bsky.feed.like", absent=["workers ─"])
    terminal.keys("w")
    terminal.wait("workers ─", absent=["collections ─"])
    terminal.keys("j", "j", "Down")
    screen = terminal.wait("workers ─")
    assert not re.search(r"^  [012] +\d+  ready", terminal.wait("\n  3 "), re.M), screen
    terminal.keys("k")
    terminal.wait("\n  2 ")
    terminal.keys("s")
    terminal.wait("s sort: rate")
    terminal.keys("s")
    terminal.wait("s sort: total")
    terminal.keys("e")
    terminal.wait("warnings", absent=["workers ─"])
    terminal.keys("e", "p")
    terminal.wait("VIEW PAUSED", "p go on")
    up = re.search(r", up (\S+)", terminal.screen())[1]
    s.daemon.stop()
    hold_for(lambda: f", up {up} " in (now := terminal.screen()) and "trying" not in now, 1.5, "the view stands still")
    terminal.keys("p")
    terminal.wait("not there, trying")


@in_terminal
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGSEGV, signal.SIGABRT])
def test_terminal_is_given_back_whatever_ends_it(lab, top, number):
    s = lab.system(events.make(10))
    s.assert_all()
    terminal = top(s.daemon)
    terminal.wait("ready")
    os.kill(terminal.pid_of("firehosectl"), number)
    crashed = number in (signal.SIGSEGV, signal.SIGABRT)
    assert_given_back(terminal, 128 + number if crashed else 0)


@in_terminal
def test_recent_errors_are_shown(lab, top):
    s = lab.system(events.make(10), workers=1)
    s.assert_all()
    terminal = top(s.daemon)
    terminal.wait("ready")
    s.relay.append([events.other(b"\x00garbage\x1b[31m")])
    terminal.wait("warn", "worker-0: frame seq", "refused")


@in_terminal
def test_plain_terminals_get_plain_characters(lab, top):
    s = lab.system(events.make(1000), workers=2)
    s.assert_all()
    terminal = top(s.daemon, LC_ALL="C", NO_COLOR="1")
    screen = terminal.wait("q quit", "-- workers --", "ready")
    assert screen.isascii()


@in_terminal
def test_terminal_that_cannot_draw_is_refused(lab, top):
    s = lab.system([])
    screen = top(s.daemon, term="dumb").wait("it has left with 64", "no terminal to draw on")
    assert "TERM=dumb" in screen.replace("\n", "")


@in_terminal
def test_keys_are_uncut_at_80_columns(lab, top):
    s = lab.system([])
    terminal = top(s.daemon, 80, 24)
    terminal.keys("s", "s", "p")
    assert terminal.wait("sort: total", "go on").splitlines()[-1].endswith("e errors  ? help")


@in_terminal
def test_help_explains_the_keys(lab, top):
    s = lab.system([])
    terminal = top(s.daemon)
    terminal.wait("q quit", "ready")
    terminal.keys("?")
    terminal.wait("── help", "pause the view", "scroll", "leave this help", absent=["── workers"])
    terminal.keys("?")
    terminal.wait("── workers", absent=["── help"])


@in_terminal
@pytest.mark.parametrize("columns", [100, 200])
def test_charts_use_the_lines_of_a_large_terminal(lab, top, columns):
    s = lab.system(events.make(2000), workers=2)
    s.assert_all()
    heights = []
    for rows in (50, 90):
        lines = top(s.daemon, columns, rows).wait("app.bsky.feed.like", "q quit").splitlines()
        labels = [next(i for i, line in enumerate(lines) if line.startswith(label)) for label in ("events", "lag")]
        heights.append(labels[1] - labels[0])
    assert heights[0] >= 4 and heights[1] >= heights[0] + 15


def test_without_a_terminal_it_says_so_or_prints_lines(lab):
    s = lab.system(events.make(10))
    s.assert_all()
    done = ctl(s.daemon, "top")
    assert done.returncode == 64 and "--json" in done.stderr
    lines = ctl(s.daemon, "top", "--json", "-n", "2").stdout.splitlines()
    assert [json.loads(line)["received"] for line in lines] == [10, 10]
    assert run("firehosectl", "-s", lab.path("nobody"), "top", "--json").returncode == 3

"""The sandbox of a worker, from inside. A worker that acts as an attacker would dies, the master replaces it, and no
event is lost. tests/tools/misbehave.c is the attacker. It is preloaded, and takes its orders from the frames."""

import os
import random
import re
import signal
import subprocess

import pytest

import events
import stream
from firehosed import is_sanitized, preloaded
from processes import is_alive, open_files, status_fields
from waiting import wait_for

ATTACKS = {  # what is tried, and the call that the log must name
    "openat": "openat",
    "openat-write": "openat",
    "execve": "execve",
    "execveat": "execveat",
    "clone": "clone",
    "clone3": "clone3",
    "ptrace": "ptrace",
    "process_vm_readv": "process_vm_readv",
    "socket": "socket",
    "connect": "connect",
    "bind": "bind",
    "sendto": "sendto",
    "kill": "kill",
    "tgkill": "tgkill",
    "mmap": "mmap",
    "mprotect": "mprotect",
    "memfd_create": "memfd_create",
    "unlink": "unlink",
    "setuid": "setuid",
    "prctl": "prctl",
    "seccomp": "seccomp",
    "rt_sigaction": "rt_sigaction",
    "unshare": "unshare",
    "bpf": "bpf",
    "io_uring_setup": "io_uring_setup",
    "chroot": "chroot",
    "ioctl": "ioctl",
}

# AddressSanitizer and LeakSanitizer need these calls. The tests of the other calls run with them, too.
NEEDED_BY_SANITIZERS = {
    "openat", "execve", "clone", "ptrace", "process_vm_readv", "kill", "mmap", "mprotect", "prctl", "rt_sigaction", "ioctl",
}  # fmt: skip


def order(seq, verb):
    return events.post(seq, events.repo(1), f"misbehave:{verb};")


def attack(s, verb):
    """Sends a frame with the order, and others around it. Returns the pids of the workers before the attack."""
    made = events.make(20, events.after(s.events))
    seq = events.after(made)
    before = s.daemon.wait_workers(len(s.daemon.worker_pids()))
    s.relay.append([*made, order(seq, verb), *events.make(20, seq + 1)])
    return before


def limits(pid):
    """Returns the soft and the hard limit of each resource, from /proc/PID/limits."""
    with open(f"/proc/{pid}/limits") as table:
        return {line[:26].strip(): tuple(line[26:].split()[:2]) for line in table}


@pytest.mark.parametrize("verb", ATTACKS)
def test_worker_that_makes_a_forbidden_call_dies_is_named_and_replaced(lab, verb):
    if verb in NEEDED_BY_SANITIZERS and is_sanitized():
        pytest.skip("a sanitizer needs this call itself")
    s = lab.system(events.make(100), workers=2, environment=preloaded("misbehave"))
    s.wait_delivered()
    before = attack(s, verb)
    call = ATTACKS[verb]
    line = s.daemon.wait_log(rf"error master.*worker \d, pid \d+, killed: system call {call} is not allowed")
    index, pid = map(int, re.search(r"worker (\d), pid (\d+)", line).groups())
    assert before[index] == pid
    assert s.daemon.wait_worker_replaced(index, pid)["restarts"] == 1
    s.assert_all(strict=True)  # the order is in the stream, as an event like any other
    assert not is_alive(pid)
    assert s.daemon.worker_pids()[1 - index] == before[1 - index]
    assert not os.path.exists("/tmp/misbehaved")


def test_frame_that_brings_its_worker_to_a_forbidden_call_again_is_put_aside(lab):
    """A frame may take over each worker that reads it. firehosed puts it aside after the second one."""
    s = lab.system(events.make(100), workers=2, environment=preloaded("misbehave"))
    s.wait_delivered()
    seq = events.after(s.events)
    good = [*s.events, *events.make(20, seq + 1)]
    s.relay.append([order(seq, "socket*"), *good[100:]])
    stream.wait_seqs(s.db, good, deadline=60)
    letter = wait_for(lambda: s.db.xrange(stream.DEAD_LETTERS), "the dead letter", 60)[0][1]
    assert letter["seq"] == str(seq)
    assert letter["reason"]
    s.daemon.wait_settled()
    stream.assert_delivered(s.db, good)
    assert len(s.daemon.log_lines("system call socket is not allowed")) >= 2


@pytest.mark.skipif(is_sanitized(), reason="stderr of a worker with a sanitizer does not lead into the log")
def test_worker_cannot_flood_the_log(lab):
    """It sends 400 MB of lines. Only it pays for that: the log still has the lines of the other worker."""
    s = lab.system(events.make(100), workers=2, environment=preloaded("misbehave"))
    s.wait_delivered()
    attack(s, "shout")
    s.daemon.wait_status(lambda t: t["log_left_out"] >= 99_000, "to leave the flood out")
    s.assert_all(strict=True)
    shouting = int(re.search(r"worker-(\d)\[\d+\]: stderr: ", s.daemon.wait_log(r"error worker-\d\[\d+\]: stderr: x")).group(1))
    s.redis.kill_daemon_clients()
    s.daemon.wait_log(rf"warn worker-{1 - shouting}\[\d+\]: redis")
    assert s.daemon.stderr.stat().st_size < 400_000


@pytest.mark.parametrize("verb", ["garble", "babble"])
def test_worker_that_sends_what_is_no_message_is_killed_and_replaced(lab, verb):
    """The master could never read an ack of this worker again."""
    s = lab.system(events.make(100), workers=2, environment=preloaded("misbehave"))
    s.wait_delivered()
    before = attack(s, verb)
    line = s.daemon.wait_log(r"error master.*worker \d, pid \d+, sent bytes that are no message: it is killed")
    index, pid = map(int, re.search(r"worker (\d), pid (\d+)", line).groups())
    assert before[index] == pid
    s.daemon.wait_worker_replaced(index, pid)
    s.assert_all(strict=True)
    assert not is_alive(pid)


def test_worker_that_sends_an_empty_message_is_killed_and_replaced(lab):
    """The message looks like the end of the channel. No more messages can come, even if the worker still lives."""
    s = lab.system(events.make(100), workers=2, environment=preloaded("misbehave"))
    s.wait_delivered()
    attack(s, "vanish")
    s.daemon.wait_log(r"error master.*worker \d, pid \d+, killed by signal 9")
    s.assert_all(strict=True)


def test_worker_that_only_says_that_firehosed_was_taken_over_is_replaced(lab):
    """The slots in Redis still belong to this firehosed, so it goes on."""
    s = lab.system(events.make(100), workers=2, environment=preloaded("misbehave"))
    s.wait_delivered()
    attack(s, "leave")
    s.daemon.wait_log(r"error master.*worker \d, pid \d+, exited with status 10")
    s.assert_all(strict=True)
    assert not s.daemon.log_lines("another firehosed has taken over")
    made = s.more(100)
    stream.wait_seqs(s.db, made)


@pytest.mark.parametrize("end", ["empty", "short", "long", "of no type", "two descriptors", "silence"])
def test_worker_that_does_whatever_it_can_is_replaced_and_harms_nobody_else(lab, end):
    """It stores random numbers all over its pages, and floods the master with random messages and
    descriptors. It may lose its own events, but no others."""
    ends = ["empty", "short", "long", "of no type", "two descriptors", "silence"]
    seed = random.randrange(10**9) * len(ends) + ends.index(end)
    print("MISBEHAVE_SEED", seed)
    s = lab.system(events.make(300), workers=3, worker_timeout="2s",
                   environment=preloaded("misbehave", MISBEHAVE_SEED=str(seed)))  # fmt: skip
    s.wait_delivered()
    before = s.daemon.wait_workers(3)
    victim = events.partition(events.repo(1)) % 3
    others = [e for e in events.make(600, events.after(s.events) + 1) if events.partition(e.repo) % 3 != victim]
    s.relay.append([order(events.after(s.events), "rage"), *others])
    wait_for(lambda: not is_alive(before[victim]), "the hostile worker to be killed", 60)
    s.daemon.wait_worker_replaced(victim, before[victim])
    stream.wait_seqs(s.db, others, deadline=60)
    made = [e for e in events.make(300, events.after(others)) if events.partition(e.repo) % 3 != victim]
    s.relay.append(made)
    stream.wait_seqs(s.db, made, deadline=60)
    seqs = stream.seqs(s.db)
    assert len(seqs) == len(set(seqs)), "an event is doubled"
    assert s.daemon.status()["pid"] == s.daemon.process.pid


@pytest.mark.parametrize("verb", ["openat", "socket", "kill"])
def test_sandbox_off_lets_it_pass(lab, verb):
    """The attacks above would succeed without the sandbox."""
    s = lab.system(events.make(100), workers=2, environment=preloaded("misbehave"), sandbox="off")
    s.wait_delivered()
    before = attack(s, verb)
    s.assert_all(strict=True)
    assert s.daemon.wait_workers(2) == before


@pytest.mark.parametrize("verb", ["openat", "socket", "memfd_create"])
def test_sandbox_log_lets_it_pass_too(lab, verb):
    s = lab.system(events.make(100), workers=2, environment=preloaded("misbehave"), sandbox="log")
    s.wait_delivered()
    before = attack(s, verb)
    s.assert_all(strict=True)
    assert s.daemon.wait_workers(2) == before
    assert status_fields(before[0], "Seccomp") == ["2"]  # there is a filter, which only logs


def assert_attack_ends_by_signal(s, verb, number):
    attack(s, verb)
    s.daemon.wait_log(rf"error master.*worker \d, pid \d+, .*signal {number}")
    s.assert_all(strict=True)
    assert not s.daemon.log_lines("is not allowed")


@pytest.mark.skipif(is_sanitized(), reason="a sanitizer has its own way to crash")
def test_worker_that_crashes_or_aborts_dies_of_that_and_of_no_forbidden_call(lab):
    s = lab.system(events.make(100), workers=2, environment=preloaded("misbehave"))
    s.wait_delivered()
    assert_attack_ends_by_signal(s, "crash", 11)
    assert_attack_ends_by_signal(s, "abort", 6)


@pytest.mark.skipif(is_sanitized(), reason="a sanitizer has its own way to crash")
def test_worker_can_look_at_the_ring_and_not_write_to_it(lab):
    """A worker cannot make the ring writable either. So it cannot change what other workers read."""
    s = lab.system(events.make(100), workers=2, environment=preloaded("misbehave"))
    s.wait_delivered()
    assert_attack_ends_by_signal(s, "scribble", 11)


def test_worker_has_no_privileges_no_core_and_limits(lab):
    s = lab.system(events.make(100), workers=2)
    s.wait_delivered()
    for pid in s.daemon.wait_workers(2):
        assert status_fields(pid, "NoNewPrivs", "Seccomp") == ["1", "2"]
        sets = status_fields(pid, "CapInh", "CapPrm", "CapEff", "CapAmb")
        assert [int(c, 16) for c in sets] == [0, 0, 0, 0]
        if os.geteuid() == 0:  # other users cannot empty it, but gain nothing from it without new privileges
            assert int(status_fields(pid, "CapBnd")[0], 16) == 0
        got = limits(pid)
        assert got["Max core file size"] == ("0", "0")
        assert int(got["Max open files"][1]) <= 64
        if not is_sanitized():
            assert got["Max processes"] == ("0", "0")
            assert 32 << 20 < int(got["Max data size"][1]) < 1 << 30


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into every process")
def test_no_process_of_the_same_user_looks_into_a_worker(lab):
    s = lab.system(events.make(10), workers=1)
    s.wait_delivered()
    with pytest.raises(PermissionError):
        open(f"/proc/{s.daemon.worker_pids()[0]}/mem", "rb")


@pytest.mark.parametrize("kernel", ["", "old"])  # one without close_range()
def test_worker_holds_nothing_but_channel_and_redis(lab, kernel):
    s = lab.system(events.make(100), workers=2, environment=preloaded("misbehave", MISBEHAVE_OLD_KERNEL="yes") if kernel else {})
    s.wait_delivered()
    for pid in s.daemon.wait_workers(2):
        try:
            held = open_files(pid)
        except PermissionError:
            pytest.skip("who is not root may not look")
        sockets = {name for name in held if name.startswith("socket:")}
        assert len(sockets) == 4, held  # three of the channel, and one to Redis
        stderr = {str(s.daemon.stderr)} if is_sanitized() else set()  # otherwise stderr leads into the channel
        assert set(held) - sockets <= {"/dev/null"} | stderr, held


def go_through_everything(lab, redis, **settings):
    """Runs through a lost Redis, a rotated log, a new log level, a reload and a drain."""
    log = lab.path("firehosed.log")
    s = lab.system(events.make(500), redis=redis, workers=2, log_file=log, log_level="debug", **settings)
    s.wait_delivered()
    redis.kill()
    s.more(200)
    redis.start()
    s.daemon.wait_log(r"writing again|lost data|gone altogether")
    log.rename(lab.path("firehosed.log.1"))
    s.daemon.signal(signal.SIGUSR1)
    s.daemon.wait_log("SIGUSR1")
    s.daemon.reload(log_level="error")
    s.daemon.reload(log_level="info", workers=3)
    s.daemon.wait_workers(3)
    made = s.more(500)
    stream.wait_seqs(s.db, made)
    s.daemon.stop()
    text = lab.path("firehosed.log.1").read_text() + s.daemon.log()
    assert "is not allowed" not in text
    assert not re.search(r"worker \d, pid \d+, (killed|exited)", text), text


def test_everything_a_worker_has_to_do_is_allowed(lab):
    go_through_everything(lab, lab.redis(aof=True))


def test_everything_a_worker_has_to_do_over_tls_is_allowed(lab):
    redis = lab.redis(aof=True, certificate=lab.certificates.good, ca_file=lab.certificates.ca_file)
    go_through_everything(lab, redis, redis_ca_file=lab.certificates.ca_file)


@pytest.mark.parametrize("form", ["folder", "file"])
def test_authorities_of_the_system_are_read_before_files_are_out_of_reach(lab, form):
    """OpenSSL reads an authority from the system's folder when it sees a certificate. That is too late for a worker."""
    ca_file = lab.certificates.ca_file
    folder = lab.path("certs")
    folder.mkdir()
    if form == "folder":
        done = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", ca_file], capture_output=True, text=True)
        (folder / f"{done.stdout.strip()}.0").symlink_to(ca_file)
    environment = {"SSL_CERT_DIR": str(folder), "SSL_CERT_FILE": str(ca_file if form == "file" else folder / "none")}
    redis = lab.redis(certificate=lab.certificates.good, ca_file=ca_file)
    s = lab.system(events.make(300), redis=redis, environment=environment)
    s.assert_all()
    assert not s.daemon.log_lines("worker .*(killed|exited)")


def test_authority_that_the_system_does_not_know_is_a_clear_error_and_no_death(lab):
    redis = lab.redis(certificate=lab.certificates.good, ca_file=lab.certificates.ca_file)
    s = lab.system(events.make(20), redis=redis, wait=False)
    s.daemon.wait_log(r"TLS handshake: (self.signed certificate in certificate chain|unable to get local issuer)")
    assert not s.daemon.log_lines("worker .*(killed|exited)")


@pytest.mark.parametrize("mode", ["strict", "log", "off"])
def test_first_line_of_a_quiet_process_needs_no_file_for_the_time(lab, mode):
    """A worker writes the first line of the log. libc must have read its files for the time before the sandbox."""
    s = lab.system(events.make(20), workers=1, log_level="warn", sandbox=mode, stream_key="wrong", start=False,
                   shutdown_timeout="1s")  # fmt: skip
    s.db.set("wrong", "not a stream")
    s.daemon.start()
    s.daemon.wait_log(r"worker-0.*WRONGTYPE")
    s.daemon.stop()
    assert "is not allowed" not in s.daemon.log()


def without_seccomp(lab, mode):
    """Returns a firehosed under a filter that refuses further filters, as old container runtimes have it."""
    s = lab.system(events.make(20), start=False, sandbox=mode, environment=preloaded("misbehave", MISBEHAVE_NO_SECCOMP="1"))
    s.daemon.start(wait=False)
    return s


def test_strict_does_not_start_where_the_kernel_cannot(lab):
    s = without_seccomp(lab, "strict")
    s.daemon.wait_exit(78)
    assert s.daemon.log_lines(r"firehosed\.conf:\d+: sandbox: strict, but this system cannot: .*sandbox = off")


def test_log_goes_on_without_where_the_kernel_cannot_and_says_so(lab):
    s = without_seccomp(lab, "log")
    s.assert_all()
    assert s.daemon.log_lines("warn .*sandbox = log: this system cannot")

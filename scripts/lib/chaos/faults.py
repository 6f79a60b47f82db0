"""faults.py: the faults. A fault is a function of the rig and of chance. --list prints its docstring.

It returns when the fault is over. firehosed may still recover while the next fault strikes. Each fault makes sure that
it has really struck, and raises Late if it could not. FAULTS has all of them.
"""

import os
import time
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM

import transactions
from processes import is_alive
from rig import wait_for

FAULTS = {}
TAKEN_OVER = 76  # the exit status of a firehosed after another one has taken over


class Fault:
    def __init__(self, name, part, function):
        self.name, self.part, self.function = name, part, function
        self.description = " ".join(function.__doc__.split())

    def strike(self, rig, chance):
        with rig.locks[self.part]:
            self.function(rig, chance)


def fault(part):
    """Registers a fault that holds the lock of `part`."""

    def register(function):
        FAULTS[function.__name__] = Fault(function.__name__, part, function)
        return function

    return register


def signal(pid, number):
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


def wait_gone(pid, what):
    wait_for(lambda: not is_alive(pid), f"{what} {pid} to end")


# -- Workers -----------------------------------------------------------------------------------------------------------


@fault("worker")
def worker_kill(rig, chance):
    """kill -9 one worker"""
    pid = rig.wait_worker(chance)
    signal(pid, SIGKILL)
    wait_gone(pid, "worker")


@fault("worker")
def worker_kill_all(rig, chance):
    """kill -9 all workers at once"""
    rig.wait_worker(chance)
    pids = rig.worker_pids()
    for pid in pids:
        signal(pid, SIGKILL)
    for pid in pids:
        wait_gone(pid, "worker")


@fault("worker")
def worker_pause(rig, chance):
    """SIGSTOP a worker, SIGCONT after less than worker_timeout"""
    pid = rig.wait_worker(chance)
    signal(pid, SIGSTOP)
    time.sleep(chance.uniform(0.05, 1.5))
    signal(pid, SIGCONT)


@fault("worker")
def worker_hang(rig, chance):
    """SIGSTOP a worker for longer than worker_timeout: it must be killed and replaced"""
    pid = rig.wait_worker(chance)
    signal(pid, SIGSTOP)
    wait_gone(pid, "the hanging worker")
    rig.wait_worker(chance, besides=(pid,))


def wait_ready_for_signals(rig):
    """Waits until the master handles signals. Before that, a signal ends it as it ends any program."""
    wait_for(rig.daemon.status, "firehosed to answer")


# -- The master --------------------------------------------------------------------------------------------------------


@fault("master")
def master_kill(rig, chance):
    """kill -9 the master, start it again at once or a little later"""
    rig.daemon.signal(SIGKILL)
    rig.daemon.process.wait()
    time.sleep(chance.choice([0, 0, chance.uniform(0, 1)]))
    rig.restart_master()


@fault("master")
def master_restart(rig, chance):
    """SIGTERM the master, which must end in order; start it again"""
    wait_ready_for_signals(rig)
    rig.daemon.signal(SIGTERM)
    rig.daemon.wait_exit(0, deadline=40)
    rig.restart_master()


@fault("master")
def master_pause(rig, chance):
    """SIGSTOP the master, SIGCONT a little later"""
    rig.daemon.signal(SIGSTOP)
    time.sleep(chance.uniform(0.1, 4))
    rig.daemon.signal(SIGCONT)


def has_begun(daemon):
    return (daemon.status() or {}).get("state") not in (None, "starting")


def wait_taken_over(rig, first, had_begun, losses):
    """Asserts that the first one ends and the second stays. The opposite is right in two cases: the first did not own
    the keys yet when the second started; or Redis has lost a takeover since the first one started."""
    second = rig.daemon
    wait_for(lambda: not (first.is_running() and second.is_running()), "one of two firehosed to take over", 60)
    if first.is_running() and (not had_begun or rig.losses != losses):
        rig.daemon = first
    (first if rig.daemon is second else second).wait_exit(TAKEN_OVER, deadline=1)


@fault("master")
def master_second(rig, chance):
    """a second firehosed on the same keys takes over and stays; the first must exit with 76"""
    first, had_begun, losses = rig.daemon, has_begun(rig.daemon), rig.losses_before
    rig.new_master()
    rig.restart_master()
    wait_taken_over(rig, first, had_begun, losses)


@fault("master")
def master_second_late(rig, chance):
    """the same while the first master is stopped (SIGSTOP): it must find out when it goes on"""
    first, had_begun, losses = rig.daemon, has_begun(rig.daemon), rig.losses_before
    first.signal(SIGSTOP)
    rig.new_master()
    rig.restart_master()
    time.sleep(chance.uniform(0.2, 3))
    first.signal(SIGCONT)
    wait_taken_over(rig, first, had_begun, losses)


@fault("master")
def resize(rig, chance):
    """SIGHUP with another number of workers"""
    rig.workers = chance.choice([n for n in range(1, 7) if n != rig.workers])
    wait_ready_for_signals(rig)
    rig.daemon.reload(workers=rig.workers)
    rig.daemon.wait_status(lambda s: len(s["workers"]) == rig.workers, f"to have {rig.workers} workers", 60)


@fault("master")
def resize_often(rig, chance):
    """several changes of the number of workers without a pause"""
    wait_ready_for_signals(rig)
    for _ in range(chance.randint(2, 5)):
        rig.workers = chance.choice([n for n in range(1, 7) if n != rig.workers])
        rig.daemon.reload(workers=rig.workers)
        time.sleep(chance.uniform(0, 0.2))
    rig.daemon.wait_status(lambda s: len(s["workers"]) == rig.workers, f"to have {rig.workers} workers", 60)


# -- The relay ---------------------------------------------------------------------------------------------------------


def wait_link(proxy):
    """Returns the newest connection, and the number of connections until then."""

    def newest():
        return max(proxy.links, key=lambda link: link.number, default=None), proxy.accepted

    return wait_for(lambda: (found := proxy.call(newest))[0] and found, f"a connection to the {proxy.name}")


def wait_reconnected(proxy, accepted, what):
    wait_for(lambda: proxy.accepted > accepted, f"firehosed to connect to the {proxy.name} again after {what}")


@fault("relay")
def relay_drop(rig, chance):
    """TCP reset of the relay's connection"""
    proxy = rig.relay_proxy
    _, accepted = wait_link(proxy)
    proxy.cut_all()
    wait_reconnected(proxy, accepted, "a reset")


@fault("relay")
def relay_pause(rig, chance):
    """no byte from the relay for less than relay_idle_timeout"""
    link, _ = wait_link(rig.relay_proxy)
    rig.relay_proxy.call(link.hold)
    time.sleep(chance.uniform(0.05, 1.5))
    rig.relay_proxy.call(link.release)


@fault("relay")
def relay_stall(rig, chance):
    """the relay's connection stays open and goes silent for good"""
    proxy = rig.relay_proxy
    link, accepted = wait_link(proxy)
    proxy.call(link.hold)
    wait_reconnected(proxy, accepted, "silence")
    proxy.call(link.cut)


@fault("relay")
def relay_half_open(rig, chance):
    """the relay's side of the connection is gone, and firehosed is not told"""
    proxy = rig.relay_proxy
    link, accepted = wait_link(proxy)

    def lose():
        link.keeps_client = True
        link.cut_side(link.server)

    proxy.call(lose)
    wait_reconnected(proxy, accepted, "a half-open connection")
    proxy.call(link.cut)


class Garble:
    def __init__(self, chance):
        self.chance, self.done = chance, False

    async def see(self, link, direction, data):
        if direction == "up" or self.done:
            return data
        at = self.chance.randrange(len(data))
        self.done = True
        return data[:at] + bytes([data[at] ^ 1 << self.chance.randrange(8)]) + data[at + 1 :]


@fault("relay")
def relay_garble(rig, chance):
    """a bit of the relay's bytes (over TLS) is flipped"""
    proxy = rig.relay_proxy
    (link, accepted), rule = wait_link(proxy), Garble(chance)
    link.rule = rule
    # If the connection ends in another way, or the relay has sent everything, there is no byte left to garble.
    wait_for(lambda: rule.done or link.is_closed, "bytes of the relay to garble")
    wait_reconnected(proxy, accepted, "garbage")


@fault("relay")
def relay_refuse(rig, chance):
    """connections to the relay are accepted and ended at once, for a while"""
    proxy = rig.relay_proxy
    refused = proxy.refused
    proxy.refuses = True
    proxy.cut_all()
    try:
        wait_for(lambda: proxy.refused > refused, "firehosed to be refused by the relay")
        time.sleep(chance.uniform(0, 0.5))
    finally:
        proxy.refuses = False


@fault("relay")
def relay_restart(rig, chance):
    """the relay is killed and started again, now or a little later"""
    rig.relay_down()
    time.sleep(chance.choice([0, chance.uniform(0, 1.5)]))
    rig.relay_up()


@fault("relay")
def relay_odd(rig, chance):
    """the relay starts again and garbles, drops, stalls, repeats, fragments, refuses, or includes the cursor"""
    after = str(chance.randrange(10, 3000))
    ways = [["--garble-after", after], ["--drop-after", after], ["--stall-after", after], ["--repeat-every", "7"],
            ["--fragment"], ["--cursor-convention", "from"], ["--accept-then-close", "3"],
            ["--http-status", "503:2"]]  # fmt: skip
    way = chance.choice(ways)
    times = [way[0].replace("-after", "-times"), "2"] if way[0].endswith("-after") else []
    accepted = rig.relay_proxy.accepted
    rig.relay_down()
    rig.relay_up(*way, *times)
    rig.garbled |= way[0] == "--garble-after"
    wait_reconnected(rig.relay_proxy, accepted, "its restart")
    time.sleep(chance.uniform(0.5, 2))
    rig.relay_down()
    rig.relay_up()


# -- Redis -------------------------------------------------------------------------------------------------------------


@fault("redis")
def redis_kill(rig, chance):
    """kill -9 Redis (AOF, fsync at each write), start it again now or a little later"""
    rig.redis.kill()
    time.sleep(chance.choice([0, chance.uniform(0, 2)]))
    rig.redis.start_as_init()


@fault("redis")
def redis_lose(rig, chance):
    """kill -9 Redis and cut its log back, so that it loses data that it had confirmed"""
    log = rig.redis.append_only_file()
    before = log.stat().st_size
    if rig.log_floor is None:  # Redis must keep some marks: without any, firehosed cannot read the lost events again
        with rig.redis.client() as client:
            wait_for(lambda: client.hexists("firehose:progress", "cursor"), "the first cursor to be saved")
        rig.log_floor = log, log.stat().st_size
        before = rig.log_floor[1]
    time.sleep(chance.uniform(0.05, 1.5))
    rig.redis.kill()
    newest = rig.redis.append_only_file()
    if newest != log:  # Redis has rewritten its log meanwhile: the beginning of the new one stays
        log, before = newest, 0
    after = log.stat().st_size
    floor = rig.log_floor[1] if log == rig.log_floor[0] else 0
    size = max(floor, chance.choice([before, after - chance.randrange(20_000), chance.randint(0, after)]))
    if after > size:
        os.truncate(log, size)
        rig.losses += 1
    time.sleep(chance.choice([0, chance.uniform(0, 1)]))
    rig.redis.start_as_init()


@fault("redis")
def redis_pause(rig, chance):
    """SIGSTOP Redis, for less or for more than redis_reply_timeout"""
    rig.redis.freeze()
    time.sleep(chance.choice([chance.uniform(0.05, 1), chance.uniform(2.2, 4)]))
    rig.redis.thaw()


@fault("redis")
def redis_client_pause(rig, chance):
    """CLIENT PAUSE, of writes or of all, for less or for more than redis_reply_timeout"""
    seconds = chance.choice([chance.uniform(0.05, 1), chance.uniform(2.2, 4)])
    kind = chance.choice(["WRITE", "ALL"])
    with rig.redis.client() as client:
        client.execute_command("CLIENT", "PAUSE", int(seconds * 1000), kind)
    time.sleep(seconds)


@fault("redis")
def redis_client_kill(rig, chance):
    """CLIENT KILL all connections of firehosed, or one"""
    clients = wait_for(rig.redis.daemon_clients, "firehosed to be connected to Redis")
    for one in clients if chance.random() < 0.5 else [chance.choice(clients)]:
        with rig.redis.client() as client:
            client.execute_command("CLIENT", "KILL", "ID", one["id"])


@fault("redis")
def redis_full(rig, chance):
    """Redis reaches maxmemory, which is raised after a while"""
    with rig.redis.client() as client:
        refused = lambda: client.info("errorstats").get("errorstat_OOM")  # noqa: E731 "count=N", or None at first
        before = refused()
        client.config_set("maxmemory", client.info("memory")["used_memory"])
        try:
            wait_for(lambda: refused() != before, "a write to be refused for lack of memory")
            time.sleep(chance.uniform(0, 1.5))
        finally:
            client.config_set("maxmemory", 0)


@fault("redis")
def redis_slow(rig, chance):
    """each packet to and from Redis takes longer, for a while"""
    rig.redis_proxy.set_delay(chance.uniform(0.002, 0.1))
    time.sleep(chance.uniform(0.3, 2))
    rig.redis_proxy.set_delay(0)


@fault("redis")
def redis_drop(rig, chance):
    """TCP reset of all connections to Redis"""
    wait_for(rig.redis_proxy.cut_all, "a connection to Redis that can be cut")


def apply(rig, chance, make_rule, make_rule_for_master=None):
    """Sets a rule on a connection, mostly of a worker, and waits until it has fired. Returns the link and the rule."""
    proxy = rig.redis_proxy
    name = "firehosed-worker"
    if chance.random() < 0.15 and make_rule_for_master is not None:
        name, make_rule = "firehosed-master", make_rule_for_master
    rule, link = make_rule(), None

    def fired():
        nonlocal rule, link
        if rule.fired.is_set():
            return True
        if link is None or link.is_closed:  # another fault has ended it before
            links = sorted(proxy.current(name), key=lambda link: link.name)
            if links:
                rule, link = make_rule(), chance.choice(links)
                link.rule = rule
        return False

    wait_for(fired, f"a transaction of {name} to {make_rule.__name__}")
    return link, rule


@fault("redis")
def cut_after_exec(rig, chance):
    """the connection is cut when Redis has executed a transaction, before its answer arrives"""
    apply(rig, chance, transactions.CutAfterExec, transactions.CutAfterExec)


@fault("redis")
def cut_in_transaction(rig, chance):
    """the connection is cut in the middle of a transaction"""
    apply(rig, chance, transactions.CutInTransaction, transactions.CutInTransaction)


@fault("redis")
def cut_in_reply(rig, chance):
    """the connection is cut in the middle of the answer to a transaction"""
    apply(rig, chance, transactions.CutInReply, transactions.CutInReply)


@fault("redis")
def late_after_kill(rig, chance):
    """a worker is killed while its transaction is on the way, which arrives when the next worker writes already"""
    link, rule = apply(rig, chance, transactions.HoldTransaction)
    victim = link.name.removeprefix("firehosed-")
    for pid in rig.worker_pids():
        try:
            with open(f"/proc/{pid}/comm") as comm:
                if comm.read().strip() == victim:
                    signal(pid, SIGKILL)
        except OSError:  # the worker has ended already
            pass
    deliver_late(rig, chance, link, rule)


@fault("redis")
def late_after_cut(rig, chance):
    """the connection breaks while a transaction is on the way, which arrives when firehosed writes over a new one"""
    link, rule = apply(rig, chance, transactions.HoldTransaction, transactions.HoldAnyTransaction)
    rig.redis_proxy.call(link.cut_side, link.client)
    deliver_late(rig, chance, link, rule)


def deliver_late(rig, chance, link, rule):
    """Delivers the transaction when another connection of the same name exists, at once or some time later."""
    proxy = rig.redis_proxy
    wait_for(lambda: any(other is not link and other.name == link.name for other in proxy.current())
             or not link.name.startswith("firehosed-worker-") or int(link.name.rsplit("-", 1)[1]) >= rig.workers,
             f"another connection of {link.name}")  # fmt: skip
    time.sleep(chance.choice([0, 0.005, chance.uniform(0, 0.5)]))
    assert rule.deliver(link), f"the late transaction of {link.name} did not reach Redis"

"""Ports that parallel test processes do not take from each other."""

import random
import socket

# This range lies below that of outgoing connections. So no outgoing connection takes the port of a server that is down
# for a moment, and no client that tries such a port connects to itself.
FIRST, LAST = 15000, 31000


def free_port(host="127.0.0.1"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(1000):
        port = random.SystemRandom().randint(FIRST, LAST)
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What attackers cost a forwarder, and those who use it, in this VM.

  a ---- veth ---- f ---- veth ---- b
                  /  forwards       hosts
  x ---- veth ---'
  attacks, from forged addresses

As relay.py, whose classes it uses. A pair sends runs of fifty packets, each when the
one before has arrived, and the attacker a hundred packets before each run: what that
adds to a round, less what it adds when f drops them as they come in, is the
forwarder's. Then both go by the clock, 20,000 and 100,000 packets a second, and what
the pair still gets is counted. Prints a JSON object; run by scale.sh.
"""

import argparse
import ctypes
import itertools
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time

import relay
from relay import LIBC, RUN, UDP_SEGMENT, run
from scale import Crowd, setup_hosts

X, FX = "203.0.113.1", "203.0.113.2"
# Bytes a second through one label; more than the pair sends, less than is flooded
RATE = 50_000_000
BURST = 100
# 20,000 packets of the pair and 100,000 of the attacker in a second, as a core has it
# that executes 3 10^9 instructions in one; here it is 10^9
PAIR, TICK = 20, 3_000_000


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


class Message(ctypes.Structure):
    """struct mmsghdr"""
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint),
                ("iov", ctypes.c_void_p), ("iovlen", ctypes.c_size_t),
                ("control", ctypes.c_void_p),
                ("controllen", ctypes.c_size_t), ("flags", ctypes.c_int),
                ("pad", ctypes.c_int), ("sent", ctypes.c_uint)]


class Attack:
    """Packets from forged addresses, sent a hundred at a time."""

    def __init__(self, name, packets):
        self.name, self.n = name, len(packets)
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        there = os.open("/run/netns/x", os.O_RDONLY)
        LIBC.setns(there, 0x40000000)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                  socket.IPPROTO_RAW)
        LIBC.setns(home, 0x40000000)
        os.close(home)
        os.close(there)
        self.to = ctypes.create_string_buffer(
            struct.pack("=HH", socket.AF_INET, 0) + socket.inet_aton(FX) +
            bytes(8))
        self.data = [ctypes.create_string_buffer(self.datagram(packet))
                     for packet in packets]
        self.iovs = (Iovec * self.n)(*[
            Iovec(ctypes.addressof(data), len(data) - 1)
            for data in self.data])
        self.messages = (Message * self.n)(*[
            Message(ctypes.addressof(self.to), 16,
                    ctypes.addressof(self.iovs) + i * ctypes.sizeof(Iovec), 1)
            for i in range(self.n)])
        self.bursts = itertools.cycle(range(0, self.n, BURST))

    @staticmethod
    def datagram(packet):
        udp = struct.pack("!HHHH", random.randrange(1024, 65536), 5292,
                          8 + len(packet), 0) + packet
        source = bytes([10, 99, random.randrange(256), random.randrange(256)])
        return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64,
                           17, 0, source, socket.inet_aton(FX)) + udp

    def send(self):
        at = next(self.bursts)
        left = BURST
        while left > 0:
            sent = LIBC.sendmmsg(self.sock.fileno(),
                                 ctypes.byref(self.messages[at]), left, 0)
            if sent <= 0:
                sys.exit(f"bench: {self.name}: sendmmsg: "
                         f"{os.strerror(ctypes.get_errno())}")
            at, left = at + sent, left - sent


def sealed(label, slot=b"", size=100):
    shims = b"\x82\0" + label + slot
    return shims + struct.pack("!BBHIQ", 0x81, 0, 1, 0xdeadbeef, 1) + \
        bytes(size - len(shims) - 16)


def attacks(label, n=5_000):
    empty = b"\x83\0" + bytes(6)
    return [Attack("labels guessed",
                   [sealed(os.urandom(6)) for _ in range(n)]),
            Attack("one label flooded", [sealed(label, size=1200)] * n),
            Attack("return flows forged",
                   [sealed(label, empty, 64) for _ in range(n)])]


def arrivals(drop):
    """Whether f drops all that comes from x at once."""
    if drop:
        run("tc", "qdisc", "add", "dev", "x", "clsact", ns="f")
        run("tc", "filter", "add", "dev", "x", "ingress", "matchall",
            "action", "drop", ns="f")
    else:
        run("tc", "qdisc", "delete", "dev", "x", "clsact", ns="f")


def rounds(forwarder, attack, n):
    """Nanoseconds of a round: (all, of the forwarder's process)."""
    packet = forwarder.packets[0]
    segment = [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("=H", len(packet)))]
    data = [packet * RUN]

    def once():
        if attack:
            attack.send()
        forwarder.sender.sendmsg(data, segment)
        # What else comes to b is for other ports
        if not relay.receive(forwarder.receiver, packet[0], len(packet), RUN):
            sys.exit(f"bench: {forwarder.name}: the pair lost packets")

    for _ in range(5):
        once()
    process, began = forwarder.time(), time.monotonic_ns()
    for _ in range(n):
        once()
    took = time.monotonic_ns() - began
    return took / n, (forwarder.time() - process) / n


def by_the_clock(forwarder, attack, ticks):
    """Packets of the pair that arrive in a second."""
    packet = forwarder.packets[0]
    segment = [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("=H", len(packet)))]
    data, got = [packet * PAIR], 0

    def take():
        taken = 0
        while True:
            try:
                got = forwarder.receiver.recv(65536, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return taken
            taken += (got[0] == packet[0]) * (len(got) // len(packet))

    take()
    began = time.monotonic_ns()
    for i in range(ticks):
        if attack:
            attack.send()
        forwarder.sender.sendmsg(data, segment)
        # The others run meanwhile; late ones are not made up for
        time.sleep(max(began + (i + 1) * TICK - time.monotonic_ns(), 1000) / 1e9)
        got += take()
    took = time.monotonic_ns() - began
    return {"arrived": got, "sent": ticks * PAIR, "seconds": took / 1e9}


class Target(Crowd):
    """A host whose label is attacked; it runs only to say that it is there."""

    def __init__(self, forwarder):
        super().__init__(forwarder, 1, 1)
        self.label = bytes.fromhex(self.labels[0][0])
        run("tc", "qdisc", "add", "dev", "eth0", "clsact", ns="b")

    def __enter__(self):
        self.alive()
        self.process.send_signal(signal.SIGSTOP)
        # What comes to it costs its machine, not the forwarder's
        run("tc", "filter", "add", "dev", "eth0", "ingress", "protocol", "ip",
            "u32", "match", "ip", "dst", "10.64.0.1/32", "action", "drop",
            ns="b")
        return self

    def __exit__(self, *_):
        run("tc", "filter", "delete", "dev", "eth0", "ingress", ns="b")
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        run("tc", "qdisc", "delete", "dev", "eth0", "clsact", ns="b")
        super().stop()


def attach_again(forwarder, n):
    """Nanoseconds of the forwarder's for each of so many tries of one address."""
    sock = relay.udp("x", X)
    began = forwarder.time()
    run("laya-attach", "-n", str(n), "-t", "2000", forwarder.public_key, FX,
        "5292", str(sock.fileno()), ns="x", pass_fds=[sock.fileno()])
    sock.close()
    return (forwarder.time() - began) / n


def flood(make, args):
    forwarder = make(RATE)
    target = Target(forwarder)
    result = {}

    def measure(name, what, *how):
        forwarder.attach()
        with target:
            result.setdefault(name, {})[what] = how[0](forwarder, *how[1:])
        print(f"# {forwarder.name}, {name}: {result[name][what]}",
              file=sys.stderr, flush=True)

    def repeated(forwarder, attack):
        return [rounds(forwarder, attack, args.rounds)
                for _ in range(args.repeat)]

    every = attacks(target.label)
    measure("alone", "rounds", repeated, None)
    arrivals(True)
    for attack in every:
        measure(f"{attack.name}, dropped", "rounds", repeated, attack)
    arrivals(False)
    for attack in every:
        measure(attack.name, "rounds", repeated, attack)
    measure("alone", "clock", by_the_clock, None, args.ticks)
    for attack in every:
        measure(attack.name, "clock", by_the_clock, attack, args.ticks)

    # After the first 64 they are turned away
    result["attaching"] = {which: attach_again(forwarder, args.tries)
                           for which in ("first", "then")}
    print(f"# {forwarder.name}: {result['attaching']}", file=sys.stderr,
          flush=True)
    target.stop()
    forwarder.stop()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--ticks", type=int, default=300)
    parser.add_argument("--tries", type=int, default=1000)
    args = parser.parse_args()

    os.makedirs(relay.DIR, exist_ok=True)
    relay.setup_network()
    setup_hosts()
    run("ip", "netns", "add", "x")
    run("ip", "link", "add", "eth0", "netns", "x", "type", "veth", "peer",
        "name", "x", "netns", "f")
    run("ip", "-n", "x", "address", "add", f"{X}/24", "dev", "eth0")
    run("ip", "-n", "f", "address", "add", f"{FX}/24", "dev", "x")
    run("ip", "-n", "x", "link", "set", "dev", "eth0", "up")
    run("ip", "-n", "f", "link", "set", "dev", "x", "up")
    run("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0",
        "net.ipv4.conf.x.rp_filter=0", ns="f")
    os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK,
                          os.sched_param(1))
    try:
        rows = {"laya.ko": flood(relay.kernel, args),
                "--relay": flood(relay.program, args)}
    finally:
        for ns in "afbx":
            subprocess.run(["ip", "netns", "delete", ns], check=False)
    json.dump({"kernel": os.uname().release, "burst": BURST, "run": RUN,
               "tries": args.tries, "rows": rows}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Measure what it costs to relay a packet of 1200 bytes, in this VM.

  a ---- veth ---- f ---- veth ---- b
  sends        relays         receives

The relay is laya.ko, laya-rendezvous --relay, or coturn (TURN channel data). a and
b are one program here, that sends and then waits until all has arrived: so nothing
is lost, the CPU is never idle, and in instruction-counted time a nanosecond is an
instruction. It is not preempted, so what it sends at once is there when the relay
looks. What the same costs from a to f, without a relay, is taken off. Prints
a JSON object; run by relay.sh.
"""

import argparse
import ctypes
import glob
import json
import os
import re
import select
import socket
import struct
import subprocess
import sys
import time

from inside import Profile

DIR = "/tmp/bench-relay"
SIZE = 1200
RUN = 50
UDP_SEGMENT, UDP_GRO = 103, 104
FA, FB, B = "192.0.2.2", "198.51.100.2", "198.51.100.1"
LIBC = ctypes.CDLL(None, use_errno=True)


def run(*words, ns=None, **more):
    if ns:
        words = ("ip", "netns", "exec", ns) + words
    result = subprocess.run(words, capture_output=True, text=True, check=False,
                            **more)
    if result.returncode:
        sys.exit(f"{' '.join(words)}: {result.stderr or result.stdout}")
    return result.stdout.strip()


def start(*words, log):
    with open(f"{DIR}/{log}.log", "w", encoding="ascii") as file:
        return subprocess.Popen(("ip", "netns", "exec", "f") + words,
                                stdout=file, stderr=file,
                                env=dict(os.environ,
                                         LAYA_STATE_DIR=f"{DIR}/state"))


def wait_for(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"bench: waited in vain for {what}")
        time.sleep(0.01)


def listens(port, kind):
    return run("ss", f"-Hln{kind}", f"sport = :{port}", ns="f") != ""


def udp(ns, address):
    """A UDP socket in a namespace, that receives runs whole."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{ns}", os.O_RDONLY)
    if LIBC.setns(there, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    LIBC.setns(home, 0x40000000)
    os.close(home)
    os.close(there)
    sock.bind((address, 0))
    sock.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
    sock.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
    return sock


def setup_network():
    for ns in "afb":
        run("ip", "netns", "add", ns)
        run("ip", "-n", ns, "link", "set", "lo", "up")
    for end, other, n, net in (("a", "eth0", 1, "192.0.2"),
                               ("b", "eth1", 1, "198.51.100")):
        run("ip", "link", "add", "eth0", "netns", end, "type", "veth", "peer",
            "name", other, "netns", "f")
        run("ip", "-n", end, "address", "add", f"{net}.{n}/24", "dev", "eth0")
        run("ip", "-n", "f", "address", "add", f"{net}.2/24", "dev", other)
        run("ip", "-n", end, "link", "set", "eth0", "up")
        run("ip", "-n", "f", "link", "set", other, "up")


def key(name):
    private = run("layactl", "genkey")
    with open(f"{DIR}/{name}.key", "w", encoding="ascii") as file:
        file.write(private + "\n")
    os.chmod(f"{DIR}/{name}.key", 0o600)
    return run("layactl", "pubkey", input=private)


class Pids:
    """Processor time of a process and its threads, in nanoseconds."""

    def __init__(self, process):
        # "ip netns exec" executes the program: it is the same process
        self.pid = process.pid

    def time(self):
        total = 0
        for file in glob.glob(f"/proc/{self.pid}/task/*/schedstat"):
            with open(file, encoding="ascii") as stat:
                total += int(stat.read().split()[0])
        return total


class Direct:
    """From a to f, where this program receives."""
    name = "no relay"

    def __init__(self):
        self.sender, self.receiver = udp("a", "192.0.2.1"), udp("f", FA)
        self.sender.connect(self.receiver.getsockname())
        self.packets = [bytes(SIZE)]
        self.arrives = SIZE

    def attach(self):
        pass

    def time(self):
        return 0

    def stop(self):
        self.sender.close()
        self.receiver.close()


def labelled(label):
    """A packet that looks sealed, behind its label."""
    return b"\x82\0" + bytes.fromhex(label) + \
        struct.pack("!BBHIQ", 0x81, 0, 1, 0xdeadbeef, 1) + bytes(SIZE - 16)


class Laya:
    """A forwarder of Laya's: a host attaches to it, and its label is used."""

    def __init__(self, name, public_key, process):
        self.name, self.process = name, process
        self.public_key, self.pids = public_key, Pids(process)
        self.sender = udp("a", "192.0.2.1")
        self.sender.connect((FA, 5292))
        self.receiver = udp("b", B)
        self.packets, self.arrives = [], 0
        self.attach()

    def attach(self):
        fd = self.receiver.fileno()
        label = run("laya-attach", self.public_key, FB, "5292", str(fd),
                    ns="b", pass_fds=[fd])
        self.packets = [labelled(label)]
        self.arrives = len(self.packets[0])

    def time(self):
        return self.pids.time()

    def stop(self):
        self.process.terminate()
        self.process.wait()
        # What layad leaves goes on
        subprocess.run(["ip", "-n", "f", "link", "delete", "laya0"],
                       stderr=subprocess.DEVNULL, check=False)
        self.sender.close()
        self.receiver.close()


def kernel(rate=100_000_000_000):
    public = key("f")
    with open(f"{DIR}/f.conf", "w", encoding="ascii") as file:
        file.write(f"[Node]\nPrivateKeyFile = {DIR}/f.key\n"
                   "Forward = public\nForwardHosts = 16384\n"
                   f"ForwardRate = {rate}\n")
    process = start("layad", "-c", f"{DIR}/f.conf", log="layad")
    wait_for(lambda: listens(5292, "t"), "layad")
    return Laya("laya.ko", public, process)


def program(rate=1_250_000_000):
    public = key("rv")
    process = start("laya-rendezvous", "--listen", "0.0.0.0:443", "--relay",
                    "--relay-rate", str(rate), "--private-key",
                    f"{DIR}/rv.key", log="rendezvous")
    wait_for(lambda: listens(5292, "t") and listens(5292, "u"),
             "laya-rendezvous")
    return Laya("--relay", public, process)


class Coturn:
    """A TURN server; a has a channel to b."""
    name = "coturn"
    CHANNEL = 0x4001

    def __init__(self):
        self.process = start(
            "turnserver", "-n", "--no-auth", "--no-tls", "--no-dtls",
            "--no-cli", "--listening-ip", FA, "--relay-ip", FB,
            "--pidfile", f"{DIR}/turn.pid", "--userdb", f"{DIR}/turndb",
            "--log-file", "stdout", "--simple-log", log="coturn")
        wait_for(lambda: listens(3478, "u"), "turnserver", 600)
        self.pids = Pids(self.process)
        self.sender = udp("a", "192.0.2.1")
        self.sender.connect((FA, 3478))
        self.sender.settimeout(10)
        self.receiver = udp("b", B)
        port = self.receiver.getsockname()[1]
        self.ask(0x0003, self.attribute(0x0019, b"\x11\0\0\0"))
        cookie = 0x2112a442
        peer = struct.pack("!BBHI", 0, 1, port ^ (cookie >> 16), cookie ^
                           struct.unpack("!I", socket.inet_aton(B))[0])
        self.ask(0x0009, self.attribute(0x000c, struct.pack(
            "!HH", self.CHANNEL, 0)) + self.attribute(0x0012, peer))
        self.sender.settimeout(None)
        self.packets = [struct.pack("!HH", self.CHANNEL, SIZE) + bytes(SIZE)]
        self.arrives = SIZE

    @staticmethod
    def attribute(kind, data):
        return struct.pack("!HH", kind, len(data)) + data

    def ask(self, kind, attributes):
        self.sender.send(struct.pack("!HHI", kind, len(attributes),
                                     0x2112a442) + os.urandom(12) +
                         attributes)
        reply = self.sender.recv(2048)
        if struct.unpack("!H", reply[:2])[0] != kind | 0x0100:
            sys.exit(f"bench: coturn refuses: {reply.hex()}")

    def attach(self):
        pass

    def time(self):
        return self.pids.time()

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.sender.close()
        self.receiver.close()


RELAYS = {"no relay": Direct, "laya.ko": kernel, "--relay": program,
          "coturn": Coturn}


def receive(sock, kind, size, expected):
    """Until so many packets have come; the relay's own probes come as well."""
    got = 0
    while got < expected:
        if not select.select([sock], [], [], 5)[0]:
            return False
        data = sock.recv(65536)
        if data[0] == kind:
            got += len(data) // size
    return True


def measure(relay, way, packets, profile):
    """Instructions a packet: (all, of the relay's process)."""
    sent, size = relay.packets, len(relay.packets[0])
    segment = [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("=H", size))]
    runs, at_once = [[packet * RUN] for packet in sent], RUN
    if way != "a run":
        at_once = {"one at a time": 1, "singly, 32 queued": 32}[way]
    rounds = packets // at_once

    def round_once(i):
        if way == "a run":
            relay.sender.sendmsg(runs[i % len(runs)], segment)
        else:
            for _ in range(at_once):
                relay.sender.send(sent[i % len(sent)])
        return receive(relay.receiver, sent[0][-relay.arrives],
                       relay.arrives, at_once)

    for i in range(max(5, len(sent))):
        round_once(i)
    with profile:
        process, began = relay.time(), time.monotonic_ns()
        for i in range(rounds):
            if not round_once(i):
                sys.exit(f"bench: {relay.name} lost packets ({way})")
        took = time.monotonic_ns() - began
        process = relay.time() - process
    profile.keep(rounds * at_once, "packets")
    return took / rounds / at_once, process / rounds / at_once


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--packets", type=int, default=4000)
    parser.add_argument("--only", default="", help="regex of relays")
    parser.add_argument("--profile", help="folder for what profile.c counts")
    args = parser.parse_args()

    os.makedirs(DIR, exist_ok=True)
    setup_network()
    os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK,
                          os.sched_param(1))
    rows = {}
    try:
        for name, make in RELAYS.items():
            if not re.search(args.only, name):
                continue
            relay = make()
            for way in "a run", "singly, 32 queued", "one at a time":
                for _ in range(args.repeat):
                    value = measure(relay, way, args.packets,
                                    Profile(args.profile, relay.name, way))
                    rows.setdefault(way, {}).setdefault(
                        relay.name, []).append(value)
                    print(f"# {way}, {relay.name}: {value[0]:.0f} in all, "
                          f"{value[1]:.0f} of its process",
                          file=sys.stderr, flush=True)
                    relay.attach()
            relay.stop()
    finally:
        for ns in "afb":
            subprocess.run(["ip", "netns", "delete", ns], check=False)
    json.dump({"kernel": os.uname().release, "size": SIZE, "run": RUN,
               "rows": rows}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()

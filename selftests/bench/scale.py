#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What ten thousand attached hosts cost a forwarder, in this VM.

  a ---- veth ---- f ---- veth ---- b
  sends        forwards      10,000 hosts, each with an address of its own

As relay.py, whose classes it uses, for laya.ko and for laya-rendezvous --relay: what
attaching takes, what memory a host takes, and the instructions to relay a packet to
one host alone, beside all others, and to two hundred of them in turn. Prints a JSON
object; run by scale.sh.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import relay
from inside import Profile, used_memory
from relay import FB, run

# A part first: it takes what others left free in pages that are in use
HOSTS, FIRST, LABELS = 10_000, 2_000, 10
IN_TURN = 200
WAYS = "a run", "singly, 32 queued", "one at a time"


def resident(pid):
    """Memory of a process that is its own."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) << 10 for line in file
                    if line.startswith("RssAnon"))


class Crowd:
    """Hosts that have attached, and stay."""

    def __init__(self, forwarder, first, n):
        self.socket = relay.udp("b", "0.0.0.0")
        fd = self.socket.fileno()
        address = f"10.64.{first >> 8}.{first & 255}"
        self.process = subprocess.Popen(
            ("ip", "netns", "exec", "b", "laya-attach", "-w", "-n", str(n),
             "-l", str(LABELS), "-s", address, forwarder.public_key, FB,
             "5292", str(fd)), pass_fds=[fd], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.labels = [self.process.stdout.readline().split()
                       for _ in range(n)]
        refused = sum(labels in ([], ["-"]) for labels in self.labels)
        if refused:
            sys.exit(f"bench: {forwarder.name} refuses {refused} of {n} hosts")
        self.alive()

    def alive(self):
        """Each says that it is there, and is answered."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        if int(self.process.stdout.readline()) != len(self.labels):
            sys.exit("bench: hosts are gone")

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.socket.close()


def forwarding(forwarder, repeat, packets):
    """Instructions a packet, all that is executed, by how they come."""
    nothing = Profile(None, "", "")
    result = {way: [relay.measure(forwarder, way, packets, nothing)
                    for _ in range(repeat)] for way in WAYS}
    print(f"# {forwarder.name}: {result}", file=sys.stderr, flush=True)
    return result


class InTurn:
    """As the forwarder, but with the labels of many hosts."""

    def __init__(self, forwarder, crowd):
        self.name, self.time = forwarder.name, forwarder.time
        self.sender, self.receiver = forwarder.sender, crowd.socket
        self.packets = [relay.labelled(labels[0])
                        for labels in crowd.labels[:IN_TURN]]
        self.arrives = len(self.packets[0])


def scale(make, args):
    forwarder = make()
    pid = forwarder.process.pid
    result = {"alone": forwarding(forwarder, args.repeat, args.packets),
              "attaching": []}
    crowds, done = [], 0
    for n in FIRST * args.hosts // HOSTS, args.hosts:
        n -= done
        before = used_memory(), resident(pid)
        began, process = time.monotonic_ns(), forwarder.time()
        crowds.append(Crowd(forwarder, 256 + done, n))
        took = time.monotonic_ns() - began
        process = forwarder.time() - process
        done += n
        # Of connections that are closed
        time.sleep(5)
        own = resident(pid) - before[1]
        rest = used_memory() - before[0] - own - \
            resident(crowds[-1].process.pid)
        result["attaching"].append({
            "hosts": n, "all": took / n, "process": process / n,
            "memory": own / n, "rest": rest / n})
        print(f"# {forwarder.name}: {result['attaching'][-1]}",
              file=sys.stderr, flush=True)
        for crowd in crowds:
            crowd.alive()
    forwarder.attach()
    for crowd in crowds:
        crowd.alive()
    result["beside"] = forwarding(forwarder, args.repeat, args.packets)
    for crowd in crowds:
        crowd.alive()
    result["in turn"] = forwarding(InTurn(forwarder, crowds[0]), args.repeat,
                                   args.packets)
    for crowd in crowds:
        crowd.stop()
    forwarder.stop()
    return result


def setup_hosts():
    """An address for each host at b, without 10,000 entries in a list."""
    run("ip", "-n", "b", "route", "add", "local", "10.64.0.0/16", "dev", "lo")
    run("ip", "-n", "f", "route", "add", "10.64.0.0/16", "via", relay.B)
    run("sysctl", "-qw", "net.ipv4.tcp_max_tw_buckets=0", ns="b")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--packets", type=int, default=4000)
    parser.add_argument("--hosts", type=int, default=HOSTS)
    args = parser.parse_args()

    os.makedirs(relay.DIR, exist_ok=True)
    relay.setup_network()
    setup_hosts()
    os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK,
                          os.sched_param(1))
    try:
        direct = relay.Direct()
        base = forwarding(direct, args.repeat, args.packets)
        direct.stop()
        rows = {"laya.ko": scale(relay.kernel, args),
                "--relay": scale(relay.program, args)}
    finally:
        for ns in "afb":
            subprocess.run(["ip", "netns", "delete", ns], check=False)
    json.dump({"kernel": os.uname().release, "hosts": args.hosts,
               "labels": LABELS, "base": base, "rows": rows}, sys.stdout,
              indent=1)
    print()


if __name__ == "__main__":
    main()

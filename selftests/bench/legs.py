#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Measure a stream whose way is two streams: one to a relay, one from there.

  a ---- leg ---- f ---- leg ---- b
  sends         relays         receives

f drops UDP, and routes nothing: a and b reach each other over TCP or TLS to the relay
and from it, which is laya.ko or laya-rendezvous --relay. Against that, plain TCP
over each leg by itself. Prints a JSON object; run by legs.sh.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time

from inside import listens, run, start

DIR = "/tmp/bench-legs"
# (of a, of f), (of f, of b)
LEGS = {"a": ("192.0.2.1", "192.0.2.2"), "b": ("198.51.100.1", "198.51.100.2")}
RELAYS = "laya.ko", "--relay"
CARRIERS = "tcp", "tls"

# Mbit/s of the leg of a, and of that of b; the delay in one direction, in ms
LINKS = {
    "20 Mbit/s, 40 ms": (20, 20, 20),
    "100 and 50 Mbit/s, 20 ms": (100, 50, 10),
    "100 Mbit/s, 20 ms": (100, 100, 10),
    "no limit, offloads off": None,
    "no limit, offloads on": None,
}
# What a link's queue holds beyond what is under way, in milliseconds
QUEUE = 50


def setup_network():
    for ns in "afb":
        run("ip", "netns", "add", ns)
        run("ip", "-n", ns, "link", "set", "lo", "up")
    for end, (own, relay) in LEGS.items():
        run("ip", "link", "add", "eth0", "netns", end, "type", "veth", "peer",
            "name", end, "netns", "f")
        for ns, dev, address in (end, "eth0", own), ("f", end, relay):
            run("ip", "-n", ns, "address", "add", f"{address}/24", "dev", dev)
            run("ip", "-n", ns, "link", "set", "dev", dev, "up")
        run("ip", "-n", end, "route", "add", "default", "via", relay)
    run("nft", "-f", "-", ns="f", input="""table inet no_udp {
        chain in {
            type filter hook input priority filter
            meta l4proto udp drop
        }
    }""")


def setup_links(name):
    rates = LINKS[name]
    on = "on" if name.endswith("offloads on") else "off"
    for index, end in enumerate(LEGS):
        for ns, dev in (end, "eth0"), ("f", end):
            run("ethtool", "-K", dev, "tso", on, "tx-udp-segmentation", on,
                "gro", "off" if on == "on" else "on", ns=ns)
            subprocess.run(["tc", "-n", ns, "qdisc", "delete", "dev", dev,
                            "root"], stderr=subprocess.DEVNULL, check=False)
            if not rates:
                continue
            rate, delay = rates[index], rates[2]
            # TBF takes super-packets apart: the queue is of packets as on the wire
            run("tc", "-n", ns, "qdisc", "add", "dev", dev, "root", "handle",
                "1:", "tbf", "rate", f"{rate}mbit", "burst", "3028", "limit",
                "10000000")
            run("tc", "-n", ns, "qdisc", "add", "dev", dev, "parent", "1:1",
                "netem", "delay", f"{delay}ms", "limit",
                str(rate * 1000 * (delay + QUEUE) // (8 * 1514)))


def wait_for(condition, what, seconds=600):
    # Time runs away while it waits for the host's disk
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"bench: waited in vain for {what}")
        time.sleep(0.05)


def launch(ns, *words):
    with open(f"{DIR}/{ns}.log", "a", encoding="utf-8") as log:
        return subprocess.Popen(
            ("ip", "netns", "exec", ns) + words, stdout=log, stderr=log,
            env=dict(os.environ, LAYA_STATE_DIR=f"{DIR}/{ns}.state"))


def layad(ns, keys, lines, peer=None):
    with open(f"{DIR}/{ns}.conf", "w", encoding="ascii") as file:
        file.write(f"[Node]\nPrivateKeyFile = {DIR}/{ns}.key\n{lines}\n"
                   f"[Rendezvous]\nPublicKey = {keys['rv']}\n"
                   f"Address = {LEGS.get(ns, LEGS['a'])[1]}:443\n")
        if peer:
            file.write(f"[Peer]\nPublicKey = {keys[peer]}\n")
    return launch(ns, "layad", "-v", "-c", f"{DIR}/{ns}.conf")


def used(ns):
    """Kind and carrier of the path in use."""
    shown = subprocess.run(
        ["ip", "netns", "exec", ns, "layactl", "show", "-j"],
        capture_output=True, text=True, check=False)
    if shown.returncode:
        return None
    for device in json.loads(shown.stdout):
        for peer in device["peers"]:
            for path in peer["paths"]:
                if path.get("in-use") and path["kind"] == "relay":
                    return path["kind"], path["carrier"]
    return None


class Network:
    """The relay, and a and b that reach each other by it."""

    def __init__(self, relay, carrier):
        keys = {}
        for name in "a", "b", "f", "rv":
            private = run("layactl", "genkey")
            keys[name] = run("layactl", "pubkey", input=private)
            path = f"{DIR}/{name}.key"
            with open(path, "w", encoding="ascii") as file:
                file.write(private + "\n")
            os.chmod(path, 0o600)
            subprocess.run(["rm", "-rf", f"{DIR}/{name}.state"], check=True)
        more = ()
        self.daemons = []
        if relay == "--relay":
            more = "--relay", "--relay-rate", "1250000000"
        self.daemons.append(launch(
            "f", "laya-rendezvous", "--listen", "0.0.0.0:443",
            "--private-key", f"{DIR}/rv.key", *more))
        wait_for(lambda: listens("f", 443, "t"), "laya-rendezvous")
        if relay != "--relay":
            self.daemons.append(layad("f", keys, "Forward = public\n"
                                      "ForwardRate = 100000000000"))
        wait_for(lambda: listens("f", 5292, "t"), "the relay")
        for ns, other in "ab", "ba":
            self.daemons.append(layad(
                ns, keys, f"ProbeMapped = no\nTransports = udp {carrier}",
                other))
        self.key = keys["b"]
        wait_for(lambda: subprocess.run(
            ["ip", "netns", "exec", "a", "layactl", "ping", "-c", "1",
             self.key], capture_output=True, check=False).returncode == 0,
            "a connection", 3600)
        self.check(carrier)

    @staticmethod
    def check(carrier):
        for ns in "ab":
            wait_for(lambda ns=ns: used(ns) == ("relay", carrier),
                     f"the way by {carrier} of {ns}, not {used(ns)}")

    def stop(self):
        for daemon in self.daemons:
            daemon.kill()
            daemon.wait()
        for ns in "afb":
            subprocess.run(["ip", "-n", ns, "link", "delete", "laya0"],
                           stderr=subprocess.DEVNULL, check=False)


def stream(sender, receiver, address, wanted, seconds, port=[6000]):
    """Mbit/s that arrive."""
    port[0] += 1
    number = str(port[0])
    server = start("laya-bench", "stream-server", wanted, number, ns=receiver)
    wait_for(lambda: listens(receiver, number, "t"), "a server")
    run("laya-bench", "stream-client", address, number, str(seconds), ns=sender)
    result = json.loads(server.communicate()[0])
    return result["bytes"] * 8 / result["seconds"] / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--links", default="", help="regex")
    parser.add_argument("--relays", default="", help="regex")
    parser.add_argument("--carriers", default="", help="regex")
    args = parser.parse_args()

    os.makedirs(DIR, exist_ok=True)
    setup_network()
    links = [name for name in LINKS if re.search(args.links, name)]
    rows = {name: {} for name in links}

    def measure(name, kind, ends):
        # As long as the link is slow; what has no limit is steady at once
        seconds = args.seconds if LINKS[name] else args.seconds / 20
        values = rows[name][kind] = []
        for _ in range(args.repeat):
            values.append(stream(*ends, seconds))
            print(f"# {name}, {kind}: {values[-1]:.2f} Mbit/s",
                  file=sys.stderr, flush=True)

    try:
        for name in links:
            setup_links(name)
            measure(name, "leg of a", ("a", "f", LEGS["a"][1], LEGS["a"][1]))
            measure(name, "leg of b", ("f", "b", LEGS["b"][0], LEGS["b"][0]))
        for relay in RELAYS:
            for carrier in CARRIERS:
                if not re.search(args.relays, relay) or \
                   not re.search(args.carriers, carrier):
                    continue
                setup_links("no limit, offloads on")
                network = Network(relay, carrier)
                for name in links:
                    setup_links(name)
                    measure(name, f"{relay}, {carrier}",
                            ("a", "b", network.key, "laya"))
                    network.check(carrier)
                network.stop()
    finally:
        for ns in "afb":
            subprocess.run(["ip", "netns", "delete", ns], check=False)
    json.dump({"kernel": os.uname().release, "links": list(links),
               "rows": rows}, sys.stdout, indent=1)
    print()


main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Measure plain, WireGuard and Laya on two namespaces and a veth, in this VM.

  left ---- veth ---- right

Prints a JSON object: rows, each with the values of its repetitions for plain,
WireGuard and Laya. Run by run.sh, which boots the VM and draws the result.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time

LEFT, RIGHT = "bench-left", "bench-right"
DIR = "/tmp/bench"


def run(*words, ns=None, **more):
    if ns:
        words = ("ip", "netns", "exec", ns) + words
    result = subprocess.run(words, capture_output=True, text=True, **more)
    if result.returncode:
        sys.exit(f"{' '.join(words)}: {result.stderr or result.stdout}")
    return result.stdout.strip()


def start(*words, ns):
    return subprocess.Popen(("ip", "netns", "exec", ns) + words,
                            stdout=subprocess.PIPE, text=True)


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit("bench: waited in vain")
        time.sleep(0.01)


def listens(ns, port, kind):
    return run("ss", f"-Hln{kind}", f"sport = :{port}", ns=ns) != ""


def setup_network():
    for ns in LEFT, RIGHT:
        run("ip", "netns", "add", ns)
        run("ip", "-n", ns, "link", "set", "lo", "up")
    run("ip", "link", "add", "eth0", "netns", LEFT, "type", "veth", "peer",
        "name", "eth0", "netns", RIGHT)
    for ns, n in (LEFT, 1), (RIGHT, 2):
        run("ip", "-n", ns, "address", "add", f"192.0.2.{n}/24", "dev", "eth0")
        run("ip", "-n", ns, "link", "set", "eth0", "up")


def offloads(on):
    for ns in LEFT, RIGHT:
        if on:
            run("ethtool", "-K", "eth0", "tso", "on",
                "tx-udp-segmentation", "on", "gro", "off", ns=ns)
        else:
            run("ethtool", "-K", "eth0", "tso", "off",
                "tx-udp-segmentation", "off", "gro", "on", ns=ns)


def setup_wireguard():
    keys = {}
    for ns in LEFT, RIGHT:
        private = run("wg", "genkey")
        keys[ns] = private, run("wg", "pubkey", input=private)
    for ns, other, n in (LEFT, RIGHT, 1), (RIGHT, LEFT, 2):
        with open(f"{DIR}/{ns}.wg", "w") as file:
            file.write(keys[ns][0])
        run("ip", "-n", ns, "link", "add", "wg0", "type", "wireguard")
        run("ip", "-n", ns, "address", "add", f"10.9.0.{n}/24", "dev", "wg0")
        run("wg", "set", "wg0", "private-key", f"{DIR}/{ns}.wg",
            "listen-port", "51820", "peer", keys[other][1],
            "endpoint", f"192.0.2.{3 - n}:51820", "allowed-ips", "10.9.0.0/24",
            ns=ns)
        run("ip", "-n", ns, "link", "set", "wg0", "up")


def setup_laya():
    """Two layads and a rendezvous on the right: the path is direct."""
    keys, daemons = {}, []
    for name in LEFT, RIGHT, "rv":
        private = run("layactl", "genkey")
        keys[name] = run("layactl", "pubkey", input=private)
        with open(f"{DIR}/{name}.key", "w") as file:
            file.write(private + "\n")
        os.chmod(f"{DIR}/{name}.key", 0o600)
    log = open(f"{DIR}/log", "w")
    daemons.append(subprocess.Popen(
        ["ip", "netns", "exec", RIGHT, "laya-rendezvous", "--listen",
         "192.0.2.2:443", "--private-key", f"{DIR}/rv.key"],
        stdout=log, stderr=log))
    wait_for(lambda: listens(RIGHT, 443, "t"))
    for ns, other in (LEFT, RIGHT), (RIGHT, LEFT):
        with open(f"{DIR}/{ns}.conf", "w") as file:
            file.write(f"""[Node]
PrivateKeyFile = {DIR}/{ns}.key
[Rendezvous]
PublicKey = {keys["rv"]}
Address = 192.0.2.2:443
[Peer]
Name = {other}
PublicKey = {keys[other]}
""")
        daemons.append(subprocess.Popen(
            ["ip", "netns", "exec", ns, "layad", "-c", f"{DIR}/{ns}.conf"],
            stdout=log, stderr=log,
            env=dict(os.environ, LAYA_STATE_DIR=f"{DIR}/{ns}.state")))
    for ns in LEFT, RIGHT:
        wait_for(lambda: subprocess.run(
            ["ip", "netns", "exec", ns, "layactl", "show"],
            capture_output=True).returncode == 0)
    # The first connection makes session and path; time runs away while it waits
    # for the host's disk
    wait_for(lambda: subprocess.run(
        ["ip", "netns", "exec", LEFT, "layactl", "ping", "-c", "1", keys[RIGHT]],
        capture_output=True).returncode == 0, 3600)
    return keys, daemons


def laya_cipher():
    shown = run("layactl", "show", "-j", ns=LEFT)
    found = re.search(r'"cipher": *"([^"]*)"', shown)
    return found.group(1) if found else "?"


class Profile:
    """Has profile.c count, and keeps what it counted, for run.sh -p."""

    def __init__(self, folder, name, kind):
        self.folder = folder
        self.result = re.sub(r"\W+", "-", f"{name} {kind}")

    def mark(self, name):
        path = f"{self.folder}/{name}"
        try:
            os.mkdir(path)
        except FileNotFoundError:
            pass    # seen, and removed, before mkdir() was done
        wait_for(lambda: not os.path.exists(path), 3600)

    def __enter__(self):
        if self.folder:
            self.mark("begin")
        return self

    def __exit__(self, *_):
        if self.folder:
            self.mark("end")

    def keep(self, n, unit):
        """What was counted was for @n of @unit."""
        if not self.folder:
            return
        with open(f"{self.folder}/counts") as counts, \
             open(f"{self.folder}/{self.result}.profile", "w") as file:
            file.write(f"{n} {unit}\n")
            file.write(counts.read())
        with open("/proc/kallsyms") as symbols, \
             open(f"{self.folder}/kallsyms", "w") as file:
            file.write(symbols.read())


def stream(address, seconds, profile, port=[6000]):
    port[0] += 1
    number = str(port[0])
    any_address = {"laya": "laya"}.get(address[1], address[1])
    server = start("laya-bench", "stream-server", any_address, number, ns=RIGHT)
    wait_for(lambda: listens(RIGHT, number, "t"))
    with profile:
        run("laya-bench", "stream-client", address[0], number, str(seconds),
            ns=LEFT)
    result = json.loads(server.communicate()[0])
    profile.keep(result["bytes"] / 1360, "segments")
    return result["bytes"], result["bytes"] * 8 / result["seconds"] / 1e6


def datagrams_once(address, size, rate, seconds, port=[7000]):
    port[0] += 1
    number = str(port[0])
    server = start("laya-bench", "dgram-server", address[1], number, ns=RIGHT)
    # AF_LAYA datagram sockets are in no table of ss(8); give it the CPU
    time.sleep(0.05)
    sent = json.loads(run("laya-bench", "dgram-client", address[0], number,
                          str(size), str(rate), str(seconds), ns=LEFT))
    # The last datagram may be the one that wakes the server; it then idles out
    if not sent["packets"]:
        server.kill()
        return 1.0, 0
    got = json.loads(server.communicate()[0])
    lost = 1 - got["packets"] / sent["packets"]
    return lost, got["packets"] / sent["seconds"]


def datagrams(address, size, seconds, profile):
    """Received packets a second at the highest rate with < 0.1% loss."""
    low, high = 1000, 2_000_000
    best = 0
    while high / low > 1.05:
        rate = (low * high) ** 0.5
        lost, received = datagrams_once(address, size, rate, seconds)
        # A sender that cannot keep up offers less than it was asked to
        if lost < 0.001:
            low = rate
            if received <= best * 1.01:
                break
            best = max(best, received)
        else:
            high = rate
    with profile:
        lost, received = datagrams_once(address, size, low, seconds)
    profile.keep(received * seconds, "datagrams")
    return best * size * 8 / 1e6


def pingpong(address, count, profile, port=[8000]):
    port[0] += 1
    number = str(port[0])
    server = start("laya-bench", "pong-server", address[1], number, ns=RIGHT)
    time.sleep(0.05)
    with profile:
        result = json.loads(run("laya-bench", "ping-client", address[0], number,
                                "64", str(count), ns=LEFT))
    profile.keep(count, "round trips")
    server.kill()
    server.wait()
    return result["seconds"] / result["count"] * 1e6


def wire_bytes():
    return int(run("ip", "netns", "exec", LEFT, "cat",
                   "/sys/class/net/eth0/statistics/tx_bytes"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--only", default="", help="regex of row names")
    parser.add_argument("--profile", help="folder that profile.c looks at")
    parser.add_argument("--kinds", default="", help="which to measure, as plain,laya")
    args = parser.parse_args()

    os.makedirs(DIR, exist_ok=True)
    setup_network()
    setup_wireguard()
    keys, daemons = setup_laya()
    addresses = {
        "plain": ("192.0.2.2", "192.0.2.2"),
        "wireguard": ("10.9.0.2", "10.9.0.2"),
        "laya": (keys[RIGHT], "laya"),
    }
    orchid = run("layactl", "addr", keys[RIGHT], ns=LEFT)
    rows = []

    def row(name, unit, better, measure):
        if not re.search(args.only, name):
            return
        values = {}
        for kind, address in addresses.items():
            if args.kinds and kind not in args.kinds.split(","):
                continue
            values[kind] = [measure(address, Profile(args.profile, name, kind))
                            for _ in range(args.repeat)]
            print(f"# {name}, {kind}: "
                  + " ".join(f"{v:.2f}" for v in values[kind]) + f" {unit}",
                  file=sys.stderr, flush=True)
        rows.append({"name": name, "unit": unit, "better": better,
                     "values": values})

    try:
        for on in True, False:
            offloads(on)
            how = "offloads on" if on else "offloads off"
            row(f"stream, {how}", "Mbit/s", "more",
                lambda a, p: stream(a, args.seconds, p)[1])
            row(f"datagrams of 1200, {how}", "Mbit/s", "more",
                lambda a, p: datagrams(a, 1200, args.seconds / 4, p))
            row(f"datagrams of 64, {how}", "Mbit/s", "more",
                lambda a, p: datagrams(a, 64, args.seconds / 4, p))
        offloads(True)
        row("ping-pong of 64", "us", "less", lambda a, p: pingpong(a, 1000, p))

        def wire(address, profile):
            before = wire_bytes()
            carried = stream(address, 0.2, profile)[0]
            return (wire_bytes() - before) / carried

        offloads(False)
        row("wire bytes per byte of a stream", "", "less", wire)
        cipher = laya_cipher()
    finally:
        for daemon in daemons:
            daemon.kill()
        for ns in LEFT, RIGHT:
            subprocess.run(["ip", "netns", "delete", ns], check=False)
    json.dump({"kernel": os.uname().release, "cipher": cipher,
               "orchid": orchid, "rows": rows}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()

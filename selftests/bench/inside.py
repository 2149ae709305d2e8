#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Measure plain, WireGuard and Laya on two namespaces and a veth, in this VM.

  left ---- veth ---- right

Prints a JSON object: rows, each with the values of its repetitions for plain,
WireGuard and Laya, and what many peers cost. Run by run.sh, which boots the VM and
draws the result.
"""

import argparse
import base64
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time

LEFT, RIGHT = "bench-left", "bench-right"
DIR = "/tmp/bench"
# enum laya_cipher
AES_256_GCM, CHACHA20_POLY1305 = 1, 2


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
    offloads.on = on
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


def cpu_without_aes():
    """A /proc/cpuinfo that makes layad choose ChaCha20-Poly1305."""
    path = f"{DIR}/cpuinfo"
    with open("/proc/cpuinfo") as file, open(path, "w") as copy:
        copy.write(re.sub(r" aes\b", "", file.read()))
    return path


def setup_laya(aes=True):
    """Two layads and a rendezvous on the right: the path is direct."""
    keys, daemons = {}, []
    command = 'exec layad -c "$0"'
    if not aes:
        # "ip netns exec" has given it mounts of its own
        command = f"mount --bind {cpu_without_aes()} /proc/cpuinfo; " + command
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
            ["ip", "netns", "exec", ns, "sh", "-c", command, f"{DIR}/{ns}.conf"],
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


def stop_laya(daemons, delete=True):
    for daemon in daemons:
        daemon.kill()
        daemon.wait()
    for ns in LEFT, RIGHT:
        shutil.rmtree(f"{DIR}/{ns}.state", ignore_errors=True)
        if delete:
            run("ip", "-n", ns, "link", "delete", "laya0")


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


def datagrams_once(address, size, rate, seconds, whole, port=[7000]):
    port[0] += 1
    number = str(port[0])
    server = start("laya-bench", "gro-server" if whole else "dgram-server",
                   address[1], number, ns=RIGHT)
    server.stdout.readline()
    sent = json.loads(run("laya-bench",
                          "segment-client" if whole else "dgram-client",
                          address[0], number, str(size), str(rate), str(seconds),
                          ns=LEFT))
    # The last datagram may be the one that wakes the server; it then idles out
    if not sent["packets"]:
        server.kill()
        return 1.0, 0
    got = json.loads(server.communicate()[0])
    lost = 1 - got["packets"] / sent["packets"]
    return lost, got["packets"] / sent["seconds"]


def datagrams(address, size, seconds, profile, whole=False, found={}):
    """Received goodput at the highest rate with < 0.1% loss; whole: by UDP_SEGMENT
    and UDP_GRO, or what Laya has in their place, else by sendmmsg and recvmmsg."""
    low, high = 1000, 2_000_000
    # A repetition begins where the last one ended
    where = address, size, offloads.on, whole
    if where in found:
        low, high = found[where] * 0.9, found[where] * 1.2
    best = 0
    while high / low > 1.05:
        rate = (low * high) ** 0.5
        lost, received = datagrams_once(address, size, rate, seconds, whole)
        # A sender that cannot keep up offers less than it was asked to
        if lost < 0.001:
            low = rate
            if received <= best * 1.01:
                break
            best = max(best, received)
        else:
            high = rate
    found[where] = low
    if profile.folder:
        with profile:
            _, received = datagrams_once(address, size, low, seconds, whole)
        profile.keep(received * seconds, "datagrams")
    return best * size * 8 / 1e6


def pingpong(address, count, profile, port=[8000]):
    port[0] += 1
    number = str(port[0])
    server = start("laya-bench", "pong-server", address[1], number, ns=RIGHT)
    server.stdout.readline()
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


def random_key():
    return base64.b64encode(os.urandom(31) + b"\x40").decode()


def used_memory():
    with open("/proc/meminfo") as file:
        info = {line.split(":")[0]: int(line.split()[1]) for line in file}
    return 1024 * (info["MemTotal"] - info["MemFree"] - info["Buffers"]
                   - info["Cached"] - info["SReclaimable"])


def laya_peers(n, cipher=None, index=itertools.count(1 << 28)):
    """Give left n more peers; with a cipher they have a session and two paths."""
    lines = []
    for i in itertools.islice(index, n):
        key = random_key()
        lines.append(f"peer-new dev=laya0 public-key={key} flags=1")
        if not cipher:
            continue
        lines.append(f"session-new dev=laya0 public-key={key} cipher={cipher} "
                     f"rx-index={i} tx-index={i} initiator "
                     f"rx-key={random_key()} tx-key={random_key()}")
        for port in 9, 10:
            lines.append(f"path-new dev=laya0 public-key={key} kind=2 carrier-id=1 "
                         f"remote=192.0.2.77:{port}")
    said = run("laya-nl", "-", ns=LEFT, input="\n".join(lines) + "\n")
    if "error" in said:
        sys.exit(f"bench: laya-nl: {said.splitlines()[0]}")


def wireguard_peers(n, index=itertools.count()):
    """Give left n more peers of WireGuard."""
    lines = []
    for i in itertools.islice(index, n):
        lines.append(f"[Peer]\nPublicKey = {random_key()}\nAllowedIPs = "
                     f"10.{100 + (i >> 16)}.{i >> 8 & 255}.{i & 255}/32\n")
    with open(f"{DIR}/peers", "w") as file:
        file.write("".join(lines))
    run("wg", "addconf", "wg0", f"{DIR}/peers", ns=LEFT)


def wireguard_sessions(n, index=itertools.count()):
    """The same, each with a session: right has their keys, one after the other."""
    left = run("wg", "show", "wg0", "public-key", ns=LEFT)
    for i in itertools.islice(index, n):
        private = run("wg", "genkey")
        public = run("wg", "pubkey", input=private)
        with open(f"{DIR}/one", "w") as file:
            file.write(private)
        run("wg", "set", "wg0", "peer", public, "allowed-ips",
            f"10.{i >> 16 | 128}.{i >> 8 & 255}.{i & 255}/32", ns=LEFT)
        # A peer that was there would not begin again so soon
        run("wg", "set", "wg0", "peer", left, "remove", ns=RIGHT)
        run("wg", "set", "wg0", "private-key", f"{DIR}/one", "peer", left,
            "endpoint", "192.0.2.1:51820", "allowed-ips", "10.9.0.0/24",
            "persistent-keepalive", "25", ns=RIGHT)
        # Of what the keepalive brings nothing is to be seen before it has come
        wait_for(lambda: public + "\t0" not in
                 run("wg", "show", "wg0", "transfer", ns=LEFT), 3600)


def memory(add, n=10_000):
    """Bytes that each of n more peers takes."""
    # The first take what others left free in pages that are in use
    add(n)
    time.sleep(5)
    before = used_memory()
    add(n)
    time.sleep(5)
    return (used_memory() - before) / n


def scale(address, seconds):
    """Streams and datagrams beside many peers, and what those take."""
    result = {"peers": []}
    have = 1
    nothing = Profile(None, "", "")
    for peers in have, 10_000, 100_000:
        laya_peers(peers - have)
        have = peers
        result["peers"].append({
            "peers": peers,
            "stream": stream(address, seconds, nothing)[1],
            "datagrams": datagrams(address, 64, seconds / 4, nothing)})
        print(f"# scale: {result['peers'][-1]}", file=sys.stderr, flush=True)
    result["memory"] = memories()
    return result


def memories():
    """What one more peer takes, of each kind."""
    return {
        "wireguard": memory(wireguard_peers),
        # A handshake takes long here
        "wireguard with a session": memory(wireguard_sessions, 250),
        "laya": memory(laya_peers),
        "laya with a session (AES-256-GCM) and two paths":
            memory(lambda n: laya_peers(n, AES_256_GCM)),
        "laya with a session (ChaCha20-Poly1305) and two paths":
            memory(lambda n: laya_peers(n, CHACHA20_POLY1305))}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--only", default="", help="regex of row names")
    parser.add_argument("--profile", help="folder that profile.c looks at")
    parser.add_argument("--kinds", default="", help="which to measure, as plain,laya")
    parser.add_argument("--memory", action="store_true", help="only that")
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
    many = None
    if args.memory:
        stop_laya(daemons, delete=False)
        for name, size in memories().items():
            print(f"{size:7.0f} {name}")
        return

    def row(name, unit, better, measure, laya=None):
        if not re.search(args.only, name):
            return
        values = {}
        for kind, address in addresses.items():
            if kind == "laya":
                address = laya or address
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
            row(f"stream over laya0, {how}", "Mbit/s", "more",
                lambda a, p: stream(a, args.seconds, p)[1], (orchid, "::"))
            row(f"datagrams of 1200, {how}", "Mbit/s", "more",
                lambda a, p: datagrams(a, 1200, args.seconds / 4, p))
            row(f"datagrams of 64, {how}", "Mbit/s", "more",
                lambda a, p: datagrams(a, 64, args.seconds / 4, p))
        offloads(True)
        row("datagrams of 1200, 32 in a call", "Mbit/s", "more",
            lambda a, p: datagrams(a, 1200, args.seconds / 4, p, whole=True))
        row("datagrams of 64, 32 in a call", "Mbit/s", "more",
            lambda a, p: datagrams(a, 64, args.seconds / 4, p, whole=True))
        row("ping-pong of 64", "us", "less", lambda a, p: pingpong(a, 1000, p))

        def wire(address, profile):
            before = wire_bytes()
            carried = stream(address, 0.2, profile)[0]
            return (wire_bytes() - before) / carried

        offloads(False)
        row("wire bytes per byte of a stream", "", "less", wire)
        cipher = laya_cipher()

        stop_laya(daemons)
        keys, daemons = setup_laya(aes=False)
        addresses["laya"] = keys[RIGHT], "laya"
        for on in True, False:
            offloads(on)
            how = "offloads on" if on else "offloads off"
            row(f"stream, ChaCha20-Poly1305, {how}", "Mbit/s", "more",
                lambda a, p: stream(a, args.seconds, p)[1])
        if re.search(args.only, "many peers") and not args.kinds:
            stop_laya(daemons)
            keys, daemons = setup_laya()
            offloads(True)
            # What is there stays without them, and nobody owns the device
            stop_laya(daemons, delete=False)
            many = scale((keys[RIGHT], "laya"), args.seconds)
    finally:
        for daemon in daemons:
            daemon.kill()
        for ns in LEFT, RIGHT:
            subprocess.run(["ip", "netns", "delete", ns], check=False)
    json.dump({"kernel": os.uname().release, "cipher": cipher,
               "rows": rows, "many": many}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()

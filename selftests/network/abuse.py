#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The attackers of abuse.sh, which draws the network and counts the results.

Its argument says of which forwarder: "kernel" or "relay". Prints "ok NAME", "not ok
NAME: WHY" or a "# note" a line.
"""
import itertools
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../helpers"))
from laya_netlink import C, Namespace, Netlink

SLOW = float(os.environ.get("ABUSE_SLOW", "1"))
SHORT = 0.3	# silence: how long nothing must come
DIR = "/tmp/abuse"
PORT = 5292
X, V, B = "203.0.113.1", "198.18.0.1", "198.51.100.1"
FA, FX, FB = "192.0.2.2", "203.0.113.2", "198.51.100.2"
# Of a label, bytes a second and at once (MIN_BURST of layad, relay_limits_rate())
RATE, BURST = 1_000_000, 362144
# Flows through one label, hosts of one address
FLOWS, HOSTS = 256, 256
EMPTY = bytes(6)


def packet(labels, slots=(), size=100, fill=0):
    """Shims and something that looks sealed."""
    shims = b"".join(b"\x82\0" + label for label in labels) + \
        b"".join(b"\x83\0" + slot for slot in slots)
    data = struct.pack("!BBHIQ", 0x81, 0, 1, 0xdeadbeef, fill + 1)
    return shims + data + bytes(size - len(shims) - len(data))


def wait(condition, seconds=20):
    end = time.monotonic() + seconds * SLOW
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def run(*words, **more):
    return subprocess.run(words, check=True, text=True, capture_output=True,
                          **more).stdout.strip()


class Sniffer:
    """UDP packets that come into a node from Laya's port."""

    def __init__(self, name):
        self.sock = Namespace(name).socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                           socket.htons(0x0800))
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)
        self.sock.bind(("eth0", 0x0800))

    def packets(self, want=1 << 30, patience=SHORT, wanted=lambda *_: True):
        """(port, payload) of @want packets, or of those that come in time."""
        seen, end = [], time.monotonic() + patience * SLOW
        while len(seen) < want and select.select(
                [self.sock], [], [], max(end - time.monotonic(), 0))[0]:
            data, address = self.sock.recvfrom(1 << 17)
            header = (data[0] & 15) * 4
            if address[2] == socket.PACKET_OUTGOING or data[9] != 17:
                continue
            source, to = struct.unpack("!HH", data[header:header + 4])
            data = data[header + 8:]
            if source == PORT and wanted(to, data):
                seen.append((to, data))
        return seen

    def forwarded(self, port, want=1 << 30, patience=SHORT):
        """Those that have a label, to a host's port."""
        return [data for _, data in self.packets(
            want, patience, lambda to, data: to == port and data[0] == 0x82)]


class Kernel:
    """laya.ko, with a layad beside it."""
    name = "kernel"
    WORDS = {"unknown": "unknown label", "rate": "label over its rate",
             "amplified": "path not validated yet",
             "sender": "label used by the wrong sender"}

    def __init__(self):
        self.key = make_key("f")
        with open(f"{DIR}/f.conf", "w", encoding="ascii") as file:
            file.write(f"[Node]\nPrivateKeyFile = {DIR}/f.key\n"
                       f"Forward = public\nForwardRate = {RATE}\n")
        self.process = start(self.name, "layad", "-v", "-c", f"{DIR}/f.conf")
        self.netlink = Netlink(Namespace("f"))

    def burst(self):
        return 262144

    def count(self, what):
        return self.netlink.drops().get(self.WORDS[what], 0)

    def hosts(self):
        return len(self.netlink.laya("PEER_GET", dump=True,
                                     PEER_IFINDEX=self.netlink.ifindex))

    def flows(self):
        return sum(struct.unpack("=I", label[C["LAYA_A_LABEL_FLOWS"]])[0]
                   for label in self.netlink.laya(
                       "LABEL_GET", dump=True,
                       LABEL_IFINDEX=self.netlink.ifindex))


class Relay:
    """laya-rendezvous --relay."""
    name = "relay"
    WORDS = {"unknown": "unknown", "rate": "over rate",
             "amplified": "amplified", "sender": "wrong sender"}

    def __init__(self):
        self.key = make_key("rv")
        self.process = start(self.name, "laya-rendezvous", "--listen",
                             "0.0.0.0:443", "--relay", "--relay-rate",
                             str(RATE), "--private-key", f"{DIR}/rv.key")

    def burst(self):
        return RATE // 10 + 262144

    def said(self, word):
        def lines():
            with open(f"{DIR}/{self.name}.log", encoding="utf-8") as log:
                return re.findall(r"relay: .*", log.read())
        before = len(lines())
        self.process.send_signal(signal.SIGUSR1)
        wait(lambda: len(lines()) >= before + 2)
        return int(re.findall(rf"[:,] {word} (\d+)", "\n".join(lines()[-2:]))[0])

    def count(self, what):
        return self.said(self.WORDS[what])

    def hosts(self):
        return self.said("hosts")

    def flows(self):
        return self.said("flows")


def make_key(name):
    private = run("layactl", "genkey")
    with open(f"{DIR}/{name}.key", "w", encoding="ascii") as file:
        file.write(private + "\n")
    os.chmod(f"{DIR}/{name}.key", 0o600)
    return run("layactl", "pubkey", input=private)


def start(name, *words):
    with open(f"{DIR}/{name}.log", "w", encoding="ascii") as log:
        process = subprocess.Popen(
            ("ip", "netns", "exec", "f") + words, stdout=log, stderr=log,
            env=dict(os.environ, LAYA_STATE_DIR=f"{DIR}/state"))
    wait(lambda: run("ip", "netns", "exec", "f", "ss", "-Hltn",
                     f"sport = :{PORT}"))
    return process


def attach(node, key, address, sock, *options):
    return subprocess.Popen(
        ("ip", "netns", "exec", node, "laya-attach", *options, key, address,
         str(PORT), str(sock.fileno())), pass_fds=[sock.fileno()], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)


class Host:
    """One that has attached, and has a label."""

    def __init__(self, forwarder):
        self.sock = Namespace("b").socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((B, 0))
        self.port = self.sock.getsockname()[1]
        self.process = attach("b", forwarder.key, FB, self.sock, "-w")
        self.label = bytes.fromhex(self.process.stdout.readline().strip())

    def send(self, data):
        self.sock.sendto(data, (FB, PORT))

    def alive(self):
        """Say so, or the forwarder gives its path up."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.sock.close()


class Attacker:
    """Sends whatever it likes, in anybody's name."""

    def __init__(self):
        self.sock = Namespace("x").socket(socket.AF_INET, socket.SOCK_RAW,
                                          socket.IPPROTO_RAW)
        self.as_victim = 0

    def send(self, data, source=X, port=1000):
        udp = struct.pack("!HHHH", port, PORT, 8 + len(data), 0) + data
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64,
                           17, 0, socket.inet_aton(source),
                           socket.inet_aton(FX))
        self.sock.sendto(head + udp, (FX, 0))
        if source == V:
            self.as_victim += len(data)


class Scene:
    """A forwarder, hosts, and a pair that minds its own business."""

    def __init__(self, make):
        self.forwarder = make()
        self.at_b, self.at_v = Sniffer("b"), Sniffer("v")
        self.x = Attacker()
        self.mate, self.target, self.traitor = (Host(self.forwarder)
                                                for _ in range(3))
        self.a = Namespace("a").socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.a.connect((FA, PORT))
        self.back, self.fills = EMPTY, itertools.count()
        self.victim_got = 0

    def check(self, name, good, why=""):
        print(f"ok {name}" if good else f"not ok {name}: {why}", flush=True)
        return good

    def exchange(self, slots=()):
        """A packet of a's to its mate, and an answer: whether both came; what did."""
        sent = packet([self.mate.label], slots, 400, next(self.fills))
        self.a.send(sent)
        # Of others with the same label there may be more
        tail = sent[8 + 8 * len(slots):]
        seen = [data for _, data in self.at_b.packets(
            1, 5, lambda to, data: to == self.mate.port and
            data.endswith(tail))]
        answer = packet([self.back], [], 300, next(self.fills))
        if not seen or self.back == EMPTY:
            return False, seen
        self.mate.send(answer)
        ready = select.select([self.a], [], [], 5 * SLOW)[0]
        got = self.a.recv(2048) if ready else b""
        return seen == [sent] and got == answer, got

    def begin(self):
        """The pair's first packets, as a dialler and its peer send them."""
        _, seen = self.exchange([EMPTY])
        self.back = seen[0][10:16] if seen else EMPTY
        _, got = self.exchange([self.back])
        self.exchange([got[2:8]])
        return self.exchange()[0]

    def beside(self, name, attacks, bursts=50):
        """The pair goes on beside an attack, packet by packet."""
        attacks, good = list(attacks), 0
        size = max(1, len(attacks) // bursts)
        for i in range(0, len(attacks), size):
            for attack in attacks[i:i + size]:
                self.x.send(*attack)
            good += self.exchange()[0]
        rounds = len(range(0, len(attacks), size))
        self.check(f"{name}__others_lose_nothing", good == rounds,
                   f"{good} of {rounds}")

    def victim(self):
        """Bytes that the victim has received since last asked."""
        return sum(len(data) for _, data in self.at_v.packets())

    def within_three_times(self, name):
        sent, self.x.as_victim = self.x.as_victim, 0
        got = self.victim()
        self.check(f"{name}__three_times", 0 < got <= 3 * sent,
                   f"{got} for {sent}")


def random_label():
    return b"\1" + os.urandom(5)


def test_guesses(scene):
    """Packets with labels that nobody has; return labels are labels too."""
    attacks = []
    for i in range(4_000):
        shapes = (([random_label()], []),
                  ([random_label()], [EMPTY]),
                  ([random_label(), random_label()], [EMPTY, EMPTY]),
                  ([random_label()], [random_label()]))
        attacks.append((packet(*shapes[i % 4]), (X, V)[i // 4 % 2],
                        1000 + i % 50))
    unknown = scene.forwarder.count("unknown")
    flows = scene.forwarder.flows()
    scene.beside("guesses", attacks)
    scene.check("guesses__counted", wait(
        lambda: scene.forwarder.count("unknown") == unknown + 4_000),
        scene.forwarder.count("unknown") - unknown)
    scene.check("guesses__silence", scene.victim() == 0 and
                scene.forwarder.flows() == flows)
    scene.x.as_victim = 0


def test_flood(scene):
    """More through one label than it may carry."""
    size, n = 1200, 2000
    over = scene.forwarder.count("rate")
    scene.at_b.packets()
    attacks = [(packet([scene.target.label], [], size, i),) for i in range(n)]
    began = time.monotonic()
    taken, good = 0, 0
    for i in range(0, n, 40):
        for attack in attacks[i:i + 40]:
            scene.x.send(*attack)
        sent = packet([scene.mate.label], [], 400, next(scene.fills))
        scene.a.send(sent)
        mine = []
        while not mine:
            seen = scene.at_b.packets(1, 5, lambda _, data: data[0] == 0x82)
            if not seen:
                break
            mine = [data for port, data in seen if port == scene.mate.port]
            # They may have been sent as a run
            taken += sum(len(data) // size for port, data in seen
                         if port == scene.target.port)
        good += mine == [sent]
    taken += sum(len(data) // size
                 for data in scene.at_b.forwarded(scene.target.port))
    took = time.monotonic() - began
    allowed = scene.forwarder.burst() + RATE * took + size
    scene.check("flood__others_lose_nothing", good == n // 40, good)
    scene.check("flood__within_its_rate", scene.forwarder.burst() - size <=
                taken * size <= allowed, f"{taken * size} in {took:.3f} s")
    scene.check("flood__the_rest_is_counted", wait(
        lambda: scene.forwarder.count("rate") - over == n - taken),
        f"{scene.forwarder.count('rate') - over}, {n - taken}")


def test_flows(scene):
    """Diallers without number: forged ones, through two labels."""
    attacks = [(packet([scene.traitor.label], [EMPTY], 64, i), V, 2000 + i)
               for i in range(1000)]
    before = scene.forwarder.flows()
    scene.beside("flows", attacks)
    scene.check("flows__limited", 0 < scene.forwarder.flows() - before <= FLOWS,
                scene.forwarder.flows())
    # Through the label of the pair too: what is confirmed stays
    scene.beside("flows_of_ours",
                 [(packet([scene.mate.label], [EMPTY], 64, i), V, 5000 + i)
                  for i in range(500)])
    scene.check("flows_of_ours__limited",
                scene.forwarder.flows() - before <= 2 * FLOWS,
                scene.forwarder.flows())
    scene.victim()
    scene.x.as_victim = 0


def dialled_as_victim(scene, port, size, previous=None):
    """The return label that a host sees when the attacker dials as the victim."""
    labels, slots = [scene.traitor.label], [EMPTY]
    if previous:
        labels, slots = [random_label()] + labels, [previous, EMPTY]
    scene.at_b.packets(patience=0)
    scene.x.send(packet(labels, slots, size), V, port)
    seen = scene.at_b.forwarded(scene.traitor.port, 1, 5)
    return seen[0][8 * (len(labels) + len(slots)) - 6:][:6] if seen else EMPTY


def test_forged(scene):
    """Packets to somebody who has not asked for any."""
    unknown = scene.forwarder.count("unknown")
    # No more than the buffer of a program's socket has room for
    for i in range(100):
        scene.traitor.send(packet([random_label()], [], 500, i))
    scene.check("forged__who_sent_nothing", wait(
        lambda: scene.forwarder.count("unknown") == unknown + 100) and
        scene.victim() == 0)

    # The attacker dials as the victim, and its friend answers
    label = dialled_as_victim(scene, 3000, 100)
    for i in range(100):
        scene.traitor.send(packet([label], [], 100, i))
    scene.within_three_times("forged__answers")

    # From many ports, and as if by many forwarders
    for i in range(100):
        label = dialled_as_victim(scene, 3001 + i % 10, 100, random_label())
        for size in 100, 1000, 200:
            scene.traitor.send(packet([label], [], size, i))
    scene.within_three_times("forged__many_flows")

    # The friend tells the return label: the attacker pretends to have seen it
    label = dialled_as_victim(scene, 3100, 100)
    for i in range(10):
        scene.x.send(packet([scene.traitor.label], [label], 100), V, 3100)
        for _ in range(50):
            scene.traitor.send(packet([label], [], 1000, i))
            scene.traitor.send(packet([label], [], 100, i))
    scene.within_three_times("forged__told_return_label")

    # Who is not the host cannot use its return labels
    sender = scene.forwarder.count("sender")
    for i in range(100):
        scene.x.send(packet([label], [], 100, i))
    scene.check("forged__not_the_host", wait(
        lambda: scene.forwarder.count("sender") == sender + 100) and
        scene.victim() == 0)
    scene.check("forged__others_lose_nothing", scene.exchange()[0])


def test_hello(scene):
    """The first datagrams of channels, which a program's relay answers."""
    scene.beside("hello", [(bytes([0x84, 1]) + bytes(6) + os.urandom(8) +
                            bytes(20), V, 4000 + i) for i in range(500)])
    got = scene.victim()
    scene.check("hello__three_times", got <= 3 * scene.x.as_victim, got)
    scene.x.as_victim = 0


def crowd(scene, node, address, *options):
    """How many of so many hosts are taken; then they are silent."""
    sock = Namespace(node).socket(socket.AF_INET, socket.SOCK_DGRAM)
    out = attach(node, scene.forwarder.key, address, sock,
                 *options).communicate()[0].split("\n")
    sock.close()
    return sum(line not in ("", "-") for line in out)


def test_attaching(scene):
    """One address attaches thousands of times."""
    before = scene.forwarder.hosts()
    taken = crowd(scene, "x", FX, "-n", "1000", "-t", "5000")
    scene.check("attaching__refused", 0 < taken <= HOSTS and
                scene.forwarder.hosts() - before == taken, taken)
    scene.check("attaching__others_lose_nothing",
                scene.exchange()[0])
    # Slowly: no more than one address may have, whatever the patience
    for _ in range(6):
        time.sleep(8)
        scene.mate.alive()
        taken += crowd(scene, "x", FX, "-n", "60", "-t", "5000")
    scene.check("attaching__hosts_of_one_address", taken == HOSTS and
                scene.forwarder.hosts() - before == HOSTS, taken)
    scene.check("attaching__others_may", crowd(scene, "a", FA, "-n", "1") == 1)
    # The same host, again and again: it is still one
    time.sleep(8)
    hosts = scene.forwarder.hosts()
    crowd(scene, "a", FA, "-k", "-n", "20", "-t", "500")
    scene.check("attaching__one_host_is_one",
                scene.forwarder.hosts() <= hosts + 1, scene.forwarder.hosts())


def main():
    os.makedirs(DIR, exist_ok=True)
    scene = Scene({"kernel": Kernel, "relay": Relay}[sys.argv[1]])
    if scene.check("a_pair_talks", scene.begin()):
        for test in (test_guesses, test_flood, test_flows, test_forged,
                     test_hello, test_attaching):
            test(scene)
        scene.mate.alive()
        scene.check("a_pair_still_talks", scene.exchange()[0])
    scene.forwarder.process.terminate()
    scene.forwarder.process.wait()
    for host in scene.mate, scene.target, scene.traitor:
        host.stop()


main()

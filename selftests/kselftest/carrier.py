#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The tests of carrier.sh, which draws the network and counts the results.

Runs all, or those that are named. Prints "ok NAME", "not ok NAME: WHY" or a note a line.
"""
import errno
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../helpers"))
from laya_netlink import C, Namespace, Netlink, sockaddr

SLOW = float(os.environ.get("CARRIER_SLOW", "1"))
ORCHID = {node: os.environ["LAYA_ORCHID_" + node.upper()] for node in "abe"}
TCP, TLS = C["LAYA_CARRIER_TYPE_TCP"], C["LAYA_CARRIER_TYPE_TLS"]
PROBE = 64		# a sealed probe without shims
GRACE = 10


def check(name, good, why=""):
    print(f"ok {name}" if good else f"not ok {name}: {why}", flush=True)
    return good


def wait(condition, seconds=10):
    end = time.monotonic() + seconds * SLOW
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def number(data):
    return int.from_bytes(data, sys.byteorder)


def key(node):
    return node.upper().encode() * 32


class Node:
    """One end: owns its device, and holds the sockets of its carriers."""

    def __init__(self, name):
        self.name = name
        self.ns = Namespace(name)
        self.claim()

    def claim(self):
        self.nl = Netlink(self.ns)
        self.nl.laya("DEVICE_CLAIM", DEVICE_IFINDEX=self.nl.ifindex)

    def carrier(self, sock, kind=TCP, **more):
        reply = self.nl.laya("CARRIER_NEW", CARRIER_IFINDEX=self.nl.ifindex,
                             CARRIER_TYPE=kind,
                             CARRIER_FD=sock if isinstance(sock, int) else
                             sock.fileno(), **more)
        return number(reply[0][C["LAYA_A_CARRIER_CARRIER_ID"]])

    def close(self, carrier):
        self.nl.laya("CARRIER_DEL", CARRIER_IFINDEX=self.nl.ifindex,
                     CARRIER_CARRIER_ID=carrier)

    def dial(self, carrier, other="b", kind="LAN", **more):
        reply = self.nl.laya("PATH_NEW", PATH_IFINDEX=self.nl.ifindex,
                             PATH_PUBLIC_KEY=key(other),
                             PATH_KIND=C["LAYA_PATH_KIND_" + kind],
                             PATH_CARRIER_ID=carrier, **more)
        return number(reply[0][C["LAYA_A_PATH_PATH_ID"]])

    def carriers(self):
        return {number(c[C["LAYA_A_CARRIER_CARRIER_ID"]]): c for c in
                self.nl.laya("CARRIER_GET", dump=True,
                             CARRIER_IFINDEX=self.nl.ifindex)}

    def paths(self, carrier=None):
        found = self.nl.laya("PATH_GET", dump=True,
                             PATH_IFINDEX=self.nl.ifindex)
        return [p for p in found if carrier is None or
                number(p[C["LAYA_A_PATH_CARRIER_ID"]]) == carrier]

    def state(self, carrier):
        found = self.paths(carrier)
        return number(found[0][C["LAYA_A_PATH_STATE"]]) if found else 0

    def usable(self, carrier):
        return self.state(carrier) == C["LAYA_PATH_STATE_USABLE"]

    def used(self, other):
        """Carrier of the path in use."""
        for path in self.paths():
            if C["LAYA_A_PATH_IN_USE"] in path and \
                    path[C["LAYA_A_PATH_PUBLIC_KEY"]] == key(other):
                return number(path[C["LAYA_A_PATH_CARRIER_ID"]])
        return 0

    def lost(self, carrier):
        """The error with which the owner was told that a carrier is gone."""
        self.carriers()		# reads events too
        for command, event in self.nl.events:
            if command == C["LAYA_CMD_CARRIER_LOST"] and \
                    number(event[C["LAYA_A_CARRIER_CARRIER_ID"]]) == carrier:
                return errno.errorcode.get(
                    number(event[C["LAYA_A_CARRIER_ERROR"]]))
        return None

    def full(self):
        return self.nl.drops().get("stream carrier is full", 0)


def tcp_pair(a, b):
    """A TCP connection between two nodes, outside of Laya."""
    with b.ns.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("192.0.2.2", 0))
        listener.listen()
        near = a.ns.socket(socket.AF_INET, socket.SOCK_STREAM)
        near.connect(listener.getsockname())
        far, _ = listener.accept()
    return near, far


class Pump:
    """Between two AF_UNIX carriers, in pieces of the sizes that are wanted."""

    def __init__(self, sizes):
        self.sizes = sizes
        self.ends = []		# what the carriers have
        self.own = []
        for _ in range(2):
            kernel, own = socket.socketpair()
            self.ends.append(kernel)
            self.own.append(own)
        self.stopped = [False, False]	# what comes out of end 0, of end 1
        self.ended = False
        self.threads = [threading.Thread(target=self.run, args=(i,),
                                         daemon=True) for i in (0, 1)]
        for thread in self.threads:
            thread.start()

    def run(self, i):
        source, to, n = self.own[i], self.own[1 - i], 0
        try:
            while not self.ended:
                if self.stopped[i] or \
                        not select.select([source], [], [], 0.05)[0]:
                    time.sleep(0.01 if self.stopped[i] else 0)
                    continue
                data = source.recv(65536)
                if not data:
                    break
                while data:
                    size = self.sizes[n % len(self.sizes)]
                    to.sendall(data[:size])
                    data = data[size:]
                    n += 1
        except OSError:
            pass
        for sock in [] if self.ended else self.own:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.ended = True
        for thread in self.threads:
            thread.join()

    def close(self):
        self.stop()
        for sock in self.own + self.ends:
            sock.close()


class Link:
    """A carrier between a and b, with a path that a dialled."""

    def __init__(self, a, b, pump=None, kind="LAN"):
        self.a, self.b, self.pump = a, b, pump
        self.socks = pump.ends if pump else tcp_pair(a, b)
        self.at_a = a.carrier(self.socks[0], TLS if pump else TCP)
        self.at_b = b.carrier(self.socks[1], TLS if pump else TCP)
        a.dial(self.at_a, kind=kind)
        self.up = wait(lambda: a.usable(self.at_a) and b.usable(self.at_b))

    def close(self):
        for node, carrier in ((self.a, self.at_a), (self.b, self.at_b)):
            try:
                node.close(carrier)
            except OSError:
                pass
        if self.pump:
            self.pump.close()
        for sock in self.socks:
            sock.close()


class Transfer(threading.Thread):
    """A stream from a to b, compared byte by byte."""

    def __init__(self, a, b, size, pause=0.0):
        super().__init__(daemon=True)
        self.size, self.pause, self.got, self.good = size, pause, 0, False
        self.block = os.urandom(1 << 16)
        self.listener = b.ns.socket(socket.AF_INET6, socket.SOCK_STREAM)
        self.listener.bind(("::", 0))
        self.listener.listen()
        self.listener.settimeout(20 * SLOW)
        self.sender = a.ns.socket(socket.AF_INET6, socket.SOCK_STREAM)
        self.sender.settimeout(60 * SLOW)
        self.to = (ORCHID[b.name], self.listener.getsockname()[1])
        self.failure = None
        self.start()

    def send(self):
        try:
            left = self.size
            while left:
                part = self.block[:min(left, len(self.block))]
                self.sender.sendall(part)
                left -= len(part)
                time.sleep(self.pause)
            self.sender.shutdown(socket.SHUT_WR)
        except OSError as error:
            self.failure = error

    def run(self):
        try:
            self.sender.connect(self.to)
            receiver, _ = self.listener.accept()
        except OSError as error:
            self.failure = error
            return
        receiver.settimeout(60 * SLOW)
        sending = threading.Thread(target=self.send, daemon=True)
        sending.start()
        good = True
        try:
            while True:
                data = receiver.recv(1 << 16)
                if not data:
                    break
                at = self.got % len(self.block)
                want = (self.block + self.block)[at:at + len(data)]
                good = good and data == want
                self.got += len(data)
        except OSError as error:
            self.failure = error
        sending.join()
        self.good = good and self.got == self.size
        receiver.close()

    def result(self):
        self.join()
        self.sender.close()
        self.listener.close()
        return self.good

    def __str__(self):
        return f"{self.got} of {self.size} bytes, {self.failure}"


def echo(a, b, size):
    """A datagram there and back."""
    with b.ns.socket(socket.AF_INET6, socket.SOCK_DGRAM) as far, \
            a.ns.socket(socket.AF_INET6, socket.SOCK_DGRAM) as near:
        far.bind(("::", 0))
        for sock in (near, far):
            sock.settimeout(5 * SLOW)
        data = os.urandom(size)
        try:
            near.sendto(data, (ORCHID[b.name], far.getsockname()[1]))
            got, name = far.recvfrom(1 << 16)
            far.sendto(got, name)
            return near.recv(1 << 16) == data
        except OSError:
            return False


def refused(node, sock, kind=TCP, **more):
    """Words with which a socket is refused."""
    try:
        node.close(node.carrier(sock, kind, **more))
    except OSError as error:
        return f"{errno.errorcode[error.errno]} {error.strerror}"
    return "taken"


def test_refused(a, b):
    near, far = tcp_pair(a, b)
    udp = a.ns.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener = a.ns.socket(socket.AF_INET, socket.SOCK_STREAM)
    fresh = a.ns.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.listen()
    laya = a.ns.socket(18, socket.SOCK_STREAM)
    packets = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with open("/dev/null", "rb") as file:
        for name, sock, words in (
                ("udp", udp, "EINVAL The socket is not a stream"),
                ("listening", listener, "EINVAL The socket listens"),
                ("unconnected", fresh, "EINVAL The socket is not connected"),
                ("laya", laya, "EINVAL The socket is of AF_LAYA"),
                ("seqpacket", packets[0], "EINVAL The socket is not a stream"),
                ("file", file, "ENOTSOCK It is not a socket"),
                ("closed", 999, "EBADF No file is open there")):
            said = refused(a, sock)
            check(f"refused__{name}", said.startswith(words), said)
    said = refused(a, near, C["LAYA_CARRIER_TYPE_UDP"])
    check("refused__as_udp", said.startswith("EINVAL The kernel opens"), said)
    said = refused(a, near, CARRIER_REMOTE=b"abc")
    check("refused__remote", said.startswith("EINVAL Remote is no"), said)
    carrier = a.carrier(near)
    said = refused(a, near)
    check("refused__twice", said == "EBUSY The socket is a carrier already",
          said)
    a.close(carrier)
    try:
        a.dial(carrier)
        said = "taken"
    except OSError as error:
        said = error.strerror
    check("refused__path_over_what_is_gone",
          said == "The device has no such carrier", said)
    far.settimeout(5 * SLOW)
    check("refused__closed_when_deleted", far.recv(1) == b"")
    for sock in (near, far, udp, listener, fresh, laya, *packets):
        sock.close()


def test_tcp(a, b):
    link = Link(a, b)
    if not check("tcp__path_is_usable", link.up, a.paths()):
        return
    there, back = a.paths(link.at_a)[0], b.paths(link.at_b)[0]
    check("tcp__carrier_type",
          [number(p[C["LAYA_A_PATH_CARRIER_TYPE"]]) for p in (there, back)] ==
          [TCP, TCP])
    check("tcp__answered", C["LAYA_A_PATH_ANSWERED"] in back and
          C["LAYA_A_PATH_ANSWERED"] not in there)
    check("tcp__mtu_at_once", number(there[C["LAYA_A_PATH_MTU"]]) == 1436 and
          number(back[C["LAYA_A_PATH_MTU"]]) == 1436)
    remote = sockaddr(*link.socks[0].getpeername())
    check("tcp__remote_of_the_socket",
          there[C["LAYA_A_PATH_REMOTE"]] == remote and
          a.carriers()[link.at_a][C["LAYA_A_CARRIER_REMOTE"]] == remote)
    check("tcp__not_observed", C["LAYA_A_PATH_OBSERVED"] not in there)
    check("tcp__datagrams", echo(a, b, 20) and echo(a, b, 1300))
    check("tcp__fragments", echo(a, b, 8000))
    transfer = Transfer(a, b, 8 << 20)
    check("tcp__stream", transfer.result(), transfer)
    transfer = Transfer(b, a, 2 << 20)
    check("tcp__stream_back", transfer.result(), transfer)
    carriers = a.carriers()[link.at_a]
    check("tcp__counted",
          number(carriers[C["LAYA_A_CARRIER_TX_BYTES"]]) > 8 << 20 and
          number(carriers[C["LAYA_A_CARRIER_RX_BYTES"]]) > 2 << 20, carriers)

    # Both ends of the way are there in the end, and gone together
    a.close(link.at_a)
    check("tcp__path_dies_at_once", a.state(link.at_a) ==
          C["LAYA_PATH_STATE_DEAD"], a.state(link.at_a))
    check("tcp__far_side_is_told", wait(lambda: b.lost(link.at_b) == "EPIPE"),
          b.lost(link.at_b))
    check("tcp__its_path_is_dead", b.state(link.at_b) ==
          C["LAYA_PATH_STATE_DEAD"])
    check("tcp__no_event_for_a_request", a.lost(link.at_a) is None)
    link.close()


def test_unix(a, b):
    for name, sizes, size in (("odd", [1, 2, 3, 1437, 1438, 7, 1500, 4001],
                               2 << 20),
                              ("bytes", [1], 32 << 10)):
        link = Link(a, b, Pump(sizes))
        check(f"unix__{name}_path", link.up, a.paths())
        transfer = Transfer(a, b, size)
        check(f"unix__{name}_stream", transfer.result(), transfer)
        check(f"unix__{name}_datagrams", echo(a, b, 1200))
        link.close()


def test_failover(a, b):
    first, second = Link(a, b), Link(a, b, Pump([65536]), kind="RELAY")
    check("failover__two_paths", first.up and second.up)
    check("failover__first_is_used",
          wait(lambda: a.used("b") == first.at_a), a.used("b"))
    transfer = Transfer(a, b, 4 << 20, 0.02)
    wait(lambda: transfer.got > 1 << 20, 30)
    # As a middlebox does: no word to Laya
    first.socks[0].shutdown(socket.SHUT_RDWR)
    check("failover__owners_are_told",
          wait(lambda: a.lost(first.at_a) and b.lost(first.at_b)))
    check("failover__other_path_is_used",
          wait(lambda: a.used("b") == second.at_a and
               b.used("a") == second.at_b))
    check("failover__stream_goes_on", transfer.result(), transfer)

    # No way left
    transfer = Transfer(a, b, 64 << 20, 0.02)
    wait(lambda: transfer.got > 1 << 16, 30)
    for node in (a, b):
        node.nl.laya("DEVICE_SET", DEVICE_IFINDEX=node.nl.ifindex,
                     DEVICE_USER_TIMEOUT=3000)
    second.close()
    transfer.result()
    check("failover__none_left", isinstance(transfer.failure, OSError) and
          transfer.failure.errno == errno.ETIMEDOUT, transfer)
    for node in (a, b):
        node.nl.laya("DEVICE_SET", DEVICE_IFINDEX=node.nl.ifindex,
                     DEVICE_USER_TIMEOUT=60000)
    with a.ns.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
        sock.settimeout(30 * SLOW)
        try:
            sock.connect((ORCHID["b"], 1))
            said = "connected"
        except OSError as error:
            said = errno.errorcode.get(error.errno, str(error))
    check("failover__connecting_fails", said == "EHOSTUNREACH", said)
    first.close()


def test_garbage(a, b):
    good = Link(a, b)
    for name, data, error in (
            ("zero", b"\0\0", "EBADMSG"),
            ("over_long", b"\x08\x01" + bytes(3000), "EBADMSG"),
            ("tls", b"\x16\x03\x01\0\x20" + bytes(32), "EBADMSG"),
            ("random", b"\xff" + os.urandom(100000), "EBADMSG"),
            ("half_a_frame", b"\0\x50" + bytes(20), "EPIPE")):
        kernel, own = socket.socketpair()
        carrier = a.carrier(kernel)
        try:
            own.sendall(data)
        except OSError:
            pass
        own.shutdown(socket.SHUT_WR)
        check(f"garbage__{name}", wait(lambda: a.lost(carrier)) and
              a.lost(carrier) == error and carrier not in a.carriers(),
              a.lost(carrier))
        own.close()
        kernel.close()
    # A frame is one, whatever is in it
    kernel, own = socket.socketpair()
    carrier = a.carrier(kernel)
    before = a.nl.drops().get("malformed packet", 0)
    for size in (1, 17, 64, 1436, 2048):
        own.sendall(struct.pack("!H", size) + os.urandom(size))
    check("garbage__packets_are_only_dropped", wait(
        lambda: a.nl.drops().get("malformed packet", 0) >= before + 4) and
        a.lost(carrier) is None, a.nl.drops())
    a.close(carrier)
    check("garbage__others_live", good.up and echo(a, b, 100))
    good.close()
    kernel.close()
    own.close()


def flood(a, node, packets, size=1200):
    """Datagrams that nobody answers."""
    with a.ns.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
        for _ in range(packets):
            try:
                sock.sendto(bytes(size), (ORCHID[node], 9))
            except OSError:
                pass


def frames(sock):
    """Lengths of the packets in a stream, in their order, until none comes."""
    data, lengths = b"", []
    sock.settimeout(1)
    try:
        while True:
            more = sock.recv(1 << 16)
            if not more:
                break
            data += more
    except OSError:
        pass
    while len(data) >= 2:
        length = struct.unpack("!H", data[:2])[0]
        lengths.append(length)
        data = data[2 + length:]
    return lengths


def test_full(a, b, e):
    # e is dialled from here, over UDP
    a.nl.laya("PEER_NEW", PEER_IFINDEX=a.nl.ifindex, PEER_PUBLIC_KEY=key("e"),
              PEER_FLAGS=C["LAYA_PEER_FLAGS_ALLOW"])
    a.nl.laya("SESSION_NEW", SESSION_IFINDEX=a.nl.ifindex,
              SESSION_PUBLIC_KEY=key("e"),
              SESSION_CIPHER=C["LAYA_CIPHER_CHACHA20_POLY1305"],
              SESSION_RX_INDEX=0x10000 * ord("a") + ord("e"),
              SESSION_TX_INDEX=0x10000 * ord("e") + ord("a"),
              SESSION_RX_KEY=b"e" + bytes([0x80 | ord("a")]) * 31,
              SESSION_TX_KEY=b"a" + bytes([0x80 | ord("e")]) * 31,
              SESSION_INITIATOR=True, SESSION_CONFIRMED=True)
    a.nl.laya("CARRIER_NEW", CARRIER_IFINDEX=a.nl.ifindex)
    a.dial(1, "e", PATH_REMOTE=sockaddr("198.51.100.2", 5291))
    check("full__other_peer", wait(lambda: a.usable(1)), a.paths())

    link = Link(a, b, Pump([65536]))
    before = a.full()
    link.pump.stopped[0] = True
    sent = number(a.paths(link.at_a)[0][C["LAYA_A_PATH_TX_PACKETS"]])
    flood(a, "b", 1500)
    check("full__drops_are_counted", wait(lambda: a.full() > before), a.full())
    # A probe about the silence is behind all that in time
    check("full__path_is_suspect", wait(
        lambda: a.state(link.at_a) >= C["LAYA_PATH_STATE_SUSPECT"]))
    check("full__other_peer_is_not_held_up", echo(a, e, 1000))
    link.pump.stop()
    lengths = frames(link.pump.own[0])
    total = sum(lengths)
    at = sum(lengths[:lengths.index(PROBE)]) if PROBE in lengths else total
    print(f"{total} bytes were kept of {1500 * 1200}, a probe behind {at}",
          flush=True)
    check("full__little_is_kept", total < 400000, total)
    check("full__probes_go_first", at < 100000, at)
    check("full__newest_are_kept", sent and len(lengths) > 50, len(lengths))
    link.close()


def test_owner(a, b):
    link = Link(a, b)
    old = a.nl.sock
    began = time.monotonic()
    old.close()
    # Others may look
    looking = Netlink(a.ns)
    a.nl = looking
    time.sleep(GRACE / 2)
    check("owner__carriers_wait", link.at_a in a.carriers() and
          time.monotonic() - began < GRACE)
    a.claim()
    time.sleep(GRACE / 2 + 2)
    check("owner__another_takes_over", a.usable(link.at_a) and
          echo(a, b, 100))
    began = time.monotonic()
    a.nl.sock.close()
    a.nl = looking
    check("owner__then_they_go", wait(lambda: link.at_a not in a.carriers(),
                                      GRACE + 10))
    gone = time.monotonic() - began
    check("owner__not_before", gone > GRACE - 1, gone)
    a.claim()
    link.close()


def run(*command):
    return subprocess.run(command, check=False, timeout=100).returncode == 0


def test_ends(a, b):
    """Everything goes, with packets on their way."""
    links = [Link(a, b), Link(a, b, Pump([100, 1000]))]
    transfer = Transfer(a, b, 256 << 20)
    wait(lambda: transfer.got > 1 << 16, 30)
    check("ends__device", run("ip", "-n", "a", "link", "delete", "laya0"))
    check("ends__far_side_is_told", wait(
        lambda: all(b.lost(link.at_b) for link in links)))
    for link in links:
        link.socks[0].close()

    # b's namespace lives as long as the carrier pins it
    kernel, own = socket.socketpair()
    b.carrier(kernel)
    check("ends__namespace", run("ip", "netns", "delete", "b"))
    b.nl.sock.close()
    kernel.close()
    threading.Thread(target=lambda: own.sendall(bytes(1)), daemon=True).start()
    check("ends__module", run("rmmod", "laya"))


def main():
    a, b, e = (Node(name) for name in "abe")
    # Without the UDP paths of pair.sh
    for node in (a, b):
        node.close(1)
        for path in node.paths():
            node.nl.laya("PATH_DEL", PATH_IFINDEX=node.nl.ifindex,
                         PATH_PUBLIC_KEY=path[C["LAYA_A_PATH_PUBLIC_KEY"]],
                         PATH_PATH_ID=number(path[C["LAYA_A_PATH_PATH_ID"]]))
    for name, test in (("refused", test_refused), ("tcp", test_tcp),
                       ("unix", test_unix), ("failover", test_failover),
                       ("garbage", test_garbage),
                       ("full", lambda a, b: test_full(a, b, e)),
                       ("owner", test_owner), ("ends", test_ends)):
        if name in (sys.argv[1:] or [name]):
            test(a, b)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The packets of forward.sh, which draws the network and counts the results.

Prints "ok NAME", "not ok NAME: WHY" or a "# note" a line. B is a node with a
kernel of its own, so that its path to F is a real one; what it is sent is seen on
its interface, and what it sends beside that is made by hand, as A's packets are.
"""
import errno
import os
import select
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../helpers"))
from laya_netlink import C, Namespace, Netlink, sockaddr

SLOW = float(os.environ.get("FORWARD_SLOW", "1"))

A4, FA4, FB4, B4 = "192.0.2.1", "192.0.2.2", "198.51.100.2", "198.51.100.1"
A6, FA6 = "2001:db8:1::1", "2001:db8:1::2"
PORT = 5292
KEY_B = bytes([11]) * 32
KEY_F = bytes([12]) * 32
KEY_A = bytes([13]) * 32
UDP_SEGMENT = 103


class Forwarder(Netlink):
    """The labels of a device."""

    def label(self, label, rate=0, burst=0, expires=60000, peer=KEY_B,
              for_key=KEY_A, **more):
        self.laya("LABEL_NEW", LABEL_IFINDEX=self.ifindex, LABEL_LABEL=label,
                  LABEL_PUBLIC_KEY=peer, LABEL_FOR_KEY=for_key,
                  LABEL_RATE=rate, LABEL_BURST=burst, LABEL_EXPIRES_MS=expires,
                  **more)

    def label_info(self, label):
        for found in self.laya("LABEL_GET", dump=True,
                               LABEL_IFINDEX=self.ifindex):
            if found[C["LAYA_A_LABEL_LABEL"]] == label:
                return {name: struct.unpack(
                            "=Q" if len(found[C["LAYA_A_LABEL_" + name]]) == 8
                            else "=I", found[C["LAYA_A_LABEL_" + name]])[0]
                        for name in ("PACKETS", "BYTES", "DROPPED", "FLOWS")}
        return None


def packet(labels, slots=(), size=100, fill=0):
    """Shims and something that looks sealed."""
    shims = b"".join(b"\x82\0" + label for label in labels) + \
        b"".join(b"\x83\0" + slot for slot in slots)
    data = struct.pack("!BBHIQ", 0x81, 0, 1, 0xdeadbeef, fill + 1)
    return shims + data + bytes([fill & 255]) * (size - len(shims) - len(data))


class Seen:
    """A packet as it came in at B."""

    def __init__(self, data):
        header = (data[0] & 15) * 4
        self.tos, self.ttl = data[1], data[8]
        self.source = socket.inet_ntoa(data[12:16])
        self.sport, self.dport = struct.unpack("!HH", data[header:header + 4])
        self.payload = data[header + 8:]


class Host:
    """What the tests do at A and B."""

    def __init__(self):
        self.a, self.f, self.b = (Namespace(n) for n in "afb")
        self.f_nl, self.b_nl = Forwarder(self.f), Netlink(self.b)
        self.udp = self.dial()
        self.sniffer = self.b.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                     socket.htons(0x0800))
        self.sniffer.bind(("eth0", 0x0800))
        self.raw = self.b.socket(socket.AF_INET, socket.SOCK_RAW,
                                 socket.IPPROTO_RAW)
        self.b_port = 0
        self.dropped_then = {}

    def dial(self, family=socket.AF_INET):
        sock = self.a.socket(family, socket.SOCK_DGRAM)
        sock.connect((FA4 if family == socket.AF_INET else FA6, PORT))
        return sock

    def attach(self):
        """Sessions and a path of B's to F, as two layads would make them."""
        for netlink, own, other, flags in (
                (self.f_nl, KEY_F, KEY_B, C["LAYA_PEER_FLAGS_ATTACHMENT"]),
                (self.b_nl, KEY_B, KEY_F, C["LAYA_PEER_FLAGS_FORWARDER"])):
            index, at_b = netlink.ifindex, own == KEY_B
            netlink.laya("DEVICE_SET", DEVICE_IFINDEX=index,
                         DEVICE_PUBLIC_KEY=own, DEVICE_FLAGS=0 if at_b else
                         C["LAYA_DEVICE_FLAGS_FORWARD"])
            reply = netlink.laya("CARRIER_NEW", CARRIER_IFINDEX=index,
                                 CARRIER_TYPE=C["LAYA_CARRIER_TYPE_UDP"],
                                 CARRIER_PORT=0 if at_b else PORT)
            if at_b:
                port = reply[0][C["LAYA_A_CARRIER_PORT"]]
                self.b_port = int.from_bytes(port, sys.byteorder)
            netlink.laya("PEER_NEW", PEER_IFINDEX=index,
                         PEER_PUBLIC_KEY=other, PEER_FLAGS=flags)
            more = {"SESSION_INITIATOR": True} if at_b else {}
            netlink.laya("SESSION_NEW", SESSION_IFINDEX=index,
                         SESSION_PUBLIC_KEY=other,
                         SESSION_CIPHER=C["LAYA_CIPHER_CHACHA20_POLY1305"],
                         SESSION_RX_INDEX=2 if at_b else 1,
                         SESSION_TX_INDEX=1 if at_b else 2,
                         SESSION_RX_KEY=bytes([1 if at_b else 2]) * 32,
                         SESSION_TX_KEY=bytes([2 if at_b else 1]) * 32,
                         SESSION_CONFIRMED=True, **more)
        return self.b_dials(1, 1, PATH_REMOTE=sockaddr(FB4, PORT))

    def b_dials(self, own, at_f, **remote):
        """A path to F over the one carrier of B and the other of F, alone."""
        for netlink in (self.b_nl, self.f_nl):
            for path in netlink.laya("PATH_GET", dump=True,
                                     PATH_IFINDEX=netlink.ifindex):
                netlink.laya("PATH_DEL", PATH_IFINDEX=netlink.ifindex,
                             PATH_PUBLIC_KEY=path[C["LAYA_A_PATH_PUBLIC_KEY"]],
                             PATH_PATH_ID=path[C["LAYA_A_PATH_PATH_ID"]])
        self.b_nl.laya("PATH_NEW", PATH_IFINDEX=self.b_nl.ifindex,
                       PATH_PUBLIC_KEY=KEY_F,
                       PATH_KIND=C["LAYA_PATH_KIND_DIRECT"],
                       PATH_CARRIER_ID=own, **remote)

        def usable(path, carrier_id):
            return path[C["LAYA_A_PATH_CARRIER_ID"]] == \
                carrier_id.to_bytes(4, sys.byteorder) and \
                int.from_bytes(path[C["LAYA_A_PATH_STATE"]], sys.byteorder) \
                == C["LAYA_PATH_STATE_USABLE"]
        return wait(lambda: any(
            usable(path, at_f) for path in
            self.f_nl.laya("PATH_GET", dump=True,
                           PATH_IFINDEX=self.f_nl.ifindex)))

    def at_b(self, count=1, patience=3.0):
        """Labelled packets that arrive at B: @count, or what comes in time."""
        seen, end = [], time.monotonic() + patience * SLOW
        while len(seen) < count and \
                select.select([self.sniffer], [], [],
                              max(end - time.monotonic(), 0))[0]:
            data, address = self.sniffer.recvfrom(1 << 17)
            if address[2] == socket.PACKET_OUTGOING or data[9] != 17:
                continue
            one = Seen(data)
            if one.dport == self.b_port and one.payload[0] == 0x82:
                seen.append(one)
        return seen

    def at_a(self, sock=None, count=1, patience=3.0):
        sock, got = sock or self.udp, []
        end = time.monotonic() + patience * SLOW
        while len(got) < count and \
                select.select([sock], [], [],
                              max(end - time.monotonic(), 0))[0]:
            got.append(sock.recv(1 << 16))
        return got

    def from_b(self, payload, port=None):
        """As B's carrier would send it."""
        udp = struct.pack("!HHHH", port or self.b_port, PORT,
                          8 + len(payload), 0) + payload
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17,
                         0, socket.inet_aton(B4), socket.inet_aton(FB4))
        self.raw.sendto(ip + udp, (FB4, 0))

    def dropped(self, reason):
        """How many more there are than when last asked."""
        now = self.f_nl.drops().get(reason, 0)
        more = now - self.dropped_then.get(reason, 0)
        self.dropped_then[reason] = now
        return more


def frame(data):
    return struct.pack("!H", len(data)) + data


def frames(sock):
    """The packets of a stream."""
    while True:
        header = sock.recv(2, socket.MSG_WAITALL)
        if len(header) < 2:
            return
        yield sock.recv(struct.unpack("!H", header)[0], socket.MSG_WAITALL)


def carrier(netlink, sock):
    reply = netlink.laya("CARRIER_NEW", CARRIER_IFINDEX=netlink.ifindex,
                         CARRIER_TYPE=C["LAYA_CARRIER_TYPE_TLS"],
                         CARRIER_FD=sock.fileno())
    return int.from_bytes(reply[0][C["LAYA_A_CARRIER_CARRIER_ID"]],
                          sys.byteorder)


class Attachment:
    """A stream between F and B; what has a label on its way to B is kept."""

    def __init__(self, host):
        self.kept, self.lock = [], threading.Lock()
        self.at_f, self.of_f = socket.socketpair()
        self.at_b, self.of_b = socket.socketpair()
        self.ids = carrier(host.f_nl, self.of_f), carrier(host.b_nl, self.of_b)
        threading.Thread(target=self.run, daemon=True,
                         args=(self.at_f, self.at_b, True)).start()
        threading.Thread(target=self.run, daemon=True,
                         args=(self.at_b, self.at_f, False)).start()

    def run(self, source, to, keep):
        for data in frames(source):
            if keep and data[0] == 0x82:
                self.kept.append(data)
            elif keep:
                to.sendall(frame(data))
            else:
                self.to_f(data)

    def to_f(self, data):
        with self.lock:
            self.at_f.sendall(frame(data))

    def seen(self, count=1, patience=3.0):
        wait(lambda: len(self.kept) >= count, patience)
        kept, self.kept = self.kept, []
        return kept


def wait(condition, seconds=10):
    end = time.monotonic() + seconds * SLOW
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def slot_of(seen, n_labels=1):
    return seen.payload[8 * n_labels + 2:8 * n_labels + 8]


def check(name, good, why=""):
    print(f"ok {name}" if good else f"not ok {name}: {why}", flush=True)
    return good


def label_of(got):
    """What A sees before an answer."""
    return got[2:8]


LABEL, EMPTY = b"\1\2\3\4\5\6", bytes(6)
OTHER, THIRD = b"\6\5\4\3\2\1", b"\7\7\7\7\7\7"
BOUND = b"\1\1\1\1\1\1"
SHORT = 0.3	# silence: how long nothing must come


def bind(host, label=LABEL, sock=None, size=100):
    """A's first packet with a slot; the return label as B sees it."""
    (sock or host.udp).send(packet([label], [EMPTY], size))
    seen = host.at_b()
    return slot_of(seen[0]) if seen else None


def test_unchanged(host):
    sent = packet([LABEL], [], 1000, 77)
    host.udp.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0xb8)
    host.udp.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 50)
    host.udp.send(sent)
    seen = host.at_b()
    host.udp.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0)
    host.udp.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 64)
    if not check("unchanged__arrives", seen, "nothing came to B"):
        return
    one = seen[0]
    check("unchanged__bytes", one.payload == sent, one.payload[:40].hex())
    check("unchanged__ttl_less_one", one.ttl == 49, one.ttl)
    check("unchanged__tos", one.tos == 0xb8, hex(one.tos))
    check("unchanged__from_our_port", (one.source, one.sport) == (FB4, PORT),
          f"{one.source}:{one.sport}")
    inner = packet([THIRD, LABEL], [], 200)
    host.udp.send(inner)
    seen = host.at_b()
    check("unchanged__second_label_is_ours",
          seen and seen[0].payload == inner, seen)
    info = host.f_nl.label_info(LABEL)
    check("unchanged__counted", info["PACKETS"] == 2 and info["BYTES"] == 1200,
          info)


def test_ttl(host):
    host.dropped("TTL ended at the forwarder")
    for ttl in (1, 2):
        host.udp.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        host.udp.send(packet([LABEL], [], 100))
    host.udp.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 64)
    seen = host.at_b(2, SHORT)
    check("ttl__ends_here", [one.ttl for one in seen] == [1] and
          host.dropped("TTL ended at the forwarder") == 1,
          [one.ttl for one in seen])


def test_unknown(host):
    host.udp.send(packet([THIRD], [EMPTY], 100))
    host.udp.send(packet([THIRD, OTHER], [EMPTY, EMPTY], 100))
    host.udp.send(b"\x82\1" + LABEL + bytes(100))
    host.udp.send(packet([LABEL] * 3, [], 100))
    host.udp.send(packet([LABEL], [], 30))
    seen, got = host.at_b(1, SHORT), host.at_a(None, 1, SHORT)
    check("unknown__silence", not seen and not got, f"{seen} {got}")
    # Of the others it is not known that they have one
    check("unknown__counted", host.dropped("unknown label") == 2)


def test_return(host):
    host.udp.send(packet([LABEL], [EMPTY], 100, 5))
    seen = host.at_b()
    if not check("return__slot_is_written", seen and slot_of(seen[0]) != EMPTY,
                 seen):
        return
    label = slot_of(seen[0])
    check("return__nothing_else_is",
          seen[0].payload == packet([LABEL], [label], 100, 5),
          seen[0].payload[:40].hex())
    check("return__same_flow_same_label", bind(host) == label)
    other = host.dial()
    check("return__other_flow_other_label",
          bind(host, sock=other) not in (label, None))
    check("return__flows_are_counted",
          host.f_nl.label_info(LABEL)["FLOWS"] == 2,
          host.f_nl.label_info(LABEL))

    answer = packet([label], [], 120, 9)
    host.from_b(answer)
    got = host.at_a()
    # B does not know what stands in place of the return label
    check("return__answer_is_to_be_shown", got and label_of(got[0]) != label and
          got == [packet([label_of(got[0])], [], 120, 9)], got)
    host.udp.send(packet([LABEL], [label_of(got[0])], 100, 5))
    seen = host.at_b()
    check("return__b_sees_the_return_label",
          seen and seen[0].payload == packet([LABEL], [label], 100, 5), seen)
    host.from_b(answer)
    got = host.at_a()
    check("return__answer_unchanged", got == [answer], got)
    check("return__only_to_its_flow", not host.at_a(other, 1, SHORT))

    host.dropped("label used by the wrong sender")
    host.from_b(answer, host.b_port ^ 1)
    other.send(answer)
    host.udp.send(answer)
    check("return__only_by_the_attachment",
          not host.at_a(None, 1, SHORT) and not host.at_b(1, SHORT) and
          host.dropped("label used by the wrong sender") == 3)

    # Two labels, two forwarders: ours is the inner one
    host.udp.send(packet([THIRD, LABEL], [OTHER, EMPTY], 100))
    seen = host.at_b()
    check("return__second_slot",
          seen and slot_of(seen[0], 2) == OTHER and
          seen[0].payload[26:32] not in (EMPTY, label), seen)


def test_amplification(host):
    sock = host.dial()
    label = bind(host, sock=sock, size=100)
    host.dropped("path not validated yet")
    for i in range(10):
        host.from_b(packet([label], [], 100, i))
    got = host.at_a(sock, 10, SHORT)
    check("amplification__three_times",
          len(got) == 3 and host.dropped("path not validated yet") == 7,
          len(got))
    bind(host, sock=sock, size=64)
    for i in range(10):
        host.from_b(packet([label], [], 64, i))
    got = host.at_a(sock, 10, SHORT)
    check("amplification__more_for_more", len(got) == 3, len(got))

    # What B knows too confirms nothing: it could tell it to who forges A's address
    proof = label_of(got[0]) if got else EMPTY
    known = packet([LABEL], [label], 100, 1)
    sock.send(known)
    seen = host.at_b()
    check("amplification__known_unchanged",
          seen and seen[0].payload == known, seen)
    for i in range(10):
        host.from_b(packet([label], [], 100, i))
    got = host.at_a(sock, 10, SHORT)
    check("amplification__known_confirms_nothing", len(got) == 3, len(got))

    confirm = packet([LABEL], [proof], 100, 1)
    sock.send(confirm)
    seen = host.at_b()
    check("amplification__confirmed_is_the_return_label",
          seen and seen[0].payload == known, seen)
    for i in range(20):
        host.from_b(packet([label], [], 1000, i))
    got = host.at_a(sock, 20)
    check("amplification__free_when_confirmed", got ==
          [packet([label], [], 1000, i) for i in range(20)], len(got))

    moved = host.dial()
    moved.send(confirm)
    seen = host.at_b()
    fresh = slot_of(seen[0]) if seen else None
    check("amplification__moved_dialler_is_another_flow",
          fresh not in (None, label, EMPTY), fresh)
    host.at_a(moved, 1, 0)
    for i in range(10):
        host.from_b(packet([fresh], [], 100, i))
    got = host.at_a(moved, 10, SHORT)
    check("amplification__and_has_confirmed_nothing", len(got) == 3, len(got))


def segments(sock, size, parts):
    sock.sendmsg([b"".join(parts)], [(socket.IPPROTO_UDP, UDP_SEGMENT,
                                      struct.pack("=H", size))])


def test_run(host):
    parts = [packet([LABEL], [], 500, i) for i in range(20)] + \
        [packet([LABEL], [], 300, 99)]
    segments(host.udp, 500, parts)
    seen = host.at_b(len(parts), 1.0)
    check("run__bytes", b"".join(one.payload for one in seen) ==
          b"".join(parts), [len(one.payload) for one in seen])
    check("run__in_one_piece", len(seen) == 1,
          [len(one.payload) for one in seen])

    # A slot is written in each of a run
    parts = [packet([LABEL], [EMPTY], 200, i) for i in range(6)]
    segments(host.udp, 200, parts)
    seen = host.at_b(6)
    label = slot_of(seen[0]) if seen else EMPTY
    check("run__slots", [one.payload for one in seen] ==
          [packet([LABEL], [label], 200, i) for i in range(6)] and
          label != EMPTY, [one.payload[:24].hex() for one in seen])

    # They go different ways
    host.f_nl.label(OTHER)
    parts = [packet([LABEL], [], 200, 1), packet([OTHER], [], 200, 2),
             packet([THIRD], [], 200, 3), packet([], [], 200, 4),
             packet([LABEL], [EMPTY], 200, 5)]
    filled = packet([LABEL], [label], 200, 5)
    for i in range(len(parts)):
        turned = parts[i:] + parts[:i]
        segments(host.udp, 200, turned)
        seen = host.at_b(4, SHORT)
        want = [filled if part[8] == 0x83 else part
                for part in turned if part[2:8] in (LABEL, OTHER)]
        check(f"run__mixed_{i}", [one.payload for one in seen] == want,
              [one.payload[:24].hex() for one in seen])


def test_rate(host):
    host.f_nl.label(OTHER, rate=1000, burst=2000)
    host.dropped("label over its rate")
    for i in range(50):
        host.udp.send(packet([OTHER], [], 100, i))
    seen = host.at_b(50, SHORT)
    # A slow machine refills a little meanwhile
    check("rate__burst", 20 <= len(seen) <= 30, len(seen))
    info = host.f_nl.label_info(OTHER)
    check("rate__rest_is_dropped", info["DROPPED"] == 50 - len(seen) ==
          host.dropped("label over its rate"), info)
    host.udp.send(packet([LABEL], [], 100))
    check("rate__others_pass", len(host.at_b()) == 1)
    host.f_nl.label(OTHER)
    host.udp.send(packet([OTHER], [], 100))
    check("rate__lifted_by_renewal", len(host.at_b()) == 1)


def test_ipv6(host):
    sock = host.dial(socket.AF_INET6)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 40)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, 0x20)
    sock.send(packet([LABEL], [EMPTY], 100, 3))
    seen = host.at_b()
    label = slot_of(seen[0]) if seen else EMPTY
    check("ipv6__to_an_ipv4_attachment", seen and label != EMPTY and
          seen[0].ttl == 39 and seen[0].tos == 0x20, seen)
    host.from_b(packet([label], [], 200, 4))
    got = host.at_a(sock)
    check("ipv6__and_back", got and got ==
          [packet([label_of(got[0])], [], 200, 4)], got)


def test_stream(host):
    # Streams are kept for an owner
    for netlink in (host.f_nl, host.b_nl):
        netlink.laya("DEVICE_CLAIM", DEVICE_IFINDEX=netlink.ifindex)
    way = Attachment(host)
    check("stream__attached", host.b_dials(way.ids[1], way.ids[0]))

    sent = packet([LABEL], [], 700, 3)
    host.udp.send(sent)
    check("stream__from_udp", way.seen() == [sent])
    parts = [packet([LABEL], [], 500, i) for i in range(20)] + \
        [packet([LABEL], [], 300, 99)]
    segments(host.udp, 500, parts)
    seen = way.seen(len(parts))
    check("stream__a_run_is_cut", seen == parts, [len(one) for one in seen])
    host.udp.send(packet([LABEL], [EMPTY], 100, 5))
    seen = way.seen()
    label = seen[0][10:16] if seen else EMPTY
    answer = packet([label], [], 120, 9)
    way.to_f(answer)
    got = host.at_a()
    check("stream__and_back", label != EMPTY and got == [answer], got)
    host.dropped("label used by the wrong sender")
    host.from_b(answer)
    check("stream__return_label_is_the_streams",
          not host.at_a(None, 1, SHORT) and
          host.dropped("label used by the wrong sender") == 1)
    host.udp.send(packet([LABEL], [], 3000))
    check("stream__too_long", not way.seen(1, SHORT) and
          host.f_nl.drops().get("too big for the path"))

    # The dialler over a stream: to a stream, then to UDP
    kernel, own = socket.socketpair()
    dialler = carrier(host.f_nl, kernel)
    flows = host.f_nl.label_info(LABEL)["FLOWS"]
    first = packet([LABEL], [EMPTY], 100, 7)
    own.sendall(frame(first)[:30])
    own.sendall(frame(first)[30:])
    seen = way.seen()
    label = seen[0][10:16] if seen else EMPTY
    check("stream__to_stream", label != EMPTY and
          seen == [packet([LABEL], [label], 100, 7)], seen)
    answers = [packet([label], [], 1000, i) for i in range(30)]
    for answer in answers:
        way.to_f(answer)
    own.settimeout(5 * SLOW)
    back = frames(own)
    got = [next(back, None) for _ in answers]
    check("stream__nothing_to_earn", got == answers, got[0])
    check("stream__attached_by_udp_again",
          host.b_dials(1, 1, PATH_REMOTE=sockaddr(FB4, PORT)))
    host.at_b(1000, 0)
    own.sendall(frame(packet([LABEL], [label], 200, 8)))
    seen = host.at_b()
    check("stream__to_udp", seen and seen[0].ttl == 63 and
          seen[0].payload == packet([LABEL], [label], 200, 8), seen)
    answer = packet([label], [], 90, 4)
    host.from_b(answer)
    check("stream__from_udp_back", next(back, None) == answer)
    check("stream__is_a_flow",
          host.f_nl.label_info(LABEL)["FLOWS"] == flows + 1)
    own.close()
    check("stream__flow_goes_with_it", wait(
        lambda: host.f_nl.label_info(LABEL)["FLOWS"] == flows))
    check("stream__owner_is_told", any(
        command == C["LAYA_CMD_CARRIER_LOST"] and
        event[C["LAYA_A_CARRIER_CARRIER_ID"]] ==
        dialler.to_bytes(4, sys.byteorder)
        for command, event in host.f_nl.events), host.f_nl.events)


def test_bound(host):
    """A label that B alone may use, be it that it leads to B again."""
    try:
        host.f_nl.label(BOUND, LABEL_BOUND=True)
        error = 0
    except OSError as failed:
        error = failed.errno
    check("bound__to_who_is_there", error == errno.ENOENT, error)
    host.f_nl.label(BOUND, for_key=KEY_B, LABEL_BOUND=True)
    host.dropped("label used by the wrong sender")
    host.udp.send(packet([BOUND], [EMPTY], 100))
    check("bound__not_by_others", not host.at_b(1, SHORT) and
          host.dropped("label used by the wrong sender") == 1)
    sent = packet([BOUND], [], 100, 3)
    host.from_b(sent)
    seen = host.at_b()
    check("bound__by_its_user", seen and seen[0].payload == sent, seen)
    host.from_b(sent, 9)
    check("bound__and_from_where_he_is", not host.at_b(1, SHORT) and
          host.dropped("label used by the wrong sender") == 1)


def test_end(host):
    nl = host.f_nl
    nl.label(THIRD, expires=1000)
    host.udp.send(packet([THIRD], [EMPTY], 100))
    seen = host.at_b()
    label = slot_of(seen[0]) if seen else EMPTY
    time.sleep(1.1)
    host.udp.send(packet([THIRD], [], 100))
    host.from_b(packet([label], [], 100))
    check("end__expired", seen and not host.at_b(1, SHORT) and
          not host.at_a(None, 1, SHORT) and nl.label_info(THIRD) is None)

    label = bind(host, OTHER)
    nl.laya("LABEL_DEL", LABEL_IFINDEX=nl.ifindex, LABEL_LABEL=OTHER)
    host.udp.send(packet([OTHER], [], 100))
    host.from_b(packet([label], [], 100))
    check("end__deleted", not host.at_b(1, SHORT) and
          not host.at_a(None, 1, SHORT))

    for flags, comes in ((0, 0), (C["LAYA_DEVICE_FLAGS_FORWARD"], 1)):
        nl.laya("DEVICE_SET", DEVICE_IFINDEX=nl.ifindex, DEVICE_FLAGS=flags)
        host.udp.send(packet([LABEL], [], 100))
        check(f"end__device_forwards_{comes}",
              len(host.at_b(1, SHORT)) == comes)

    label = bind(host)
    nl.laya("PEER_DEL", PEER_IFINDEX=nl.ifindex, PEER_PUBLIC_KEY=KEY_B)
    host.udp.send(packet([LABEL], [], 100))
    host.from_b(packet([label], [], 100))
    check("end__attachment_is_gone", not host.at_b(1, SHORT) and
          not host.at_a(None, 1, SHORT) and nl.label_info(LABEL) is None)


def main():
    host = Host()
    if not check("attach", host.attach(), "F has no usable path to B"):
        return
    host.f_nl.label(LABEL)
    for test in (test_unchanged, test_ttl, test_unknown, test_return,
                 test_amplification, test_run, test_rate, test_ipv6,
                 test_bound, test_stream, test_end):
        host.at_b(1000, 0)
        host.at_a(None, 1000, 0)
        test(host)


main()

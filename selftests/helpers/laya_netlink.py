#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Requests to the family laya, and its events, in any network namespace."""
import ctypes
import os
import re
import socket
import struct
import sys

HEADER = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "../../include/uapi/linux/laya_netlink.h")
CLONE_NEWNET = 0x40000000


def constants():
    """What the uapi header says: each enum counts from its first value."""
    values = {}
    with open(HEADER, encoding="ascii") as header:
        text = re.sub(r"/\*.*?\*/", "", header.read(), flags=re.S)
    for body in re.findall(r"enum\s*\w*\s*\{(.*?)\}", text, flags=re.S):
        value = 0
        for item in filter(None, (i.strip() for i in body.split(","))):
            name, _, given = (p.strip() for p in item.partition("="))
            if given.isdigit():
                value = int(given)
            values[name] = value
            value += 1
    return values


C = constants()


class Namespace:
    """Sockets are made in a namespace; they stay there."""
    libc = ctypes.CDLL(None, use_errno=True)

    def __init__(self, name):
        self.fd = os.open(f"/run/netns/{name}", os.O_RDONLY)

    def socket(self, *args):
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        if self.libc.setns(self.fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            return socket.socket(*args)
        finally:
            self.libc.setns(home, CLONE_NEWNET)
            os.close(home)


class Netlink:
    """Requests to the family laya, in one namespace."""

    def __init__(self, namespace, ifname="laya0"):
        self.sock = namespace.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.sock.bind((0, 0))
        self.sock.settimeout(20)
        self.sock.setsockopt(270, 11, 1)	# errors in words
        self.sock.setsockopt(270, 10, 1)	# without the request
        self.events = []
        reply = self.call(16, 3, self.attr(2, b"laya\0"))
        self.family = struct.unpack("=H", reply[0][1][:2])[0]
        reply = self.laya("DEVICE_GET", DEVICE_IFNAME=ifname)
        self.ifindex = struct.unpack("=I",
                                     reply[0][C["LAYA_A_DEVICE_IFINDEX"]])[0]

    @staticmethod
    def attr(kind, data):
        size = 4 + len(data)
        return struct.pack("=HH", size, kind) + data + bytes(-size % 4)

    @staticmethod
    def attrs(data):
        found = {}
        while len(data) >= 4:
            size, kind = struct.unpack("=HH", data[:4])
            found.setdefault("all", []).append((kind & 0x3fff, data[4:size]))
            found[kind & 0x3fff] = data[4:size]
            data = data[(size + 3) & ~3:]
        return found

    def call(self, family, command, payload, dump=False):
        flags = 1 | 4 | (0x300 if dump else 0)
        body = struct.pack("=BBH", command, 1, 0) + payload
        self.sock.send(struct.pack("=IHHII", 16 + len(body), family, flags,
                                   1, 0) + body)
        replies = []
        while True:
            data = self.sock.recv(1 << 16)
            while data:
                size, kind, flags, seq = struct.unpack("=IHHI", data[:12])
                message, data = data[16:size], data[(size + 3) & ~3:]
                if kind in (2, 3):
                    error = struct.unpack("=i", message[:4])[0]
                    if error:
                        words = self.attrs(message[20:]) if flags & 0x200 \
                            else {}
                        words = words.get(1, os.strerror(-error).encode())
                        raise OSError(-error, words.decode().rstrip("\0"))
                    return replies
                if seq:
                    replies.append(self.attrs(message[4:]))
                else:
                    self.events.append((message[0], self.attrs(message[4:])))

    def laya(self, command, dump=False, **attributes):
        payload = b""
        for name, value in attributes.items():
            if value is True:
                value = b""
            elif isinstance(value, int):
                size = {"LABEL_RATE": 8, "CARRIER_PORT": 2}.get(name, 4)
                value = value.to_bytes(size, sys.byteorder)
            elif isinstance(value, str):
                value = value.encode() + b"\0"
            payload += self.attr(C["LAYA_A_" + name], value)
        return self.call(self.family, C["LAYA_CMD_" + command], payload, dump)

    def drops(self):
        found = {}
        reply = self.laya("DEVICE_GET", DEVICE_IFINDEX=self.ifindex)[0]
        for kind, data in reply["all"]:
            if kind == C["LAYA_A_DEVICE_DROPS"]:
                drop = self.attrs(data)
                reason = drop[C["LAYA_A_DROP_REASON"]].rstrip(b"\0").decode()
                found[reason] = struct.unpack(
                    "=Q", drop[C["LAYA_A_DROP_PACKETS"]])[0]
        return found


def sockaddr(address, port):
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + \
        socket.inet_aton(address) + bytes(8)

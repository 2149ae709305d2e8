#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A forwarder of UDP that hands on whole runs, and spoils some of their packets.

tamper.py ADDRESS PORT TO   listen there, and send what comes to the same port of TO

In each run of at least 8 packets from the side that dialled, one is changed (3), and
one becomes a copy of the one before it (5), as does the last, where it is as long; in
every fifth shorter run one is changed (1). A line on stdout for each.
"""
import select
import socket
import struct
import sys

UDP_SEGMENT, UDP_GRO = 103, 104
LONG, EVERY = 8, 5


def receive(sock):
    data, control, _, source = sock.recvmsg(65536, 64)
    size = len(data)
    for level, kind, value in control:
        if (level, kind) == (socket.SOL_UDP, UDP_GRO):
            size = struct.unpack('i', value[:4])[0]
    return bytearray(data), size, source


def send(sock, data, size, to):
    control = []
    if size < len(data):
        control = [(socket.SOL_UDP, UDP_SEGMENT, struct.pack('H', size))]
    sock.sendmsg([data], control, 0, to)


def change(data, size, n):
    data[n * size + size // 2] ^= 1
    print('changed', flush=True)


def repeat(data, size, n):
    data[n * size:(n + 1) * size] = data[(n - 1) * size:n * size]
    print('repeated', flush=True)


def main():
    address, port, to = sys.argv[1], int(sys.argv[2]), (sys.argv[3], int(sys.argv[2]))
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    near, far = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(2))
    near.bind((address, port))
    for sock in near, far:
        sock.setsockopt(socket.SOL_UDP, UDP_GRO, 1)
    dialler, short = None, 0
    print('ready', flush=True)
    while True:
        for sock in select.select([near, far], [], [])[0]:
            data, size, source = receive(sock)
            if sock is far:
                send(near, data, size, dialler)
                continue
            dialler = source
            if len(data) >= LONG * size:
                change(data, size, 3)
                repeat(data, size, 5)
                if len(data) % size == 0:
                    repeat(data, size, len(data) // size - 1)
            elif len(data) >= 2 * size:
                short += 1
                if short % EVERY == 0:
                    change(data, size, 1)
            send(far, data, size, to)


main()

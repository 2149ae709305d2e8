#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A forwarder of UDP that puts packets of two nodes into one run, and others between.

mixed.py PORT TO SIZE COUNT   listen, and send what comes to the same port of TO

Packets of SIZE bytes wait until there are COUNT; then those of the two nodes go on in
turn, as one run. Before every fifth goes a copy of it that was changed, after every
seventh, and at the end, a copy of one before. A line on stdout says how many of each.
"""
import select
import socket
import struct
import sys

UDP_SEGMENT, UDP_GRO = 103, 104


def receive(sock):
    """The packets of a run, and where they came from."""
    data, control, _, source = sock.recvmsg(65536, 64)
    size = len(data)
    for level, kind, value in control:
        if (level, kind) == (socket.SOL_UDP, UDP_GRO):
            size = struct.unpack('i', value[:4])[0]
    return [data[at:at + size] for at in range(0, len(data), size)], source


def changed(packet):
    middle = len(packet) // 2
    return packet[:middle] + bytes([packet[middle] ^ 1]) + packet[middle + 1:]


def mix(held):
    """One run of all that is held, and how many in it are changed and repeated."""
    first, second = held.values()
    turns = [packet for pair in zip(first, second) for packet in pair]
    longer = max(first, second, key=len)
    turns += longer[len(turns) // 2:]
    run, bad, again = [], 0, 0
    for n, packet in enumerate(turns):
        if n % 5 == 0:
            run.append(changed(packet))
            bad += 1
        run.append(packet)
        if n % 7 == 6:
            run.append(turns[n - 2])
            again += 1
    run.append(turns[0])
    return run, bad, again + 1


def main():
    port, to = int(sys.argv[1]), (sys.argv[2], int(sys.argv[1]))
    size, count = int(sys.argv[3]), int(sys.argv[4])
    near, far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    near.bind(('', port))
    for sock in near, far:
        sock.setsockopt(socket.SOL_UDP, UDP_GRO, 1)
    diallers, held = {}, {}
    print('ready', flush=True)
    while True:
        for sock in select.select([near, far], [], [])[0]:
            packets, source = receive(sock)
            for packet in packets:
                # The last letter of the receiver's index is the sender's, and
                # the one before is the receiver's: see laya-pair
                if sock is far:
                    near.sendto(packet, diallers[packet[5]])
                    continue
                diallers[packet[7]] = source
                if held is None or len(packet) != size:
                    far.sendto(packet, to)
                    continue
                held.setdefault(packet[7], []).append(packet)
                if sum(map(len, held.values())) < count:
                    continue
                run, bad, again = mix(held)
                held = None
                far.sendmsg([b''.join(run)], [(socket.SOL_UDP, UDP_SEGMENT,
                                               struct.pack('H', size))], 0, to)
                print('sent', len(run), bad, again, flush=True)


main()

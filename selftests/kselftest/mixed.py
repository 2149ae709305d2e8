#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A forwarder of UDP that puts packets of several paths into one run, others between.

mixed.py PORT TO SIZE COUNT   listen, and send what comes to the same port of TO

Packets of SIZE bytes wait until there are COUNT; then those of all paths go on in
turn, as one run. Before every fifth goes a copy of it that was changed, after every
seventh, and at the end, a copy of one before. A line on stdout says how many of each.
"""
import itertools
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
    turns = [packet for some in itertools.zip_longest(*held.values())
             for packet in some if packet]
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
    family = socket.AF_INET6 if ':' in to[0] else socket.AF_INET
    near, far = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(2))
    near.bind(('', port))
    for sock in near, far:
        sock.setsockopt(socket.SOL_UDP, UDP_GRO, 1)
    diallers, held = {}, {}
    print('ready', flush=True)
    while True:
        for sock in select.select([near, far], [], [])[0]:
            packets, source = receive(sock)
            for packet in packets:
                # A path has the same id both ways. The last letter of the
                # receiver's index is the sender's, and the one before is the
                # receiver's: see laya-pair
                if sock is far:
                    near.sendto(packet, diallers[packet[2:4], packet[5]])
                    continue
                path = packet[2:4], packet[7]
                diallers[path] = source
                if held is None or len(packet) != size:
                    far.sendto(packet, to)
                    continue
                held.setdefault(path, []).append(packet)
                if sum(map(len, held.values())) < count:
                    continue
                run, bad, again = mix(held)
                paths = len(held)
                held = None
                far.sendmsg([b''.join(run)], [(socket.SOL_UDP, UDP_SEGMENT,
                                               struct.pack('H', size))], 0, to)
                print('sent', len(run), bad, again, paths, flush=True)


main()

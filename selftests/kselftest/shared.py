#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Who else holds the pages of packets: listeners, and files. One verb a call.

shared.py lines FILE N           N lines, none like another
shared.py capture DEVICE FILE    keep what passes until stdin ends; only then look at
                                 it: the UDP payloads of port PORT to FILE, and once
                                 more to FILE.runs those that are runs; or TCP's bytes
                                 to port 6000, in their order
shared.py forward ADDRESS PORT TO FILE
                                 until stdin ends, send what comes in to the same
                                 port of TO, out of FILE's pages; then say whether
                                 FILE has changed
"""
import os
import select
import socket
import struct
import sys

UDP_SEGMENT, UDP_GRO, SO_RCVBUFFORCE = 103, 104, 33
ETH_P_ALL, PORT, STREAM = 3, 5291, 6000
FULL = 1500     # no single packet is longer


def lines(path, n):
    with open(path, 'w', encoding='ascii') as file:
        for i in range(int(n)):
            file.write(f'plaintext {i}\n')


def transport(packet):
    """Protocol and what follows the IP header, if that is there."""
    if packet[:1] and packet[0] >> 4 == 4:
        return packet[9], packet[(packet[0] & 15) * 4:]
    if packet[:1] and packet[0] >> 4 == 6:
        return packet[6], packet[40:]
    return 0, b''


def capture(device, path):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 28)
    sock.bind((device, ETH_P_ALL))
    print('listening', flush=True)
    sys.stdin.read()
    sock.setblocking(False)
    datagrams, stream, ethernet = [], {}, 0 if device == 'laya0' else 14
    while True:
        try:
            protocol, data = transport(sock.recv(1 << 17)[ethernet:])
        except BlockingIOError:
            break
        if protocol == socket.IPPROTO_UDP and PORT in struct.unpack('!HH', data[:4]):
            datagrams.append(data[8:])
        if protocol == socket.IPPROTO_TCP:
            _, to, seq, _, offset = struct.unpack('!HHIIB', data[:13])
            if to == STREAM:
                stream[seq] = data[(offset >> 4) * 4:]
    with open(path, 'wb') as file, open(path + '.runs', 'wb') as runs:
        for datagram in sorted(datagrams):
            file.write(datagram)
            if len(datagram) > FULL:
                runs.write(datagram)
        at = None
        for seq in sorted(stream):
            # What was sent again begins before where we are
            data = stream[seq][max(0, (at or seq) - seq):]
            file.write(data)
            at = max(at or seq, seq + len(stream[seq]))
    print('kept', len(datagrams), len(stream), flush=True)


def forward(address, port, to, path):
    port = int(port)
    near, far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    near.bind((address, port))
    far.connect((to, port))
    near.setsockopt(socket.SOL_UDP, UDP_GRO, 1)
    sent, runs, dialler = bytearray(), 0, None
    with open(path, 'w+b') as file:
        print('ready', flush=True)
        try:
            while True:
                for sock in select.select([sys.stdin, near, far], [], [])[0]:
                    if sock is sys.stdin:
                        return
                    try:
                        data, control, _, source = sock.recvmsg(65536, 64)
                    except ConnectionRefusedError:
                        continue    # b is not there yet
                    if sock is far:
                        near.sendto(data, dialler)
                        continue
                    dialler = source
                    size = len(data)
                    for level, kind, value in control:
                        if (level, kind) == (socket.SOL_UDP, UDP_GRO):
                            size = struct.unpack('i', value[:4])[0]
                    far.setsockopt(socket.SOL_UDP, UDP_SEGMENT,
                                   size if size < len(data) else 0)
                    os.pwrite(file.fileno(), data, len(sent))
                    try:
                        os.sendfile(far.fileno(), file.fileno(), len(sent),
                                    len(data))
                    except ConnectionRefusedError:
                        continue
                    sent += data
                    runs += size < len(data)
        finally:
            file.seek(0)
            same = 'same' if file.read(len(sent)) == sent else 'other'
            print(same, len(sent), runs, flush=True)


if __name__ == '__main__':
    globals()[sys.argv[1]](*sys.argv[2:])

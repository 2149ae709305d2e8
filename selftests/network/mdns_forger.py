# SPDX-License-Identifier: GPL-2.0
"""Say what is asked for on a LAN, and answer that it is here.

Usage: mdns_forger.py ADDRESS INTERFACE

Each name of Laya's that is heard is a line; the answer is an SRV and an A record.
"""
import socket
import struct
import sys

GROUP = "224.0.0.251"
SUFFIX = b"\x05_laya\x04_tcp\x05local\x00"
PORT = 9


def forge(name, address):
    """An answer: name is at address"""
    srv = struct.pack(">HHH", 0, 0, PORT) + name
    head = struct.pack(">HHHHHH", 0, 0x8400, 0, 2, 0, 0)
    return (head + name + struct.pack(">HHIH", 33, 0x8001, 120, len(srv)) + srv +
            name + struct.pack(">HHIH", 1, 0x8001, 120, 4) +
            socket.inet_aton(address))


def main():
    address, interface = sys.argv[1:]
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((GROUP, 5353))
    index = socket.if_nametoindex(interface)
    mreqn = struct.pack("@4s4si", socket.inet_aton(GROUP), bytes(4), index)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, mreqn)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, mreqn)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    while True:
        message = sock.recv(9000)
        if message[2] & 0x80:
            continue
        at = message.find(SUFFIX)
        while at >= 33:
            name = message[at - 33:at + len(SUFFIX)]
            print(name[1:33].decode("ascii", "replace"), flush=True)
            sock.sendto(forge(name, address), (GROUP, 5353))
            at = message.find(SUFFIX, at + 1)


main()

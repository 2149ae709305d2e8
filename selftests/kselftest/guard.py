#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What guard.sh needs done, one verb a call."""
import os
import select
import socket
import struct
import sys

ETH_P_IPV6 = 0x86dd


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv6(source, dest, protocol, segment, at):
    """An IPv6 packet; the checksum of the segment stands at byte `at` of it."""
    source = socket.inet_pton(socket.AF_INET6, source)
    dest = socket.inet_pton(socket.AF_INET6, dest)
    pseudo = source + dest + struct.pack('!II', len(segment), protocol)
    value = checksum(pseudo + segment) or 0xffff
    segment = segment[:at] + struct.pack('!H', value) + segment[at + 2:]
    return struct.pack('!IHBB', 6 << 28, len(segment), protocol, 64) + \
        source + dest + segment


def inject(device, mac, packet):
    """Put a packet on the wire, past all that the kernel would check."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((device, ETH_P_IPV6))
        own = raw.getsockname()[4]
        raw.send(bytes.fromhex(mac.replace(':', '')) + own +
                 struct.pack('!H', ETH_P_IPV6) + packet)


def forge(device, mac, source, dest, port, text):
    """A UDP datagram in anybody's name."""
    text = text.encode()
    segment = struct.pack('!HHHH', 5999, int(port), 8 + len(text), 0) + text
    inject(device, mac, ipv6(source, dest, 17, segment, 6))


def syn(device, mac, source, dest, port):
    """A SYN in anybody's name; says whether an answer comes on the device."""
    segment = struct.pack('!HHIIBBHHH', 5998, int(port), 1, 0, 5 << 4, 2, 1000,
                          0, 0)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                       socket.htons(ETH_P_IPV6)) as raw:
        raw.bind((device, ETH_P_IPV6))
        inject(device, mac, ipv6(source, dest, 6, segment, 16))
        while select.select([raw], [], [], 2)[0]:
            frame, address = raw.recvfrom(2048)
            if address[2] != socket.PACKET_OUTGOING and frame[20] == 6 and \
                    frame[56:58] == struct.pack('!H', 5998):
                print('answer')
                return
    print('nothing')


def listen(port):
    """Print what comes, over UDP; and take connections over TCP."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp, \
            socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as tcp:
        udp.bind(('::', int(port)))
        tcp.bind(('::', int(port)))
        tcp.listen()
        print('ready', flush=True)
        while True:
            text, address = udp.recvfrom(1000)
            print(text.decode(), address[0], flush=True)


def send(dest, port, text, source='::'):
    """As an unmodified program does."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
        udp.bind((source, 0))
        udp.sendto(text.encode(), (dest, int(port)))


def refused_send(dest, port):
    """A datagram that must not get out."""
    try:
        send(dest, port, 'secret')
    except OSError as error:
        print(error)
        return 0
    return 1


def refused_connect(dest, port):
    """A connection that must fail, and not by a timeout of TCP's."""
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as tcp:
        try:
            tcp.connect((dest, int(port)))
        except TimeoutError as error:
            print(error)
            return 1
        except OSError as error:
            print(error)
            return 0
    return 1


def watch(device):
    """Print the addresses of the IPv6 packets that come in."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                       socket.htons(ETH_P_IPV6)) as raw:
        raw.bind((device, ETH_P_IPV6))
        print('ready', flush=True)
        while True:
            frame, address = raw.recvfrom(2048)
            if address[2] == socket.PACKET_OUTGOING:
                continue
            print(socket.inet_ntop(socket.AF_INET6, frame[22:38]),
                  socket.inet_ntop(socket.AF_INET6, frame[38:54]),
                  frame[20], flush=True)


def splice(address, port, name):
    """Send a file's pages to Laya's port, as packets that it will try to open.

    The receiver's index is that of laya-pair for a and b; the tag is wrong, and
    to open in place would write the whole page before that is known.
    """
    page = struct.pack('!BBHIQ', 0x81, 0, 0x8001, 0x00610062, 7) + \
        bytes(range(256)) * 5
    with open(name, 'wb') as file:
        file.write(page)
    fd = os.open(name, os.O_RDONLY)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.connect((address, int(port)))
        for _ in range(50):
            receiver, sender = os.pipe()
            moved = os.splice(fd, sender, len(page), offset_src=0)
            os.splice(receiver, udp.fileno(), moved)
            os.close(receiver)
            os.close(sender)
    with open(name, 'rb') as file:
        print('unchanged' if file.read() == page else 'changed')


def main():
    verbs = {
        'forge': forge, 'syn': syn, 'listen': listen, 'send': send,
        'refused-send': refused_send, 'refused-connect': refused_connect,
        'watch': watch, 'splice': splice,
    }
    sys.exit(verbs[sys.argv[1]](*sys.argv[2:]))


if __name__ == '__main__':
    main()

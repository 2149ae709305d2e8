#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Connect hosts with each other, pair by pair; run.sh has built and started them.

Prints a KTAP result for each pair, and writes what was seen as JSON.

One process that has sockets in the network namespaces of all hosts: to start a
program costs more than what is looked at here, in some VMs.
"""
import argparse
import base64
import ctypes
import errno
import faulthandler
import hashlib
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time

AF_LAYA = 18
SOL_LAYA = 0x4c41
LAYA_PATH_INFO = 1
PORT = 7000
CLONE_NEWNET = 0x40000000

# enum laya_path_kind, the better one first, and enum laya_carrier_type
KINDS = {1: 'lan', 2: 'direct', 3: 'mapped', 4: 'gateway', 5: 'peer-relay', 6: 'relay'}
CARRIERS = {1: 'udp', 2: 'tcp', 3: 'tls', 4: 'wss', 5: 'https'}
RANK = {kind: rank for rank, kind in enumerate(KINDS.values())}

# The files that are sent: bytes that nothing makes shorter
SMALL = 65536

libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """A pair that is not connected as it should be, and why."""


def call(function, *arguments):
    """A function of libc that sets errno."""
    result = function(*arguments)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


class Host:
    """A host, and its sockets that wait for others."""

    def __init__(self, line):
        (self.name, self.title, self.families, self.open, self.mapping, self.filter,
         self.udp, self.carrier, self.bulk, key) = line.rstrip('\n').split('\t')
        self.key = base64.b64decode(key)
        self.bulk = int(self.bulk or 0)
        self.namespace = os.open(f'/run/netns/{self.name}', os.O_RDONLY)
        self.listener = self.socket(socket.SOCK_STREAM)
        self.datagrams = self.socket(socket.SOCK_DGRAM)
        for sock in (self.listener, self.datagrams):
            call(libc.bind, sock.fileno(), self.address(bytes(32)), 40)
        self.listener.listen(16)

    def socket(self, kind):
        """A socket of the host."""
        call(libc.setns, self.namespace, CLONE_NEWNET)
        sock = socket.socket(AF_LAYA, kind)
        sock.setblocking(False)
        return sock

    def address(self, key=None):
        """struct sockaddr_laya."""
        return struct.pack('=H', AF_LAYA) + struct.pack('>HI', PORT, 0) + (key or self.key)

    def send(self, other, data):
        """A datagram; it may be lost, or refused for now."""
        libc.sendto(self.datagrams.fileno(), data, len(data), 0, other.address(), 40)


def wait(sock, events, end):
    """Until the socket is ready."""
    poll = select.poll()
    poll.register(sock, events)
    if not poll.poll(max(0, end - time.monotonic()) * 1000):
        raise Failed('nothing happened for too long')


def connect(a, b, timeout):
    """A stream from a to b: both ends, and when b's first byte was at a."""
    end = time.monotonic() + timeout
    began = time.monotonic()
    sock = a.socket(socket.SOCK_STREAM)
    if libc.connect(sock.fileno(), b.address(), 40) < 0 and \
       ctypes.get_errno() != errno.EINPROGRESS:
        raise Failed(f'connect: {os.strerror(ctypes.get_errno())}')
    wait(sock, select.POLLOUT, end)
    error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise Failed(f'connect: {os.strerror(error)}')
    while True:
        wait(b.listener, select.POLLIN, end)
        # Python's own cannot read an address of this family
        accepted = socket.socket(AF_LAYA, socket.SOCK_STREAM, fileno=call(
            libc.accept4, b.listener.fileno(), None, None, socket.SOCK_NONBLOCK))
        # Of a pair that failed one may come late
        if accepted.getsockopt(SOL_LAYA, 2, 32) == a.key:
            break
        accepted.close()
    accepted.send(b'!')
    wait(sock, select.POLLIN, end)
    sock.recv(1)
    return sock, accepted, time.monotonic() - began


def pump(sender, receiver, size, timeout):
    """Random bytes from one socket to the other, compared by their SHA-256."""
    data = os.urandom(size)
    digest, got, sent = hashlib.sha256(), 0, 0
    poll = select.poll()
    poll.register(sender, select.POLLOUT)
    poll.register(receiver, select.POLLIN)
    while got < size:
        ready = dict(poll.poll(timeout * 1000))
        if not ready:
            raise Failed(f'the stream stands still after {got} of {size} bytes')
        if sender.fileno() in ready:
            if sent < size:
                sent += sender.send(memoryview(data)[sent:sent + 65536])
            if sent == size:
                poll.unregister(sender)
                sent += 1
        if receiver.fileno() in ready:
            block = receiver.recv(65536)
            if not block:
                raise Failed(f'the stream ended after {got} of {size} bytes')
            digest.update(block)
            got += len(block)
    if digest.digest() != hashlib.sha256(data).digest():
        raise Failed('the bytes are not the same')


def datagrams(a, b, timeout):
    """One there and one back; those that are lost are sent again."""
    word = os.urandom(8).hex().encode()
    end = time.monotonic() + timeout
    for sender, receiver in (a, b), (b, a):
        poll = select.poll()
        poll.register(receiver.datagrams, select.POLLIN)
        got = None
        while got != word:
            if time.monotonic() > end:
                raise Failed(f'no datagram of {sender.name} came to {receiver.name}')
            sender.send(receiver, word)
            if poll.poll(300):
                try:
                    got = receiver.datagrams.recv(2048)
                except OSError:     # of one that was sent before
                    got = None


def path(sock):
    """Kind and carrier of the path in use, or None."""
    try:
        info = sock.getsockopt(SOL_LAYA, LAYA_PATH_INFO, 40)
    except OSError:
        return None
    return KINDS.get(info[0], info[0]), CARRIERS.get(info[1], info[1])


def punched(a, b):
    """Do packets that both send to where the other is seen get through?"""
    if a.mapping == 'one' and a.filter == 'anybody':
        return True
    # Where b's packets come from next nobody knows: that is let in only by who
    # does not look at the port
    if b.mapping == 'each':
        return a.mapping == 'one' and a.filter == 'address'
    return a.mapping == 'one'


def best(a, b, mapped):
    """The worst kind of path that will do: what both networks allow for sure."""
    if not a.udp == b.udp == 'any' or not set(a.families) & set(b.families) & {'4', '6'}:
        return 'relay'
    for one, other in (a, b), (b, a):
        if any(family in other.families for family in one.open.split()):
            # To an address that somebody saw is no detour either
            return 'mapped' if mapped else 'direct'
    return 'mapped' if mapped and (punched(a, b) or punched(b, a)) else 'relay'


def good(host, way, kind):
    """Is what the host sends by no worse than that kind, and the only carrier?"""
    return way and RANK[way[0]] <= RANK[kind] and host.carrier in ('', way[1])


def both(a, b, mapped, timeout):
    """All about a pair."""
    cell = {'a': a.name, 'b': b.name, 'mapped': mapped, 'expected': best(a, b, mapped),
            'first_byte_ms': [], 'paths': [None, None], 'error': None}
    size = max(SMALL, a.bulk, b.bulk)
    ends = []
    began = time.monotonic()
    try:
        for one, other in (a, b), (b, a):
            sock, accepted, first = connect(one, other, timeout)
            ends = [sock, accepted] if one is a else [accepted, sock]
            cell['first_byte_ms'].append(round(first * 1000, 1))
            pump(sock, accepted, size, timeout)
            pump(accepted, sock, size, timeout)
        datagrams(a, b, timeout)
        end = time.monotonic() + timeout
        while True:
            cell['paths'] = [path(sock) for sock in ends]
            if all(good(host, way, cell['expected'])
                   for host, way in zip((a, b), cell['paths'])):
                break
            if time.monotonic() > end:
                raise Failed(f'expected {cell["expected"]}'
                             + ''.join(f', {h.name} by {h.carrier}' for h in (a, b)
                                       if h.carrier) + ', it stays at '
                             + ', '.join('/'.join(p) if p else 'none'
                                         for p in cell['paths']))
            time.sleep(0.05)
    except (Failed, OSError) as error:
        cell['error'] = str(error)
    cell['seconds'] = round(time.monotonic() - began, 1)
    for sock in ends:
        sock.close()
    return cell


def explain(host, other):
    """What the host knows of the other, and what its layad said of it last."""
    shown = subprocess.run(['ip', 'netns', 'exec', host.name, 'layactl', 'show'],
                           capture_output=True, text=True, check=False)
    print(f'#   --- {host.name}')
    for block in shown.stdout.split('\n\n'):
        if not block.startswith('peer: ') or block.startswith(f'peer: {other.name}\n'):
            print('\n'.join(f'#   {line}' for line in block.splitlines()))
    with open(f'{options.directory}/{host.name}.log', encoding='utf-8') as log:
        said = [line for line in log if f'{other.name}:' in line or
                'rendezvous' in line or 'forwarder' in line]
    print(''.join(f'#   {line}' for line in said[-25:]), end='')


def pairs(hosts, ring, among):
    """Which with which: all, or each with the next, which is two for each, or with
    those."""
    if ring:
        return [(hosts[i - 1], hosts[i]) for i in range(len(hosts))]
    return [(a, b) for i, a in enumerate(hosts) for b in hosts[i + 1:]
            if not among or a.name in among or b.name in among]


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument('directory', help='with hosts, and the logs')
parser.add_argument('output', help='JSON file; what is there is kept')
parser.add_argument('--mapped', action='store_true', help='ProbeMapped is on')
parser.add_argument('--ring', action='store_true', help='not all pairs')
parser.add_argument('--with', default='', dest='among',
                    help='only pairs in which one is of these: NAME,...')
parser.add_argument('--number', type=int, default=0, help='results before this')
parser.add_argument('--timeout', type=float, default=30)
options = parser.parse_args()

# What it dies of is told; what was seen before is kept, and not done again
faulthandler.enable()
with open(f'{options.directory}/hosts', encoding='utf-8') as lines:
    known = [Host(line) for line in lines]
cells = []
if os.path.exists(options.output):
    with open(options.output, encoding='utf-8') as file:
        cells = json.load(file)
done = {(cell['a'], cell['b']) for cell in cells if cell['mapped'] == options.mapped}
failures = sum(cell['error'] is not None for cell in cells
               if cell['mapped'] == options.mapped)
number = options.number
for left, right in pairs(known, options.ring, options.among.split(',') if options.among else []):
    number += 1
    if (left.name, right.name) in done:
        continue
    result = both(left, right, options.mapped, options.timeout)
    cells.append(result)
    if result['error']:
        failures += 1
        print(f'# {left.name} and {right.name}: {result["error"]}')
        explain(left, right)
        explain(right, left)
    ways = ' and '.join(sorted({'/'.join(p) for p in result['paths'] if p})) or 'no path'
    print(f'{"not " if result["error"] else ""}ok {number} '
          f'{left.name} and {right.name}, ProbeMapped {"on" if options.mapped else "off"}: '
          f'{ways}, first byte after {result["first_byte_ms"]} ms', flush=True)
    with open(options.output, 'w', encoding='utf-8') as file:
        json.dump(cells, file, indent=1)
sys.exit(failures > 0)

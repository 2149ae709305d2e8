#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Connect hosts by ICE or by WireGuard, as pairs.py does by Laya; see peers.sh.

Prints a KTAP result for each pair, which says whether it is connected and is no
failure either way, and writes what was seen as JSON.
"""
import argparse
import ctypes
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time

CLONE_NEWNET = 0x40000000
COOKIE = 0x2112a442
WG_PORT = 51820
# Seconds: of pings, which both send; and until a NAT has room again
PINGS = 20
REST = 31

# By the worse end, as Laya calls them
ICE_TYPES = {'host': 'direct', 'srflx': 'mapped', 'prflx': 'mapped', 'relay': 'relay'}

libc = ctypes.CDLL(None, use_errno=True)


def run(*words, ns=None, **more):
    """A program that must succeed."""
    if ns:
        words = ('ip', 'netns', 'exec', ns) + words
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True,
                          **more).stdout.strip()


def start(ns, *words):
    """A program, in the namespace."""
    return subprocess.Popen(('ip', 'netns', 'exec', ns) + words, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


class Ice:
    """libnice and coturn."""

    def __init__(self, hosts):
        self.proxies = {}
        for name in hosts:
            path = f'{options.directory}/{name}.proxy'
            if os.path.exists(path):
                with open(path, encoding='utf-8') as file:
                    self.proxies[name] = file.read().strip()

    def agent(self, name, other, controlling):
        """The process at one side."""
        words = ['laya-ice'] + ['-c'] * controlling
        if name in self.proxies:
            words += ['-p', self.proxies[name]]
        return start(name, *words, f'{options.directory}/{name}.sdp',
                     f'{options.directory}/{other}.sdp', *options.servers.split())

    def pair(self, a, b):
        """What a says of it; None when it is not connected."""
        agents = self.agent(a, b, True), self.agent(b, a, False)
        said = [json.loads(agent.communicate()[0] or '{"connected": false}')
                for agent in agents]
        for name in a, b:
            try:
                os.remove(f'{options.directory}/{name}.sdp')
            except FileNotFoundError:
                pass
        # What the agents asked the NATs for is forgotten before others ask
        time.sleep(REST)
        if not all(one['connected'] for one in said):
            return None
        first = said[0]
        return {'how': f'{first["local"]} and {first["remote"]}, {first["by"]}',
                'kind': max((ICE_TYPES[first[end]] for end in ('local', 'remote')),
                            key=list(ICE_TYPES.values()).index),
                'seconds': max(one['seconds'] for one in said)}

    def stop(self):
        """Nothing is left."""


class WireGuard:
    """Each host is told where the other is seen from outside, if it is."""

    def __init__(self, hosts):
        self.address, self.key, self.outside = {}, {}, {}
        for n, name in enumerate(hosts):
            private = run('wg', 'genkey')
            self.key[name] = run('wg', 'pubkey', input=private)
            self.address[name] = f'fd00:7::{n + 1:x}'
            self.outside[name] = self.seen(name)
            run('ip', '-n', name, 'link', 'add', 'wg0', 'type', 'wireguard')
            run('wg', 'set', 'wg0', 'listen-port', str(WG_PORT), 'private-key',
                '/dev/stdin', ns=name, input=private)
            run('ip', '-n', name, '-batch', '-', input='link set wg0 up\n'
                f'address add {self.address[name]}/64 dev wg0 nodad\n')
        self.hosts = hosts

    @staticmethod
    def seen(name):
        """By family: where a STUN server (RFC 8489) sees WireGuard's port."""
        found = {}
        there = os.open(f'/run/netns/{name}', os.O_RDONLY)
        libc.setns(there, CLONE_NEWNET)
        os.close(there)
        for server in options.servers.split():
            host, port = server.split(',')
            family = socket.AF_INET6 if ':' in host else socket.AF_INET
            if family in found:
                continue
            sock = socket.socket(family, socket.SOCK_DGRAM)
            try:
                sock.bind(('', WG_PORT))
                sock.connect((host, int(port)))
                for _ in range(3):
                    sock.send(struct.pack('!HHI', 1, 0, COOKIE) + b'LayasMatrix!')
                    if select.select([sock], [], [], 1)[0]:
                        found[family] = mapped(sock.recv(2048))
                        break
            except OSError:
                pass
            sock.close()
        return found

    def pair(self, a, b):
        """Both ping; it is enough that one is answered."""
        for one, other in (a, b), (b, a):
            both = [f for f in self.outside[other] if f in self.outside[one]]
            endpoint = ('endpoint', self.outside[other][both[0]]) if both else ()
            run('wg', 'set', 'wg0', 'peer', self.key[other], 'persistent-keepalive',
                '5', 'allowed-ips', f'{self.address[other]}/128', *endpoint, ns=one)
        pings = [start(one, 'ping', '-q', '-c', '1', '-w', str(PINGS), self.address[other])
                 for one, other in ((a, b), (b, a))]
        failed = [ping.wait() for ping in pings]
        for one, other in (a, b), (b, a):
            run('wg', 'set', 'wg0', 'peer', self.key[other], 'remove', ns=one)
        if all(failed):
            return None
        return {'how': 'to where it is seen', 'kind': 'direct'}

    def stop(self):
        """The devices go."""
        for name in self.hosts:
            run('ip', '-n', name, 'link', 'delete', 'wg0')


def mapped(answer):
    """ADDRESS:PORT of XOR-MAPPED-ADDRESS."""
    at = 20
    while at + 4 <= len(answer):
        kind, length = struct.unpack('!HH', answer[at:at + 4])
        if kind == 0x0020:
            value = answer[at + 4:at + 4 + length]
            port = struct.unpack('!H', value[2:4])[0] ^ (COOKIE >> 16)
            mask = answer[4:20]
            address = bytes(x ^ y for x, y in zip(value[4:], mask))
            if value[1] == 1:
                return f'{socket.inet_ntop(socket.AF_INET, address)}:{port}'
            return f'[{socket.inet_ntop(socket.AF_INET6, address)}]:{port}'
        at += 4 + (length + 3) // 4 * 4
    raise OSError('no address in the answer')


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument('system', choices=('ice', 'wireguard'))
parser.add_argument('directory', help='with hosts, and NAME.proxy')
parser.add_argument('output', help='JSON file')
parser.add_argument('--with', required=True, dest='among',
                    help='pairs in which one is of these: NAME,...')
parser.add_argument('--servers', required=True, help='of STUN and TURN: ADDRESS,PORT ...')
parser.add_argument('--number', type=int, default=0, help='results before this')
options = parser.parse_args()

with open(f'{options.directory}/hosts', encoding='utf-8') as lines:
    known = [line.split('\t')[0] for line in lines]
among = options.among.split(',')
todo = [(one, other) for i, one in enumerate(known) for other in known[i + 1:]
        if one in among or other in among]
system = Ice(known) if options.system == 'ice' else WireGuard(known)
cells = []
for count, (left, right) in enumerate(todo, options.number + 1):
    result = system.pair(left, right)
    cells.append({'a': left, 'b': right, 'connected': result is not None} | (result or {}))
    print(f'ok {count} {left} and {right}, {options.system}: '
          f'{result["how"] if result else "not connected"}', flush=True)
system.stop()
with open(options.output, 'w', encoding='utf-8') as file:
    json.dump(cells, file, indent=1)
sys.exit(0)

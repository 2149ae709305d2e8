#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What path.sh needs done, one verb a call."""
import errno
import hashlib
import os
import socket
import sys
import time


def tcp():
    return socket.socket(socket.AF_INET6, socket.SOCK_STREAM)


def name(error):
    return errno.errorcode.get(error.errno, str(error.errno))


def serve(port):
    """Take one connection; say how much came, the longest wait for more, a hash."""
    with tcp() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(('::', int(port)))
        listener.listen()
        print('listening', flush=True)
        sock, _ = listener.accept()
    total, longest, digest = 0, 0, hashlib.sha256()
    last = time.monotonic()
    while True:
        data = sock.recv(65536)
        now = time.monotonic()
        longest = max(longest, now - last)
        last = now
        if not data:
            break
        total += len(data)
        digest.update(data)
    print(total, int(longest * 1000), digest.hexdigest(), flush=True)


def send(address, port, seconds):
    """Send for a while; say how much, and a hash."""
    sock = tcp()
    sock.connect((address, int(port)))
    total, digest = 0, hashlib.sha256()
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        data = os.urandom(16384)
        sock.sendall(data)
        total += len(data)
        digest.update(data)
        time.sleep(0.01)
    sock.close()
    print(total, digest.hexdigest(), flush=True)


def send_file(address, port, path):
    """Send a file."""
    with tcp() as sock, open(path, 'rb') as file:
        sock.connect((address, int(port)))
        sock.sendfile(file)


def connect(address, port):
    """Say how connecting ends, and after how many milliseconds."""
    began = time.monotonic()
    try:
        tcp().connect((address, int(port)))
        result = 'connected'
    except OSError as error:
        result = name(error)
    print(result, int((time.monotonic() - began) * 1000), flush=True)


def hold(address, port):
    """Send a little all the time; say what ends it, and after how long."""
    sock = tcp()
    sock.connect((address, int(port)))
    print('connected', flush=True)
    began = time.monotonic()
    try:
        while True:
            sock.send(b'x' * 100)
            time.sleep(0.1)
    except OSError as error:
        print(name(error), int((time.monotonic() - began) * 1000), flush=True)


if __name__ == '__main__':
    globals()[sys.argv[1]](*sys.argv[2:])

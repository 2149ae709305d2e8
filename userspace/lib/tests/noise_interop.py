#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Laya's Noise against another implementation, dissononce: both patterns,
with Laya as the initiator and as the responder.

    noise_interop.py [NOISE_TOOL]

NOISE_TOOL is the program built from noise_tool.c; without it, it is built in a
temporary directory.  Prints KTAP.  Needs Debian's python3-dissononce (hence
/usr/bin/python3, whatever else is first in PATH).
"""

import os
import subprocess
import sys
import tempfile

try:
    from dissononce.cipher.chachapoly import ChaChaPolyCipher
    from dissononce.dh.x25519.x25519 import X25519DH
    from dissononce.hash.sha256 import SHA256Hash
    from dissononce.processing.handshakepatterns.interactive.IK import \
        IKHandshakePattern
    from dissononce.processing.handshakepatterns.interactive.XK import \
        XKHandshakePattern
    from dissononce.processing.impl.cipherstate import CipherState
    from dissononce.processing.impl.handshakestate import HandshakeState
    from dissononce.processing.impl.symmetricstate import SymmetricState
    from dissononce.processing.modifiers.psk import PSKPatternModifier
except ImportError as error:
    print("KTAP version 1")
    print(f"1..0 # SKIP {error}; apt install python3-dissononce")
    sys.exit(0)

HERE = os.path.dirname(os.path.abspath(__file__))
MESSAGES = {"xk": 3, "ikpsk2": 2}
SIZES = (0, 1, 15, 16, 17, 64, 1000, 60000)


class ToolError(Exception):
    """The tool answered "error ...". """


class Laya:
    """Our side: noise_tool, driven over a pipe."""

    def __init__(self, tool, pattern, initiator, prologue, static, remote,
                 psk):
        self.process = subprocess.Popen([tool], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.call("init", pattern, "initiator" if initiator else "responder",
                  prologue, static, remote, psk)

    def call(self, verb, *arguments):
        words = [verb]
        for argument in arguments:
            if isinstance(argument, str):
                words.append(argument)
            else:
                words.append(bytes(argument or b"").hex() or "-")
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer or answer[0] != "ok":
            raise ToolError(" ".join(answer) or "noise_tool died")
        return bytes.fromhex(answer[1]) if len(answer) > 1 else b""

    def write(self, payload):
        return self.call("write", payload)

    def read(self, message):
        return self.call("read", message)

    def finish(self):
        self.call("split")

    def seal(self, ad, text):
        return self.call("seal", ad, text)

    def open(self, ad, message):
        return self.call("open", ad, message)

    def remote(self):
        return self.call("remote")

    def hash(self):
        return self.call("hash")

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        if self.process.wait(timeout=10):
            raise ToolError(f"noise_tool: {self.process.returncode}")


class Other:
    """The other side: dissononce."""

    def __init__(self, pattern, initiator, prologue, static, remote, psk):
        self.initiator = initiator
        self.ciphers = None
        self.state = HandshakeState(
            SymmetricState(CipherState(ChaChaPolyCipher()), SHA256Hash()),
            X25519DH())
        if pattern == "xk":
            handshake = XKHandshakePattern()
        else:
            handshake = PSKPatternModifier(2).modify(IKHandshakePattern())
        self.state.initialize(
            handshake, initiator, prologue, s=static, rs=remote,
            psks=(psk,) if psk else None)
        expected = {"xk": "XK", "ikpsk2": "IKpsk2"}[pattern]
        assert self.state.protocol_name == \
            f"Noise_{expected}_25519_ChaChaPoly_SHA256"

    def write(self, payload):
        message = bytearray()
        self.ciphers = self.state.write_message(payload, message)
        return bytes(message)

    def read(self, message):
        payload = bytearray()
        self.ciphers = self.state.read_message(message, payload)
        return bytes(payload)

    def finish(self):
        assert self.ciphers, "the handshake is not over"

    def seal(self, ad, text):
        return self.ciphers[0 if self.initiator else 1].encrypt_with_ad(
            ad, text)

    def open(self, ad, message):
        return self.ciphers[1 if self.initiator else 0].decrypt_with_ad(
            ad, message)

    def remote(self):
        return self.state.rs.data

    def hash(self):
        return self.state.symmetricstate.get_handshake_hash()


def make_sides(tool, pattern, laya_initiates, prologue, psks):
    """Two sides, (initiator, responder), and their public keys."""
    keys = [X25519DH().generate_keypair() for _ in range(2)]
    ours, theirs = keys if laya_initiates else reversed(keys)
    remote = keys[1].public
    laya = Laya(tool, pattern, laya_initiates, prologue,
                ours.private.data, remote.data if laya_initiates else None,
                psks[0])
    other = Other(pattern, not laya_initiates, prologue, theirs,
                  None if laya_initiates else remote, psks[1])
    sides = (laya, other) if laya_initiates else (other, laya)
    return laya, sides, [key.public.data for key in keys]


def check(what, condition):
    if not condition:
        raise AssertionError(what)


def session(tool, pattern, laya_initiates, size, late_psk=False):
    """A handshake with payloads of the given size, and a transport."""
    psk = os.urandom(32) if pattern == "ikpsk2" else None
    laya, sides, publics = make_sides(
        tool, pattern, laya_initiates, os.urandom(size % 100),
        (None if late_psk else psk, psk))
    for index in range(MESSAGES[pattern]):
        if late_psk and index == 1:
            laya.call("psk", psk)
        writer, reader = sides[index % 2], sides[1 - index % 2]
        payload = os.urandom(size)
        check(f"payload {index}", reader.read(writer.write(payload)) ==
              payload)
    check("handshake hash", sides[0].hash() == sides[1].hash())
    check("responder's key", sides[0].remote() == publics[1])
    check("initiator's key", sides[1].remote() == publics[0])
    for side in sides:
        side.finish()
    for index in range(20):
        writer, reader = sides[index % 3 % 2], sides[1 - index % 3 % 2]
        text, ad = os.urandom(size), os.urandom(index)
        check(f"transport {index}",
              reader.open(ad, writer.seal(ad, text)) == text)
    laya.close()


def every_size(tool, pattern, laya_initiates):
    for size in SIZES:
        session(tool, pattern, laya_initiates, size)


def late_psk(tool, laya_initiates):
    session(tool, "ikpsk2", laya_initiates, 20, late_psk=True)


def laya_refuses(tool, pattern, laya_initiates):
    """A flipped bit in each message that Laya reads, and a wrong PSK."""
    for bad in range(MESSAGES[pattern]):
        if laya_initiates == (bad % 2 == 0):
            continue
        psk = os.urandom(32) if pattern == "ikpsk2" else None
        laya, sides, _ = make_sides(tool, pattern, laya_initiates, b"",
                                    (psk, psk))
        for index in range(bad):
            sides[1 - index % 2].read(sides[index % 2].write(b"hello"))
        message = bytearray(sides[bad % 2].write(b"hello"))
        message[-1] ^= 1
        try:
            laya.read(message)
        except ToolError as error:
            check(error, str(error) == "error EBADMSG")
        else:
            raise AssertionError("taken")
        laya.close()

    if pattern == "ikpsk2" and laya_initiates:
        laya, sides, _ = make_sides(tool, pattern, True, b"",
                                    (os.urandom(32), os.urandom(32)))
        sides[1].read(laya.write(b""))
        try:
            laya.read(sides[1].write(b""))
        except ToolError as error:
            check(error, str(error) == "error EBADMSG")
        else:
            raise AssertionError("taken")
        laya.close()


def build(directory):
    tool = os.path.join(directory, "noise_tool")
    sources = [os.path.join(HERE, "noise_tool.c"),
               os.path.join(HERE, "..", "noise.c"),
               os.path.join(HERE, "..", "key.c")]
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-Wall",
                    "-Wextra", "-Wshadow", "-Werror",
                    "-fsanitize=address,undefined", "-o", tool, *sources,
                    "-lsodium"], check=True)
    return tool


def main():
    cases = []
    for pattern in MESSAGES:
        for role in ("initiator", "responder"):
            first = role == "initiator"
            cases.append((f"{pattern}__laya_as_{role}",
                          every_size, (pattern, first)))
            cases.append((f"{pattern}__laya_as_{role}_refuses",
                          laya_refuses, (pattern, first)))
    for role in ("initiator", "responder"):
        cases.append((f"ikpsk2__laya_as_{role}_learns_psk_late",
                      late_psk, (role == "initiator",)))

    failed = 0
    print("KTAP version 1")
    print(f"1..{len(cases)}")
    with tempfile.TemporaryDirectory() as directory:
        tool = sys.argv[1] if len(sys.argv) > 1 else build(directory)
        for number, (name, function, arguments) in enumerate(cases, 1):
            try:
                function(tool, *arguments)
                print(f"ok {number} {name}", flush=True)
            except Exception as error:  # whatever it is, it is a failure
                failed += 1
                print(f"# {type(error).__name__}: {error}")
                print(f"not ok {number} {name}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

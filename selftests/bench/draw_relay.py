#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Print relay.json, scale.json and floods.json of a folder as tables, as far as they
are there; with a second folder, write that part of its benchmarks.rst."""

import json
import os
import sys

# The part of benchmarks.rst from there on is ours; draw.py keeps it
MARK = ".. _relaying:\n"
# What a run of the VM's clock is, and what a core of today does in a second
GHZ = 1e9, 3e9
GUESSES = 100_000


def rst_table(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    rule = " ".join("=" * max(w, 4) for w in widths)
    # An empty first cell would continue the row above
    rows = [" ".join((cell or "\\").ljust(max(w, 4))
                     for cell, w in zip(line, widths)).rstrip()
            for line in lines]
    return "\n".join([rule, rows[0], rule, *rows[1:], rule])


def count(value):
    return f"{value:,.0f}"


def times(value):
    return f"{value:.2f} x" if value < 10 else f"{value:.0f} x"


# What else the machine does only adds
def least(values, i=0):
    return min(value[i] for value in values)


def relay_table(result):
    lines = [["1200 bytes, as they come", "relay", "added", "to coturn's",
              "its process", "to coturn's"]]
    for way, row in result["rows"].items():
        base = least(row["no relay"])
        coturn = least(row["coturn"]) - base, least(row["coturn"], 1)
        for name in "laya.ko", "--relay", "coturn":
            added, own = least(row[name]) - base, least(row[name], 1)
            lines.append([way, name, count(added),
                          times(coturn[0] / added) if added > 0 else "-",
                          count(own) if own else "-",
                          times(coturn[1] / own) if own else "-"])
    return rst_table(lines)


OVERHEAD = [
    ["relayed how", "bytes", "of which"],
    ["Laya over UDP, each way", "8", "one label"],
    ["Laya over two forwarders", "16", "two labels"],
    ["TURN channel data", "4", "header; on the client's leg alone"],
    ["TURN Send and Data indications", "36",
     "STUN header 20, XOR-PEER-ADDRESS 12, DATA 4; IPv6: 48"],
    ["Laya over a TCP stream", "34", "label 8, length 2, TCP for UDP 24"],
    ["Laya over a TLS stream", "56", "and a TLS record 22"],
    ["DERP", "83", "frame 5, key 32, TLS record 22, TCP for UDP 24"],
]


def hosts_table(result):
    lines = [["relay", "as they come", "one host alone", "beside all",
              "to many in turn"]]
    for way, values in result["base"].items():
        lines.append(["none", way, count(least(values)), "", ""])
    for name, row in result["rows"].items():
        for way in row["alone"]:
            alone, beside, turn = (least(row[which][way]) for which in
                                   ("alone", "beside", "in turn"))
            lines.append([name, way, count(alone),
                          f"{count(beside)} ({times(beside / alone)})",
                          f"{count(turn)} ({times(turn / alone)})"])
    return rst_table(lines)


def attaching_table(result):
    lines = [["relay", "hosts", "instructions, all", "its process",
              "bytes, its process", "the rest"]]
    for name, row in result["rows"].items():
        for part in row["attaching"]:
            lines.append([name, count(part["hosts"]), count(part["all"]),
                          count(part["process"]), count(part["memory"]),
                          count(part["rest"])])
    return rst_table(lines)


def floods_tables(result):
    cost = [["attack", "relay", "instructions a packet",
             f"{GUESSES:,} a second, at 10^9", "at 3 10^9"]]
    clock = [["beside", "relay", "sent", "arrived", "seconds", "throughput"]]
    for name, row in result["rows"].items():
        alone = row["alone"]["clock"]
        for attack, figures in row.items():
            if "clock" in figures:
                ran = figures["clock"]
                ratio = (ran["arrived"] / ran["seconds"]) / \
                    (alone["arrived"] / alone["seconds"])
                clock.append([attack, name, count(ran["sent"]),
                              count(ran["arrived"]), f"{ran['seconds']:.3f}",
                              times(ratio)])
            if f"{attack}, dropped" in row:
                each = (least(figures["rounds"]) -
                        least(row[f"{attack}, dropped"]["rounds"])) / \
                    result["burst"]
                cost.append([attack, name, count(each)] +
                            [f"{each * GUESSES / hz:.0%}" for hz in GHZ])
    return rst_table(cost), rst_table(clock)


def attach_text(result):
    each = "; ".join(f"{name} {count(row['attaching']['then'])}"
                     for name, row in result["rows"].items())
    return f"""{result['tries']:,} tries to attach by one address, after as many before them, of which some are
taken; instructions of the forwarder's process for each: {each}."""


NOT_YET = "Not measured."


def text(folder):
    found = {}
    for name in "relay", "scale", "floods":
        path = f"{folder}/{name}.json"
        if os.path.exists(path) and os.path.getsize(path):
            with open(path, encoding="ascii") as file:
                found[name] = json.load(file)
    relay, scale = found.get("relay"), found.get("scale")
    floods = found.get("floods")
    cost, clock = floods_tables(floods) if floods else (NOT_YET, NOT_YET)
    return f"""{MARK}
Relaying
========

Written by ``selftests/bench/relay.sh -d`` and ``scale.sh -d``; not to be edited.

Instructions for each packet of 1200 bytes. *Added* is all that is executed, less what
the same takes without a relay; what a relay without a process of its own does is in
there alone. A run is {relay['run'] if relay else 50} packets that come in one piece.

{relay_table(relay) if relay else NOT_YET}

What a relay adds to a packet on the wire, beside a UDP datagram that goes directly, by
IPv4. TURN: :rfc:`8656`, sections 12.4 and 11.6, and :rfc:`8489`. DERP: the constants
``frameHeaderLen`` and ``keyLen`` of Tailscale's ``derp/derp.go``, a record of TLS 1.3
(:rfc:`8446`, 5.2) and a segment of TCP with timestamps for each packet; packets that
wait for each other share the last two, as in Laya's streams.

{rst_table(OVERHEAD)}

Many hosts
==========

{f"{scale['hosts']:,} hosts with {scale['labels']} labels each" if scale else "Many hosts"},
attached to one forwarder. Instructions a packet, sender and receiver included, to a host
that was there before them, and to two hundred of them in turn:

{hosts_table(scale) if scale else NOT_YET}

What attaching takes, for each host, and what memory; the first ones and those after them.
*All* is with the hosts' part. *The rest* is the kernel's memory and what else changed:

{attaching_table(scale) if scale else NOT_YET}

Floods
======

What a packet of an attacker costs the forwarder, beyond what it costs to be dropped by the
interface; and what part of a second that is, if 100,000 come in one:

{cost}

A pair that sends 20,000 packets of 1200 bytes a second, beside attackers that send 100,000
a second; all of them, the attacker too, on one processor of 3 10^9 instructions a second
(the VM's clock, which counts 10^9, is taken three times slower):

{clock}

{attach_text(floods) if floods else ""}
"""


def main():
    ours = text(sys.argv[1])
    print(ours[len(MARK):])
    if len(sys.argv) < 3:
        return
    path = f"{sys.argv[2]}/benchmarks.rst"
    with open(path, encoding="utf-8") as file:
        others = file.read().partition(MARK)[0].rstrip("\n")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{others}\n\n{ours}")


if __name__ == "__main__":
    main()

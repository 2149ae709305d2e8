#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Print bench.json as a table; with a folder, write benchmarks.rst and .svg."""

import json
import statistics
import sys

from draw_relay import MARK, rst_table

KINDS = "plain", "wireguard", "laya"
COLOURS = {"plain": "#9aa5b1", "wireguard": "#88171a", "laya": "#1f6feb"}


def figures(row):
    """Medians, the ratio Laya to WireGuard, and its spread in per cent."""
    median = {k: statistics.median(row["values"][k]) for k in KINDS}
    ratios = [a / b if b else 0 for a, b in
              zip(row["values"]["laya"], row["values"]["wireguard"])]
    ratio = statistics.median(ratios)
    spread = (max(ratios) - min(ratios)) / ratio * 100 if ratio else 0
    return median, ratio, spread


def table(bench):
    head = ["", "unit", *KINDS, "laya / wireguard", "spread"]
    lines = [head]
    for row in bench["rows"]:
        median, ratio, spread = figures(row)
        lines.append([row["name"], row["unit"],
                      *(f"{median[k]:.2f}" for k in KINDS),
                      f"{ratio:.2f} x", f"{spread:.1f}%"])
    return lines


def many_table(many):
    first = many["peers"][0]
    lines = [["peers", "stream, Mbit/s", "of the first", "datagrams of 64, Mbit/s",
              "of the first"]]
    for row in many["peers"]:
        lines.append([str(row["peers"])])
        for name in "stream", "datagrams":
            lines[-1] += [f"{row[name]:.2f}", f"{row[name] / first[name]:.2f} x"]
    return lines


def memory_table(many):
    return [["one more peer", "bytes"]] + \
           [[name, f"{size:.0f}"] for name, size in many["memory"].items()]


def svg(bench):
    rows = bench["rows"]
    bar, gap, left, width = 16, 22, 250, 420
    height = len(rows) * (3 * bar + gap) + 60
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 120}"'
           f' height="{height}" font-family="sans-serif" font-size="12">',
           f'<rect width="100%" height="100%" fill="white"/>']
    x = left
    for kind in KINDS:
        out.append(f'<rect x="{x}" y="12" width="12" height="12" '
                   f'fill="{COLOURS[kind]}"/><text x="{x + 18}" y="22">{kind}</text>')
        x += 110
    y = 44
    for row in rows:
        median, ratio, _ = figures(row)
        most = max(median.values()) or 1
        out.append(f'<text x="{left - 10}" y="{y + bar * 1.7:.0f}" '
                   f'text-anchor="end">{row["name"]}</text>')
        for i, kind in enumerate(KINDS):
            size = max(1, median[kind] / most * width)
            note = f'{median[kind]:.4g} {row["unit"]}'
            if kind == "laya":
                note += f'  ({ratio:.2f} x WireGuard)'
            inside = size > width - 120
            out.append(f'<rect x="{left}" y="{y + i * bar}" width="{size:.1f}" '
                       f'height="{bar - 2}" fill="{COLOURS[kind]}"/>')
            out.append(f'<text x="{left + size + (-6 if inside else 6):.1f}" '
                       f'y="{y + i * bar + 11}" '
                       + ('text-anchor="end" fill="white"' if inside else "")
                       + f'>{note}</text>')
        y += 3 * bar + gap
    out.append("</svg>")
    return "\n".join(out) + "\n"


RST = """.. SPDX-License-Identifier: GPL-2.0

==========
Benchmarks
==========

Written by ``make bench`` (``selftests/bench/run.sh -d``); not to be edited.

Two network namespaces and a veth in one boot of Linux {kernel} under QEMU
(``-accel tcg -smp 1 -icount shift=0,sleep=off -cpu max,erms=off,fsrm=off``): the
guest's clock counts instructions, one nanosecond each, so the figures repeat on
any machine. They compare costs; they are no line rates. Datagrams: received
goodput at the highest offered rate with less than 0.1% lost; *32 in a call*: by
UDP_SEGMENT and UDP_GRO, or LAYA_SEGMENT and LAYA_GRO, else by sendmmsg() and
recvmmsg(). *Offloads off*: a NIC that segments nothing, with GRO. Cipher of Laya: {cipher}; WireGuard's is
ChaCha20-Poly1305. Median of {repeat} repetitions; spread of the ratio.

{table}

.. image:: benchmarks.svg

Many peers
==========

Beside that many other peers of the same device, without a session most of them:

{many}

What the kernel takes for one, by what is used before and after ten thousand (250 for
WireGuard's sessions, whose handshakes are real ones; ``run.sh -m`` measures no more
than this):

{memory}

A session of WireGuard's has replay windows of 1 KiB, of Laya's each path has one of
288 bytes once something came in on it; here nothing did. The rest of a path is what is
known of it: addresses, probes under way, its size. AES-256-GCM takes more than
ChaCha20-Poly1305 by the two key schedules that the kernel's fast driver keeps.

Where a datagram's instructions go
==================================

A datagram of 1200 bytes takes some 13,400, sender, receiver and system calls included
(``run.sh -p``, offloads on). 6,400 of them are AES-GCM itself, some 1,400 what the
crypto API puts around it (its walk, the scatterlists, the FPU). Packets of a run lie on
one page each where that holds as many, since the walk copies a block that lies on two:
without that it was 500 more, with what is now asked once for a run. Laya's own code takes some
1,400, all of it; the rest is system calls, copies and the socket.
"""


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        bench = json.load(file)
    lines = table(bench)
    text = rst_table(lines)
    print(text)
    many = memory = "Not measured."
    if bench["many"]:
        many = rst_table(many_table(bench["many"]))
        memory = rst_table(memory_table(bench["many"]))
        print(many, memory, sep="\n")
    if len(sys.argv) > 2:
        repeat = len(bench["rows"][0]["values"]["laya"])
        with open(f"{sys.argv[2]}/benchmarks.rst", encoding="utf-8") as file:
            relaying = "".join(file.read().partition(MARK)[1:])
        with open(f"{sys.argv[2]}/benchmarks.rst", "w", encoding="utf-8") as file:
            file.write(RST.format(kernel=bench["kernel"], cipher=bench["cipher"],
                                  repeat=repeat, table=text, many=many,
                                  memory=memory))
            file.write(f"\n{relaying}" if relaying else "")
        with open(f"{sys.argv[2]}/benchmarks.svg", "w", encoding="utf-8") as file:
            file.write(svg(bench))


main()

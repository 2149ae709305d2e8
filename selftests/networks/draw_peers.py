#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Print what peers.sh saw as a table; with a folder, write it there: the last section
of matrix.rst, and matrix-peers.svg."""
import html
import json
import statistics
import sys

from draw import BESIDE, FAILED, KINDS, NOT_TRIED, mark, number, rst_table

SYSTEMS = {'laya': 'Laya', 'ice': 'ICE', 'wireguard': 'WireGuard'}

RST = """{heading}{rule}

Written by ``make matrix-peers`` (``selftests/networks/peers.sh``). Each of the networks
with each of four of them, in one boot, by three systems: Laya, with ``ProbeMapped``
on; ICE, which is libnice {nice} at the hosts and coturn {coturn} where Laya has its
relays, STUN and TURN by UDP and by TCP, and by the network's proxy where it has one;
and plain WireGuard, each side of which is told where a STUN server sees the other's
port, with keepalives. D direct, M mapped, R relay, X not connected; small letters as
above, which libnice does not tell of. What WireGuard sends always goes straight: D.

{connected}.

Until the first byte, of those that were connected, at the median: {first}. That is
virtual time: what a system waits for, such as servers that do not answer, and not what
it computes. Laya's hosts are attached to their relays before; an agent of ICE looks for
its candidates then.

{table}

.. image:: matrix-peers.svg
"""


def load(folder):
    """By system: cells by the pair; hosts with titles; the kinds in the columns."""
    seen = {}
    for system in SYSTEMS:
        with open(f'{folder}/{system}.json', encoding='utf-8') as file:
            seen[system] = {frozenset((cell['a'], cell['b'])): cell
                            for cell in json.load(file)}
    with open(f'{folder}/peers.hosts', encoding='utf-8') as file:
        hosts = sorted(line.split('\t')[:2] for line in file)
    names = [name for name, _ in hosts]
    columns = [name for name in names
               if all(frozenset((name, other)) in seen['laya']
                      for other in names if other != name)]
    return seen, hosts, columns


def look(system, cell):
    """Letter and colour of a cell."""
    if cell is None:
        return NOT_TRIED
    if system == 'laya':
        return mark(cell)
    return KINDS[cell['kind']] if cell['connected'] else FAILED


def connected(system, cell):
    """Was it?"""
    return not cell['error'] if system == 'laya' else cell['connected']


def first_byte(system, cell):
    """Milliseconds, or None."""
    if not connected(system, cell):
        return None
    if system == 'laya':
        return cell['first_byte_ms'][0]
    return cell['seconds'] * 1000 if 'seconds' in cell else None


def rows_of(seen, hosts, columns):
    """A row of marks for each host."""
    return {name: [[look(system, seen[system].get(frozenset((name, column))))
                    for column in columns] for system in SYSTEMS]
            for name, _ in hosts}


def table(rows, columns):
    """As text: the systems beside each other, of each the columns."""
    lines = [['', *(f'{name[0]}{number(column)}' for name in SYSTEMS.values()
                    for column in columns)]]
    for name, marks in rows.items():
        lines.append([name, *(letter or '\\-' for system in marks for letter, _ in system)])
    return rst_table(lines)


def svg(rows, hosts, columns):
    """As a picture."""
    side, left, top, gap = 20, 300, 150, 24
    wide = side * len(columns) + gap
    width, height = left + wide * len(SYSTEMS), top + side * len(hosts) + 50
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           'font-family="sans-serif" font-size="11">',
           '<rect width="100%" height="100%" fill="white"/>']
    for k, name in enumerate(SYSTEMS.values()):
        out.append(f'<text x="{left + k * wide}" y="20" font-weight="bold">{name}</text>')
        for j, column in enumerate(columns):
            x = left + k * wide + j * side
            out.append(f'<text transform="translate({x + 14} {top - 6}) rotate(-60)">'
                       f'{html.escape(column)}</text>')
    for i, (name, title) in enumerate(hosts):
        y = top + i * side
        out.append(f'<text x="{left - 6}" y="{y + 14}" text-anchor="end">'
                   f'{html.escape(title)} ({number(name)})</text>')
        for k, marks in enumerate(rows[name]):
            for j, (letter, colour) in enumerate(marks):
                x = left + k * wide + j * side
                out.append(f'<rect x="{x}" y="{y}" width="{side - 1}" '
                           f'height="{side - 1}" fill="{colour}"/>'
                           f'<text x="{x + side / 2 - .5}" y="{y + 14}" '
                           f'text-anchor="middle">{letter}</text>')
    out.append(f'<text x="{left}" y="{height - 16}">D direct, M mapped, R relay, '
               'X not connected</text></svg>')
    return '\n'.join(out) + '\n'


def main():
    """The whole."""
    folder, nice, coturn = sys.argv[1:4]
    seen, hosts, columns = load(folder)
    rows = rows_of(seen, hosts, columns)
    text = table(rows, columns)
    print(text)
    counts = {name: f'{sum(connected(system, cell) for cell in seen[system].values())} '
                    f'of {len(seen[system])}' for system, name in SYSTEMS.items()}
    times = {}
    for system, name in SYSTEMS.items():
        found = [first_byte(system, cell) for cell in seen[system].values()]
        found = [ms for ms in found if ms is not None]
        if found:
            times[name] = f'{statistics.median(found):.1f} ms'
    said = 'Connected: ' + ', '.join(f'{name} {count}' for name, count in counts.items())
    first = ', '.join(f'{name} {ms}' for name, ms in times.items())
    print(f'{said}; first byte: {first}')
    if len(sys.argv) < 5:
        return
    path = f'{sys.argv[4]}/matrix.rst'
    with open(path, encoding='utf-8') as file:
        before = file.read().partition(BESIDE)[0]
    with open(path, 'w', encoding='utf-8') as file:
        file.write(before + RST.format(
            heading=BESIDE, rule='=' * len(BESIDE.strip()), connected=said, table=text,
            first=first, nice=nice, coturn=coturn))
    with open(f'{sys.argv[4]}/matrix-peers.svg', 'w', encoding='utf-8') as file:
        file.write(svg(rows, hosts, columns))


main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Print what pairs.py saw as a table; with a folder, write matrix.rst and .svg."""
import html
import json
import sys

# What stands in a cell for a kind of path, and its colour
KINDS = {
    'lan': ('L', '#1a7f37'),
    'direct': ('D', '#2da44e'),
    'mapped': ('M', '#82c91e'),
    'gateway': ('G', '#1f6feb'),
    'peer-relay': ('P', '#54aeff'),
    'relay': ('R', '#9ecbff'),
}
CARRIERS = {'udp': '', 'tcp': 't', 'tls': 's', 'wss': 'w', 'https': 'h'}
FAILED = ('X', '#cf222e')
NOT_YET = ('', '#d0d7de')
NOT_TRIED = ('', '#ffffff')

# The heading under which draw_peers.py writes
BESIDE = '\nBeside ICE and plain WireGuard\n'


def load(path):
    """Cells by (host, host, mapped), hosts with titles, those that are left out."""
    base = path.removesuffix('.json')
    with open(path, encoding='utf-8') as file:
        cells = json.load(file)
    with open(base + '.hosts', encoding='utf-8') as file:
        hosts = [line.split('\t')[:2] for line in file]
    with open(base + '.later', encoding='utf-8') as file:
        later = [line.rstrip('\n').split('\t') for line in file if line.strip()]
    seen = {}
    for cell in cells:
        seen[frozenset((cell['a'], cell['b'])), cell['mapped']] = cell
    return cells, seen, sorted(hosts), later


def mark(cell):
    """Letters and colour of a cell; of two ends, the worse."""
    if cell is None:
        return NOT_TRIED
    if cell['error']:
        return FAILED
    kind, carrier = max(cell['paths'], key=lambda p: (list(KINDS).index(p[0]),
                                                      list(CARRIERS).index(p[1])))
    letter, colour = KINDS[kind]
    return letter + CARRIERS.get(carrier, '?'), colour


def square(seen, names):
    """Rows of marks: below the diagonal ProbeMapped is off, above it is on."""
    return [[None if i == j else mark(seen.get((frozenset((a, b)), j > i)))
             for j, b in enumerate(names)] for i, a in enumerate(names)]


def beside(path):
    """What draw_peers.py wrote at the end of matrix.rst, if it did."""
    try:
        with open(path, encoding='utf-8') as file:
            return ''.join(file.read().partition(BESIDE)[1:])
    except FileNotFoundError:
        return ''


def number(name):
    """What a condition is called where there is no room for its name."""
    return name.split('-', 1)[0]


def rst_table(rows):
    """A simple table of reStructuredText."""
    widths = [max(2, *(len(row[i]) for row in rows)) for i in range(len(rows[0]))]
    rule = ' '.join('=' * width for width in widths)
    lines = [' '.join((cell or '\\').ljust(width) for cell, width in zip(row, widths)).rstrip()
             for row in rows]
    return '\n'.join([rule, lines[0], rule, *lines[1:], rule])


def table(seen, hosts):
    """The square, as text."""
    names = [name for name, _ in hosts]
    rows = [['', *map(number, names)]]
    for name, marks in zip(names, square(seen, names)):
        rows.append([name, *('\\-' if m is None else m[0] for m in marks)])
    return rst_table(rows)


def svg(seen, hosts, later):
    """The square, as a picture; what cannot be crossed yet is grey."""
    names = [name for name, _ in hosts] + [line[0] for line in later]
    titles = dict(hosts) | {line[0]: line[1] for line in later}
    absent = {line[0] for line in later}
    names.sort()
    side, left, top = 20, 300, 150
    width = left + side * len(names) + 20
    height = top + side * len(names) + 70
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           'font-family="sans-serif" font-size="11">',
           '<rect width="100%" height="100%" fill="white"/>']
    for i, name in enumerate(names):
        y = top + i * side
        out.append(f'<text x="{left - 6}" y="{y + 14}" text-anchor="end">'
                   f'{html.escape(titles[name])} ({number(name)})</text>')
        x = left + i * side
        out.append(f'<text transform="translate({x + 14} {top - 6}) rotate(-60)">'
                   f'{html.escape(name)}</text>')
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            if i == j:
                continue
            cell = seen.get((frozenset((a, b)), j > i))
            letters, colour = NOT_YET if absent & {a, b} else mark(cell)
            x, y = left + j * side, top + i * side
            out.append(f'<rect x="{x}" y="{y}" width="{side - 1}" height="{side - 1}" '
                       f'fill="{colour}"/>')
            if letters:
                out.append(f'<text x="{x + side / 2 - .5}" y="{y + 14}" '
                           f'text-anchor="middle">{letters}</text>')
    x, y = left, top + side * len(names) + 24
    legend = [(letter, kind, colour) for kind, (letter, colour) in KINDS.items()]
    legend += [(FAILED[0], 'failed', FAILED[1]), ('', 'not yet', NOT_YET[1])]
    for letter, text, colour in legend:
        out.append(f'<rect x="{x}" y="{y}" width="14" height="14" fill="{colour}"/>'
                   f'<text x="{x + 18}" y="{y + 11}">{letter} {text}</text>')
        x += 80
    out.append(f'<text x="{left}" y="{y + 36}">below the diagonal: ProbeMapped off; '
               'above: on</text></svg>')
    return '\n'.join(out) + '\n'


RST = """.. SPDX-License-Identifier: GPL-2.0

======================
The matrix of networks
======================

Written by ``make matrix`` (``selftests/networks/run.sh``); not to be edited.

A host in each of these networks, all up at once in one machine of network
namespaces, and the pairs that the table shows connected: a stream each way that
carries {small} bytes there and back, compared by SHA-256, and datagrams each way. First
with ``ProbeMapped`` off: nothing then depends on two NATs guessing each other's
mappings. Then with it on. The servers: a rendezvous, and two relays, one at port
443.

A cell passes when the path, seen from both ends, is of the kind that the two networks
allow for sure, or better: direct where either host may be sent to at its own address;
where ``ProbeMapped`` is on, mapped where the two NATs let packets through that
both sides send; else a relay. A network that Laya cannot cross yet is no pass: it is
not in the count.

{tried} cells were tried, the empty ones not; {passed} passed, {failed} failed.
First byte after {median} ms at the median, of the connection that makes the session
(User-mode Linux in virtual time, where only waiting takes time and computing takes none).

Below the diagonal ``ProbeMapped`` is off, above it is on. D direct, M mapped, R relay,
L on one network, X failed; over UDP, unless a small letter says t (TCP), s (TLS), w
(WebSocket) or h (HTTPS).

{table}

.. image:: matrix.svg

The networks
============

{hosts}

Not yet
=======

{later}

What a square has no place for
==============================

What happens in the course of time, and what takes more than a host or another
server, is shown by tests of its own (``selftests/network``):

{tests}
"""

# Conditions of the list that have no file here
TESTS = [
    ['condition', 'suite'],
    ['IPv6 only, NAT64 that DNS64 tells of', 'nat64'],
    ['NAT that forgets flows which are not idle', 'nat_timer'],
    ['NAT that reboots, and has another address', 'nat_reboot'],
    ['both behind one NAT, or one CGNAT, that does not hairpin', 'lan, cgnat'],
    ['Laya on the router, on two of them, under a CGNAT', 'gateway*'],
    ['the host moves: another NAT, IPv6 alone; both at once', 'roam'],
    ['UDP is blocked, and is free again', 'carriers'],
    ['the rendezvous is down, restarts, is gone for good', 'rendezvous, no_rendezvous'],
    ['no internet', 'local, direct_signal'],
    ['a VPN takes the default route, and dies', 'vpn'],
    ['a clock that is hours wrong', 'clock'],
    ['suspend and resume', 'none'],
    ['a box that kills TCP without a word, or by RST', 'tcp_killed'],
]


def main():
    """The whole."""
    cells, seen, hosts, later = load(sys.argv[1])
    text = table(seen, hosts)
    print(text)
    failed = sum(1 for cell in cells if cell['error'])
    firsts = sorted(cell['first_byte_ms'][0] for cell in cells if cell['first_byte_ms'])
    if len(sys.argv) > 2:
        kept = beside(f'{sys.argv[2]}/matrix.rst')
        with open(f'{sys.argv[2]}/matrix.rst', 'w', encoding='utf-8') as file:
            file.write(RST.format(
                small=65536, tried=f'{len(seen)} of {len(hosts) * (len(hosts) - 1)}',
                passed=len(cells) - failed, failed=failed,
                median=firsts[len(firsts) // 2] if firsts else '?', table=text,
                hosts=rst_table([['network', 'what it is'], *map(list, hosts)]),
                later=rst_table([['network', 'what it is', 'needs'], *later])
                if later else 'Nothing.', tests=rst_table(TESTS)) + kept)
        with open(f'{sys.argv[2]}/matrix.svg', 'w', encoding='utf-8') as file:
            file.write(svg(seen, hosts, later))
    print(f'{len(cells) - failed} passed, {failed} failed')


if __name__ == '__main__':
    main()

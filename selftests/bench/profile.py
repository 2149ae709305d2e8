#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Print what profile.c counted, function by function: profile.py KALLSYMS PROFILE..."""

import bisect
import collections
import sys

LINES = 60
USER = 1 << 63


def read_symbols(path):
    symbols = []
    with open(path, encoding="ascii") as file:
        for line in file:
            address, kind, name, *module = line.split()
            if kind in "tTwW":
                symbols.append((int(address, 16), " ".join([name, *module])))
    symbols.sort()
    return [s[0] for s in symbols], [s[1] for s in symbols]


def main():
    addresses, names = read_symbols(sys.argv[1])
    for path in sys.argv[2:]:
        counts = collections.Counter()
        with open(path, encoding="ascii") as file:
            n, unit = file.readline().split(maxsplit=1)
            for line in file:
                address, count = line.split()
                address = int(address, 16)
                name = "(user)" if address < USER else \
                    names[bisect.bisect_right(addresses, address) - 1]
                counts[name] += int(count)
        n = float(n)
        print(f"{path}: instructions for one of {n:.0f} {unit.strip()}")
        print(f"{sum(counts.values()) / n:10.1f}  in all")
        for name, count in counts.most_common(LINES):
            print(f"{count / n:10.1f}  {name}")


main()

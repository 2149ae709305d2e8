# SPDX-License-Identifier: GPL-2.0
#
# `make help` says what there is.  Nothing here loads the module into this
# machine's kernel or changes how it boots.

KVER ?= 6.12
W ?=
V ?=
KMAKEFLAGS = $(if $(W),W=$(W)) $(if $(V),V=$(V)) $(if $(C),C=$(C))

SETUP = selftests/setup.sh
export PATH := $(PATH):/usr/sbin:/sbin

PREFIX ?= /usr/local
DESTDIR ?=
UNITDIR ?= /lib/systemd/system

all: module userspace

help:
	@echo 'Two commands for a fresh machine (they install what is missing):'
	@echo '  demo             two programs behind two NATs talk, in a VM'
	@echo '  test             everything, in VMs; the last line counts'
	@echo
	@echo 'For work on it:'
	@echo '  all              module and userspace (default)'
	@echo '  module           laya.ko for KVER=6.12 (default), 6.1, uml or debug'
	@echo '                   in build/module-KVER; W=1 C=1 V=1 as in the kernel'
	@echo '  userspace        programs, into build/bin'
	@echo '  test TESTS=...   only the suites whose name has one of these words'
	@echo '  test-smp         what works the kernel, on two CPUs (builds a kernel once)'
	@echo '  matrix           every network with every other; draws Documentation/matrix'
	@echo '  matrix-peers     the same networks by ICE and by plain WireGuard, beside Laya'
	@echo '  check            checkpatch, sparse, W=1, kernel-doc, cppcheck, ...'
	@echo '  bench            figures against WireGuard, in instruction-counted time'
	@echo '  vm               a shell in a VM, KVER as above'
	@echo '  setup            only install what is missing'
	@echo '  clean'
	@echo
	@echo 'For a machine that is to run it:'
	@echo '  modules_install  for the running kernel, by DKMS'
	@echo '  install          programs, manual pages and units'

setup:
	@$(SETUP)

module:
	@selftests/vm/module.sh $(KVER) $(KMAKEFLAGS)

userspace:
	@$(MAKE) --no-print-directory -C userspace V=$(V) \
		$(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

demo: setup
	@$(MAKE) --no-print-directory all KVER=6.12
	@selftests/demo.sh

test: setup
	@selftests/run.sh $(TESTS)

# What works the kernel: who sends, receives, forwards and takes down at once.  The rest
# of network/ is about the programs, which two slow processors say nothing new about.
SMP_TESTS = kunit kselftest/ $(addprefix network/,carriers cgnat failover forward \
	gateway_both lan large loss peer_relay relay restart roam tcp_killed)
test-smp: setup
	@LAYA_TEST_KERNEL=debug selftests/run.sh $(if $(TESTS),$(TESTS),$(SMP_TESTS))

matrix: setup
	@$(MAKE) --no-print-directory all KVER=uml
	@selftests/networks/matrix.sh

matrix-peers:
	@$(SETUP) peers
	@$(MAKE) --no-print-directory all KVER=uml
	@$(MAKE) --no-print-directory -C userspace ice
	@selftests/networks/matrix_peers.sh

check: setup
	@selftests/check.sh

bench:
	@$(SETUP) peers
	@$(MAKE) --no-print-directory all KVER=6.12
	@selftests/bench/run.sh
	@selftests/bench/relay.sh
	@selftests/bench/scale.sh

vm: all
	@selftests/vm.sh -k $(KVER) -- bash

# DKMS builds with the Kbuild of its copy of this folder
modules_install:
	dkms add .
	dkms install laya/$$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)

install: userspace
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(UNITDIR) \
		$(DESTDIR)$(PREFIX)/share/man/man7 \
		$(DESTDIR)$(PREFIX)/share/man/man8
	install -m 0755 build/bin/layad build/bin/layactl \
		build/bin/laya-rendezvous $(DESTDIR)$(PREFIX)/sbin/
	install -d -m 0700 $(DESTDIR)/etc/laya
	for unit in userspace/systemd/*.service; do \
		sed 's,@bindir@,$(PREFIX)/sbin,' "$$unit" \
			> "$(DESTDIR)$(UNITDIR)/$${unit##*/}" || exit; \
	done
	for page in Documentation/man/*.[78]; do \
		[ -e "$$page" ] || continue; \
		install -m 0644 "$$page" \
			$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/ || exit; \
	done

# Kernels and the source are in the cache, not here
clean:
	rm -rf build

.PHONY: all help setup module userspace demo test test-smp matrix matrix-peers check bench vm \
	modules_install install clean

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run a command as root in a virtual machine whose root is this machine's,
# read-only.
#
# Writable inside: /tmp, /run, /var/tmp, /etc/laya (all empty at the start) and
# $OUT, a folder of the host's.  laya.ko is built for the VM's kernel and loads by
# `modprobe laya` or the first socket(AF_LAYA).  build/bin is on PATH, the working
# directory is the repository.  Variables whose names begin with LAYA_ go in.
set -euo pipefail

usage() {
	cat <<'END'
usage: vm.sh [OPTIONS] -- COMMAND...

  -k KERNEL   6.12 (Debian's; the default), 6.1 (Debian's), uml (User-mode Linux,
              quick to boot, with all debugging), debug (the same checks in QEMU
              with two CPUs)
  -i          instruction-counted time: the guest's clock advances one nanosecond
              per instruction (one CPU; not with uml)
  -v          virtual time (uml): the guest's clock stands still while anything
              runs, and jumps to the next timer when nothing does. A busy host
              changes nothing, and waiting takes no time
  -s CPUS     1, or 2 with debug
  -m MEMORY   in MiB
  -t SECONDS  kill the VM and fail after this long (1800)
  -K          run the KUnit suites when the module is loaded (uml, debug)
  -n          do not build the module: use the last one that was, if any
  -q          only complain

The exit status is the command's; 125 if the VM failed, 124 if it took too long,
99 if the command succeeded but the kernel complained.  $OUT names the folder
for results: a fresh one below $TMPDIR unless set.
END
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/.." && pwd)
kernel=6.12 timed='' virtual='' cpus='' memory='' limit=1800 kunit=0 build=1 quiet=''

while getopts k:ivs:m:t:Knqh option; do
	case $option in
	k) kernel=$OPTARG ;;
	i) timed=1 ;;
	v) virtual=1 ;;
	s) cpus=$OPTARG ;;
	m) memory=$OPTARG ;;
	t) limit=$OPTARG ;;
	K) kunit=1 ;;
	n) build= ;;
	q) quiet=1 ;;
	h) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || { usage >&2; exit 2; }
case $kernel in
6.12|6.1) cpus=${cpus:-1} memory=${memory:-1024} ;;
uml) cpus=1 memory=${memory:-768} ;;
debug) cpus=${cpus:-2} memory=${memory:-2048} ;;
*) echo "vm.sh: unknown kernel '$kernel': 6.12, 6.1, uml or debug" >&2; exit 2 ;;
esac
[ -z "$virtual" ] || [ "$kernel" = uml ] ||
	{ echo "vm.sh: -v needs uml" >&2; exit 2; }
if [ -n "$timed" ]; then
	[ "$kernel" != uml ] || { echo "vm.sh: -i needs QEMU, not uml" >&2; exit 2; }
	cpus=1
fi

say() {
	[ -n "$quiet" ] || echo "vm.sh: $*" >&2
}

fail() {
	echo "vm.sh: $*" >&2
	exit 125
}

RELEASE='' IMAGE='' MODULES=''
settings=$("$here/vm/kernel.sh" "$kernel") || exit 125
eval "$settings"

# LAYA_VM_MODULES is for trying the runner itself: any tree laid out as
# /lib/modules/RELEASE
modules=${LAYA_VM_MODULES:-$MODULES}
if [ -z "${LAYA_VM_MODULES:-}" ] && compgen -G "$repo/kernel/*.c" > /dev/null; then
	if [ -n "$build" ]; then
		log=$(mktemp)
		"$here/vm/module.sh" "$kernel" > "$log" 2>&1 || {
			cat "$log" >&2
			rm -f "$log"
			fail "laya.ko did not build for $kernel"
		}
		rm -f "$log"
	fi
	modules=$repo/build/modules-$kernel/lib/modules/$RELEASE
	[ -d "$modules" ] || modules=$MODULES
fi

run=$(mktemp -d "${TMPDIR:-/tmp}/laya-vm.XXXXXXXX")
own_out=
if [ -z "${OUT:-}" ]; then
	OUT=$(mktemp -d "${TMPDIR:-/tmp}/laya-out.XXXXXXXX")
	own_out=1
fi
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd -P)
vm=

# shellcheck disable=SC2317 # called by the trap
finish() {
	local status=$?

	trap - EXIT INT TERM
	if [ -n "$vm" ]; then
		# A session of its own: UML has processes of its own
		kill -KILL -- "-$vm" 2>/dev/null || :
	fi
	if [ -n "$own_out" ] && ! rmdir "$OUT" 2>/dev/null; then
		say "results are in $OUT"
	fi
	rm -rf "$run"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

interactive=
rows=24 cols=80
if [ -t 0 ] && [ -t 1 ]; then
	interactive=1
	read -r rows cols < <(stty size)
fi

check_leaks=
case $kernel in uml|debug) check_leaks=1 ;; esac

{
	printf '%s=%q\n' KERNEL "$kernel" MODULES "$modules" \
		TIMED "$timed" CHECK_LEAKS "$check_leaks" \
		INTERACTIVE "$interactive" ROWS "$rows" COLS "$cols"
	printf 'export %s=%q\n' REPO "$repo" OUT "$OUT" TERM "${TERM:-dumb}" \
		CI "${CI:-}" LAYA_KERNEL "$kernel" LAYA_TIMED "$timed" \
		LAYA_VIRTUAL "$virtual"
	while IFS= read -r name; do
		printf 'export %s=%q\n' "$name" "${!name}"
	done < <(compgen -e LAYA_)
} > "$run/parameters"
printf '%q ' "$@" > "$run/command"

log=$run/console
: > "$log"
common="ro panic=-1 loglevel=7 net.ifnames=0 kunit.enable=$kunit vm.run=$run"
# A busy host is not a stuck guest
common+=" rcupdate.rcu_cpu_stall_timeout=120"

start_uml() {
	local shm=/dev/shm

	# The guest's memory is a file there; containers have little of it
	if [ ! -w $shm ] || [ "$(df -m --output=avail $shm | tail -n 1)" -lt "$memory" ]; then
		shm=/tmp
	fi
	[ -z "$virtual" ] || common+=" time-travel=inf-cpu"

	# Without setarch it would add half a GiB for where randomization put it,
	# and every process pays for the memory when it forks.
	#
	# Our stdout goes through cat, because UML makes what it is given
	# non-blocking, for everyone who shares it.
	# shellcheck disable=SC2086
	TMPDIR=$shm exec setsid setarch -R "$IMAGE" "mem=${memory}M" umid="laya-$$" uml_dir="$run/" \
		dummy.numdummies=0 rootfstype=hostfs rootflags=/ root=/dev/root $common \
		con=null con0=null,fd:1 ssl=null "ssl0=${1:-null},fd:4" \
		"init=$here/vm/init" \
		4>&1 >> "$log" 2>&1
}

# A /dev/kvm that is there need not work: some nested ones fail at the guest's
# first instructions.  What was found out holds until the host is booted anew.
kvm_works() {
	local known boot found

	[ -w /dev/kvm ] || return 1
	boot=$(cat /proc/sys/kernel/random/boot_id)
	known=$repo/build/kvm-$boot
	if [ ! -e "$known" ]; then
		found=no
		# No root to mount: it panics, and that ends it
		timeout 30 qemu-system-x86_64 -nodefaults -no-user-config \
			-display none -no-reboot -M q35 -accel kvm -cpu host -m 256 \
			-kernel "$IMAGE" -append "console=ttyS0 panic=-1" \
			-serial stdio < /dev/null 2>&1 |
			grep -q 'Linux version' && found=yes
		echo "$found" > "$known.$$"
		mv "$known.$$" "$known"
	fi
	[ "$(cat "$known")" = yes ]
}

start_qemu() {
	local accel=(-accel tcg) cpu=max,erms=off,fsrm=off append initrd=()
	local image=$repo/build/initrd-$kernel

	mkdir -p "$repo/build"
	if [ -n "$timed" ]; then
		accel=(-accel tcg -icount "shift=0,sleep=off")
		append="loglevel=4"
	elif kvm_works 2> /dev/null; then
		accel=(-accel kvm)
		cpu=host
	elif [ "$cpus" -gt 1 ]; then
		accel=(-accel "tcg,thread=multi")
	fi
	if [ ! -e "$image" ] || [ "$image" -ot "$here/vm/initramfs-init" ] ||
	   [ "$image" -ot "$here/vm/initramfs.sh" ] || [ "$image" -ot "$IMAGE" ]; then
		"$here/vm/initramfs.sh" "$MODULES" "$image.$$" &&
			mv "$image.$$" "$image"
	fi
	initrd=(-initrd "$image")

	# LAYA_VM_QEMU is for more of its options
	# shellcheck disable=SC2086
	exec setsid qemu-system-x86_64 ${LAYA_VM_QEMU:-} -nodefaults -no-user-config -display none \
		-no-reboot -M q35 "${accel[@]}" -cpu "$cpu" -smp "$cpus" \
		-m "$memory" -kernel "$IMAGE" "${initrd[@]}" \
		-append "console=ttyS0 $common vm.init=$here/vm/init ${append:-}" \
		-chardev "file,id=log,path=$log" -serial chardev:log \
		-chardev "stdio,id=io,signal=off" \
		-device virtio-serial-pci -device virtconsole,chardev=io \
		-virtfs local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap \
		-virtfs "local,path=$run,mount_tag=run,security_model=none" \
		-virtfs "local,path=$OUT,mount_tag=out,security_model=none,multidevs=remap" \
		2>> "$run/qemu"
}

began=$SECONDS
saved=
if [ -n "$interactive" ]; then
	saved=$(stty -g)
	stty raw -echo
fi
exec 6> >(cat)
copier=$!
input=/dev/null
[ -z "$interactive" ] || input=/dev/stdin
case $kernel in
uml)	start_uml "${interactive:+fd:0}" < "$input" >&6 6>&- & ;;
*)	start_qemu < "$input" >&6 6>&- & ;;
esac
vm=$!
exec 6>&-
late=
# Never readable: to wait on without starting a program each time
exec 7<> <(:)
# bash would tell of a VM that was killed
{
	while kill -0 "$vm"; do
		if [ $((SECONDS - began)) -ge "$limit" ]; then
			late=1
			kill -KILL -- "-$vm"
		fi
		# Not wait, which would hold up the traps; not a long sleep,
		# which every run would pay for
		read -r -t 0.1 -u 7 || :
	done
	wait "$vm" || :
	wait "$copier" || :
} 2> /dev/null
vm=
[ -z "$saved" ] || stty "$saved"

# --- what the kernel said ---

tr -d '\r' < "$log" > "$run/log"
[ -z "${LAYA_VM_LOG:-}" ] || cp "$run/log" "$LAYA_VM_LOG"
splats='BUG:|WARNING:|KASAN|UBSAN|KCSAN|KFENCE|kernel BUG at|Oops'
splats+='|possible circular locking|possible recursive locking|possible irq lock inversion'
splats+='|inconsistent lock state|suspicious RCU|held lock freed|bad unlock balance'
splats+='|INFO: task .* blocked|INFO: trying to register|self-detected stall|detected stalls'
splats+='|INVALID-ACQUIRE|invalid wait context|ODEBUG|DEBUG_LOCKS_WARN'
splats+='|general protection fault|Kernel panic|unable to handle|stack segment|double fault'
splats+='|unregister_netdevice: waiting|refcount_t:|leaked reference|ref_tracker'
splats+='|list_add corruption|list_del corruption|scheduling while atomic|sleeping function'
splats+='|laya-vm: SPLAT|page allocation failure|workqueue lockup|Segfault with no mm'
# said at boot by kernels that are well
harmless='kmemleak: Kernel memory leak detector|KernelAddressSanitizer initialized|kasan: '
harmless+='|RCU .*WARNING|mitigations|Spectre|MDS: |WARNING: CPU vulnerab|UBSAN: *$|ODEBUG: selftest|ODEBUG: Out of memory'
[ -z "${LAYA_VM_EXPECT:-}" ] || harmless+="|$LAYA_VM_EXPECT"

splat=
found=$(grep -nE "$splats" "$run/log" | grep -vE "$harmless" | head -n 5 || :)
if [ -n "$found" ]; then
	splat=1
	echo "vm.sh: the kernel complained:" >&2
	first=${found%%:*}
	# "?" marks what an unwinder only guesses
	tail -n "+$((first > 4 ? first - 4 : 1))" "$run/log" |
		grep -vE '\] \? ' | head -n 80 >&2 || :
	if [ "$(echo "$found" | wc -l)" -gt 1 ]; then
		echo "vm.sh: in all:" >&2
		echo "$found" >&2
	fi
fi
if [ -s "$run/kmemleak" ]; then
	splat=1
	echo "vm.sh: kmemleak found, after laya was removed:" >&2
	head -n 100 "$run/kmemleak" >&2
fi

if [ -n "$late" ]; then
	echo "vm.sh: killed after $limit seconds; the kernel's last words:" >&2
	tail -n 15 "$run/log" >&2
	exit 124
fi
if [ ! -e "$run/status" ]; then
	echo "vm.sh: the VM ended before the command did:" >&2
	tail -n 40 "$run/log" >&2
	cat "$run/qemu" >&2 2>/dev/null || :
	exit 125
fi
status=$(cat "$run/status")
[ ! -e "$run/uptime" ] || say "$(cat "$run/uptime")"
[ "$status" != 0 ] || [ -z "$splat" ] || status=99
exit "$status"

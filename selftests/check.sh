#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a reader would object to, found by tools: `make check`.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/.." && pwd)
cd "$repo" || exit
# shellcheck source=/dev/null
. selftests/ktap.sh

SOURCE=
eval "$("$here/vm/kernel.sh" source)"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

files() {
	git ls-files --cached --others --exclude-standard -- "$@"
}
mapfile -t kernel_files < <(files 'kernel/*.[ch]' 'kernel/compat/*.[ch]' \
	'include/*.h' | grep -v netlink | cat)
mapfile -t documented < <(files 'kernel/*.[ch]')
mapfile -t c_files < <(files 'userspace/*.c' 'selftests/*.c')
mapfile -t scripts < <(files | while read -r file; do
	[ -f "$file" ] && head -n 1 "$file" | grep -qE '^#!.*\b(ba|da|busybox )?sh\b' &&
		echo "$file"; done; files 'selftests/*.sh')
mapfile -t texts < <(files | grep -vE '^(COPYING|.*\.(json|svg|png))$')

# Outside the kernel's tree there is no MAINTAINERS, and kernel/compat asks for
# versions.  A list of names as a macro (kernel/drop.h), as the kernel's
# DEFINE_DROP_REASON, is not what the macro checks are about.
checkpatch() {
	"$SOURCE/scripts/checkpatch.pl" --no-tree --strict --terse --quiet \
		--no-summary --ignore FILE_PATH_CHANGES,LINUX_VERSION_CODE \
		--ignore COMPLEX_MACRO,MACRO_ARG_REUSE,MACRO_ARG_UNUSED \
		-f "${kernel_files[@]}"
}

sparse() {
	rm -rf "$repo/build/check"
	LAYA_MODULE_DIR=$repo/build/check "$here/vm/module.sh" 6.12 W=1 C=1 \
		> "$scratch/sparse" 2>&1 || { cat "$scratch/sparse"; return 1; }
	# Only what is said of our own files: the headers are Debian's
	! grep -E 'build/check/.*(warning|error):' "$scratch/sparse"
}

kernel_doc() {
	"$SOURCE/scripts/kernel-doc" -none "${documented[@]}" > "$scratch/doc" 2>&1
	! grep -E 'warning|error' "$scratch/doc"
}

# cppcheck reads no system header, but without the macros of this one it takes
# each walk of a list for what it is not, or does not parse the file at all.
static_analysis() {
	local queue

	queue=$(cc -M -x c -include sys/queue.h /dev/null |
		grep -o '[^ ]*/sys/queue\.h') || return
	cppcheck --quiet --enable=warning,portability --inline-suppr \
		--std=c11 --error-exitcode=1 --suppress=missingIncludeSystem \
		-D_GNU_SOURCE -Iinclude/uapi -Iuserspace/lib \
		--include="$queue" "${c_files[@]}"
}

shell_scripts() {
	shellcheck -x -P SCRIPTDIR "${scripts[@]}"
}

spelling() {
	codespell --ignore-words=.codespell-ignore "${texts[@]}"
}

# What is committed is what the specification generates
generated() {
	mkdir -p "$scratch/regen"
	Documentation/netlink/regen.sh "$SOURCE" "$scratch/regen" || return
	for file in include/uapi/linux/laya_netlink.h kernel/netlink_gen.h \
		kernel/netlink_gen.c; do
		diff -u "$file" "$scratch/regen/$file" || return
	done
}

ktap_plan 7
ktap_check "checkpatch" checkpatch
ktap_check "sparse and W=1" sparse
ktap_check "kernel-doc" kernel_doc
ktap_check "cppcheck" static_analysis
ktap_check "shellcheck" shell_scripts
ktap_check "codespell" spelling
ktap_check "generated files" generated
ktap_done

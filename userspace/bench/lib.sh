# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the scripts of this folder share.  To be sourced by bash.
#
# Not every script uses all of it:
# shellcheck disable=SC2034

BENCH_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$BENCH_DIR/../../selftests/machinery/vm/lib.sh"

# machine LOG CPUS MEMORY: print where figures come from, one fact per line, as comments.
machine()
{
	local accel

	accel=$(cat "$1/accel" 2>/dev/null)
	printf '# date\t%s\n' "$(date -u +%Y-%m-%d)"
	printf '# code\t%s\n' "$(git -C "$TOP_DIR" describe --always --dirty \
		--abbrev=12 2>/dev/null || echo unknown)"
	printf '# kernel\t%s\n' "$("$VM_DIR/kernel.sh" release)"
	printf '# guest\tvirtual CPUs: %s, memory: %s, QEMU %s, accelerator %s\n' \
		"$2" "$3" \
		"$("qemu-system-$(uname -m)" --version |
			sed -n 's/.*version \([0-9.]*\).*/\1/p')" "${accel:-unknown}"
	printf '# host\t%s CPUs, %s\n' "$(nproc)" \
		"$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)"
}

# save FILE...: copy figures into this folder, if that is asked for.
save()
{
	local file

	if [[ ${SAVE:-} != 1 ]]; then
		printf 'Not kept; SAVE=1 puts them into userspace/bench\n'
		return
	fi
	for file; do
		cp "$file" "$BENCH_DIR/" || return
		printf 'Kept: userspace/bench/%s\n' "${file##*/}"
	done
}

# draw_picture NAME DATA FOLDER: what NAME.gp makes of a file of figures, for light pages
# and dark ones.  Wants pipefail.
draw_picture()
{
	local theme

	for theme in light dark; do
		(cd "$BENCH_DIR" && gnuplot -e "data='$2'; theme='$theme'" "$1.gp") |
			awk -f "$BENCH_DIR/svg.awk" > "$3/$1-$theme.svg" || return
		[[ -s $3/$1-$theme.svg ]] || return
	done
	printf 'Drawn: %s\n' "$3/$1"-{light,dark}.svg
}

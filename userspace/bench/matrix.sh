#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The decision matrix: which lock mode wins where, and by how much?
#
#	matrix.sh		boot the VM, measure, draw, and print a summary
#	matrix.sh --draw	draw the figures that are kept again
#
# "kmap bench" measures each lock mode x shards x share of gets x threads x size
# of values; and, for rules of thumb, counters, and sets of keys that threads share
# or do not share.  Figures, pictures and summary go into the folder of the log;
# with SAVE=1 figures and pictures are copied to this folder, too.
#
# MATRIX='...' narrows it; a word is an axis and its values:
#
#	locks=spinlock,rwsem,rcu,rcu-window	the last one: gets through the
#						window, others by system calls;
#						there are rwsem-window and
#						spinlock-window too, which the
#						pictures leave out
#	shards=1,default
#	reads=100,95,50,0	per cent
#	threads=1,2,4
#	values=8,64,1024,16384	bytes
#	parts=mix,rules
#	rounds=6		runs of each; the best counts
#	seconds=0.1		length of a run
#	keys=1000
#
# For instance, in less than a minute:
#	MATRIX='shards=default reads=100,0 threads=2 values=64 rounds=2'
#
# and, from the Makefile:
#
# KMAP_KO=	the module
# BIN_DIR=	folder of programs for the guest's PATH

set -u
. "$(dirname "$0")/lib.sh"

MEMORY=3G
# All figures are measured on this CPU of QEMU.
export VM_CPU=max

# plan: print the axes and their values, for the script in the guest.
plan()
{
	local -A axes=(
		[locks]='spinlock,rwsem,rcu,rcu-window'
		[shards]='1,default'
		[reads]='100,95,50,0'
		[threads]='1,2,4'
		[values]='8,64,1024,16384'
		[parts]='mix,rules'
		[rounds]=6
		[seconds]=0.1
		[keys]=1000
	)
	local word

	# shellcheck disable=SC2086 # words
	for word in ${MATRIX:-}; do
		[[ $word == *=?* && -n ${axes[${word%%=*}]:-} ]] ||
			die "MATRIX: no such axis: $word"
		axes[${word%%=*}]=${word#*=}
	done
	for word in "${!axes[@]}"; do
		printf '%s=%s\n' "$word" "${axes[$word]}"
	done
}

measure()
{
	local words=()

	mapfile -t words <<< "$PLAN"
	say "Booting $("$VM_DIR/kernel.sh" release) to measure the matrix"
	"$VM_DIR/vm.sh" -l "$LOG" -o "$LOG/data" -m "$MEMORY" -t 7200 -s 900 \
		-a "$KMAP_KO:/kmap/kmap.ko" -a "$BIN_DIR:/kmap/bin" \
		-a "$BENCH_DIR/guest-matrix.sh:/kmap/matrix.sh" -- \
		/kmap/matrix.sh "${words[@]}" || return
	{
		printf '# SPDX-License-Identifier: MIT\n#\n'
		printf '# The decision matrix, as "make matrix" measures it.\n#\n'
		machine "$LOG" 2 "$MEMORY"
		sort <<< "$PLAN" | sed -e 's/^/# /' -e 's/=/\t/'
		printf '#\n# part\tlock\tshards\treads\tthreads\tvalue\tbest\tnext best (operations per second)\n'
		sort -t $'\t' -k 1,1 -k 6n,6 -k 5n,5 -k 2,2 -k 3,3 -k 4n,4 \
			"$LOG/data/raw.tsv"
	} > "$LOG/data/matrix.tsv"
}

# draw FOLDER: draw pictures of the matrix.tsv in it, for light pages and dark ones.
draw()
{
	draw_picture matrix "$1/matrix.tsv" "$1" && draw_picture rules "$1/matrix.tsv" "$1"
}

command -v gnuplot >/dev/null || die 'gnuplot is missing: run "make deps"'
set -o pipefail
case ${1:-} in
'')
	KMAP_KO=${KMAP_KO:?the module}
	BIN_DIR=${BIN_DIR:?folder of programs}
	PLAN=$(plan) || exit
	new_log
	measure || exit
	awk -f "$BENCH_DIR/common.awk" -f "$BENCH_DIR/matrix.awk" "$LOG/data/matrix.tsv" \
		> "$LOG/data/matrix.md" || exit
	cat "$LOG/data/matrix.md"
	draw "$LOG/data" || exit
	save "$LOG"/data/{matrix.tsv,{matrix,rules}-{light,dark}.svg}
	;;
--draw)
	[[ -r $BENCH_DIR/matrix.tsv ]] || {
		echo 'No matrix to draw: "make matrix SAVE=1" measures one.'
		exit 0
	}
	draw "$BENCH_DIR"
	;;
*)
	die "unknown option $1; see the head of this file"
	;;
esac

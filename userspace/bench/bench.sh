#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Boot the VM and measure kmap beside its peers there.
#
#	bench.sh		rates, and memory per entry
#	bench.sh --insns	instructions per operation, into insns.txt
#	bench.sh --check-insns	the same, compared with insns.txt
#	bench.sh --growth	instructions that single sets take while tables
#				grow
#	bench.sh --drift	what becomes of tables when the sizes of values drift
#	bench.sh --thin		memory that is left when most entries are removed
#	bench.sh --soak		the same for HOURS, of kmap alone, with two CPUs
#	bench.sh --beside	instructions that single sets take beside
#				snapshots
#	bench.sh --beside-time	the same on two CPUs, by time
#
# ENTRIES='100000 1000000'	sizes of the tables; one size for the other modes
# LOCK=rcu			lock mode of kmap
# PARAMS='shards=64'		more parameters of the module
# PREEMPT=full			preemption of the guest's kernel
# BENCH='-r 2 -p "kmap bpf"'	options of the program, see "peers -h"
# GUEST_CPUS=1			for --beside-time and --soak (default 2)
# BUDGET=33554432		bytes, for --drift and --soak
# HOURS=6			for --soak; also parts of an hour
# SAVE=1			keep the figures beside this script: rates.tsv,
#				growth.tsv, drift.tsv, thin.tsv, soak.tsv
#
# and, from the Makefile:
#
# KMAP_KO=	the module
# BIN_DIR=	folder of programs for the guest's PATH

set -u
. "$(dirname "$0")/lib.sh"

MODE=${1:---rates}
KMAP_KO=${KMAP_KO:?the module}
BIN_DIR=${BIN_DIR:?folder of programs}
LOCK=${LOCK:-rcu}
PARAMS=${PARAMS:-}
PEERS=$BENCH_DIR/../build/bench/peers
INSNS=$BENCH_DIR/insns.txt
MEMORY=5G
BUDGET=${BUDGET:-33554432}
HOURS=${HOURS:-6}
# All figures are measured on this CPU of QEMU.
export VM_CPU=max
# By how many per cent a figure may be above the one in insns.txt.
TOLERANCE=3

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP

# Redis is one program, with several names.
REDIS=$(command -v redis-server || command -v redis-check-rdb) ||
	die 'Redis is missing: run "make deps"'
MEMCACHED=$(command -v memcached) || die 'memcached is missing: run "make deps"'
[[ -x $PEERS ]] || die "$PEERS is missing: run \"make bench\""

# boot LOG OPTION...: run guest-bench.sh in the VM, with options of vm.sh; after "--"
# follow its name and its arguments.
boot()
{
	local log=$1

	shift
	[[ -z ${PREEMPT:-} ]] || set -- -K "preempt=$PREEMPT" "$@"
	"$VM_DIR/vm.sh" -l "$log" -m "$MEMORY" -t 7200 -a "$KMAP_KO:/kmap/kmap.ko" \
		-a "$BIN_DIR:/kmap/bin" -a "$PEERS:/kmap/bin/peers" \
		-a "$MEMCACHED:/kmap/bin/memcached" \
		-a "$REDIS:/kmap/bin/redis-server" \
		-a "$BENCH_DIR/guest-bench.sh:/kmap/bench.sh" "$@"
}

# gather NAME CPUS WORDS: make LOG/data/NAME from the figures of each size there, with
# a head that describes it.
gather()
{
	local name=$1

	{
		printf '# SPDX-License-Identifier: MIT\n#\n# %s\n#\n' "$3"
		machine "$LOG" "$2" "$MEMORY"
		printf '# lock\t%s\n# options\t%s\n' "$LOCK" "${BENCH:-none}"
		printf '#\n# peer\toperation\tthreads\tentries\tfigure\n'
		find "$LOG/data" -name '[0-9]*.tsv' | sort -V | xargs cat
	} > "$LOG/data/$name.new" || return
	mv "$LOG/data/$name.new" "$LOG/data/$name"
	printf 'Figures, with tabs: %s\n' "$LOG/data/$name"
}

rates()
{
	say "Booting $("$VM_DIR/kernel.sh" release) to measure"
	# The sizes are words.
	# shellcheck disable=SC2086
	boot "$LOG" -s 600 -o "$LOG/data" -- \
		/kmap/bench.sh 0 "lock=$LOCK $PARAMS" "${BENCH:-}" ${ENTRIES:-100000 1000000}
	STATUS=$?
	if grep -q tcg "$LOG/accel" 2>/dev/null; then
		printf '(rates of an emulated machine, QEMU TCG: compare them with each other only)\n'
	fi
	gather rates.tsv 2 'Operations per second, and bytes per entry beyond key and value ("make bench").'
	((STATUS == 0)) || return "$STATUS"
	save "$LOG/data/rates.tsv"
}

# boot_counting LOG CPU OPTIONS ENTRIES: boot a machine whose clock advances with
# each instruction; OPTIONS are those of the program.
boot_counting()
{
	# The guest's clock doubles some counts in its first seconds.
	ACCEL=tcg,thread=single boot "$1" -c 1 -s 1800 \
		-q -icount -q shift=0,sleep=off -q -cpu -q "$2" \
		-o "$1/data" -- \
		/kmap/bench.sh 8 "lock=$LOCK $PARAMS" "$3 ${BENCH:-}" "$4"
}

# count NAME CPU: count in one boot, and write the figures to WORK/NAME.
count()
{
	boot_counting "$LOG/$1" "$2" \
		'-i -p "null-ioctl kmap kmap-window bpf lfht shm-unlocked"' \
		"${ENTRIES:-100000}" > "$WORK/$1.raw" || {
		cat "$WORK/$1.raw"
		return 1
	}
	awk 'NF == 3 && $3 ~ /^[0-9]+$/ { print $1, $2, $3 }' \
		"$WORK/$1.raw" | sort > "$WORK/$1"
	[[ -s $WORK/$1 ]]
}

# insns: write the figures of two counts to WORK/insns, in the form of insns.txt.
insns()
{
	say 'Counting instructions'
	count string max || return
	say 'Counting again on a CPU without fast string moves'
	count plain max,-erms,-fsrm || return
	{
		cat <<-END
		# SPDX-License-Identifier: MIT
		#
		# Guest instructions per operation (user and kernel), as "make insns"
		# counts them; "make check-insns" compares.
		# Kernel $("$VM_DIR/kernel.sh" release), lock=$LOCK, ${ENTRIES:-100000} entries.
		#
		# The second figure is that of a CPU without ERMS and FSRM: QEMU
		# counts each byte of a "rep movsb" as an instruction, and the
		# kernel does not copy with it on such a CPU.
		#
		# PEER OPERATION INSNS PLAIN
		END
		awk 'NR == FNR { first[$1 " " $2] = $3; next }
		($1 " " $2) in first {
			printf "%-14s%-8s%8d%8d\n", $1, $2,
				first[$1 " " $2], $3
		}' "$WORK/string" "$WORK/plain"
	} > "$WORK/insns"
}

# compare OLD NEW: fails when a figure of kmap has gone up too far.
compare()
{
	awk -v tolerance="$TOLERANCE" '
	/^#/ || NF != 4 { next }
	NR == FNR { old[$1 " " $2] = $3; plain[$1 " " $2] = $4; next }
	{
		name = $1 " " $2
		seen[name] = 1
		if (!(name in old)) {
			printf "%s: %d, not in the file\n", name, $3
			next
		}
		up = 100 * ($3 / old[name] - 1)
		plain_up = 100 * ($4 / plain[name] - 1)
		bad = $1 ~ /^kmap/ && (up > tolerance || plain_up > tolerance)
		failed += bad
		printf "%-14s%-8s%8d%8d  %+6.1f %% %+6.1f %%%s\n", $1, $2, $3,
			$4, up, plain_up, bad ? "  TOO MANY" : ""
	}
	END {
		for (name in old) {
			if (name in seen)
				continue
			printf "%s: in the file, but not measured\n", name
			failed++
		}
		exit failed > 0
	}' "$1" "$2"
}

new_log
case $MODE in
--rates)
	rates
	;;
--growth)
	say 'Growing tables, in instructions'
	boot_counting "$LOG" max '-g -p "kmap bpf bpf-malloc rehash"' \
		"${ENTRIES:-5000000}" || exit
	gather growth.tsv 1 'Instructions of single sets while a table grows, and how many sets took less ("make growth").'
	save "$LOG/data/growth.tsv"
	;;
--drift)
	say 'Sizes that drift, in instructions'
	PARAMS+=" max_bytes=$BUDGET"
	boot_counting "$LOG" max,-erms,-fsrm \
		"-f $BUDGET -p 'kmap memcached redis lmdb bpf-rhash'" 1000000 || exit
	gather drift.tsv 1 'Bytes stored and memory of tables when the sizes of values drift ("make drift").'
	save "$LOG/data/drift.tsv"
	;;
--thin)
	say 'Removing most entries'
	boot "$LOG" -s 1800 -o "$LOG/data" -- /kmap/bench.sh 0 \
		"lock=$LOCK $PARAMS max_entries=${ENTRIES:-1000000} max_bytes=$((${ENTRIES:-1000000} * 128))" \
		"-k -p 'kmap memcached redis lmdb bpf bpf-malloc bpf-rhash' ${BENCH:-}" \
		"${ENTRIES:-1000000}" || exit
	gather thin.tsv 2 'Memory of tables with all entries, and with a tenth of them ("make thin").'
	save "$LOG/data/thin.tsv"
	;;
--soak)
	seconds=$(awk -v hours="$HOURS" 'BEGIN { printf "%d", hours * 3600 }')
	say "Sizes that drift, for $HOURS hours"
	boot "$LOG" -t $((seconds + 3600)) -s 1800 -c "${GUEST_CPUS:-2}" -o "$LOG/data" -- \
		/kmap/bench.sh 0 "lock=$LOCK $PARAMS max_bytes=$BUDGET" \
		"-f $BUDGET -s $seconds -p kmap ${BENCH:-}" 1000000 || exit
	gather soak.tsv "${GUEST_CPUS:-2}" 'Bytes stored and memory of kmap when the sizes of values drift for hours ("make soak").'
	save "$LOG/data/soak.tsv"
	;;
--beside)
	say 'Sets beside snapshots, in instructions'
	# The longest sets zero a page, which must not count as an instruction per byte.
	boot_counting "$LOG" max,-erms,-fsrm '-b -r 5' "${ENTRIES:-1000000}" ||
		exit
	;;
--beside-time)
	say 'Sets beside snapshots, by time'
	boot "$LOG" -s 1800 -c "${GUEST_CPUS:-2}" -o "$LOG/data" -- /kmap/bench.sh 0 \
		"lock=$LOCK $PARAMS" "-b -r 10 ${BENCH:-}" "${ENTRIES:-1000000}" ||
		exit
	;;
--insns)
	insns || exit
	cp "$WORK/insns" "$INSNS"
	grep -v '^#' "$INSNS"
	;;
--check-insns)
	[[ -e $INSNS ]] || die "$INSNS is missing: run \"make insns\""
	insns || exit
	if compare "$INSNS" "$WORK/insns"; then
		good "No operation of kmap takes more instructions than before."
	else
		bad "More than $TOLERANCE % above insns.txt; if intended, run \"make insns\"."
		exit 1
	fi
	;;
*)
	die "unknown option $MODE; see the head of this file"
	;;
esac

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Do the detectors of the debug kernels find bugs?  Plants one bug at a time in a copy
# of the module, runs a test that reaches it, and expects the report of the detector
# that is named for it.
#
#	plants.sh [NAME]...		these plants (default: all)
#
# TEST_DIR=, BIN_DIR=	as in check.sh
#
# The last line is "N passed, N failed, N skipped".

set -u
DEBUG_DIR=$(cd "$(dirname "$0")" && pwd)
. "$DEBUG_DIR/../vm/lib.sh"

export TEST_DIR=${TEST_DIR:?folder of the tests}
# All tests run in one guest.
export TIMEOUT=${TIMEOUT:-3600} HAMMER='' JOBS=1 V=0
unset LIST LAST

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP
PASSED=0 FAILED=0

# Name, kernel, lock mode, tests, file of the module, sed script for it, and a pattern
# that the log must match.
PLANTS=(
	'a lock that is not taken'
	kasan rcu ops arena.c
	'/^static unsigned int free_some/,/^}/ { /spin_lock(/d; /spin_unlock(/d }'
	'WARNING: .* at .*/arena\.c:'

	'a reader that is none'
	kasan rcu ops lock.c
	's/^\trcu_read_\(un\)\?lock_sched();//'
	'WARNING: .* at .*/(key|read|table|walk)\.[ch]:'

	'use after free'
	kasan rcu values ops_one.c
	'/^static .*int run_job/,/^}/ s/^\tif (returns_value/\tkvfree(job->long_value);\n&/'
	'KASAN:.*(use-after-free|double-free)'

	'out of bounds'
	kasan rcu values ops_one.c
	'/^static .*int make_room/,/^}/ s/kvmalloc(job->rq.out_len/kvmalloc(job->rq.out_len - 9/'
	'KASAN:.*out-of-bounds'

	'a leak'
	kasan rcu 'values kmemleak.sh' ops_one.c
	'/^int shmap_ops_one_record/,/^}/ s/^\t*free_value(map, &job);/;/'
	'kmemleak.sh: (1 of 1 checks failed|SPLAT: .*new suspected)'

	'sleeping under a spinlock'
	kasan spinlock add key.c
	'/^static int add(/,/^}/ s/^\tshmap_shard_unlock(/\tkvfree(kvmalloc(8, GFP_KERNEL));\n&/; s/^#include <linux.overflow.h>/&\n#include <linux\/slab.h>/'
	'sleeping function called'

	'a shift that is too far'
	kasan spinlock add key.c
	'/^static int add(/,/^}/ s/^\tshmap_shard_unlock(/\trq->version ^= (u64)1 << (rq->key_len + 100);\n&/'
	'UBSAN: shift-out-of-bounds'

	'a list entry removed twice'
	kasan rcu hammer_mix defer.c
	's/^\t\tlist_del(&batch->node);/&&/'
	'list_del corruption'

	'a failed allocation that is not noticed'
	kasan rcu fault pool.c
	'/^static int join/,/^}/ { /if (!pages)/,/ENOMEM/d }'
	'(BUG|Oops|KASAN): .*(NULL|null|general protection)'

	'a race on plain memory'
	kcsan rcu hammer_mix arena.c
	'/^static unsigned int free_some/,/^}/ { /some = arena->free/d; s/^\traw_spin_unlock.*/&\n\tsome = arena->free > 2 * SHMAP_UNIT_SIZE;/ }'
	'KCSAN: data-race'

	'a race on a bitmap'
	kcsan rcu hammer_mix arena.c
	'/^static unsigned int free_some/,/^}/ s/^\traw_spin_unlock.*/&\n\tif (bitmap_empty(the_bits, 512)) bitmap_set(the_bits, refs[0] % 512, 1); else bitmap_clear(the_bits, 0, 512);/; s/^#include "arena.h"/&\nstatic unsigned long the_bits[512 \/ BITS_PER_LONG];/'
	'KCSAN: data-race'

	'a missing barrier'
	kcsan rcu hammer_mix defer.c
	's/raw_spin_lock(&defer->lock);/preempt_disable(); while (test_and_set_bit_lock(0, \&the_bit)) cpu_relax();/; s/raw_spin_unlock(&defer->lock);/clear_bit(0, \&the_bit); preempt_enable();/; s/^#include "defer.h"/&\nstatic unsigned long the_bit;/'
	'(read|write) \(reordered\)'
)

# plant NAME KERNEL LOCK TESTS FILE SCRIPT PATTERN
plant()
{
	local name=$1 kernel=$2 lock=$3 tests=$4 file=$5 script=$6 pattern=$7
	local -a flags=("KCFLAGS=-include $DEBUG_DIR/watched.h")
	# The first report is enough.
	local -a options=(-m 3G -K panic_on_warn=1)

	printf '   %s (%s, %s)\n' "$name" "$kernel" "$file"
	KERNEL_KDIR=$("$DEBUG_DIR/kernel.sh" "$kernel") || exit
	export KERNEL_KDIR KERNEL=$KERNEL_KDIR/bzImage MODULES=none
	rm -rf "$WORK/module" && mkdir -p "$WORK/module"
	cp -r "$TOP_DIR"/{Kbuild,module,uapi} "$WORK/module/"
	sed -i "$script" "$WORK/module/module/$file"
	if cmp -s "$TOP_DIR/module/$file" "$WORK/module/module/$file"; then
		bad "FAIL  $name: there is no place for it in $file any more"
		return 1
	fi
	if [[ $kernel == kcsan ]]; then
		# Many short watches find a planted bug sooner.
		options+=(-K kcsan.skip_watch=10 -K kcsan.udelay_task=10)
	fi
	if ! make -C "$KERNEL_KDIR" M="$WORK/module" "${flags[@]}" modules \
		> "$WORK/log" 2>&1; then
		bad "FAIL  $name: does not compile"
		tail -n 20 "$WORK/log" | sed 's/^/      | /'
		return 1
	fi
	KMAP_KO=$WORK/module/kmap.ko LOCK=$lock TESTS=$tests \
		"$VM_DIR/check.sh" "${options[@]}" -K HAMMER_SECONDS=5 \
		-K HAMMER_PATIENCE=240 > "$WORK/log" 2>&1
	if grep -h -m 1 -o -E -e "$pattern.*" "$WORK/log" \
		"$TOP_DIR"/build/log/latest/{,*/}kernel.log 2>/dev/null |
		head -n 1 | sed 's/^/      /' | grep .; then
		return
	fi
	bad "FAIL  $name: nothing that matches: $pattern"
	tail -n 30 "$WORK/log" | sed 's/^/      | /'
	return 1
}

say 'Planting bugs to see that they are found'
cp "$DEBUG_DIR/kmemleak.sh" "$TEST_DIR/"
for ((i = 0; i < ${#PLANTS[@]}; i += 7)); do
	wanted=$(($# == 0))
	for name; do
		[[ $name != "${PLANTS[i]}" ]] || wanted=1
	done
	((wanted)) || continue
	if plant "${PLANTS[@]:i:7}"; then
		((++PASSED))
	else
		((++FAILED))
	fi
done
printf '%d passed, %d failed, 0 skipped\n' "$PASSED" "$FAILED"
((PASSED && !FAILED))

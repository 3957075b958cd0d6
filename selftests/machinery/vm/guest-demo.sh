#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The demo's part in the guest; see demo.sh.
#
#	guest-demo.sh LOCK...
#
# Reports each lock mode on fd 9: "demo LOCK equal|..., WORDS", for the summary.

set -u

mapfile -t FILES < <(find /kmap/corpus -type f | sort)
STATUS=0

for lock; do
	printf '\n== lock=%s: insmod, then wordcount with 4 processes of 2 threads\n' \
		"$lock"
	echo "at demo $lock" >&9
	echo "kmap-vm: at demo $lock" > /dev/kmsg
	if ! insmod /kmap/kmap.ko "lock=$lock"; then
		echo "demo $lock failed: insmod" >&9
		STATUS=1
		continue
	fi
	wordcount-check.sh -p 4 -t 2 "${FILES[@]}" 2>&1 9>&- 8>&- |
		tee /tmp/result
	result=${PIPESTATUS[0]}
	verdict=$(sed -n 's/^verdict: //p' /tmp/result)
	if ((result != 0)); then
		verdict="failed (${verdict:-status $result})"
		STATUS=1
	fi
	if ! rmmod kmap; then
		verdict='failed (the module cannot be unloaded)'
		STATUS=1
	fi
	printf 'demo %s %s, %s\n' "$lock" "$verdict" "$(sed -n 's/^wordcount: //p' /tmp/result)" >&9
done
exit "$STATUS"

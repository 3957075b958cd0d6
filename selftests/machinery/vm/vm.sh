#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boot a kernel in QEMU, run one command in it, and judge the run.
#
#	vm.sh [OPTION]... [--] COMMAND [ARGUMENT]...
#	vm.sh [OPTION]... --shell [COMMAND...]
#
#	-a SRC:DST	add a file or folder of the host as DST
#	-o DIR		copy what the command leaves in /out to this folder
#	-l DIR		where the logs go (default: a new folder in build/log)
#	-t SECONDS	the whole run may take this long (default 14400)
#	-s SECONDS	silence may last this long (default 1800)
#	-m SIZE		memory (default 2G)
#	-c COUNT	CPUs (default 2)
#	-k NAME		load this module of the kernel in the guest
#	-K ARGUMENT	one more argument for the guest's kernel
#	-q ARGUMENT	one more argument for QEMU
#	--shell		an interactive shell; COMMAND runs before it
#
# KERNEL=, MODULES=: see kernel.sh.  ROOT=: see initramfs.sh.
# ACCEL=	kvm, tcg or another QEMU accelerator (default: KVM where it
#		works, else TCG)
# VM_CPU=	model of an emulated CPU (default: see qemu.sh)
# VM_ARCH=	machine of the kernel (default: that of the host)
#
# What the command prints is shown live, but the verdict does not depend on it: PID 1
# of the guest reports over a port of its own.  The limits of time are only for hangs;
# a run that is slow because the host is busy stays far below them.  Exit status: 0 the
# command succeeded and the kernel's log is clean; 1 the command failed; 3 the machine
# failed (did not come up, panic, hang, splat); 2 usage, or something is missing.
# LOG/verdict has the reasons, one per line.

set -u
. "$(dirname "$0")/lib.sh"
. "$VM_DIR/qemu.sh"

ADDS=() KMODS=(-k virtio_pci -k virtio_console) QEMU_EXTRA=()
OUT='' LOG='' TIMEOUT=14400 SILENCE=1800 MEMORY=2G CPUS=2 APPEND='' MODE=run
VM_ARCH=${VM_ARCH:-$(uname -m)}

while (($#)); do
	case $1 in
	--shell)
		MODE=shell
		shift
		continue
		;;
	--)
		shift
		break
		;;
	-[aolstmckKq])
		(($# > 1)) || die "$1: argument missing"
		;;
	-*)
		die "unknown option $1; see the head of this file"
		;;
	*)
		break
		;;
	esac
	case $1 in
	-a)	ADDS+=(-a "$2") ;;
	-o)	OUT=$2 ;;
	-l)	LOG=$2 ;;
	-s)	SILENCE=$2 ;;
	-t)	TIMEOUT=$2 ;;
	-m)	MEMORY=$2 ;;
	-c)	CPUS=$2 ;;
	-k)	KMODS+=(-k "$2") ;;
	-K)	APPEND+=" $2" ;;
	-q)	QEMU_EXTRA+=("$2") ;;
	esac
	shift 2
done
[[ $MODE == shell ]] || (($#)) || die 'no command given'
command -v "qemu-system-$VM_ARCH" >/dev/null ||
	die "qemu-system-$VM_ARCH is missing: run \"make deps\""

IMAGE=$("$VM_DIR/kernel.sh" image) || exit
RELEASE=$("$VM_DIR/kernel.sh" release) || exit
KMODULES=$("$VM_DIR/kernel.sh" modules) || exit
NONCE=$(od -An -N 8 -tx8 /dev/urandom | tr -d ' ')

if [[ -z $LOG ]]; then
	new_log
fi
mkdir -p "$LOG" || exit 2
LOG=$(realpath "$LOG")
rm -f "$LOG"/{kernel.log,output,detail,records,files,qemu.log,verdict}

WORK=$(mktemp -d)
QEMU_PID='' TAIL_PID=''

# shellcheck disable=SC2317 # called by the trap
finish()
{
	[[ -z $QEMU_PID ]] || kill -KILL "$QEMU_PID" 2>/dev/null
	[[ -z $TAIL_PID ]] || kill "$TAIL_PID" 2>/dev/null
	rm -rf "$WORK"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# The job, which the guest's shell runs.
{
	printf 'cd /root\n'
	if (($#)); then
		printf '%q ' "$@"
		printf '\n'
	fi
	if [[ $MODE == shell ]]; then
		printf 'exec bash --rcfile /etc/bashrc -i\n'
	fi
} > "$WORK/job"

"$VM_DIR/initramfs.sh" -r "$RELEASE" -m "$KMODULES" "${KMODS[@]}" \
	-a "$WORK/job:/etc/job" "${ADDS[@]}" "$WORK/initrd" || exit 2

case ${ACCEL:-} in
'')
	if kvm_serves "$IMAGE" "$RELEASE" "$WORK/initrd"; then
		ACCEL=kvm
	else
		ACCEL=tcg,thread=multi
	fi
	;;
tcg)
	ACCEL=tcg,thread=multi
	;;
esac

printf '%s\n' "$ACCEL" > "$LOG/accel"

# monitor COMMAND: send a command to QEMU.  Never waits.
monitor()
{
	printf '%s\n' "$1" 1<> "$LOG/monitor.in" > "$LOG/monitor.in" &
	disown $!
}

# Print how many bytes the guest has written.
heard()
{
	cat "$LOG"/{kernel.log,output,detail,records,files} 2>/dev/null | wc -c
}

# Print the last place that the runner reported, to name failures.
last_place()
{
	local place

	place=$(sed -n 's/^at //p' "$LOG/records" 2>/dev/null | tail -n 1)
	printf '%s\n' "${place:-at no test}"
}

run_shell()
{
	local rows=24 columns=80

	if [[ -t 0 ]]; then
		read -r rows columns < <(stty size)
	fi
	qemu_command "$ACCEL" "$IMAGE" "$WORK/initrd" "$LOG" "VM_MODE=shell \
VM_NONCE=$NONCE VM_ROWS=$rows VM_COLUMNS=$columns VM_TERM=${TERM:-linux}$APPEND"
	"${QEMU[@]}" -chardev stdio,id=tty,signal=off \
		-device virtconsole,chardev=tty,nr=0 \
		"${QEMU_EXTRA[@]}" 2> "$LOG/qemu.log"
}

# Run the machine and watch it.  Sets ENDED to how it ended.
run_job()
{
	local start=$SECONDS spoke=$SECONDS bytes=0 now gone=0

	qemu_command "$ACCEL" "$IMAGE" "$WORK/initrd" "$LOG" \
		"VM_MODE=run VM_NONCE=$NONCE$APPEND"
	: > "$LOG/output"
	"${QEMU[@]}" "${QEMU_EXTRA[@]}" < /dev/null > "$LOG/qemu.log" 2>&1 &
	QEMU_PID=$!
	tail -f -n +1 -s 0.2 --pid="$QEMU_PID" "$LOG/output" 2>/dev/null &
	TAIL_PID=$!

	ENDED=off
	while kill -0 "$QEMU_PID" 2>/dev/null; do
		sleep 0.2
		((SECONDS % 2 == 0)) || continue
		now=$(heard)
		if ((now != bytes)); then
			bytes=$now
			spoke=$SECONDS
		fi
		if ((gone)); then
			# It has reported its end, but does not power off.
			((SECONDS - gone < 30)) || break
		elif grep -q "^exit $NONCE " "$LOG/records" 2>/dev/null; then
			gone=$SECONDS
		elif ((SECONDS - start > TIMEOUT)); then
			ENDED="still running after $TIMEOUT s"
		elif ((SECONDS - spoke > SILENCE)); then
			ENDED="silent for $SILENCE s"
		fi
		if [[ $ENDED != off ]]; then
			# Let it print where it hangs, which ends it.  On a busy
			# host that may take long, too.
			monitor nmi
			for ((gone = 0; gone < 300; gone++)); do
				kill -0 "$QEMU_PID" 2>/dev/null || break
				sleep 1
			done
			break
		fi
	done
	kill -KILL "$QEMU_PID" 2>/dev/null
	wait "$QEMU_PID" 2>/dev/null
	QEMU_PID=
	wait "$TAIL_PID" 2>/dev/null
	TAIL_PID=
}

# judge: print all that was wrong with the run, one reason per line.
judge()
{
	local status splats at

	status=$(sed -n "s/^exit $NONCE //p" "$LOG/records" 2>/dev/null)
	splats=$(find_splats "$LOG/kernel.log")
	if [[ $ENDED != off ]]; then
		# The first address after the last NMI is the one that it
		# interrupted; those further down are of older interrupts.
		at=$(awk '/<NMI>/ { below = 1; at = "" }
			below && at == "" && sub(/.*RIP: 0010:/, "") { at = $1 }
			END { print at }' "$LOG/kernel.log")
		printf 'HANG: %s, last seen %s%s\n' "$ENDED" "$(last_place)" \
			"${at:+, a CPU in $at}"
		# This script has caused that panic.
		splats=$(grep -v 'NMI: Not continuing' <<< "$splats")
	elif [[ -z $status ]]; then
		if ! came_up "$LOG/records" "$NONCE"; then
			printf 'NO BOOT: the guest did not come up: %s\n' \
				"$(tail -n 1 "$LOG/qemu.log")"
		elif grep -a -q 'Kernel panic' "$LOG/kernel.log"; then
			printf 'PANIC: last seen %s\n' "$(last_place)"
		else
			printf 'DIED: the guest ended without a last word, last seen %s\n' \
				"$(last_place)"
		fi
	fi
	if [[ -n $splats ]]; then
		printf '%s\n' "$splats" | sed 's/^/SPLAT: in /' | head -n 20
	fi
	if [[ $MODE == run && -n $status && $status != 0 ]]; then
		printf 'FAILED: the command ended with status %s\n' "$status"
	fi
}

mkfifo "$LOG/monitor.in" "$LOG/monitor.out" 2>/dev/null
if [[ $MODE == shell ]]; then
	ENDED=off
	run_shell
else
	run_job
fi
rm -f "$LOG/monitor.in" "$LOG/monitor.out"
judge > "$LOG/verdict"

if [[ -n $OUT && -s $LOG/files ]]; then
	mkdir -p "$OUT" && tar -x -m -f "$LOG/files" -C "$OUT" ||
		printf 'DIED: the files in /out did not come back whole\n' \
			>> "$LOG/verdict"
fi
rm -f "$LOG/files"

[[ -s $LOG/verdict ]] || exit 0
while IFS= read -r reason; do
	bad "$reason"
done < "$LOG/verdict"
printf 'Logs: %s\n' "$LOG"
if grep -q -v '^FAILED: ' "$LOG/verdict"; then
	exit 3
fi
exit 1

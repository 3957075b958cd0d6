# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The guest's machine: the QEMU command line, and whether KVM works.  To be sourced,
# after lib.sh.

# If a guest that has not come up prints nothing for this many seconds, KVM does not
# work.
KVM_PATIENCE=20

# The command line of every guest's kernel.  A panic or an oops ends the machine at
# once (QEMU does not reboot); an NMI causes a panic, to find out where a machine
# hangs.  Programs always get the same addresses: QEMU's emulation finds translated
# code by virtual address, and would otherwise translate a program again at each
# exec.
KERNEL_ARGS='loglevel=7 printk.devkmsg=on log_buf_len=4M panic=-1 oops=panic'
KERNEL_ARGS+=' unknown_nmi_panic norandmaps rdinit=/init'

# A CPU that the host does not run looks like one that hangs; only hangs that never end
# must be reported.
KERNEL_ARGS+=' watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=300'
KERNEL_ARGS+=' sysctl.kernel.hung_task_timeout_secs=1200'

# At boot, x86 counts timer interrupts to see whether they work.  On a busy host they
# are late, and the guest would panic.
KERNEL_ARGS+=' no_timer_check'

# cpu_model: print the emulated CPU, unless VM_CPU= names one.  It has all features of
# QEMU, except those that are slow on x86: with ERMS and FSRM, QEMU copies one byte per
# step, and with LA57 each TLB miss walks five levels of page tables, not four.
cpu_model()
{
	local model=max

	[[ $VM_ARCH != x86_64 ]] || model=max,-erms,-fsrm,-la57
	printf '%s\n' "${VM_CPU:-$model}"
}

# qemu_command ACCEL IMAGE INITRD LOG APPEND: fill the array QEMU.  Also reads
# VM_ARCH, MEMORY and CPUS.  LOG is the folder for the guest's output:
#
#	kernel.log	the kernel's console, a serial line of its own
#	output		what the job prints
#	detail		what the job's programs print, in full (its fd 8)
#	records		what PID 1 and the job report (its fd 9)
#	files		what the job left in /out, a tar
#	monitor.in	takes commands for QEMU
qemu_command()
{
	local accel=$1 image=$2 initrd=$3 log=$4 append=$5
	local port serial=ttyS0 machine=q35

	if [[ $VM_ARCH == aarch64 ]]; then
		serial=ttyAMA0
		machine=virt
	fi
	# The commas are QEMU's.
	# shellcheck disable=SC2054
	QEMU=("qemu-system-$VM_ARCH" -no-user-config -nodefaults -display none
	      -no-reboot -machine "$machine" -m "$MEMORY" -smp "$CPUS")
	if [[ $accel == kvm ]]; then
		QEMU+=(-accel kvm -cpu host)
	else
		QEMU+=(-accel "$accel" -cpu "$(cpu_model)")
	fi
	# shellcheck disable=SC2054
	QEMU+=(-kernel "$image" -initrd "$initrd"
	       -append "console=$serial $KERNEL_ARGS $append"
	       -chardev "file,id=kernel,path=$log/kernel.log"
	       -serial chardev:kernel
	       -chardev "pipe,id=monitor,path=$log/monitor"
	       -mon chardev=monitor
	       -device virtio-serial-pci,max_ports=8)
	for port in output detail records files; do
		QEMU+=(-chardev "file,id=$port,path=$log/$port"
		       -device "virtserialport,chardev=$port,name=vm.$port")
	done
}

# came_up RECORDS NONCE: has PID 1 of this run sent its first record?
came_up()
{
	grep -q "^start $2 " "$1" 2>/dev/null
}

# kvm_serves IMAGE RELEASE INITRD: boot this kernel with KVM and see whether it
# comes up.  The answer is cached, so that happens once per kernel and host.
kvm_serves()
{
	local key

	[[ -w /dev/kvm && $VM_ARCH == "$(uname -m)" ]] || return 1
	key="kvm $2 $(uname -r) $(grep -m 1 'model name' /proc/cpuinfo | tr -d ' \t')"
	mkdir -p "$CACHE" || return 1
	(
		# If several run at once, only one tries.
		flock 7
		if ! grep -q -F "$key " "$CACHE/accel" 2>/dev/null; then
			say "Trying KVM (this once)"
			printf '%s %s\n' "$key" "$(try_kvm "$1" "$3")" \
				>> "$CACHE/accel"
		fi
		grep -q -xF "$key yes" "$CACHE/accel"
	) 7>> "$CACHE/accel.lock"
}

# try_kvm IMAGE INITRD: print yes or no.
try_kvm()
{
	local verdict=no dir pid waited=0 said=0 now

	dir=$(mktemp -d)
	mkfifo "$dir/monitor.in" "$dir/monitor.out"
	qemu_command kvm "$1" "$2" "$dir" 'VM_MODE=probe VM_NONCE=probe'
	"${QEMU[@]}" > "$dir/qemu.log" 2>&1 < /dev/null 7>&- &
	pid=$!
	disown $pid	# the shell must not report its end
	while ((waited++ < KVM_PATIENCE * 10)); do
		if came_up "$dir/records" probe; then
			verdict=yes
			break
		fi
		kill -0 "$pid" 2>/dev/null || break
		now=$(stat -c %s "$dir/kernel.log" 2>/dev/null)
		if [[ ${now:-0} != "$said" ]]; then
			said=$now waited=0
		fi
		sleep 0.1
	done
	kill -KILL "$pid" 2>/dev/null
	rm -rf "$dir"
	printf '%s\n' "$verdict"
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Print which kernel the guest runs, and what belongs to it.
#
#	kernel.sh image|release|modules|kdir
#
# KERNEL=	kernel image (default: the newest 6.12 cloud kernel in /boot)
# MODULES=	its modules (default: the folder that belongs to the image's
#		release); "none" for a kernel without modules
# KERNEL_KDIR=	its headers, to build kmap.ko (default: "build" in MODULES)

set -u
. "$(dirname "$0")/lib.sh"

image()
{
	local newest

	if [[ -n ${KERNEL:-} ]]; then
		[[ -r $KERNEL ]] || die "KERNEL=$KERNEL: cannot be read"
		realpath "$KERNEL"
		return
	fi
	newest=$(find /boot -maxdepth 1 -name 'vmlinuz-6.12*cloud*' | sort -V |
		 tail -n 1)
	[[ -n $newest ]] ||
		die 'no 6.12 cloud kernel in /boot: run "make deps" or name one with KERNEL='
	printf '%s\n' "$newest"
}

# An x86 bzImage has its release as text; its offset is at byte 0x20e.
release()
{
	local file at text

	file=$(image) || exit
	if [[ $(dd if="$file" bs=1 skip=514 count=4 2>/dev/null) == HdrS ]]; then
		at=$(od -An -tu2 -j 526 -N 2 "$file")
		text=$(dd if="$file" bs=1 skip=$((at + 512)) count=256 2>/dev/null |
		       tr '\0' '\n' | head -n 1)
		printf '%s\n' "${text%% *}"
	else
		file=${file##*/}
		printf '%s\n' "${file#*-}"
	fi
}

modules()
{
	local file rel root

	if [[ ${MODULES:-} == none ]]; then
		return
	elif [[ -n ${MODULES:-} ]]; then
		[[ -d $MODULES ]] || die "MODULES=$MODULES: no such folder"
		realpath "$MODULES"
		return
	fi
	file=$(image) && rel=$(release) || exit
	root=${file%/boot/*}
	[[ $root != "$file" ]] || root=
	# A kernel that was built by hand may have no modules.
	if [[ -d $root/lib/modules/$rel ]]; then
		printf '%s\n' "$root/lib/modules/$rel"
	fi
}

kdir()
{
	local dir

	if [[ -n ${KERNEL_KDIR:-} ]]; then
		dir=$KERNEL_KDIR
	else
		dir=$(modules)/build || exit
	fi
	[[ -e $dir/Makefile ]] ||
		die "$dir: no kernel headers there: run \"make deps\" or name them with KERNEL_KDIR="
	realpath "$dir"
}

case ${1:-} in
image|release|modules|kdir)
	"$1"
	;;
*)
	die 'usage: kernel.sh image|release|modules|kdir'
	;;
esac

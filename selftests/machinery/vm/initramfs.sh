#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the guest's root: an initramfs of busybox, bash, the parts of coreutils that
# tests need, and what the caller adds, each program with its libraries.
#
#	initramfs.sh [-r RELEASE -m MODULES] [-k NAME]... [-a SRC:DST]... OUT
#
#	-m MODULES	folder of the kernel's modules, RELEASE its release
#	-k NAME		a module of it to take along; init loads it
#	-a SRC:DST	file or folder of the host, path in the guest
#	ROOT=DIR	take system programs and libraries from DIR, not from /
#
# Needs no privileges: the kernel itself provides /dev/console.

set -eu
. "$(dirname "$0")/lib.sh"

ROOT=${ROOT:-}
STAGE=''
MODULES='' RELEASE=''
ADDS=() KMODS=()

# Programs beside busybox.
PROGRAMS=(
	/bin/bash /usr/bin/sort /usr/bin/uniq /usr/bin/tr /usr/bin/cmp
	/usr/bin/sha256sum /usr/bin/env /usr/bin/timeout /usr/bin/comm
	/usr/bin/diff /usr/bin/split /usr/bin/grep /usr/bin/sed /usr/bin/od
	/usr/bin/setsid /usr/bin/setpriv /usr/bin/prlimit /usr/bin/unshare
	/usr/bin/kmod
)
LOCALE=/usr/lib/locale/C.utf8

# needs FILE: print the interpreter and the libraries that an ELF file names.
needs()
{
	readelf -W -l -d "$1" 2>/dev/null | sed -n \
		-e 's/.*program interpreter: \(.*\)\]$/\1/p' \
		-e 's/.*(NEEDED).*\[\(.*\)\]$/\1/p'
}

# kind FILE: print class and machine, to keep 32-bit and 64-bit libraries apart.
kind()
{
	readelf -h "$1" 2>/dev/null | sed -n -e 's/^ *\(Class\|Machine\): *//p' |
		tr '\n' ' '
}

# find_library NAME KIND DIR...: print where the library is on the host.
find_library()
{
	local name=$1 want=$2 dir

	shift 2
	for dir in "$@" "$ROOT"/{usr/,}lib/*-linux-gnu* "$ROOT"/{usr/,}lib{32,64,} \
		"$ROOT"/usr/local/lib; do
		if [[ -e $dir/$name && $(kind "$dir/$name") == "$want" ]]; then
			printf '%s\n' "$dir/$name"
			return
		fi
	done
	return 1
}

declare -A LIBS_DONE=()

# add_libraries FILE: copy what FILE needs to the stage, and what that needs.  There is
# one folder per kind of library; the loader goes where its name says.
add_libraries()
{
	local file=$1 want name path dest

	want=$(kind "$file")
	[[ -n $want ]] || return 0
	while IFS= read -r name; do
		[[ -z ${LIBS_DONE[$want$name]:-} ]] || continue
		LIBS_DONE[$want$name]=1
		if [[ $name == /* ]]; then
			path=$ROOT$name
			dest=$STAGE$name
			[[ -e $path ]] || die "$file: loader $name is missing"
		else
			path=$(find_library "$name" "$want" "${file%/*}" \
				"${file%/*}/..") ||
				die "$file: library $name ($want) is missing"
			dest=$STAGE/lib64/$name
			[[ $want != ELF32* ]] || dest=$STAGE/lib32/$name
		fi
		mkdir -p "${dest%/*}"
		cp -L "$path" "$dest"
		add_libraries "$path"
	done < <(needs "$file")
}

add_program()
{
	local path=$1 dest

	[[ -e $ROOT$path ]] || die "$ROOT$path is missing: run \"make deps\""
	dest=$STAGE/usr/bin/${path##*/}
	cp -L "$ROOT$path" "$dest"
	add_libraries "$ROOT$path"
}

add_file()
{
	local src=${1%:*} dest=$STAGE/${1##*:} file

	[[ -e $src ]] || die "$src: no such file to add"
	mkdir -p "${dest%/*}"
	if [[ -d $src ]]; then
		mkdir -p "$dest"
		cp -a "$src/." "$dest/"
	else
		cp -L "$src" "$dest"
	fi
	while IFS= read -r file; do
		add_libraries "$(realpath "$file")"
	done < <(find "$src" -type f \( -perm /111 -o -name '*.so*' \))
}

# add_modules NAME...: add the named modules and those on which they depend, unpacked,
# and list them in the order of loading.  Modules that are built in need nothing.
add_modules()
{
	local name path base

	mkdir -p "$STAGE/lib/modules"
	: > "$STAGE/lib/modules/list"
	[[ -n $MODULES ]] || return 0
	for name in "$@"; do
		modprobe -d "${MODULES%/lib/modules/*}/" -S "$RELEASE" \
			--show-depends "$name" 2>/dev/null
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
	while IFS= read -r path; do
		base=${path##*/}
		base=${base%%.ko*}.ko
		case $path in
		*.xz)	xz -dc "$path" ;;
		*.zst)	zstd -qdc "$path" ;;
		*.gz)	gzip -dc "$path" ;;
		*)	cat "$path" ;;
		esac > "$STAGE/lib/modules/$base"
		printf '%s\n' "$base" >> "$STAGE/lib/modules/list"
	done
}

while getopts r:m:k:a: opt; do
	case $opt in
	r)	RELEASE=$OPTARG ;;
	m)	MODULES=$OPTARG ;;
	k)	KMODS+=("$OPTARG") ;;
	a)	ADDS+=("$OPTARG") ;;
	*)	die 'usage: see the head of this file' ;;
	esac
done
shift $((OPTIND - 1))
OUT=${1:?output file}

STAGE=$(mktemp -d)
trap 'rm -rf "$STAGE"' EXIT
chmod 755 "$STAGE"
mkdir -p "$STAGE"/{bin,sbin,dev,proc,sys,tmp,root,out,mnt,run,etc,lib,lib32} \
	"$STAGE"/{lib64,usr/bin,usr/sbin}

busybox=$ROOT/bin/busybox
[[ -x $busybox ]] || die "$busybox is missing: run \"make deps\""
cp -L "$busybox" "$STAGE/bin/busybox"
[[ -z $(needs "$busybox") ]] || add_libraries "$busybox"
cp "$VM_DIR/init" "$STAGE/init"
chmod 755 "$STAGE/init"

for program in "${PROGRAMS[@]}"; do
	add_program "$program"
done
ln -s /usr/bin/bash "$STAGE/bin/bash"
ln -s /usr/bin/env "$STAGE/bin/env"
for tool in insmod rmmod lsmod modinfo modprobe depmod; do
	ln -s /usr/bin/kmod "$STAGE/sbin/$tool"
done

[[ ! -d $ROOT$LOCALE ]] || add_file "$ROOT$LOCALE:$LOCALE"

printf '%s\n' 'root:x:0:0:root:/root:/bin/bash' \
	'nobody:x:65534:65534:nobody:/:/bin/sh' > "$STAGE/etc/passwd"
printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' > "$STAGE/etc/group"
printf '%s\n' /kmap/lib /lib64 /lib32 > "$STAGE/etc/ld.so.conf"
# The loaders first look in folders of their own; these links lead to ours.
mkdir -p "$STAGE/usr"
ln -s ../lib64 "$STAGE/usr/lib64"
ln -s ../lib32 "$STAGE/usr/lib32"
splat_patterns > "$STAGE/etc/splats"

add_modules "${KMODS[@]}"
for add in "${ADDS[@]}"; do
	add_file "$add"
done

# Not every loader looks in lib64 or lib32, but all read the cache.
ldconfig -r "$STAGE"

(cd "$STAGE" && find . -print0 | cpio --quiet --null -o -H newc -R 0:0) > "$OUT"

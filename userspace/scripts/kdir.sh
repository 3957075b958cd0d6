#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Print the folder of the headers to build a module with: those of the running
# kernel, else the newest installed.  Prints nothing when there are none.

for dir in "/lib/modules/$(uname -r)/build" \
	$(printf '%s\n' /lib/modules/*/build /usr/src/linux-headers-*-"$(dpkg \
		--print-architecture 2>/dev/null)" | sort -rV); do
	if [[ -e $dir/Makefile && -e $dir/Module.symvers ]]; then
		printf '%s\n' "$dir"
		exit
	fi
done

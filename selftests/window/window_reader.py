#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
A reader of kmap's window that shares no code with any other: what the header
linux/kmap.h says of it, in another language.

	window_reader.py FILE KEY...	look keys up, print "VERSION VALUE"
	window_reader.py -c FILE	check: on standard input a line for each
					key with key, value and version, the
					first two in hexadecimal, a value "-"
					for a key that is absent

FILE is /dev/kmap or a copy of its window.
"""
import mmap
import os
import struct
import sys

MAGIC = 0x31574F444E49574B
HSIPHASH = 1
VERSION = 2**56 - 1
SLOTS = 8
PAGE = 4096
OVERFLOW = 1
TRIES = 100
MASK = 2**64 - 1


def rotate(x, by):
    return (x << by | x >> (64 - by)) & MASK


def siphash(key, data):
    """SipHash-1-3 of the bytes; key is two numbers."""
    v0 = key[0] ^ 0x736F6D6570736575
    v1 = key[1] ^ 0x646F72616E646F6D
    v2 = key[0] ^ 0x6C7967656E657261
    v3 = key[1] ^ 0x7465646279746573

    def rounds(n):
        nonlocal v0, v1, v2, v3
        for _ in range(n):
            v0 = (v0 + v1) & MASK
            v2 = (v2 + v3) & MASK
            v1 = rotate(v1, 13) ^ v0
            v3 = rotate(v3, 16) ^ v2
            v0 = rotate(v0, 32)
            v2 = (v2 + v1) & MASK
            v0 = (v0 + v3) & MASK
            v1 = rotate(v1, 17) ^ v2
            v3 = rotate(v3, 21) ^ v0
            v2 = rotate(v2, 32)

    whole = len(data) // 8 * 8
    last = data[whole:].ljust(7, b"\0") + bytes([len(data) & 255])
    for at in list(range(0, whole, 8)) + [None]:
        chunk = last if at is None else data[at : at + 8]
        (word,) = struct.unpack("<Q", chunk)
        v3 ^= word
        rounds(1)
        v0 ^= word
    v2 ^= 0xFF
    rounds(3)
    return v0 ^ v1 ^ v2 ^ v3


class Busy(Exception):
    """A writer is at work, or nothing is there: what was read is void."""


class Window:
    """The window, mapped; fields are those of the header."""

    def __init__(self, path):
        fd = os.open(path, os.O_RDONLY)
        try:
            head = self.map(fd, mmap.PAGESIZE)
            magic, size, features = struct.unpack_from("=QQQ", head, 0)
            if magic != MAGIC:
                raise ValueError(f"{path} is no window")
            if features != HSIPHASH:
                raise ValueError(f"{path}: features {features:#x} are not known")
            self.mem = self.map(fd, size)
        finally:
            os.close(fd)
        self.hash_key = struct.unpack_from("=QQ", self.mem, 24)
        self.stale = 52
        (self.shards, self.shard_bits, self.max_chain) = struct.unpack_from(
            "=III", self.mem, 40
        )
        (
            self.shard_offset,
            self.bucket_offset,
            self.bucket_size,
            self.entry_offset,
        ) = struct.unpack_from("=QQQQ", self.mem, 56)

    @staticmethod
    def map(fd, size):
        return mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ)

    def u32(self, at):
        return struct.unpack_from("=I", self.mem, at)[0]

    def u64(self, at):
        return struct.unpack_from("=Q", self.mem, at)[0]

    def home(self, digest):
        """Step 3: offset of the home bucket."""
        shard = digest & (self.shards - 1)
        end = self.u32(self.shard_offset + 64 * shard)
        m = 1 << (end.bit_length() - 1)
        number = digest & (2 * m - 1)
        if number >= end:
            number -= m
        return self.bucket_offset + 64 * number

    def entries(self, digest, home):
        """Step 5: offsets of the entries that may be the key's."""
        bucket = home
        for _ in range(self.max_chain // SLOTS):
            for slot in range(SLOTS):
                tags = self.u64(bucket + 16 + 8 * (slot // 4))
                tag = tags >> (16 * (slot % 4)) & 0xFFFF
                ref = self.u32(bucket + 32 + 4 * slot)
                if ref and tag == digest >> 16:
                    yield self.entry_offset + 8 * ref
            link = self.u32(bucket + 8)
            if not link:
                return
            bucket = self.bucket_offset + 64 * link
            if self.u32(bucket + 12) != OVERFLOW:
                raise Busy

    def once(self, key, digest):
        """Steps 3 to 7: value and version, or None."""
        home = self.home(digest)
        seq = self.u64(home)
        if seq & 1 or not seq:
            raise Busy

        def stable():
            if self.u64(home) != seq:
                raise Busy

        for entry in self.entries(digest, home):
            lens = self.u32(entry + 4)
            if not lens:
                raise Busy
            key_len, value_len = lens & 0x7FF, lens >> 11
            if self.u32(entry) != digest or key_len != len(key):
                continue
            stable()
            at = entry + (16 + key_len + 7) // 8 * 8
            last = at + value_len - 1
            if self.u32(self.stale) and entry // PAGE != last // PAGE:
                raise Busy
            if self.mem[entry + 16 : entry + 16 + key_len] != key:
                continue
            version = self.u64(entry + 8) & VERSION
            value = self.mem[at : at + value_len]
            stable()
            return value, version
        stable()
        if self.home(digest) != home:
            raise Busy
        return None

    def get(self, key):
        """Value and version of a key, or None."""
        digest = siphash(self.hash_key, key) & 0xFFFFFFFF
        for _ in range(TRIES):
            try:
                return self.once(key, digest)
            except Busy:
                pass
        raise TimeoutError("writers do not let go")


def check(window):
    """Compare with what standard input says; how many keys were right."""
    count = 0
    for line in sys.stdin:
        key, value, version = line.split()
        key = bytes.fromhex(key)
        want = None
        if value != "-":
            want = (bytes.fromhex(value.lstrip("=")), int(version))
        found = window.get(key)
        if found != want:
            sys.exit(f"key {key!r}: {found!r}, not {want!r}")
        count += 1
    return count


def main():
    sample = bytes(range(16))
    if siphash(struct.unpack("<QQ", sample), sample) & 0xFFFFFFFF != 0x7D908B66:
        sys.exit("the hash is not what the header says")
    if len(sys.argv) == 3 and sys.argv[1] == "-c":
        count = check(Window(sys.argv[2]))
        print(f"# {count} keys as they should be")
        sys.exit(not count)
    window = Window(sys.argv[1])
    for key in sys.argv[2:]:
        found = window.get(os.fsencode(key))
        if found is None:
            sys.exit(f"{key}: no such key")
        print(found[1], os.fsdecode(found[0]))


if __name__ == "__main__":
    main()

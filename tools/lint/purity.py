#!/usr/bin/python3
"""Pure archives ask the outside for nothing but this list.  usage: purity.py ARCHIVE...

An undefined symbol that no pure archive defines must be in ALLOWED: no system call, no clock, no
allocation, no stdio. Meant for plain optimised builds: sanitizers add symbols of their own.
"""
import subprocess
import sys

ALLOWED = {
    # the compiler's own calls
    "memcpy", "memset", "memmove", "memcmp", "bcmp", "_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail",
    "__memcpy_chk", "__memset_chk", "__memmove_chk",
    # texts in caller's memory
    "strlen", "strnlen", "strcmp", "strncmp", "memchr", "memrchr", "strchr", "__strlen_chk",
    "snprintf", "vsnprintf", "__snprintf_chk", "__vsnprintf_chk",
    # xxhash and protobuf-c work in memory that is handed to them
    "XXH3_64bits", "XXH3_64bits_withSeed", "XXH3_128bits", "XXH3_64bits_reset",
    "XXH3_64bits_update", "XXH3_64bits_digest", "XXH3_64bits_reset_withSeed",
    "XXH3_generateSecret", "qsort", "bsearch",
    # libsodium too
    "crypto_generichash", "sodium_memcmp", "sodium_memzero",
    # a broken invariant: says so and stops
    "kr_assert_fail", "kr_assert_failed", "__assert_fail",
    # a look-up in a constant table
    "strerrorname_np",
}
ALLOWED_PREFIXES = ("protobuf_c_", "keyrack__", "__ubsan", "__gcov", "ldexp", "log2", "exp2")


def symbols(archive):
    defined, undefined = set(), {}
    done = subprocess.run(["nm", "-A", archive], check=True, capture_output=True, text=True)
    for line in done.stdout.splitlines():
        where, _, rest = line.partition(": ") if ": " in line else line.rpartition(":")
        parts = rest.split()
        if len(parts) < 2:
            continue
        kind, name = parts[-2], parts[-1]
        if kind == "U":
            undefined.setdefault(name, where)
        else:
            defined.add(name)
    return defined, undefined


def main(archives):
    defined, undefined = set(), {}
    for archive in archives:
        d, u = symbols(archive)
        defined |= d
        for name, where in u.items():
            undefined.setdefault(name, where)
    complaints = [f"{where}: asks for {name}" for name, where in sorted(undefined.items())
                  if name not in defined and name not in ALLOWED
                  and not name.startswith(ALLOWED_PREFIXES)]
    for line in complaints:
        print(line)
    print(f"purity: {len(archives)} archives, {len(complaints)} complaints")
    sys.exit(1 if complaints else 0)


main(sys.argv[1:])

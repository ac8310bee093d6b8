# 84. Find the host's secrets in the kernel's own memory
# outcome: inert
# The text that is looked for is put together in one place, which alone may be found.
backwards = host["canary_reversed"]
wanted = (ctypes.c_char * len(backwards))()
for place, character in enumerate(reversed(backwards)):
    wanted[place] = ord(character)
libc.memmem.restype = ctypes.c_void_p
libc.memmem.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t]
with open("/proc/self/maps") as maps:
    regions = [line.split() for line in maps]
found = set()
searched = 0
for region in regions:
    start, end = (int(part, 16) for part in region[0].split("-"))
    if not region[1].startswith("rw") or end - start > 1 << 28 or region[-1].startswith("[v"):
        continue
    searched += end - start
    place = libc.memmem(start, end - start, ctypes.addressof(wanted), len(wanted))
    while place:
        found.add(place)
        place = libc.memmem(place + 1, end - place - 1, ctypes.addressof(wanted), len(wanted))
holds("searched", searched > 1 << 20)
holds("finds what is there", ctypes.addressof(wanted) in found)
holds("and nothing else", len(found) == 1)

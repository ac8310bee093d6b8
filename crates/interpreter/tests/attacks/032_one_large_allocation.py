# 32. Take more memory at once than there may be
# outcome: refused
import mmap
attempt("bytes", lambda: bytearray(8 << 30))
attempt("shared map", lambda: mmap.mmap(-1, 8 << 30))

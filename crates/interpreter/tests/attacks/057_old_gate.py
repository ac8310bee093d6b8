# 57. Call the kernel by the gate of 32-bit programs
# outcome: killed
# machine: x86_64
import mmap
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
address = ctypes.addressof(ctypes.c_char.from_buffer(code))
print("BREACH", ctypes.CFUNCTYPE(ctypes.c_int)(address)())

# 71. Show images whose headers promise more than memory holds
# outcome: inert
import struct, zlib
def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
class Picture:
    def __init__(self, content):
        self.content = content
    def _repr_png_(self):
        return self.content
start = b"\x89PNG\r\n\x1a\n"
display(Picture(start + chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 6, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b"")))
display(Picture(start + b"\xff\xff\xff\xffIHDR"))
display(Picture(b"no image at all"))
holds("shown", True)

# 80b. Overwrite None
# outcome: killed
ctypes.memset(id(None), 0xFF, 16)
ctypes.string_at(0)

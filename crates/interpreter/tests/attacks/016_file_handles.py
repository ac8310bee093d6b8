# 16. Open files by handle, past all folders
# outcome: refused
attempt("name_to_handle_at", lambda: call("name_to_handle_at", -100, b"/", ctypes.create_string_buffer(200), ctypes.byref(ctypes.c_int()), 0))
attempt("open_by_handle_at", lambda: call("open_by_handle_at", -100, ctypes.create_string_buffer(200), 0))

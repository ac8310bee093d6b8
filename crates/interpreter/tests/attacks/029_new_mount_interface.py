# 29. Mount by the newer system calls
# outcome: refused
for name, number, arguments in [("open_tree", 428, (-100, b"/", 1)), ("move_mount", 429, (-100, b"/", -100, b".", 0)),
                                ("fsopen", 430, (b"tmpfs", 0)), ("fsconfig", 431, (3, 0, None, None, 0)),
                                ("fsmount", 432, (3, 0, 0)), ("fspick", 433, (-100, b"/", 0)),
                                ("mount_setattr", 442, (-100, b"/", 0, ctypes.create_string_buffer(32), 32))]:
    attempt(name, lambda: system_call(number, *arguments))

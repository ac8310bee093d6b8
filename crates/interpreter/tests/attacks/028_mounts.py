# 28. Mount, unmount, change the root
# outcome: refused
attempt("mount", lambda: call("mount", b"none", b".", b"tmpfs", 0, None))
attempt("bind", lambda: call("mount", b"/", b".", None, 4096, None))
attempt("remount", lambda: call("mount", None, b"/", None, 32, None))
for path in [b"/proc", b"/workspace", b"/usr", b"/"]:
    attempt("unmount %s" % path, lambda: call("umount2", path, 2))
attempt("chroot", lambda: os.chroot("."))
attempt("pivot_root", lambda: system_call(155 if machine == "x86_64" else 41, b".", b"."))

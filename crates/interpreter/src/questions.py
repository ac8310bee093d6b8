"""Prints what the host has to know about this Python, as JSON."""

import json
import os
import sys
import sysconfig


def made_for():
    """The version that a virtual environment was made by, as its file says."""
    try:
        with open(os.path.join(sys.prefix, "pyvenv.cfg"), encoding="utf-8") as file:
            lines = [line.partition("=") for line in file]
    except OSError:
        return None
    found = [value.strip() for name, _, value in lines if name.strip() in ("version", "version_info")]
    return found[0] if found else None


prefixes = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix]
print(
    json.dumps(
        {
            "executable": sys.executable,
            "version": sys.version_info[:3],
            "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
            "prefixes": list(dict.fromkeys(prefixes)),
            "made_for": made_for(),
        }
    )
)

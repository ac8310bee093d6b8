"""Commands of a cell: `!command` and `%%bash`, as children in the same sandbox."""

import os
import re
import shutil
import signal
import subprocess
import sys

from .interrupts import interrupts

_VARIABLE = re.compile(r"\{([^\W\d]\w*)\}|\$([^\W\d]\w*)|\{([^\W\d]\w*(?:\.\w+|\[[^\[\]{}]*\])+)\}")


class CommandFailed(Exception):
    """A script of `%%bash` ended with another exit status than 0."""

    __module__ = "builtins"


def run(command, names):
    """Runs a command with the cell's own standard output and error; returns its exit status."""
    return _run(_filled(command, names))[1]


def capture(command, names):
    """Runs a command and returns the lines of its standard output, and its exit status."""
    output, status = _run(_filled(command, names), stdout=subprocess.PIPE)
    return output.decode("utf-8", "backslashreplace").splitlines(), status


def run_script(script):
    """Runs a whole script; raises when it fails."""
    status = _run(script)[1]
    if status != 0:
        raise CommandFailed("the script ended with exit status %d" % status)


def _run(command, stdout=None):
    """Captured output and exit status of a shell command, which ends with the cell when that is interrupted."""
    sys.stdout.flush()
    sys.stderr.flush()
    process = None
    try:
        with interrupts.held():
            process = _start(command, stdout)
        output, _ = process.communicate()
    except BaseException:
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        raise
    return output, process.returncode


def _start(command, stdout):
    """A shell in a process group of its own, so that all of it can be ended."""
    shell = shutil.which("bash") or "/bin/sh"
    return subprocess.Popen(
        [shell, "-c", command], stdin=subprocess.DEVNULL, stdout=stdout, start_new_session=True
    )


def _filled(command, names):
    """The command with the cell's variables in the place of `{name}`, `{name.part}` and `$name`.

    What is no variable of the cell stays, for the shell.
    """

    def value(match):
        expression = match[1] or match[2] or match[3]
        if re.match(r"\w+", expression)[0] not in names:
            return match[0]
        try:
            return str(eval(expression, names))
        except Exception:
            return match[0]

    return _VARIABLE.sub(value, command)

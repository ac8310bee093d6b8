"""Commands of a cell: `!command` and `%%bash`, as children in the same sandbox."""

import os
import re
import shutil
import signal
import subprocess
import sys

_VARIABLE = re.compile(r"\{([^\W\d]\w*)\}|\$([^\W\d]\w*)|\{([^\W\d]\w*(?:\.\w+|\[[^\[\]{}]*\])+)\}")


class CommandFailed(Exception):
    """A script of `%%bash` ended with another exit status than 0."""

    __module__ = "builtins"


def run(command, names):
    """Runs a command with the cell's own standard output and error; returns its exit status."""
    process = _start(_filled(command, names))
    return _finish(process)[1]


def capture(command, names):
    """Runs a command and returns the lines of its standard output, and its exit status."""
    process = _start(_filled(command, names), stdout=subprocess.PIPE)
    output, status = _finish(process)
    return output.decode("utf-8", "backslashreplace").splitlines(), status


def run_script(script):
    """Runs a whole script; raises when it fails."""
    status = _finish(_start(script))[1]
    if status != 0:
        raise CommandFailed("the script ended with exit status %d" % status)


def _start(command, stdout=None):
    """A shell in a process group of its own, so that all of it can be ended."""
    sys.stdout.flush()
    sys.stderr.flush()
    shell = shutil.which("bash") or "/bin/sh"
    return subprocess.Popen(
        [shell, "-c", command], stdin=subprocess.DEVNULL, stdout=stdout, start_new_session=True
    )


def _finish(process):
    """Output and exit status. When the cell is interrupted, the command ends with it."""
    try:
        output, _ = process.communicate()
        return output, process.returncode
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


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

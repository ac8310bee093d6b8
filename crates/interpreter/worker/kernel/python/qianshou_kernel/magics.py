"""The few magics of notebooks that make sense in a session: what a translated cell calls."""

import os
import re
import sys

from . import packages, shell, timing
from .display import screen
from .inventory import variables

_IGNORED = ("autoreload", "colors", "config", "load_ext", "matplotlib", "precision", "pylab", "xmode")
"""Settings of a notebook's own display: nothing to do here, and no reason to fail."""

_INSTALLATION = re.compile(
    r"\s*(?:sudo\s+)?(?:python[\d.]*\s+-m\s+)?(?:pip[\d.]*|conda|mamba|uv\s+pip|uv)\s+(?:-\S+\s+)*"
    r"(?P<arguments>install\b(?:'[^']*'|\"[^\"]*\"|[^'\"&|;])*?)(?:\s+[12&]?>.*?)?(?:(?:&&|;)\s*(?P<then>.*)|\|.*)?$"
)

_MARKUP = {"html": "text/html", "latex": "text/latex", "markdown": "text/markdown", "svg": "image/svg+xml"}


class UsageError(Exception):
    """A magic that is not known here, or that was given wrong arguments."""

    __module__ = "builtins"


class Magics:
    """The object behind `%name`, `!command` and `%%name` in cells."""

    def __init__(self, namespace):
        self._namespace = namespace
        self._lines = {
            "cd": self._cd,
            "conda": self._install,
            "env": self._env,
            "ls": self._ls,
            "mamba": self._install,
            "pip": self._install,
            "pip3": self._install,
            "pwd": self._pwd,
            "reset": self._reset,
            "run": self._run_file,
            "set_env": self._env,
            "time": self._time,
            "timeit": self._timeit,
            "uv": self._install,
            "who": self._who,
            "who_ls": self._who_ls,
            "whos": self._whos,
        }
        self._cells = {
            "bash": self._script,
            "script": self._script,
            "sh": self._script,
            "time": self._time_cell,
            "timeit": self._timeit_cell,
            "writefile": self._write_file,
        }

    def line(self, name, arguments):
        """`%name arguments`."""
        if name in _IGNORED:
            return None
        return self._find(self._lines, "%", name)(arguments.strip())

    def run(self, command):
        """`!command`. An installation is answered in its place; what the shell would do after it is done."""
        match = _INSTALLATION.match(command)
        if match is not None:
            self._install(match["arguments"])
            command = match["then"]
        if command:
            self._exited(shell.run(command, self._namespace.names))

    def capture(self, command):
        """`lines = !command`."""
        lines, status = shell.capture(command, self._namespace.names)
        self._exited(status)
        return lines

    def cell(self, magic, run_python):
        """A whole cell. `run_python` runs Python code as the cell's own, and returns its value."""
        if magic.name in _MARKUP:
            screen.show_bundle({_MARKUP[magic.name]: magic.body.strip()})
            return None
        return self._find(self._cells, "%%", magic.name)(magic, run_python)

    def _find(self, known, prefix, name):
        if name in known:
            return known[name]
        names = sorted({*known, *(_IGNORED if prefix == "%" else _MARKUP)})
        raise UsageError(
            "there is no %s%s here; known: %s" % (prefix, name, ", ".join(prefix + name for name in names))
        )

    def _exited(self, status):
        self._namespace.names["_exit_code"] = status
        if status != 0:
            print("[exit status %d]" % status, file=sys.stderr)

    def _install(self, arguments):
        if arguments.split()[:1] in (["list"], ["freeze"]):
            for name, (version, _) in sorted(packages.installed().items()):
                print("%s==%s" % (name, version))
            return
        print(packages.answer_install(arguments))

    def _cd(self, folder):
        os.chdir(os.path.expanduser(folder.strip("'\"") or "~"))
        print(os.getcwd())

    def _pwd(self, _):
        return os.getcwd()

    def _ls(self, arguments):
        self.run("ls " + arguments)

    def _env(self, arguments):
        name, separator, value = arguments.replace("=", " ", 1).partition(" ")
        if not name:
            return dict(os.environ)
        if not separator:
            return os.environ.get(name)
        os.environ[name] = value.strip()
        print("env: %s=%s" % (name, value.strip()))
        return None

    def _reset(self, _):
        self._namespace.clear()

    def _run_file(self, arguments):
        path = arguments.strip("'\"")
        with open(path, encoding="utf-8") as file:
            code = compile(file.read(), os.path.abspath(path), "exec", dont_inherit=True)
        exec(code, self._namespace.names)

    def _who(self, _):
        print("\t".join(self._who_ls(_)) or "no variables")

    def _who_ls(self, _):
        return sorted(name for name, _ in self._namespace.user_items())

    def _whos(self, _):
        for variable in variables(self._namespace.user_items()):
            print("%(name)-16s %(type)-16s %(summary)s" % variable)

    def _time(self, statement):
        names = self._namespace.names
        with timing.Stopwatch():
            try:
                code = compile(statement, "<time>", "eval", dont_inherit=True)
            except SyntaxError:
                code = compile(statement, "<time>", "exec", dont_inherit=True)
            return eval(code, names)

    def _timeit(self, arguments):
        timing.measure(arguments, self._namespace.names)

    def _time_cell(self, magic, run_python):
        with timing.Stopwatch():
            return run_python(magic.body_in_place())

    def _timeit_cell(self, magic, _):
        timing.measure(magic.arguments, self._namespace.names, magic.body)

    def _script(self, magic, _):
        shell.run_script(magic.body)

    def _write_file(self, magic, _):
        appends = magic.arguments.startswith("-a ")
        path = os.path.expanduser(magic.arguments[3 * appends :].strip(" '\""))
        with open(path, "a" if appends else "w", encoding="utf-8") as file:
            file.write(magic.body)
        print("%s %s" % ("Appended to" if appends else "Wrote", path))

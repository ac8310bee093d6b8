"""What cannot work without a person at a keyboard: it fails at once and says what to do instead."""


class InputUnavailable(EOFError):
    """Nobody can answer `input()`. An EOFError, as Python itself raises when standard input is empty."""

    __module__ = "builtins"


def input_refused(prompt="", /):
    """Stands in for `input`."""
    raise InputUnavailable(
        "input() is not available here: nobody can type an answer; assign the value in the code"
    )


def breakpoint_refused(*arguments, **options):
    """Stands in for `breakpoint` and `pdb.set_trace`."""
    raise RuntimeError("no debugger is available here: print the values of interest, or read the traceback")

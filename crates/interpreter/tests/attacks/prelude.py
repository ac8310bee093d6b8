"""What the attacks share. `host` describes the canaries: things of the host, made for this test."""

import ctypes
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
machine = os.uname().machine


def attempt(name, action):
    """An action that must fail."""
    try:
        result = action()
    except Exception as error:
        print("stopped", name, type(error).__name__, error)
    else:
        print("BREACH", name, repr(result)[:200])


def holds(name, condition):
    """Something that must be so."""
    print("stopped" if condition else "BREACH", name)


def call(function, *arguments):
    """A function of the C library that returns less than zero when it fails."""
    result = getattr(libc, function)(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def system_call(number, *arguments):
    return call("syscall", ctypes.c_long(number), *arguments)


def read(path):
    with open(path, "rb") as file:
        return file.read(64)


def write(path, content=b"written"):
    with open(path, "wb") as file:
        return file.write(content)

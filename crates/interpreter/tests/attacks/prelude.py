"""What the attacks share. `host` describes the canaries: things of the host, made for this test."""

import ctypes
import os
import sys
import time

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


def hold_too_much(hide):
    """Holds more memory than a session may, in processes that are each within their limit. Each runs `hide`, and that
    what it is given, which holds its part."""
    ready, told = os.pipe()

    def hold():
        held = bytearray(os.urandom(1 << 20)) * 100
        os.write(told, b"x")
        while held:
            time.sleep(1000)

    children = []
    for _ in range(6):
        child = os.fork()
        if child == 0:
            hide(hold)
        children.append(child)
    for _ in children:
        os.read(ready, 1)
    linger(lambda: all(os.waitpid(child, os.WNOHANG) == (0, 0) for child in children))


def linger(is_unnoticed):
    """Gives the supervisor the time to notice what is held, and then waits for the end."""
    time.sleep(2)
    if is_unnoticed():
        print("BREACH nobody has noticed", flush=True)
    while True:
        time.sleep(1000)


def read(path):
    with open(path, "rb") as file:
        return file.read(64)


def write(path, content=b"written"):
    with open(path, "wb") as file:
        return file.write(content)

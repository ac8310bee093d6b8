"""Tests of the kernel package, each through a session in a process of its own.

Run from the folder above: `python3 -m unittest`. Tests that need a package say so when it is missing.
"""

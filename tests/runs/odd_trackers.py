"""A plugin of trackers that behave badly."""

import errno
import os
import time

from dlspec.runtime.trackers.base import TRACKERS, OpenTracker, Tracker


class Open(OpenTracker):
    """Does what its tracker says in every method."""

    def __init__(self, act):
        super().__init__("nowhere", {})
        self.act = act

    def log(self, points):
        self.act()

    def close(self, ending):
        self.act()


@TRACKERS.register
class HangsAtOnce(Tracker):
    """Never opens."""

    def open(self, run):
        time.sleep(10_000)


@TRACKERS.register
class Hangs(Tracker):
    """Opens, and then hangs."""

    def open(self, run):
        return Open(lambda: time.sleep(10_000))


@TRACKERS.register
class Raises(Tracker):
    """Raises whenever it is called; its message has a password in it."""

    def open(self, run):
        def fail():
            raise RuntimeError("no way to http://me:hidden@example.org")

        return Open(fail)


@TRACKERS.register
class DiskFull(Tracker):
    """Finds no space left."""

    def open(self, run):
        def fail():
            raise OSError(errno.ENOSPC, "No space left on device")

        return Open(fail)


@TRACKERS.register
class Quits(Tracker):
    """Ends its process, and prints a lot before."""

    def open(self, run):
        def quit():
            print("x" * 10**6)
            os._exit(7)

        return Open(quit)

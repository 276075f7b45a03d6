"""terminal.py - a program in a terminal of its own: what is typed, and what is on the screen.

SPDX-License-Identifier: MIT
"""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

from bough_cli import LIMIT, Skip

# Debian's package, for a python3 that is not Debian's, too.
sys.path.append("/usr/lib/python3/dist-packages")
try:
    import pyte
except ImportError:
    pyte = None


class Terminal:
    """A program that believes a person sits there. The screen is what that person would see."""

    def __init__(self, command, env, columns=100, lines=30, cwd=None):
        if pyte is None:
            raise Skip("no interpreter of terminals here (package python3-pyte)")
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.status = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            with contextlib.suppress(BaseException):
                if cwd is not None:
                    os.chdir(cwd)
                self._size(0, columns, lines)
                os.execvpe(command[0], command, env)
            os._exit(127)
        self._size(self.fd, columns, lines)

    @staticmethod
    def _size(fd, columns, lines):
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, columns, lines):
        self.screen.resize(lines, columns)
        self._size(self.fd, columns, lines)

    def type(self, text):
        os.write(self.fd, text.encode() if isinstance(text, str) else text)

    def read(self, seconds=0.05):
        """Takes what comes within that time; False when the program has ended."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.raw += data
        self.stream.feed(data)
        return bool(data)

    def text(self):
        """The screen, without the blanks at the ends of its lines."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def until(self, condition, what):
        """Reads on until the condition holds for the text of the screen; that text."""
        end = time.monotonic() + LIMIT
        while not condition(self.text()):
            alive = self.read()
            if condition(self.text()):
                break
            assert alive, f"ended before {what}: {self.text()}"
            assert time.monotonic() < end, f"never {what}: {self.text()}"
        return self.text()

    def shows(self, *parts):
        """Waits until all parts are on the screen."""
        return self.until(lambda text: all(part in text for part in parts), f"{parts}")

    def wait(self):
        """Its exit code, once it has ended."""
        end = time.monotonic() + LIMIT
        while self.read() and time.monotonic() < end:
            pass
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

    def close(self):
        if self.status is None:
            with contextlib.suppress(OSError):
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        os.close(self.fd)


@contextlib.contextmanager
def terminal(command, env, **more):
    """A terminal that goes with the block."""
    one = Terminal(command, env, **more)
    try:
        yield one
    finally:
        one.close()

"""Terminals: pty.spawn, a shell with job control on a pseudo-terminal, sizes, modes, control characters."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
import tty

ours, theirs = pty.openpty()
fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
print("size", os.get_terminal_size(theirs), os.isatty(theirs), os.ttyname(theirs).startswith("/dev/pts/"))
os.write(ours, b"typed\x7f\x7fk\n")
print("line", os.read(theirs, 100))
tty.setraw(theirs)
os.write(ours, b"\x03raw")
print("raw", os.read(theirs, 100))
os.close(ours)
os.close(theirs)


def spawn(*command):
    output = bytearray()

    def read(descriptor):
        data = os.read(descriptor, 1000)
        output.extend(data)
        return b""

    # An empty answer of `read` would end the copying, so this reads to the end by itself.
    pid, descriptor = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    try:
        while True:
            read(descriptor)
            if not select.select([descriptor], [], [], 30)[0]:
                break
    except OSError:
        pass  # The other side is closed.
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), bytes(output)


print("test", spawn("sh", "-c", "test -t 0 && test -t 1 && stty size && tty | cut -c -9; exit 6"))
print("stty", spawn("stty", "-echo"))


class Session:
    """A program on a terminal, talked to like a user would."""

    def __init__(self, *command, env):
        self.seen = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, env)

    def expect(self, pattern):
        end = time.monotonic() + 30
        while not (found := re.search(pattern, self.seen)):
            assert select.select([self.terminal], [], [], max(0, end - time.monotonic()))[0], f"{pattern} in {self.seen!r}"
            self.seen += os.read(self.terminal, 1000).decode()
        self.seen = self.seen[found.end() :]
        return found.group(0)

    def send(self, text):
        os.write(self.terminal, text.encode())


environment = {"PATH": "/usr/bin:/bin", "TERM": "dumb", "PS1": "ready> ", "HISTFILE": "/dev/null", "LC_ALL": "C"}
shell = Session("bash", "--norc", "--noprofile", "--noediting", "-i", env=environment)
shell.expect("ready> ")
waiting = "sh -c 'echo started; exec sleep 30'\n"
shell.send("echo $((6*7))\n")
print("shell", shell.expect(r"\r\n42\r\n").strip())
shell.expect("ready> ")
shell.send(waiting)
shell.expect(r"\nstarted\r")
shell.send("\x03")
shell.expect("ready> ")
shell.send("echo status $?\n")
print("interrupt", shell.expect(r"\r\nstatus \d+").strip())
shell.expect("ready> ")
shell.send(waiting)
shell.expect(r"\nstarted\r")
shell.send("\x1a")
print("stop", " ".join(shell.expect(r"\[1\]\+ .*Stopped .*sleep").split()))
shell.expect("ready> ")
shell.send("bg\n")
shell.expect("ready> ")
shell.send("jobs\n")
print("background", " ".join(shell.expect(r"\[1\]\+ .*Running .*sleep").split()))
shell.expect("ready> ")
shell.send("kill %1; wait; python3 -c 'import os; print(os.isatty(0), os.tcgetpgrp(0) == os.getpgrp())'\n")
print("foreground", shell.expect(r"(True|False) (True|False)"))
shell.expect("ready> ")
shell.send("trap 'echo resized' WINCH\n")
shell.expect("ready> ")
fcntl.ioctl(shell.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 40, 0, 0))
time.sleep(0.2)
shell.send("stty size\n")
shell.expect(r"(?s)resized\r.*\n10 40\r|\n10 40\r.*resized\r")
print("resized")
shell.send("\x04")
shell.expect("exit")
print("end", os.waitstatus_to_exitcode(os.waitpid(shell.pid, 0)[1]))

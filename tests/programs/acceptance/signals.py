"""signal and faulthandler: handlers, timers, wake-up descriptors, masks, interrupted calls, crashes."""
import faulthandler
import os
import select
import signal
import subprocess
import sys
import threading
import time

seen = []
for name in ("SIGALRM", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGVTALRM", "SIGPROF"):
    signal.signal(getattr(signal, name), lambda number, frame: seen.append(signal.Signals(number).name))

signal.setitimer(signal.ITIMER_REAL, 0.05)
time.sleep(0.3)
print("alarm", seen)
seen.clear()
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
while len(seen) < 3:
    signal.pause()
signal.setitimer(signal.ITIMER_REAL, 0)
print("interval", seen[:3])
seen.clear()
signal.setitimer(signal.ITIMER_VIRTUAL, 0.05)
while not seen:
    pass
print("busy", seen)
seen.clear()

readable, writable = os.pipe()
os.set_blocking(writable, False)
os.set_blocking(readable, False)
signal.set_wakeup_fd(writable)
os.kill(os.getpid(), signal.SIGUSR1)
print("select", select.select([readable], [], [], 30)[0] == [readable], os.read(readable, 10) == bytes([signal.SIGUSR1]))
signal.set_wakeup_fd(-1)
seen.clear()

# A read that a signal interrupts goes on afterwards.
signal.setitimer(signal.ITIMER_REAL, 0.05)
ours, theirs = os.pipe()
timer = threading.Timer(0.3, os.write, (theirs, b"late"))
timer.start()
print("read", os.read(ours, 10), seen)
# A thread that is still there would take the signals that this one blocks from here on.
timer.join()
seen.clear()

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGUSR2])
os.kill(os.getpid(), signal.SIGUSR1)
print("blocked", seen, [s.name for s in signal.sigpending()])
print("sigwait", signal.sigwait([signal.SIGUSR1]).name, signal.sigtimedwait([signal.SIGUSR2], 0.05))
signal.raise_signal(signal.SIGUSR2)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1, signal.SIGUSR2])
print("unblocked", seen)
seen.clear()

waiting = threading.Thread(target=lambda: print("thread", signal.sigwait([signal.SIGHUP]).name))
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
waiting.start()
signal.pthread_kill(waiting.ident, signal.SIGHUP)
waiting.join()

if os.fork() == 0:
    os._exit(3)
while "SIGCHLD" not in seen:
    time.sleep(0.01)
print("child", os.waitstatus_to_exitcode(os.wait()[1]))


def raising(number, frame):
    raise KeyError("from the handler")


signal.signal(signal.SIGALRM, raising)
try:
    signal.alarm(1)
    while True:
        pass
except KeyError as error:
    print("raised", error)
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(30)
except KeyboardInterrupt:
    print("interrupted")


def python(code):
    # No core file.
    code = "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); " + code
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


for code in ("faulthandler._sigsegv()", "faulthandler._sigabrt()", "faulthandler._sigfpe()"):
    done = python(f"import faulthandler; faulthandler.enable(); {code}")
    print(code, signal.Signals(-done.returncode).name, done.stderr.splitlines()[0])
done = python("import ctypes; ctypes.string_at(0)")
print("null", signal.Signals(-done.returncode).name)
done = python("import faulthandler, time; faulthandler.dump_traceback_later(0.2, exit=True); time.sleep(30)")
print("later", done.returncode, done.stderr.splitlines()[0][:7])
done = python("import faulthandler, os, signal; faulthandler.register(10, all_threads=False); os.kill(os.getpid(), 10); print('lives')")
print("register", done.returncode, done.stdout.strip(), done.stderr.splitlines()[0])
done = python("exec('def f(n): return f(n + 1)'); f(0)")
print("depth", done.returncode, done.stderr.splitlines()[-1][:14])
done = python("import os, signal; signal.signal(13, signal.SIG_DFL); os.kill(os.getpid(), 13)")
print("pipe", signal.Signals(-done.returncode).name)

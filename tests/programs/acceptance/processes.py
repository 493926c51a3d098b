"""subprocess and os: starting programs, pipes, errors, signals, descriptors."""
import os
import signal
import subprocess
import sys

run = subprocess.run
print(run(["echo", "hello"], capture_output=True, text=True, check=True).stdout, end="")
print(subprocess.check_output("echo $((6 * 7)) | tr 4 5", shell=True))
try:
    subprocess.check_output(["/nothing/of/this/name"])
except FileNotFoundError as error:
    print(type(error).__name__, error.errno, error.filename)
try:
    run(["/etc/passwd"])
except PermissionError as error:
    print(type(error).__name__, error.errno)
try:
    run(["false"], check=True)
except subprocess.CalledProcessError as error:
    print(error)
try:
    run(["sleep", "30"], timeout=0.3)
except subprocess.TimeoutExpired as error:
    print(error)
print(run(["sort", "-n"], input="3\n20\n1\n", capture_output=True, text=True).stdout.split())
text = "line of text\n" * 20000
print(len(run(["cat"], input=text, capture_output=True, text=True).stdout) == len(text))

first = subprocess.Popen(["seq", "1000"], stdout=subprocess.PIPE)
second = subprocess.Popen(["grep", "-c", "7"], stdin=first.stdout, stdout=subprocess.PIPE)
first.stdout.close()
print(second.communicate()[0], first.wait(), second.returncode)

for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1):
    child = subprocess.Popen(["sleep", "30"])
    child.send_signal(number)
    print(signal.Signals(-child.wait()).name)

done = run([sys.executable, "-c", "import sys; print(sys.argv[1:]); sys.exit(9)", "a b", ""], text=True, capture_output=True)
print(done.returncode, done.stdout, done.stderr)
print(run(["sh", "-c", "echo out; echo err >&2"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout)
print(run(["pwd"], cwd="/", capture_output=True).stdout, run(["env"], env={"A": "1"}, capture_output=True).stdout)
print(run(["sh", "-c", "umask; echo $$ | grep -c ."], umask=0o27, start_new_session=True, capture_output=True).stdout)
process = run(["sh", "-c", "ulimit -n"], preexec_fn=lambda: __import__("resource").setrlimit(7, (50, 50)), capture_output=True)
print(process.stdout)

readable, writable = os.pipe()
child = subprocess.Popen(["sh", "-c", f"echo by descriptor >&{writable}"], pass_fds=[writable])
os.close(writable)
child.wait()
print(os.read(readable, 100))
pid = os.fork()
if pid == 0:
    os._exit(17)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 18"], {})
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
pid = os.spawnlp(os.P_NOWAIT, "sh", "sh", "-c", "exit 19")
information = os.waitid(os.P_PID, pid, os.WEXITED)
print(information.si_status, information.si_code == os.CLD_EXITED, information.si_pid == pid)
with os.popen("echo popen") as pipe:
    print(pipe.read().strip(), os.waitstatus_to_exitcode(os.system("exit 20")))
try:
    os.waitpid(-1, 0)
except ChildProcessError as error:
    print(type(error).__name__)
sys.stdout.flush()
os.execvp("sh", ["sh", "-c", "echo replaced by $0", "sh"])

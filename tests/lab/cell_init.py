"""The first process of a cell (cell.py): creates the namespaces, starts and signals programs on request, and reaps dead
processes.

Reads one JSON request from each line of standard input and answers each with one JSON line. It ends at the end of its
input. The kernel then kills every other process of the process namespace, including containers, and removes the mounts
and networks of the cell with the last of them.
"""
import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys

CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET = 0x00020000, 0x20000000, 0x40000000  # linux/sched.h
PR_SET_PDEATHSIG = 1  # linux/prctl.h
libc = ctypes.CDLL(None, use_errno=True)


def main():
    private_dirs = json.loads(sys.argv[1])
    if libc.unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare: needs root (CAP_SYS_ADMIN)")
    child = os.fork()
    if child:
        os.close(0)
        answer(pid=child)
        _, status = os.waitpid(child, 0)
        sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    subprocess.check_call(["mount", "--make-rprivate", "/"])
    subprocess.check_call(["mount", "-t", "proc", "proc", "/proc"])
    for source, target in private_dirs.items():
        subprocess.check_call(["mount", "--bind", source, target])
    # As systemd does on a node, so that pods can use HostToContainer. It stays within this namespace.
    subprocess.check_call(["mount", "--make-rshared", "/"])
    subprocess.check_call(["ip", "link", "set", "lo", "up"])
    serve()


def answer(**values):
    os.write(1, json.dumps(values).encode() + b"\n")


def serve():
    pids, codes = {}, {}
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write)
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    selector.register(wake_read, selectors.EVENT_READ)
    pending = b""
    while True:
        for key, _ in selector.select():
            if key.fd == wake_read:
                os.read(wake_read, 4096)
                reap(pids, codes)
                continue
            data = os.read(0, 65536)
            if not data:
                return
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                try:
                    answer(**handle(json.loads(line), pids, codes))
                except OSError as error:
                    answer(error=str(error))


def reap(pids, codes):
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        for name in [name for name, known in pids.items() if known == pid]:
            del pids[name]
            codes[name] = os.waitstatus_to_exitcode(status)


def handle(request, pids, codes):
    name = request["name"]
    if request["do"] == "start":
        codes.pop(name, None)
        with open(request["log"], "ab") as log:
            process = subprocess.Popen(request["argv"], env=request["env"], stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, start_new_session=True)
        pids[name] = process.pid
        process.returncode = 0  # reap() collects it, so the Popen object must not try to
    elif request["do"] == "signal" and name in pids:
        os.kill(pids[name], request["signal"])
    return {"running": name in pids, "code": codes.get(name)}


main()

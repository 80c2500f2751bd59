#!/usr/bin/python3
"""A small service manager that speaks as systemctl does, for tests of updates.

It lives in the folder that MANAGER names: UNIT.command holds a command line, and a unit is one process
that is started again 0.1 s after it ended by itself, five times at most. `stop` ends it with SIGTERM and
waits. What keeps a unit running is a process of its own; its pid is in UNIT.keeper.
"""
import json
import os
import signal
import subprocess
import sys
import time

FOLDER = os.environ["MANAGER"]
RESTARTS_MAX = 5


def path(unit, what):
    return os.path.join(FOLDER, f"{unit}.{what}")


def read(unit):
    try:
        with open(path(unit, "state")) as file:
            return json.load(file)
    except FileNotFoundError:
        return {"active": "inactive", "pid": 0, "restarts": 0}


def write(unit, **state):
    with open(path(unit, "part"), "w") as file:
        json.dump(state, file)
    os.rename(path(unit, "part"), path(unit, "state"))


def keeper(unit):
    """The pid of what keeps the unit running, or none."""
    try:
        with open(path(unit, "keeper")) as file:
            pid = int(file.read())
        with open(f"/proc/{pid}/stat") as file:
            return None if file.read().rsplit(")", 1)[1].split()[0] == "Z" else pid
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None


def keep(unit):
    """Runs the unit until told to stop."""
    with open(path(unit, "command")) as file:
        words = file.read().split("\n")
    restart = not os.path.exists(path(unit, "once"))
    log = open(path(unit, "log"), "ab")
    stopping = []

    def stop(*_):
        stopping.append(True)
        if child is not None:
            child.terminate()

    child = None
    signal.signal(signal.SIGTERM, stop)
    restarts = 0
    while not stopping:
        try:
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        except OSError as error:
            log.write(f"{error}\n".encode())
            write(unit, active="failed", pid=0, restarts=restarts)
            return
        write(unit, active="active", pid=child.pid, restarts=restarts)
        child.wait()
        if stopping or not restart:
            break
        restarts += 1
        if restarts > RESTARTS_MAX:
            write(unit, active="failed", pid=0, restarts=restarts)
            return
        write(unit, active="activating", pid=0, restarts=restarts)
        time.sleep(0.1)
    write(unit, active="inactive", pid=0, restarts=restarts)


def start(unit):
    if keeper(unit) is not None:
        return
    write(unit, active="activating", pid=0, restarts=0)
    child = os.fork()
    if child == 0:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        with open(path(unit, "keeper"), "w") as file:
            file.write(str(os.getpid()))
        keep(unit)
        os._exit(0)
    while keeper(unit) != child and os.waitpid(child, os.WNOHANG) == (0, 0):
        time.sleep(0.01)


def stop(unit):
    pid = keeper(unit)
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    while keeper(unit) == pid:
        time.sleep(0.01)


def show(unit, names):
    state = read(unit)
    loaded = os.path.exists(path(unit, "command"))
    facts = {
        "LoadState": "loaded" if loaded else "not-found",
        "UnitFileState": "enabled" if loaded else "",
        "ActiveState": state["active"],
        "MainPID": state["pid"],
        "NRestarts": state["restarts"],
    }
    for name in names:
        print(f"{name}={facts[name]}")


def main(words):
    words = [word for word in words if word != "--no-block"]
    order, rest = words[0], words[1:]
    if order == "show":
        show(rest[2], rest[1].split(","))
    elif order == "start":
        for unit in rest:
            start(unit)
    elif order == "stop":
        for unit in rest:
            stop(unit)
    elif order != "reset-failed":
        sys.exit(f"unknown order: {order}")


main(sys.argv[1:])

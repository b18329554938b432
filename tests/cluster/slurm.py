"""Run a Slurm with one node on the loopback interface, in a temporary folder."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

SYSTEM = Path("/etc/slurm/slurm.conf")
NAME = "birdview-tests"
CONFIGURATION = """\
ClusterName={name}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CryptoType=crypto/munge
SlurmUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SchedulerParameters=batch_sched_delay=0,sched_interval=1
ReturnToService=2
MinJobAge=3600
KillWait=5
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=32000
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def find_obstacle():
    """Return why no Slurm can be started here; None if it can."""
    for program in ("munged", "slurmctld", "slurmd", "sbatch"):
        if shutil.which(program) is None:
            return f"no {program} here: Slurm and munge are not installed"
    if SYSTEM.exists() and f"ClusterName={NAME}" not in SYSTEM.read_text():
        return f"{SYSTEM} belongs to another Slurm"
    if os.geteuid():
        return f"only root can write {SYSTEM}"
    return None


def ask(*command):
    """Run a command and return what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


@contextmanager
def running(folder):
    """Start munged, slurmctld and slurmd in a folder; stop them at the end."""
    if obstacle := find_obstacle():
        raise RuntimeError(obstacle)
    munge = folder / "munge"
    munge.mkdir(mode=0o700)
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = munge / "key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(1024))
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        ports = [probe.getsockname()[1] for probe in (one, other)]
    host = socket.gethostname().split(".")[0]
    path = folder / "slurm.conf"
    path.write_text(
        CONFIGURATION.format(name=NAME, host=host, ports=ports, folder=folder)
    )
    # The plugin removes SLURM_CONF from the environment: only the system's file works.
    SYSTEM.unlink(missing_ok=True)
    SYSTEM.symlink_to(path)
    files = ("socket", "pid-file", "log-file", "seed-file", "key-file")
    options = [f"--{name}={munge / name.split('-')[0]}" for name in files]
    daemons = [
        ["munged", "--foreground", "--force", *options],
        ["slurmctld", "-D", "-c", "-f", path],
        ["slurmd", "-D", "-f", path, "-N", host],
    ]
    processes = []
    try:
        for daemon in daemons:
            processes.append(subprocess.Popen(daemon, stderr=subprocess.DEVNULL))
        wait_for_node(folder)
        yield
    finally:
        for process in processes[::-1]:
            process.terminate()
        for process in processes[::-1]:
            process.wait(timeout=60)
        SYSTEM.unlink()


def wait_for_node(folder):
    """Wait until the node accepts jobs."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        state = subprocess.run(
            ["sinfo", "--noheader", "--format=%T"], capture_output=True, text=True
        )
        if state.stdout.strip() == "idle":
            return
        time.sleep(0.2)
    logs = [path.read_text()[-1000:] for path in folder.glob("*.log")]
    raise RuntimeError("\n".join(["Slurm did not come up:", state.stderr, *logs]))


def jobs():
    """Return the state of each job by its number, also of finished ones."""
    lines = ask("squeue", "--noheader", "--states=all", "--format=%i %T").splitlines()
    return dict(line.split() for line in lines)

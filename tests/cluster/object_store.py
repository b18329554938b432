"""A real S3 gateway for tests: one Ceph monitor, one OSD and one radosgw.

Needs the programs of the packages ceph-mon, ceph-osd, ceph-common and radosgw.
"""

import os
import secrets
import socket
import time
import uuid
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from subprocess import DEVNULL, Popen, TimeoutExpired

# Paths are relative: every program runs in the folder, whose name may be long and hold
# spaces or '#', which starts a comment here.
CONF = """\
[global]
fsid = {fsid}
mon_host = {mon_address}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
# Only between the daemons; the gateway does check signatures. With the default, radosgw
# insists on encryption, which would need keys.
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_mon_client_mode = crc
# As children of this process, even at mkfs, so that none outlives it.
daemonize = false
# Not in the system's folders; no sockets, whose paths must be short.
mon_data = mon
osd_data = osd
crash_dir = .
run_dir = .
admin_socket =
log_file =
log_to_stderr = true
mon_cluster_log_to_file = false
# One small disk without replicas; ignore whether the real one is nearly full.
bluestore_block_size = 4294967296
osd_memory_target = 939524096
osd_pool_default_size = 1
osd_pool_default_pg_num = 1
mon_data_avail_crit = 0
# Start and stop seconds sooner than with the defaults.
paxos_propose_interval = 0.05
bdev_aio_poll_ms = 10
rgw_enable_lc_threads = false
"""
MAX_WAIT_S = 60  # for one step of the start; all of them take a few seconds


@dataclass(frozen=True)
class ObjectStore:
    """The address of a running gateway, and the keys of its only user."""

    endpoint: str
    access_key: str
    secret_key: str
    folder: Path


@contextmanager
def object_store(folder):
    """Run a gateway that keeps everything in an empty folder; yield an ObjectStore."""
    keys = "birdview", secrets.token_hex(20)
    osd_uuid = str(uuid.uuid4())
    # The stack stops the gateway first and the monitor last: each needs the next.
    with ExitStack() as stack:
        _start_mon(stack, folder, osd_uuid)
        _start_osd(stack, folder, osd_uuid)
        port = _start_gateway(stack, folder, *keys)
        yield ObjectStore(f"http://127.0.0.1:{port}", *keys, folder)


def _start_mon(stack, folder, osd_uuid):
    """Start the monitor; it works once it has registered the OSD."""
    address = f"[v2:127.0.0.1:{_free_port()}]"
    settings = CONF.format(fsid=uuid.uuid4(), mon_address=address)
    (folder / "ceph.conf").write_text(settings)
    (folder / "mon").mkdir()
    log = folder / "mon.log"
    command = ["ceph-mon", "-i", "a", f"--public-addrv={address}"]
    _run(stack, log, *command, "--mkfs")
    mon = _start(stack, log, *command)
    new = _start(stack, log, "ceph", "osd", "new", osd_uuid)
    _wait(lambda: new.poll() == 0, log, mon, new)


def _start_osd(stack, folder, osd_uuid):
    """Start the OSD and wait until the monitor reports it as active."""
    (folder / "osd").mkdir()
    log = folder / "osd.log"
    _run(stack, log, "ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd_uuid)
    osd = _start(stack, log, "ceph-osd", "-i", "0")
    # A client that connects earlier sleeps for seconds before it tries again.
    _wait(lambda: b"state: booting -> active" in log.read_bytes(), log, osd)


def _start_gateway(stack, folder, access_key, secret_key):
    """Create the user, start the gateway and return its port once it answers."""
    log = folder / "rgw.log"
    user = ["--uid=birdview", "--display-name=birdview"]
    keys = [f"--access-key={access_key}", f"--secret-key={secret_key}"]
    _run(stack, log, "radosgw-admin", "user", "create", *user, *keys)
    port = _free_port()
    frontend = f"--rgw-frontends=beast endpoint=127.0.0.1:{port}"
    gateway = _start(stack, log, "radosgw", frontend)
    _wait(lambda: _answers(port), log, gateway)
    return port


def _run(stack, log, *command):
    """Run a program and wait until it ends."""
    process = _start(stack, log, *command)
    _wait(lambda: process.poll() == 0, log, process)


def _start(stack, log, program, *arguments):
    """Start a program in the folder of its log, and let the stack stop it."""
    command = [program, "-c", "ceph.conf", *arguments]
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CEPH_")}
    with log.open("ab") as out:
        process = Popen(
            command, cwd=log.parent, env=environ, stdin=DEVNULL, stdout=out, stderr=out
        )
    stack.callback(_stop, process)
    return process


def _stop(process):
    """Terminate a process; kill it if that does not help."""
    process.terminate()
    try:
        process.wait(timeout=10)
    except TimeoutExpired:
        process.kill()
        process.wait()


def _wait(ready, log, *processes):
    """Poll until ready; raise RuntimeError with the end of the log on failure."""
    deadline = time.monotonic() + MAX_WAIT_S
    while not ready():
        if any(p.poll() for p in processes) or time.monotonic() > deadline:
            lines = log.read_text(errors="replace").split("\n")
            tail = "\n".join([line for line in lines if line][-30:])
            raise RuntimeError(f"{processes[0].args[0]} did not come up:\n{tail}")
        time.sleep(0.02)


def _answers(port):
    """Whether the gateway answers a request that needs no key."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    with closing(connection), suppress(OSError, HTTPException):
        connection.request("GET", "/")
        return b"ListAllMyBucketsResult" in connection.getresponse().read()
    return False


def _free_port():
    """Return a free port of the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]

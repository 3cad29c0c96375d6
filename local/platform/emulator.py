"""Start and stop MiniStack: one process group per state folder, on one address only, 127.0.0.1 unless another is asked for."""

import errno
import fcntl
import json
import os
import shutil
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from local import ROOT, LocalError
from local.process import environment
from local.wait import until

PYTHON = ROOT / ".local" / "emulator" / "bin" / "python"
PROGRAM = Path(__file__).with_name("ministack.py")
LOOPBACK = "127.0.0.1"
START_SECONDS = 60
STOP_SECONDS = 15


@dataclass(frozen=True)
class Emulator:
    """A running emulator: the leader of its process group, and where it listens."""

    pid: int
    endpoint: str


def log_path(state: Path) -> Path:
    """Return where the emulator of *state* writes its log."""
    return state / "logs" / "emulator.log"


def find(state: Path) -> Emulator | None:
    """
    Return the emulator that runs on *state*, if one does.

    The emulator holds a lock on the file that names it, from its first moment to its last, so a
    file left behind by a crash is never mistaken for it, whatever process has its number now.
    """
    with _lock_file(state) as file:
        if _try_lock(file):
            return None
        if not (record := os.pread(file, 4096, 0)):
            raise LocalError(f"another command is starting the emulator on {state}: try again in a moment")
        return Emulator(**json.loads(record))


def start(state: Path, port: int | None = None, settings: Mapping[str, str] | None = None, host: str = LOOPBACK) -> Emulator:
    """
    Start an emulator on *state* and return it when it is healthy.

    It listens on *port*, or a free one, of the address *host*. *settings* are more of its environment variables, such as
    `{"AUTH": "true"}`, which enforces the functions' roles.

    Raises:
        LocalError: the address is not this machine's, the port is taken, or the emulator did not come up.
    """
    port = _usable_port(host, port)
    endpoint = f"http://{host}:{port}"
    temporary = state / "tmp"
    # Functions inherit these: the emulator starts them.
    variables = environment(
        {
            "AWS_ENDPOINT_URL": endpoint,
            "BIND_HOST": host,
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "LAMBDA_WARM_TTL_SECONDS": "60",
            "TMPDIR": str(temporary),
            "STATE_DIR": str(temporary / "state"),
            "S3_DATA_DIR": str(temporary / "s3"),
            **(settings or {}),
        }
    )
    with _lock_file(state) as file:
        if not _try_lock(file):
            raise LocalError(f"an emulator already runs on {state}")
        os.ftruncate(file, 0)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        log_path(state).parent.mkdir(exist_ok=True)
        emulator = Emulator(_spawn(file, log_path(state), variables), endpoint)
        os.pwrite(file, json.dumps(asdict(emulator)).encode(), 0)
    until(lambda: _healthy(state, emulator), seconds=START_SECONDS, what=f"the emulator; see {log_path(state)}")
    return emulator


def answers(endpoint: str) -> bool:
    """Return whether an emulator is there and well."""
    try:
        return not httpx.get(f"{endpoint}/_localstack/health").is_server_error
    except httpx.TransportError:
        return False


def stop(state: Path) -> bool:
    """Stop the emulator of *state* with all its functions; return whether one was running."""
    emulator = find(state)
    if emulator is None:
        return False
    with suppress(ProcessLookupError):
        os.killpg(emulator.pid, signal.SIGTERM)
        try:
            until(lambda: find(state) is None or None, seconds=STOP_SECONDS, what="the emulator to stop")
        except LocalError:
            os.killpg(emulator.pid, signal.SIGKILL)
    with suppress(ChildProcessError):  # It is a child only of the process that started it.
        os.waitpid(emulator.pid, 0)
    shutil.rmtree(state / "tmp", ignore_errors=True)
    return True


@contextmanager
def _lock_file(state: Path) -> Iterator[int]:
    state.mkdir(parents=True, exist_ok=True)
    file = os.open(state / "emulator.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield file
    finally:
        os.close(file)


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _spawn(lock: int, log: Path, variables: Mapping[str, str]) -> int:
    """Start the program in a session of its own; it inherits *lock*, and with it the claim to the folder."""
    os.set_inheritable(lock, True)
    return os.posix_spawn(
        PYTHON,
        [str(PYTHON), "-P", str(PROGRAM)],
        variables,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def _healthy(state: Path, emulator: Emulator) -> Emulator | None:
    if find(state) is None:
        raise LocalError(f"the emulator ended while starting; see {log_path(state)}")
    return emulator if answers(emulator.endpoint) else None


def _usable_port(host: str, port: int | None) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port or 0))
        except PermissionError as error:
            raise LocalError(f"port {port} needs more rights than you have: choose a TILLFLOW_PORT above 1023") from error
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise LocalError(f"TILLFLOW_HOST {host} is no address of this machine ({error.strerror})") from error
            raise LocalError(f"port {port} of {host} is taken: choose another TILLFLOW_PORT") from error
        return int(probe.getsockname()[1])

"""A Slurm of one node on this machine, in a folder of its own. Needs root, slurm-wlm and munge."""

import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo")
PR_SET_PDEATHSIG = 1

CONFIGURATION = """ClusterName=npusim
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
KillWait=2
MinJobAge=5
SchedulerParameters=batch_sched_delay=0,sched_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus}
PartitionName=test Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def why_not():
    """Why there can be no Slurm here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    missing = [p for p in PROGRAMS if find(p) is None]
    return f"needs {', '.join(missing)}" if missing else None


def find(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class OneNodeSlurm:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="npusim_slurm_"))
        self.folder.chmod(0o755)
        self.processes = []
        self.environment = {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf")}
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    def start(self):
        munge = self.folder / "munge"
        munge.mkdir(mode=0o755)
        (munge / "key").write_bytes(os.urandom(1024))
        (munge / "key").chmod(0o400)
        for path in (munge, munge / "key"):
            shutil.chown(path, "munge", "munge")
        self.launch("munged", "--foreground", f"--key-file={munge}/key", f"--socket={munge}/socket",
                    f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed",
                    user="munge", group="munge", extra_groups=[])
        self.wait(lambda: (munge / "socket").exists(), "munged")
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        text = CONFIGURATION.format(host=socket.gethostname().split(".")[0], folder=self.folder,
                                    ports=free_ports(2), cpus=os.cpu_count())
        (self.folder / "slurm.conf").write_text(text)
        self.launch("slurmctld", "-D")
        self.launch("slurmd", "-D")
        self.wait(lambda: "idle" in self.run("sinfo", "--noheader", "--format=%T", check=False).stdout, "the node")

    def launch(self, program, *arguments, **options):
        self.processes.append(subprocess.Popen(
            [find(program), *arguments], env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent, **options))

    def run(self, program, *arguments, check=True):
        return subprocess.run([find(program), *arguments], env=self.environment, capture_output=True, text=True,
                              check=check, timeout=60)

    def wait(self, holds, what, seconds=60):
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                logs = "".join(f"{log.name}:\n{log.read_text()[-2000:]}" for log in self.folder.glob("*.log"))
                raise TimeoutError(f"{what} did not come up\n{logs}")
            time.sleep(0.1)

    def queue(self):
        return self.run("squeue", "--noheader", "--array", "--format=%i %T", check=False).stdout.split("\n")[:-1]

    def stop(self):
        if len(self.processes) > 1:
            self.run("scancel", "--user=root", check=False)
            try:
                self.wait(lambda: not self.queue(), "an empty queue", seconds=20)
            except TimeoutError:
                pass
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        # What a job left behind knows this folder by its configuration.
        for process in pathlib.Path("/proc").iterdir():
            try:
                if process.name.isdigit() and int(process.name) != os.getpid():
                    if f"SLURM_CONF={self.folder}/".encode() in (process / "environ").read_bytes():
                        os.kill(int(process.name), signal.SIGKILL)
            except OSError:
                pass
        shutil.rmtree(self.folder, ignore_errors=True)

"""One program under test: its folder, its repo, its daemon, and how a command is run."""

import os
import shutil
import signal
import subprocess
import time

import fixtures
import normalise

DAEMON_START_S = 30
COMMAND_S = 60


class Answer:
    """What a command said: normalised stdout, exit status, and stderr for the reader."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err


class Side:
    def __init__(self, name, binary, work, data):
        """`binary`: program; `work`: folder of this side and group, made here; `data`: input files."""
        self.name, self.work, self.daemon = name, work, None
        shutil.rmtree(work, ignore_errors=True)
        fixtures.copy(data, work)
        tools = os.path.join(work, ".bin")
        os.mkdir(tools)
        os.symlink(os.path.abspath(binary), os.path.join(tools, "ipfs"))
        keep = {key: value for key, value in os.environ.items() if not key.startswith(("IPFS_", "CAIRN_", "GOLOG_"))}
        self.env = dict(keep, HOME=work, IPFS_PATH=os.path.join(work, "repo"), LC_ALL="C.UTF-8", TZ="UTC",
                        IPFS_TELEMETRY="off", PATH=tools + ":" + os.environ["PATH"])

    def bash(self, command):
        try:
            done = subprocess.run(["bash", "-c", command], cwd=self.work, env=self.env, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=COMMAND_S)
        except subprocess.TimeoutExpired as late:
            return -1, late.stdout or b"", b"no end within %d s" % COMMAND_S
        return done.returncode, done.stdout, done.stderr

    def init(self, profile):
        status, out, err = self.bash("ipfs init --profile " + profile)
        if status != 0:
            raise RuntimeError("%s: init --profile %s failed: %s" % (self.name, profile, err.decode(errors="replace")))

    def start_daemon(self):
        log = os.path.join(self.work, ".daemon.log")
        with open(log, "wb") as out:
            self.daemon = subprocess.Popen(["ipfs", "daemon", "--offline"], executable=os.path.join(self.work, ".bin/ipfs"),
                                           cwd=self.work, env=self.env, stdin=subprocess.DEVNULL, stdout=out,
                                           stderr=subprocess.STDOUT)
        end = time.monotonic() + DAEMON_START_S
        while time.monotonic() < end and self.daemon.poll() is None:
            with open(log, "rb") as said:
                if b"Daemon is ready" in said.read():
                    return
            time.sleep(0.02)
        with open(log, "rb") as said:
            text = said.read().decode(errors="replace")
        self.close()
        raise RuntimeError("%s: daemon did not become ready:\n%s" % (self.name, text))

    def step(self, step):
        """Runs one step; a "let" also sets its variable for the steps that follow."""
        status, out, err = self.bash(step.command)
        if step.kind == "let":
            self.env[step.name] = out.decode(errors="replace").strip()
        said = normalise.stdout(out, self.work, step.how)
        if step.how == "err":
            said += b"--- stderr\n" + normalise.stdout(err, self.work, "")
        return Answer(status, said, err)

    def close(self):
        if self.daemon is not None:
            if self.daemon.poll() is None:
                self.daemon.send_signal(signal.SIGINT)
                try:
                    self.daemon.wait(10)
                except subprocess.TimeoutExpired:
                    self.daemon.kill()
                    self.daemon.wait()
            self.daemon = None
        shutil.rmtree(self.work, ignore_errors=True)

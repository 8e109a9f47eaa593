"""The TensorFlow process: started by the first who needs it, asked by all, replaced when it dies."""

import os
import signal
import subprocess
import sys
import time
from multiprocessing.connection import Listener

import numpy as np
import pytest

from service.engine import CannotRun
from service.errors import NotReady
from service.processes import tensorflow_client
from service.processes.tensorflow_client import TensorFlowClient


@pytest.fixture
def client():
    client = TensorFlowClient()
    yield client
    client.close()


def until_ready(engine, signature, inputs, seconds=300):
    """The first answer that is not `NotReady`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return engine.run(signature, inputs)
        except NotReady:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_host_that_cannot_start_is_a_reason_and_no_hang(client, tmp_path, monkeypatch):
    monkeypatch.setattr(tensorflow_client.sys, "executable", "/bin/false")
    engine = client.load(tmp_path)

    with pytest.raises(CannotRun, match="cannot load it"):
        until_ready(engine, "any", {})


def test_only_one_of_many_starts_the_host(client, monkeypatch, tmp_path):
    started = []

    def start(self):
        started.append(1)
        self._listener = Listener(self._address, authkey=self._key)
        import threading

        threading.Thread(target=lambda: [self._listener.accept() for _ in range(4)]).start()
        return tensorflow_client.Client(self._address, authkey=self._key)

    monkeypatch.setattr(TensorFlowClient, "_start", start)
    connections = [client.connect() for _ in range(4)]

    assert len(started) == 1
    for connection in connections:
        connection.close()
    client._listener.close()


@pytest.mark.tensorflow
def test_saved_models_run_in_a_process_that_is_replaced_when_it_dies(client, tmp_path):
    import tensorflow as tf

    module = tf.Module()
    spec = tf.TensorSpec([None, 2], tf.float32, name="z")
    module.sum = tf.function(lambda z: {"sum": tf.reduce_sum(z, axis=1)}, input_signature=[spec])
    tf.saved_model.save(module, str(tmp_path / "1"), signatures={"slow": module.sum})
    engine = client.load(tmp_path / "1")
    z = {"z": np.ones((3, 2), np.float32)}

    assert until_ready(engine, "slow", z)["sum"].tolist() == [2, 2, 2]
    with pytest.raises(RuntimeError, match="KeyError"):
        engine.run("no such signature", z)
    os.kill(host_of(engine), signal.SIGKILL)
    with pytest.raises(NotReady):
        engine.run("slow", z)
    assert until_ready(engine, "slow", z)["sum"].tolist() == [2, 2, 2]
    broken = client.load(tmp_path / "nothing")
    with pytest.raises(CannotRun, match="TensorFlow cannot load it"):
        until_ready(broken, "slow", z)


def host_of(engine):
    """The process at the other end of the engine's connection."""
    import socket
    import struct

    with socket.socket(fileno=os.dup(engine._connection.fileno())) as end:
        return struct.unpack("3i", end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]


@pytest.mark.skipif(os.name != "posix", reason="needs a pipe that a child inherits")
def test_the_host_ends_with_the_last_process_of_the_service(tmp_path):
    read, write = os.pipe()
    address = tmp_path / "host"
    command = [sys.executable, "-m", "service.processes.tensorflow_host", str(address), str(read)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, pass_fds=[read]) as host:
        host.stdin.write("00" * 32 + "\n")
        host.stdin.close()
        while not address.exists():
            time.sleep(0.02)
        with tensorflow_client.Client(str(address), authkey=bytes(32)):
            os.close(read)
            os.close(write)
            assert host.wait(240) == 0

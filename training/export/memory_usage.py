"""Measures the memory of a version: it is loaded and run in a separate process.

Measured are its ONNX graphs, which the serving process holds; for a version without graphs, its SavedModel.
Only private memory counts (Linux' RssAnon), without the engine's code and the engine's memory without a
model. On systems without /proc nothing is measured.
"""

import multiprocessing
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from training.export.quiet_import import import_keras

STATUS = Path("/proc/self/status")


def resident_megabytes(directory: Path, rows: Mapping[str, int], free: int) -> float | None:
    """Load a version, run each signature once, and return the growth of the process in 10⁶ bytes.

    rows: signature → batch size; free: the value of other free sizes. None if it
    cannot be measured here: no figure is worth an export that fails.
    """
    if not STATUS.exists():
        return None
    # One fork server per export; each measurement is a fork of it.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["numpy", "onnxruntime"])
    receiver, sender = context.Pipe(duplex=False)
    measure = _measure_onnx if _graphs(directory) else _measure_tensorflow
    process = context.Process(target=measure, args=(sender, str(directory), dict(rows), free))
    process.start()
    sender.close()
    try:
        grown: int = receiver.recv()
    except EOFError:
        return None
    finally:
        process.join()
    return round(grown / 1e6, 1)


def _graphs(directory: Path) -> list[Path]:
    return sorted((directory / "assets.extra" / "onnx").glob("*.onnx"))


def _measure_onnx(sender: Connection, directory: str, rows: Mapping[str, int], free: int) -> None:
    import numpy as np
    import onnxruntime as ort

    dtypes = {"float": np.float32, "uint8": np.uint8, "int32": np.int32, "int64": np.int64}
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # as the service runs it
    before = _resident_bytes()
    sessions = [ort.InferenceSession(path, options) for path in _graphs(Path(directory))]
    for session in sessions:
        outputs = [output.name for output in session.get_outputs()]
        for name in {output.partition("/")[0] for output in outputs}:
            inputs = {
                given.name: np.zeros(
                    [rows[name], *(n if isinstance(n, int) else free for n in given.shape[1:])],
                    dtypes[given.type.removeprefix("tensor(").removesuffix(")")],
                )
                for given in session.get_inputs()
            }
            session.run([o for o in outputs if o.startswith(f"{name}/")], inputs)
    sender.send(_resident_bytes() - before)


def _measure_tensorflow(
    sender: Connection, directory: str, rows: Mapping[str, int], free: int
) -> None:
    import_keras()
    import tensorflow as tf

    # As the service runs it.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.zeros(1) + tf.zeros(1)  # TensorFlow's own memory is allocated before this
    before = _resident_bytes()
    loaded = tf.saved_model.load(directory)
    for name, signature in loaded.signatures.items():
        inputs = {
            key: tf.zeros([rows[name], *(size or free for size in spec.shape[1:])], spec.dtype)
            for key, spec in signature.structured_input_signature[1].items()
        }
        signature(**inputs)
    sender.send(_resident_bytes() - before)


def _resident_bytes() -> int:
    [line] = [line for line in STATUS.read_text().splitlines() if line.startswith("RssAnon:")]
    return 1024 * int(line.split()[1])

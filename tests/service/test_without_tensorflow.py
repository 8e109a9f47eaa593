"""A service of converted models runs where TensorFlow and the training packages are not installed."""

import json
import subprocess
import sys
from pathlib import Path

from tests.service.onnx_versions import write_onnx_version

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
for name in ("tensorflow", "keras", "onnx", "tf2onnx", "h5py", "sklearn"):
    sys.modules[name] = None  # importing it fails
from pathlib import Path
import numpy as np
import service.app
from service.processes.tensorflow_client import TensorFlowClient
from service.runtime.engines import engine_loader
from service.runtime.model import load_model
model = load_model(Path(sys.argv[1]), engine_loader("auto", TensorFlowClient().load))
outputs = model.run("double", {"images": np.full((3, 28, 28, 1), 7, np.uint8)})
print(model.engines["double"].name, outputs["doubled"].max(), model.unready)
"""


def test_converted_models_need_no_tensorflow(tmp_path):
    directory = write_onnx_version(tmp_path)
    path = directory / "assets.extra/manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["signatures"]["slow"]
    path.write_text(json.dumps(manifest))
    command = [sys.executable, "-c", PROGRAM, str(directory)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert result.returncode == 0, result.stderr
    assert result.stdout == "onnx 14.0 {}\n"


def test_the_lock_of_such_a_service_holds_no_tensorflow():
    lock = (ROOT / "requirements/serve-onnx.lock").read_text()

    assert "onnxruntime==" in lock
    assert not [name for name in ("tensorflow", "keras", "tf2onnx") if f"{name}==" in lock]

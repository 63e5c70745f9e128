#!/usr/bin/env python3
"""paint.py FOLDER COUNT SIDE: pictures of the painter that taught tintype-mini, as PNG, for bench edge-quality."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "models" / "train"))
import cv2
import numpy as np
import painter

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(5)
for number in range(int(sys.argv[2])):
    picture = painter.paint(painter.sample_scene(rng), int(sys.argv[3]))
    cv2.imwrite(str(folder / f"painted-{number:03}.png"), picture[..., ::-1])

"""Half-size latents without encoding every picture: a linear map from the mean colour, contrast and detail of 16 x 16
pixels, fitted on a few encoded pictures. The denoiser's first, half-size part can train on them while `encode.py` works.

  python lowres.py --data DATA --out RUN      # needs the folded vae.pt that encode.py writes first
"""
import argparse
import os
import cv2
import numpy as np
import torch
import torch.nn.functional as F
from common import load
from encode import encode
from nets import Vae


def features(im):
    f = im.astype(np.float32) / 127.5 - 1
    n = f.shape[0] // 16
    m = cv2.resize(f, (n, n), interpolation=cv2.INTER_AREA)
    h = cv2.resize(f, (2 * n, 2 * n), interpolation=cv2.INTER_AREA)
    dy = (h[1::2] - h[::2]).reshape(n, n, 2, 3).mean(2)
    dx = (h[:, 1::2] - h[:, ::2]).reshape(n, 2, n, 3).mean(1)
    s = np.sqrt(np.maximum(cv2.resize(f * f, (n, n), interpolation=cv2.INTER_AREA) - m * m, 0))
    return np.concatenate([m, dx, dy, s, m * m, m[..., [0, 1, 2]] * m[..., [1, 2, 0]], np.ones((n, n, 1), np.float32)], 2)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--fit", type=int, default=96)
    a = ap.parse_args()
    torch.set_num_threads(1)
    pics = np.load(os.path.join(a.data, "pictures.npy"), mmap_mode="r")
    s = load(os.path.join(a.out, "vae.pt"))
    vae = Vae(**s["args"])
    vae.load_state_dict(s["ema"])
    z = F.avg_pool2d(encode(vae.eval(), pics, np.arange(a.fit)) * s["scaling"], 2).permute(0, 2, 3, 1).numpy()
    X = np.stack([features(pics[i]) for i in range(a.fit)])
    D = X.shape[-1]
    W = np.linalg.lstsq(X.reshape(-1, D), z.reshape(-1, z.shape[-1]), rcond=None)[0]
    r = z - X @ W
    print("explained per channel", (1 - r.var((0, 1, 2)) / z.var((0, 1, 2))).round(3))
    n = len(pics) - 256
    out = np.empty((n, z.shape[-1], *z.shape[1:3]), np.float16)
    for i in range(n):
        out[i] = (features(pics[i]) @ W).transpose(2, 0, 1)
    np.save(os.path.join(a.out, "latents_low.npy"), out)


if __name__ == "__main__":
    main()

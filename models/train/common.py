"""Shared by the training scripts: device, checkpoints, logs, averaged weights, picture sheets."""
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
import numpy as np
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
if DEVICE == "cpu":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))
else:
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True


def amp():
    return torch.autocast(DEVICE, dtype=torch.bfloat16)


class Shards:
    """Gradients of `fn(shard)` summed over shards, one single-threaded worker per core.

    On a shared CPU this beats one multi-threaded backward pass by far: the convolution
    kernels' cross-thread barriers spin while a neighbour holds the other core."""

    def __init__(self, n=None):
        self.n = n or (1 if DEVICE == "cuda" else max(1, int(os.environ.get("TRAIN_THREADS", os.cpu_count()))))
        self.pool = ThreadPoolExecutor(self.n, initializer=lambda: torch.set_num_threads(1)) if self.n > 1 else None

    def run(self, fn, params, shards):
        def one(s):
            loss, info = fn(s)
            return torch.autograd.grad(loss, params, allow_unused=True), info
        out = list(self.pool.map(one, shards)) if self.pool else [one(s) for s in shards]
        for i, p in enumerate(params):
            g = [o[0][i] for o in out if o[0][i] is not None]
            if g:
                p.grad = sum(g[1:], g[0]) / len(shards)
        return {k: sum(float(o[1][k]) for o in out) / len(out) for k in out[0][1]}


def save(path, obj):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    torch.save(obj, path + ".tmp")
    os.replace(path + ".tmp", path)


def load(path):
    return torch.load(path, map_location=DEVICE, weights_only=False)


class Log:
    """Every loss goes to a JSONL file; a progress line is printed now and then."""

    def __init__(self, path, every=20):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.f = open(path, "a")
        self.t = time.time()
        self.last, self.sum, self.n = self.t, {}, 0
        self.every = every

    def step(self, step, **kw):
        kw = {k: float(v.detach()) if torch.is_tensor(v) else float(v) for k, v in kw.items()}
        self.f.write(json.dumps({"step": step, **{k: round(v, 6) for k, v in kw.items()}}) + "\n")
        for k, v in kw.items():
            self.sum[k] = self.sum.get(k, 0) + v
        self.n += 1
        if time.time() - self.last > self.every:
            el = time.time() - self.last
            print(f"step {step}  " + "  ".join(f"{k} {v / self.n:.5g}" for k, v in self.sum.items())
                  + f"  {el / self.n:.3f} s/step  {time.time() - self.t:.0f} s", flush=True)
            self.f.flush()
            self.last, self.sum, self.n = time.time(), {}, 0


class Ema:
    def __init__(self, model, decay):
        self.decay, self.n = decay, 0
        self.p = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model):
        self.n += 1
        d = min(self.decay, (1 + self.n) / (10 + self.n))
        for k, v in model.state_dict().items():
            self.p[k].lerp_(v.detach().to(self.p[k].dtype), 1 - d)


def sheet(imgs, cols, path):
    from PIL import Image
    imgs = [np.asarray(i) for i in imgs]
    while len(imgs) % cols:
        imgs.append(np.full_like(imgs[0], 255))
    rows = [np.concatenate(imgs[i:i + cols], 1) for i in range(0, len(imgs), cols)]
    Image.fromarray(np.concatenate(rows, 0)).save(path)


def to_u8(x):
    return ((x.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()

"""Paints the training set: DATA/pictures.npy (uint8, N x S x S x 3) and DATA/scenes.jsonl. Skips what is there."""
import argparse
import json
import multiprocessing as mp
import os
import time
import numpy as np
import painter
from config import CONFIGS


def work(a):
    path, lo, hi, n, size, seed = a
    out = np.lib.format.open_memmap(path, mode="r+")
    rows = []
    for i in range(lo, hi):
        sc = painter.sample_scene(np.random.default_rng([seed, i]))
        out[i] = painter.paint(sc, size)
        rows.append(json.dumps(sc))
    return lo, rows


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", required=True)
    ap.add_argument("--config", default="cpu")
    ap.add_argument("--count", type=int)
    ap.add_argument("--size", type=int, default=256)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--workers", type=int, default=os.cpu_count())
    a = ap.parse_args()
    n = a.count or CONFIGS[a.config]["pictures"]
    os.makedirs(a.data, exist_ok=True)
    done = os.path.join(a.data, "scenes.jsonl")
    if os.path.exists(done) and sum(1 for _ in open(done)) == n:
        print("data set present:", n)
        return
    path = os.path.join(a.data, "pictures.npy")
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(n, a.size, a.size, 3)).flush()
    step = 100
    jobs = [(path, i, min(n, i + step), n, a.size, a.seed) for i in range(0, n, step)]
    rows, t0, k = {}, time.time(), 0
    with mp.Pool(a.workers) as pool:
        for lo, r in pool.imap_unordered(work, jobs):
            rows[lo] = r
            k += len(r)
            if k % 2000 < step:
                print(f"{k}/{n} pictures, {time.time() - t0:.0f} s", flush=True)
    with open(done + ".tmp", "w") as f:
        for lo in sorted(rows):
            f.write("\n".join(rows[lo]) + "\n")
    os.replace(done + ".tmp", done)


if __name__ == "__main__":
    main()

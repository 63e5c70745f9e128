"""The judge: a small classifier that tells place, time, style and thing of a picture. It only ever saw painted ones.

  python judge.py captions --out captions.jsonl                  # writes the held-out captions (seeded)
  python judge.py train --data DATA --out judge.pt --minutes 4
  python judge.py evaluate --pictures FOLDER --captions captions.jsonl --weights judge.pt
"""
import argparse
import glob
import json
import os
import sys
import time
import cv2
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "train"))
import painter as P  # noqa: E402
from captions import caption  # noqa: E402

HEADS = {"place": P.PLACES, "time": P.TIMES, "style": P.STYLES, "thing": P.THINGS}
HERE = os.path.dirname(os.path.abspath(__file__))


class Judge(nn.Module):
    def __init__(self, ch=(24, 48, 96, 128, 160)):
        super().__init__()
        l, c = [], 3
        for i, o in enumerate(ch):
            l += [nn.Conv2d(c, o, 3, stride=2 if i == 0 else 1, padding=1), nn.BatchNorm2d(o), nn.ReLU(), nn.MaxPool2d(2)]
            c = o
        self.body = nn.Sequential(*l[:-1])
        self.heads = nn.ModuleList([nn.Linear(c * 2, len(v)) for v in HEADS.values()])

    def forward(self, x):
        f = self.body(x)
        f = torch.cat([f.mean((2, 3)), f.amax((2, 3))], 1)
        return [h(f) for h in self.heads]


def small(im):
    return cv2.resize(im, (128, 128), interpolation=cv2.INTER_AREA)


def tensor(ims):
    return torch.from_numpy(np.stack(ims)).permute(0, 3, 1, 2).float() / 127.5 - 1


def train(a):
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    pics = np.load(os.path.join(a.data, "pictures.npy"), mmap_mode="r")
    scenes = [json.loads(l) for l in open(os.path.join(a.data, "scenes.jsonl"))]
    y = np.array([[v.index(s[k]) for k, v in HEADS.items()] for s in scenes])
    y[[s["place"] == "space" for s in scenes], 1] = -100      # space has no time of day
    y = torch.from_numpy(y)
    t0 = time.time()
    X = np.stack([small(p) for p in pics])
    n = len(X) - 256
    net = Judge()
    if a.resume:
        net.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in torch.load(a.out, weights_only=True).items()})
    opt = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=.01)
    rng = np.random.default_rng(0)
    step = 0
    while time.time() - t0 < a.minutes * 60:
        f = (time.time() - t0) / (a.minutes * 60)
        for g in opt.param_groups:
            g["lr"] = 3e-3 * (1 - f) + 1e-5
        j = rng.integers(0, n, 64)
        ims = []
        for i in j:
            im = X[i]
            if rng.random() < .5:
                im = im[:, ::-1]
            if rng.random() < .4:
                im = cv2.GaussianBlur(im, (0, 0), rng.uniform(.4, 1.8))
            if rng.random() < .3:
                im = np.clip(im + rng.normal(0, rng.uniform(2, 10), im.shape), 0, 255)
            if rng.random() < .4:
                im = np.clip((im - 128.) * rng.uniform(.85, 1.12) + 128 + rng.uniform(-8, 8), 0, 255)
            ims.append(np.asarray(im, np.float32))
        out = net(tensor(ims))
        loss = sum(F.cross_entropy(o, y[j, k], ignore_index=-100, label_smoothing=.02) for k, o in enumerate(out))
        opt.zero_grad()
        loss.backward()
        opt.step()
        step += 1
        if step % 50 == 0:
            print(f"step {step}  loss {float(loss):.4f}  {time.time() - t0:.0f} s", flush=True)
    net.eval()
    with torch.no_grad():
        out = net(tensor(list(X[n:])))
    for k, (name, o) in enumerate(zip(HEADS, out)):
        ok = y[n:, k] >= 0
        print("held-out", name, "%.3f" % float((o.argmax(1) == y[n:, k])[ok].float().mean()))
    torch.save({k: v.half() if v.is_floating_point() else v for k, v in net.state_dict().items()}, a.out)


def write_captions(a):
    rng = np.random.default_rng(424242)
    rows = []
    while len(rows) < a.count:
        s = P.sample_scene(rng)
        t, asked = caption(s, rng)
        if sum(k in asked for k in HEADS) < 2:
            continue
        rows.append({"caption": t, **{k: asked.get(k) for k in HEADS}, "seed": int(rng.integers(2 ** 31)), "scene": s})
    with open(a.out, "w") as f:
        for r in rows:
            f.write(json.dumps(r) + "\n")


@torch.no_grad()
def score(net, ims, rows):
    out = [o.argmax(1).numpy() for o in net(tensor([small(i) for i in ims]))]
    res = {}
    for k, (name, cl) in enumerate(HEADS.items()):
        hit = [cl[out[k][i]] == r[name] for i, r in enumerate(rows) if r[name] is not None]
        res[name] = (float(np.mean(hit)), len(hit))
    return res


def evaluate(a):
    torch.set_num_threads(a.threads)
    net = Judge()
    net.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in torch.load(a.weights, weights_only=True).items()})
    net.eval()
    rows = [json.loads(l) for l in open(a.captions)]
    files = sorted(glob.glob(os.path.join(a.pictures, "[0-9]*.png")))
    rows = rows[:len(files)]
    gen = score(net, [cv2.imread(f)[..., ::-1] for f in files[:len(rows)]], rows)
    real = score(net, [P.paint(r["scene"]) for r in rows], rows)
    print(f"{len(rows)} captions\n{'attribute':10s} {'asked':>6s} {'made':>7s} {'painted':>8s}")
    for k in HEADS:
        print(f"{k:10s} {gen[k][1]:6d} {gen[k][0] * 100:6.1f}% {real[k][0] * 100:7.1f}%")
    print(f"{'mean':10s} {'':6s} {np.mean([v[0] for v in gen.values()]) * 100:6.1f}% {np.mean([v[0] for v in real.values()]) * 100:7.1f}%")


def main():
    ap = argparse.ArgumentParser()
    sub = ap.add_subparsers(dest="cmd", required=True)
    t = sub.add_parser("train")
    t.add_argument("--data", required=True)
    t.add_argument("--out", default=os.path.join(HERE, "judge.pt"))
    t.add_argument("--minutes", type=float, default=4)
    t.add_argument("--resume", action="store_true")
    e = sub.add_parser("evaluate")
    e.add_argument("--pictures", required=True)
    e.add_argument("--captions", default=os.path.join(HERE, "captions.jsonl"))
    e.add_argument("--weights", default=os.path.join(HERE, "judge.pt"))
    c = sub.add_parser("captions")
    c.add_argument("--out", default=os.path.join(HERE, "captions.jsonl"))
    c.add_argument("--count", type=int, default=200)
    for p in (t, e):
        p.add_argument("--threads", type=int, default=1)
    a = ap.parse_args()
    {"train": train, "evaluate": evaluate, "captions": write_captions}[a.cmd](a)


if __name__ == "__main__":
    main()

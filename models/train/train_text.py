"""Pretrains the text encoder: from its hidden states, small attention heads must tell every attribute a caption asks for.

  python train_text.py --out RUN --minutes 4 [--resume]
"""
import argparse
import json
import math
import os
import time
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import painter as P
import textenc
from captions import caption
from common import DEVICE, Log, amp, load, save
from config import CONFIGS

CLASSES = {
    "place": P.PLACES, "variant": sorted({v for l in P.VARIANTS.values() for v in l}), "time": P.TIMES, "style": P.STYLES,
    "thing": P.THINGS[1:], "thing_color": list(P.COLORS) + ["black"], "weather": P.WEATHERS[1:],
    "sun_color": list(P.COLORS), "moon_color": ["white", "yellow", "red", "blue"], "moon_shape": ["full", "crescent"],
    **{"sky:" + s: ["yes"] for s in P.SKIES},
}


def labels(asked):
    """Index per attribute; 0 = not asked."""
    out = []
    for k, cl in CLASSES.items():
        if k.startswith("sky:"):
            out.append(int(k[4:] in asked.get("sky", [])))
        else:
            out.append(1 + cl.index(asked[k]) if k in asked else 0)
    return out


class Heads(nn.Module):
    """One query per attribute attends over the hidden states and classifies what it read."""

    def __init__(self, d):
        super().__init__()
        n = len(CLASSES)
        self.q = nn.Parameter(torch.randn(n, d) * d ** -.5)
        self.k, self.v = nn.Linear(d, d), nn.Linear(d, d)
        self.out = nn.ModuleList([nn.Linear(d, len(c) + 1) for c in CLASSES.values()])

    def forward(self, h):
        a = torch.softmax(torch.einsum("ad,bnd->ban", self.q, self.k(h)) * h.shape[-1] ** -.5, -1) @ self.v(h)
        return [o(a[:, i]) for i, o in enumerate(self.out)]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", required=True)
    ap.add_argument("--config", default="cpu")
    ap.add_argument("--minutes", type=float, default=4)
    ap.add_argument("--total-minutes", type=float, help="length of the whole training for the learning rate; default: --minutes")
    ap.add_argument("--batch", type=int, default=64)
    ap.add_argument("--resume", action="store_true")
    a = ap.parse_args()
    torch.manual_seed(3)
    c = CONFIGS[a.config]["text"]
    tok = textenc.get_tokenizer(a.out)
    enc = textenc.build(tok, **c).to(DEVICE)
    heads = Heads(c["hidden_size"]).to(DEVICE)
    ck = os.path.join(a.out, "text.pt")
    opt = torch.optim.AdamW(list(enc.parameters()) + list(heads.parameters()), lr=1e-3, weight_decay=.01, betas=(.9, .98))
    step, spent = 0, 0.0
    if a.resume and os.path.exists(ck):
        s = load(ck)
        enc.load_state_dict(s["model"])
        if "heads" in s:               # an imported encoder comes without the heads that taught it
            heads.load_state_dict(s["heads"])
        if "opt" in s:
            opt.load_state_dict(s["opt"])
        step, spent = s["step"], s.get("spent", 0.0)
    total = (a.total_minutes or a.minutes) * 60
    log = Log(os.path.join(a.out, "text.jsonl"))
    rng = np.random.default_rng([7, step])
    t0 = time.time()

    def keep():
        save(ck, dict(model=enc.state_dict(), heads=heads.state_dict(), opt=opt.state_dict(), step=step,
                      spent=spent + time.time() - t0, args=c))
    while time.time() - t0 < a.minutes * 60:
        f = min(1.0, (spent + time.time() - t0) / total)
        for g in opt.param_groups:
            g["lr"] = 1e-3 * min(1, (step + 1) / 60) * (.5 + .5 * math.cos(math.pi * f)) + 1e-5
        texts, lab = [], []
        for _ in range(a.batch):
            t, asked = caption(P.sample_scene(rng), rng)
            if rng.random() < .03:
                t, asked = "", {}
            texts.append(t)
            lab.append(labels(asked))
        i = textenc.ids(tok, texts, 36).to(DEVICE)
        y = torch.tensor(lab, device=DEVICE)
        with amp():
            h = enc(input_ids=i).last_hidden_state
        h = h.float()
        o = heads(h)
        loss = sum(F.cross_entropy(p, y[:, j]) for j, p in enumerate(o)) / len(o)
        acc = torch.stack([(p.argmax(1) == y[:, j]).float().mean() for j, p in enumerate(o)]).mean()
        opt.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(enc.parameters(), 1.0)
        opt.step()
        step += 1
        log.step(step, loss=loss, acc=acc)
        if step % 200 == 0:
            keep()
    keep()
    print("steps", step, "accuracy on the last batch %.4f" % float(acc))


if __name__ == "__main__":
    main()

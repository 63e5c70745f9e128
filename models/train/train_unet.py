"""Trains the denoiser on cached latents, with captions worded anew every time.

  python train_unet.py --data DATA --out RUN --minutes 9 --total-minutes 25 --resume
"""
import argparse
import json
import math
import os
import time
import numpy as np
import torch
import textenc
from captions import caption
from common import DEVICE, Ema, Log, Shards, amp, load, save
from config import CONFIGS
from diffusion import alphas
from nets import Resnet, Spatial, UNet


def build(c, text_dim):
    u = UNet(**c["unet"], ctx=text_dim, latent=c["vae"]["latent_channels"])
    for m in u.modules():          # residual branches start at zero
        if isinstance(m, Resnet):
            torch.nn.init.zeros_(m.conv2.weight); torch.nn.init.zeros_(m.conv2.bias)
        elif isinstance(m, Spatial):
            torch.nn.init.zeros_(m.proj_out.weight); torch.nn.init.zeros_(m.proj_out.bias)
    torch.nn.init.zeros_(u.conv_out.weight); torch.nn.init.zeros_(u.conv_out.bias)
    return u


def load_text(out):
    tok = textenc.get_tokenizer(out)
    s = load(os.path.join(out, "text.pt"))
    enc = textenc.build(tok, **s["args"])
    enc.load_state_dict(s["model"])
    return tok, enc.to(DEVICE).eval().requires_grad_(False)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--config", default="cpu")
    ap.add_argument("--minutes", type=float, default=9)
    ap.add_argument("--total-minutes", type=float)
    ap.add_argument("--resume", action="store_true")
    a = ap.parse_args()
    c = CONFIGS[a.config]
    torch.manual_seed(11)
    tok, enc = load_text(a.out)
    net = build(c, enc.config.hidden_size).to(DEVICE)
    params = list(net.parameters())
    opt = torch.optim.AdamW(params, lr=c["lr"], betas=(.9, .99), weight_decay=.01)
    ema = Ema(net, c["ema"])
    step, spent = 0, 0.0
    ck = os.path.join(a.out, "unet.pt")
    if a.resume and os.path.exists(ck):
        s = load(ck)
        net.load_state_dict(s["model"]); opt.load_state_dict(s["opt"])
        ema.p, ema.n, step, spent = s["ema"], s["ema_n"], s["step"], s["spent"]
    total = (a.total_minutes or a.minutes) * 60
    full_path = os.path.join(a.out, "latents.npy")
    low_path = os.path.join(a.out, "latents_low.npy")     # lowres.py: enough until encode.py is done
    get = lambda p: torch.from_numpy(np.load(p)).to(DEVICE) if os.path.exists(p) else None
    full, small = get(full_path), get(low_path)
    scenes = [json.loads(l) for l in open(os.path.join(a.data, "scenes.jsonl"))]
    acp = alphas().to(DEVICE)
    rng = np.random.default_rng([13, step])
    log = Log(os.path.join(a.out, "unet.jsonl"))
    shards = Shards()
    print("denoiser parameters", sum(p.numel() for p in params), "latents", 0 if full is None else len(full), "on", DEVICE, "from step", step, flush=True)
    t0 = last = time.time()

    def one(sh):
        x0, t, i, eps = sh
        with torch.no_grad(), amp():
            ctx = enc(input_ids=i).last_hidden_state
        al = acp[t][:, None, None, None]
        x = al.sqrt() * x0 + (1 - al).sqrt() * eps
        v = al.sqrt() * eps - (1 - al).sqrt() * x0
        with amp():
            p = net(x, t, ctx.float())
        mse = (p.float() - v).pow(2).mean((1, 2, 3))
        snr = acp[t] / (1 - acp[t])
        w = (5 / snr).clamp(max=1)
        return (w * mse).mean(), dict(loss=(w * mse).mean().detach(), mse=mse.mean().detach())

    def keep():
        save(ck, dict(model=net.state_dict(), opt=opt.state_dict(), ema=ema.p, ema_n=ema.n, step=step,
                      spent=spent + time.time() - t0, args=net.args))
    while time.time() - t0 < a.minutes * 60:
        f = min(1.0, (spent + time.time() - t0) / total)
        lr = c["lr"] * min(1, (step + 1) / c["warmup"]) * (.03 + .97 * (.5 + .5 * math.cos(math.pi * max(0, f - .3) / .7)))
        for g in opt.param_groups:
            g["lr"] = lr
        if full is None and step % 20 == 0 and (f >= c["low_res"] or small is None):
            full = get(full_path)
        low = full is None or f < c["low_res"]       # the first part of the training sees half-size latents: four times cheaper
        B = c["batch"] * (2 if low else 1)
        lat = small if low and small is not None else full
        j = rng.integers(0, len(lat), B)
        x0 = lat[torch.from_numpy(j).to(lat.device)].float().to(DEVICE)
        if low and small is None:
            x0 = torch.nn.functional.avg_pool2d(x0, 2)
        texts = ["" if rng.random() < .1 else caption(scenes[k], rng)[0] for k in j]
        i = textenc.ids(tok, texts).to(DEVICE)
        t = torch.from_numpy(((np.arange(B) + rng.random(B)) / B * 1000).astype(np.int64).clip(0, 999)).to(DEVICE)
        t = t[torch.from_numpy(rng.permutation(B)).to(DEVICE)]
        eps = torch.randn_like(x0)
        opt.zero_grad(set_to_none=True)
        n = shards.n
        info = shards.run(one, params, list(zip(x0.chunk(n), t.chunk(n), i.chunk(n), eps.chunk(n))))
        gn = torch.nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
        ema.update(net)
        step += 1
        log.step(step, **info, grad=gn, lr=lr)
        if time.time() - last > 180:
            last = time.time()
            keep()
    keep()
    print("stopped at step", step, flush=True)


if __name__ == "__main__":
    main()

"""Trains the denoiser on cached latents and cached text states.

  python train_unet.py --out RUN --minutes 9 --total-minutes 25 --resume
"""
import argparse
import math
import os
import time
import numpy as np
import torch
import textenc
from common import DEVICE, Ema, Log, Shards, amp, load, save
from config import CONFIGS
from diffusion import alphas
from muon import Muon
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


def optimizers(net, lr):
    """Muon for matrices and kernels inside, AdamW for both ends, biases, gains and the time embedding."""
    inside, rest = [], []
    for name, p in net.named_parameters():
        ends = name.startswith(("conv_in", "conv_out", "time_embedding")) or "time_emb_proj" in name
        (rest if p.ndim < 2 or ends else inside).append(p)
    return [Muon(inside, lr), torch.optim.AdamW(rest, lr=lr, betas=(.9, .99), weight_decay=.0)]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", required=True)
    ap.add_argument("--config", default="cpu")
    ap.add_argument("--minutes", type=float, default=9)
    ap.add_argument("--total-minutes", type=float)
    ap.add_argument("--resume", action="store_true")
    a = ap.parse_args()
    c = CONFIGS[a.config]
    torch.manual_seed(11)
    states = np.load(os.path.join(a.out, "text_states.npy"), mmap_mode="r")
    empty = torch.from_numpy(np.load(os.path.join(a.out, "text_empty.npy"))).to(DEVICE)
    net = build(c, states.shape[-1]).to(DEVICE, memory_format=torch.channels_last)
    params = list(net.parameters())
    opts = optimizers(net, c["lr"])
    ema = Ema(net, c["ema"])
    step, spent = 0, 0.0
    ck = os.path.join(a.out, "unet.pt")
    if a.resume and os.path.exists(ck):
        s = load(ck)
        net.load_state_dict(s["model"])
        for o, state in zip(opts, s["opt"]):
            o.load_state_dict(state)
        ema.p, ema.n, step, spent = s["ema"], s["ema_n"], s["step"], s["spent"]
    total = (a.total_minutes or a.minutes) * 60
    lat = np.load(os.path.join(a.out, "latents.npy"), mmap_mode=None if DEVICE == "cpu" else "r")
    lat = torch.from_numpy(np.ascontiguousarray(lat)).to(DEVICE)
    acp = alphas().to(DEVICE)
    rng = np.random.default_rng([13, step])
    log = Log(os.path.join(a.out, "unet.jsonl"))
    shards = Shards()
    print("denoiser parameters", sum(p.numel() for p in params), "latents", len(lat), "on", DEVICE, "from step", step, flush=True)
    t0 = last = time.time()

    def one(sh):
        x0, t, ctx, eps = sh
        al = acp[t][:, None, None, None]
        x = al.sqrt() * x0 + (1 - al).sqrt() * eps
        v = al.sqrt() * eps - (1 - al).sqrt() * x0
        with amp():
            p = net(x.contiguous(memory_format=torch.channels_last), t, ctx)
        mse = (p.float() - v).pow(2).mean((1, 2, 3))
        snr = acp[t] / (1 - acp[t])
        w = (5 / snr).clamp(max=1)
        return (w * mse).mean(), dict(loss=(w * mse).mean().detach(), mse=mse.mean().detach())

    def keep():
        save(ck, dict(model=net.state_dict(), opt=[o.state_dict() for o in opts], ema=ema.p, ema_n=ema.n, step=step,
                      spent=spent + time.time() - t0, args=net.args))
    while time.time() - t0 < a.minutes * 60:
        f = min(1.0, (spent + time.time() - t0) / total)
        lr = c["lr"] * min(1, (step + 1) / c["warmup"]) * min(1.0, .02 + (1 - f) / (1 - c["hold"]))
        for o in opts:
            for g in o.param_groups:
                g["lr"] = lr
        B = c["batch"]
        j = rng.integers(0, len(lat), B)
        x0 = lat[torch.from_numpy(j).to(lat.device)].float()
        ctx = torch.from_numpy(states[j, rng.integers(0, states.shape[1], B)]).to(DEVICE)
        ctx[torch.from_numpy(rng.random(B) < .1).to(DEVICE)] = empty
        t = torch.from_numpy(((np.arange(B) + rng.random(B)) / B * 1000).astype(np.int64).clip(0, 999)).to(DEVICE)
        t = t[torch.from_numpy(rng.permutation(B)).to(DEVICE)]
        eps = torch.randn_like(x0)
        ctx = ctx.float()
        for p in params:
            p.grad = None
        n = shards.n
        info = shards.run(one, params, list(zip(x0.chunk(n), t.chunk(n), ctx.chunk(n), eps.chunk(n))))
        gn = torch.nn.utils.clip_grad_norm_(params, 1.0)
        for o in opts:
            o.step()
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

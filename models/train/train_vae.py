"""Trains the autoencoder on crops of the painted pictures: L1 at three scales, their gradients, a small KL.

  python train_vae.py --data DATA --out RUN --minutes 20 [--resume]
  python train_vae.py --data DATA --out RUN --minutes 20 --decoder-only      # after encode.py: the latents stay as they are
"""
import argparse
import math
import os
import time
import numpy as np
import torch
import torch.nn.functional as F
from common import DEVICE, Ema, Shards, Log, amp, load, save, sheet, to_u8
from config import CONFIGS
from muon import Muon
from nets import Attn, Down, Resnet, Up, Vae


@torch.no_grad()
def warm_start(vae):
    """Starts as a working picture codec: three latent channels carry the mean colour of 8 x 8 pixels.

    Colour travels on the residual stream as pairs (v, -v) next to constants (c, -c), so that group
    normalisation keeps absolute levels and silu(v) - silu(-v) = v; every residual branch starts at zero."""
    C = 3.0

    def passthrough(conv, taps):
        w = conv.weight
        w[:12] = 0
        w[:, :12] *= .3
        w[:12, :12] = 0
        if conv.bias is not None:
            conv.bias[:12] = 0
        for i in range(12):
            for y, x, f in taps:
                w[i, i, y, x] = f

    def enter(conv):
        w, b = conv.weight, conv.bias
        w[:12] = 0
        b[:12] = 0
        for k in range(3):
            w[4 * k, k, 1, 1], w[4 * k + 1, k, 1, 1] = 1, -1
            b[4 * k + 2], b[4 * k + 3] = C, -C

    def leave(conv, gain):
        conv.weight[:3] = 0
        conv.bias[:3] = 0
        for k in range(3):
            conv.weight[k, 4 * k, 1, 1], conv.weight[k, 4 * k + 1, 1, 1] = gain, -gain
    for m in vae.modules():
        if isinstance(m, Resnet):
            m.conv2.weight.zero_(); m.conv2.bias.zero_()
            if m.diff:
                passthrough(m.conv_shortcut, [(0, 0, 1)])
        elif isinstance(m, Attn):
            m.to_out[0].weight.zero_(); m.to_out[0].bias.zero_()
        elif isinstance(m, Down):
            passthrough(m.conv, [(y, x, .25) for y in (0, 1) for x in (0, 1)])
        elif isinstance(m, Up):
            passthrough(m.conv, [(1, 1, 1)])
    enter(vae.encoder.conv_in)
    enter(vae.decoder.conv_in)
    g, ch = vae.args["norm_num_groups"], vae.args["block_out_channels"]
    std = lambda c: (12 * C * C / 2 / max(12, c // g)) ** .5 if c // g > 4 else C / 2 ** .5
    leave(vae.encoder.conv_out, std(ch[-1]))
    leave(vae.decoder.conv_out, std(ch[0]))
    n = vae.args["latent_channels"]
    eye = lambda conv, k: (conv.weight.zero_(), conv.bias.zero_(), conv.weight[:, :, 0, 0].copy_(torch.eye(k)))
    eye(vae.quant_conv, 2 * n)
    eye(vae.post_quant_conv, n)
    vae.encoder.conv_out.weight[n:] *= .1
    vae.encoder.conv_out.bias[n:] = -4.5


def loss_fn(y, x):
    tot = 0.0
    for s in range(3):
        tot = tot + (y - x).abs().mean() * (1.0 if s == 0 else .5)
        tot = tot + .5 * ((y[..., 1:] - y[..., :-1]) - (x[..., 1:] - x[..., :-1])).abs().mean()
        tot = tot + .5 * ((y[..., 1:, :] - y[..., :-1, :]) - (x[..., 1:, :] - x[..., :-1, :])).abs().mean()
        y, x = F.avg_pool2d(y, 2), F.avg_pool2d(x, 2)
    return tot


def batch(pics, rng, size, n):
    S = pics.shape[1]
    out = np.empty((n, size, size, 3), np.uint8)
    for i in range(n):
        p = pics[rng.integers(len(pics) - 256)]
        y, x = rng.integers(0, S - size + 1, 2)
        p = p[y:y + size, x:x + size]
        out[i] = p[:, ::-1] if rng.random() < .5 else p
    return (torch.from_numpy(out).to(DEVICE).permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous()


def latent_batch(pics, latents, rng, size, n, factor):
    """Crops of pictures and of their cached latents."""
    x, z, g = [], [], size // factor
    for i in np.sort(rng.integers(0, len(latents), n)):
        r, c = rng.integers(0, latents.shape[2] - g + 1, 2)
        z.append(latents[i, :, r:r + g, c:c + g])
        x.append(pics[i, r * factor:r * factor + size, c * factor:c * factor + size])
    x = torch.from_numpy(np.stack(x)).to(DEVICE).permute(0, 3, 1, 2).float() / 127.5 - 1
    return x.contiguous(), torch.from_numpy(np.stack(z)).to(DEVICE).float()


@torch.no_grad()
def check(vae, pics, out):
    x = torch.from_numpy(np.ascontiguousarray(pics[-24:])).to(DEVICE).permute(0, 3, 1, 2).float() / 127.5 - 1
    y = []
    for i in range(0, len(x), 4):
        with amp():
            y.append(vae.decode(vae.encode(x[i:i + 4])[0]).float())
    y = torch.cat(y)
    mse = ((y.clamp(-1, 1) - x) / 2).pow(2).mean((1, 2, 3))
    psnr = float((-10 * torch.log10(mse)).mean())
    a, b = to_u8(x), to_u8(y)
    sheet([v for i in range(0, 24, 2) for v in (a[i], b[i])], 6, out)
    return psnr


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--config", default="cpu")
    ap.add_argument("--minutes", type=float, default=9)
    ap.add_argument("--total-minutes", type=float, help="length of the whole training for the learning rate; default: --minutes")
    ap.add_argument("--resume", action="store_true")
    ap.add_argument("--decoder-only", action="store_true", help="keep the encoder (and so the cached latents) as it is")
    ap.add_argument("--seed", type=int, default=0)
    a = ap.parse_args()
    c = CONFIGS[a.config]
    torch.manual_seed(a.seed)
    pics = np.load(os.path.join(a.data, "pictures.npy"), mmap_mode="r")
    vae = Vae(**c["vae"])
    warm_start(vae)
    vae.to(DEVICE)
    if a.decoder_only:
        vae.encoder.requires_grad_(False)
        vae.quant_conv.requires_grad_(False)
        latents = np.load(os.path.join(a.out, "latents.npy"), mmap_mode="r")
    params = [p for p in vae.parameters() if p.requires_grad]
    shards = Shards()
    opts = [torch.optim.AdamW(params, lr=c["vae_lr"], betas=(.9, .99), weight_decay=1e-4)]
    if a.decoder_only:
        ends = {id(p) for m in (vae.decoder.conv_out, vae.post_quant_conv) for p in m.parameters()}
        inside = [p for p in params if p.ndim > 1 and id(p) not in ends]
        opts = [Muon(inside, c["vae_lr"], weight_decay=0), torch.optim.AdamW(
            [p for p in params if p.ndim < 2 or id(p) in ends], lr=c["vae_lr"], betas=(.9, .99), weight_decay=0)]
    ema = Ema(vae, .997)
    step, spent, state = 0, 0.0, {}
    ck = os.path.join(a.out, "vae.pt")
    if (a.resume or a.decoder_only) and os.path.exists(ck):
        state = load(ck)
        ema.p, ema.n, step, spent = state["ema"], state["ema_n"], state["step"], state["spent"]
        if a.decoder_only and not (a.resume and "decoder_opt" in state):
            vae.load_state_dict(ema.p)   # the averaged encoder made the latents
            ema.n, step, spent = 0, 0, 0.0
        else:
            vae.load_state_dict(state["model"])
            if not a.decoder_only:     # another encoder makes other latents: encode.py must fold and measure again
                for key in ("folded", "scaling", "decoder_opt"):
                    state.pop(key, None)
            for o, kept in zip(opts, state["decoder_opt" if a.decoder_only else "opt"]):
                o.load_state_dict(kept)
    total = (a.total_minutes or a.minutes) * 60
    rng = np.random.default_rng([a.seed, step])
    log = Log(os.path.join(a.out, "vae.jsonl"))
    print("autoencoder parameters", sum(p.numel() for p in vae.parameters()), "on", DEVICE, flush=True)
    t0 = last = time.time()
    crops = c["vae_crops"]
    probs = np.array([x[2] for x in crops])

    def whole(x):
        with amp():
            m, lv = vae.encode(x)
        m, lv = m.float(), lv.float()
        z = m + torch.exp(.5 * lv) * torch.randn_like(m)
        with amp():
            y = vae.decode(z)
        rec = loss_fn(y.float(), x)
        kl = .5 * (m.pow(2) + lv.exp() - 1 - lv).mean()
        return rec + 1e-4 * kl, dict(rec=rec.detach(), kl=kl.detach())

    def decoder(pair):
        x, z = pair
        with amp():
            y = vae.decode((z + .05 * torch.randn_like(z)) / state["scaling"])     # the denoiser's latents are not exact either
        rec = loss_fn(y.float(), x)
        return rec, dict(rec=rec.detach())

    def keep():
        state.update(model=vae.state_dict(), ema=ema.p, ema_n=ema.n, step=step, spent=spent + time.time() - t0, args=vae.args)
        state["decoder_opt" if a.decoder_only else "opt"] = [o.state_dict() for o in opts]
        save(ck, state)
    while time.time() - t0 < a.minutes * 60:
        f = min(1.0, (spent + time.time() - t0) / total)
        lr = c["vae_lr"] * min(1, (step + 1) / 100) * (0.5 * (1 + math.cos(math.pi * f)) * .97 + .03)
        for o in opts:
            o.zero_grad(set_to_none=True)
            for g in o.param_groups:
                g["lr"] = lr
        size, n, _ = crops[int(rng.choice(len(crops), p=probs / probs.sum()))]
        if a.decoder_only:
            x, z = latent_batch(pics, latents, rng, size, n, vae.factor)
            info = shards.run(decoder, params, list(zip(x.chunk(shards.n), z.chunk(shards.n))))
        else:
            info = shards.run(whole, params, batch(pics, rng, size, n).chunk(shards.n))
        gn = torch.nn.utils.clip_grad_norm_(params, 1.0)
        for o in opts:
            o.step()
        ema.update(vae)
        step += 1
        log.step(step, **info, grad=gn, lr=lr)
        if time.time() - last > 240:
            last = time.time()
            keep()
    keep()
    vae.load_state_dict(ema.p)
    print("held-out PSNR %.2f dB" % check(vae, pics, os.path.join(a.out, "vae.png")), flush=True)


if __name__ == "__main__":
    main()

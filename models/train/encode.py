"""Caches the pictures' latents: OUT/latents.npy (float16). First folds an affine map into the two 1x1 convolutions at
the latent so that latents are centred and decorrelated; the decoder sees exactly what it saw before."""
import argparse
import os
import threading
import time
import numpy as np
import torch
from common import DEVICE, amp, load, save
from nets import Vae


def encode(vae, pics, idx, bs=8 if DEVICE == "cpu" else 64):
    out = []
    for i in range(0, len(idx), bs):
        x = torch.from_numpy(pics[idx[i:i + bs]]).to(DEVICE).permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.no_grad(), amp():
            out.append(vae.encode(x)[0].float().cpu())
    return torch.cat(out)


def fold(vae, z):
    """New latent = A (z - mean); quant_conv gains A, post_quant_conv its inverse."""
    n = z.shape[1]
    f = z.permute(1, 0, 2, 3).reshape(n, -1).double()
    mu = f.mean(1)
    e, v = torch.linalg.eigh(torch.cov(f))
    s = e.clamp_min(1e-8).sqrt()
    tgt = (s / s.mean()) ** .3
    A = (torch.diag(tgt / s) @ v.T).float()
    mu = mu.float()
    q, p = vae.quant_conv, vae.post_quant_conv
    with torch.no_grad():
        W, b = q.weight[:, :, 0, 0].clone(), q.bias.clone()
        q.weight[:n, :, 0, 0] = A.to(W) @ W[:n]
        q.bias[:n] = A.to(W) @ (b[:n] - mu.to(W))
        P, c = p.weight[:, :, 0, 0].clone(), p.bias.clone()
        p.weight[:, :, 0, 0] = P @ torch.linalg.inv(A).to(P)
        p.bias[:] = c + P @ mu.to(P)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--count", type=int)
    ap.add_argument("--threads", type=int, default=1 if DEVICE == "cuda" else os.cpu_count())
    a = ap.parse_args()
    pics = np.load(os.path.join(a.data, "pictures.npy"), mmap_mode="r")
    n = a.count or len(pics) - 256
    s = load(os.path.join(a.out, "vae.pt"))
    vae = Vae(**s["args"])
    vae.load_state_dict(s["ema"])
    vae.to(DEVICE).eval()
    if not s.get("folded"):
        fold(vae, encode(vae, pics, np.arange(160)).to(DEVICE))
        z = encode(vae, pics, np.arange(160, 256))
        s["scaling"] = 1.0 / float(z.std())
        s["model"] = s["ema"] = {k: v.clone() for k, v in vae.state_dict().items()}
        s["folded"] = True
        save(os.path.join(a.out, "vae.pt"), s)
    print("scaling factor %.4f" % s["scaling"], flush=True)
    L = s["args"]["latent_channels"]
    S = pics.shape[1] // vae.factor
    lat = np.empty((n, L, S, S), np.float16)
    t0 = time.time()
    done = [0]

    def work(lo, hi):
        if DEVICE == "cpu":
            torch.set_num_threads(1)
        for i in range(lo, hi, 64):
            j = np.arange(i, min(hi, i + 64))
            lat[j] = (encode(vae, pics, j) * s["scaling"]).half().numpy()
            done[0] += len(j)
            if done[0] % 2048 < 64:
                print(f"{done[0]}/{n} latents, {time.time() - t0:.0f} s", flush=True)
    cut = np.linspace(0, n, a.threads + 1).astype(int)
    ts = [threading.Thread(target=work, args=(cut[k], cut[k + 1])) for k in range(a.threads)]
    [t.start() for t in ts]
    [t.join() for t in ts]
    f = lat.astype(np.float32)
    print("channels: mean", f.mean((0, 2, 3)).round(3), "std", f.std((0, 2, 3)).round(3))
    np.save(os.path.join(a.out, "latents.tmp.npy"), lat)
    os.replace(os.path.join(a.out, "latents.tmp.npy"), os.path.join(a.out, "latents.npy"))


if __name__ == "__main__":
    main()

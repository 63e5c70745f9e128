"""The noise schedule and a DDIM sampler with classifier-free guidance."""
import numpy as np
import torch
from config import SCHEDULER as C


def alphas():
    b = torch.linspace(C["beta_start"] ** .5, C["beta_end"] ** .5, C["num_train_timesteps"], dtype=torch.float64) ** 2
    return torch.cumprod(1 - b, 0).float()


@torch.no_grad()
def ddim(unet, ctx, empty, steps=25, guidance=4.0, *, seeds, shape, device="cpu", amp):
    """ctx: (B, 77, D). Trailing time steps, eta 0, v prediction. Returns scaled latents."""
    a = alphas().to(device)
    T = len(a)
    x = torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(int(s))) for s in seeds]).to(device)
    ts = np.round(np.arange(T, 0, -T / steps)).astype(int) - 1
    both = torch.cat([empty.expand(len(ctx), -1, -1), ctx])
    for i, t in enumerate(ts):
        at = a[t]
        ap = a[ts[i + 1]] if i + 1 < len(ts) else a[0]
        with amp():
            v = unet(torch.cat([x, x]), torch.full((2 * len(x),), int(t), device=device), both).float()
        u, c = v.chunk(2)
        v = u + guidance * (c - u)
        x0 = at.sqrt() * x - (1 - at).sqrt() * v
        e = at.sqrt() * v + (1 - at).sqrt() * x
        x = ap.sqrt() * x0 + (1 - ap).sqrt() * e
    return x

"""Muon: momentum whose matrix is made orthogonal by a Newton-Schulz iteration before it is applied (Keller Jordan, 2024).

Matrices and convolution kernels (as [out, in * height * width]) get it; everything else belongs to AdamW. It learns more
from each sample than AdamW does, and costs arithmetic that does not grow with the batch."""
import torch


def orthogonal(g, steps=5):
    """Nearest semi-orthogonal matrix, roughly: all singular values between 0.7 and 1.2."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.bfloat16()
    tall = x.size(0) > x.size(1)
    if tall:
        x = x.T
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        y = x @ x.T
        x = a * x + (b * y + c * (y @ y)) @ x
    return (x.T if tall else x).float()


class Muon(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=.95, weight_decay=.01):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if "m" not in state:
                    state["m"] = torch.zeros_like(p)
                m = state["m"]
                m.lerp_(p.grad, 1 - group["momentum"])
                g = p.grad.lerp(m, group["momentum"]).reshape(p.size(0), -1)
                u = orthogonal(g).reshape(p.shape)
                scale = .2 * max(g.shape) ** .5       # the root mean square of an AdamW step
                p.mul_(1 - group["lr"] * group["weight_decay"]).add_(u, alpha=-group["lr"] * scale)

"""Conv2d with the same weights and values as torch's, and a backward pass that is fast on a CPU in bf16.

oneDNN's bf16 backward convolutions fall to slow loops for these small grids (50 times the forward's time was measured).
Here the gradient of the input is a forward convolution with the turned kernel, and that of the kernel one matrix product."""
import torch
import torch.nn as nn
import torch.nn.functional as F

SMALL = 32     # above this width oneDNN's own backward pass is the faster one


def taps(x, k, stride):
    """[n, h, w, k * k * c] of a padded [n, h, w, c]: what each output place looks at."""
    h, w = (x.size(1) - k) // stride + 1, (x.size(2) - k) // stride + 1
    return torch.cat([x[:, i:i + stride * (h - 1) + 1:stride, j:j + stride * (w - 1) + 1:stride]
                      for i in range(k) for j in range(k)], -1)


class Same3(torch.autograd.Function):
    """3 x 3, stride 1, padding 1."""

    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w)
        return F.conv2d(x, w, b, padding=1)

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        g = g.contiguous(memory_format=torch.channels_last)
        dx = dw = None
        if ctx.needs_input_grad[0]:
            dx = F.conv2d(g, w.flip(2, 3).transpose(0, 1).contiguous(memory_format=torch.channels_last), padding=1)
        rows = g.permute(0, 2, 3, 1).reshape(-1, g.size(1))
        if ctx.needs_input_grad[1]:
            cols = taps(F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1)), 3, 1).reshape(rows.size(0), -1)
            dw = (rows.t() @ cols).view(w.size(0), 3, 3, w.size(1)).permute(0, 3, 1, 2)
        return dx, dw, rows.float().sum(0).to(w.dtype)


class Conv(nn.Conv2d):
    def forward(self, x):
        k, s = self.kernel_size[0], self.stride[0]
        if x.device.type != "cpu" or not torch.is_grad_enabled() or x.size(-1) > SMALL:
            return super().forward(x)
        w, b = self.weight, self.bias
        if torch.is_autocast_enabled("cpu"):
            x, w, b = x.bfloat16(), w.bfloat16(), b.bfloat16()
        if k == 1:
            return F.linear(x.permute(0, 2, 3, 1), w[:, :, 0, 0], b).permute(0, 3, 1, 2)
        if s == 1:
            return Same3.apply(x.contiguous(memory_format=torch.channels_last), w, b)
        p = self.padding[0]
        x = F.pad(x.permute(0, 2, 3, 1), (0, 0, p, p, p, p))
        return F.linear(taps(x, k, s), w.permute(0, 2, 3, 1).reshape(w.size(0), -1), b).permute(0, 3, 1, 2)

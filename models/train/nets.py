"""The three networks, written plainly, with the parameter names and config keys that diffusers-layout folders use."""
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
from conv import Conv


class Resnet(nn.Module):
    def __init__(self, cin, cout, temb, groups, eps):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, cin, eps=eps)
        self.conv1 = Conv(cin, cout, 3, padding=1)
        if temb:
            self.time_emb_proj = nn.Linear(temb, cout)
        self.norm2 = nn.GroupNorm(groups, cout, eps=eps)
        self.conv2 = Conv(cout, cout, 3, padding=1)
        if cin != cout:
            self.conv_shortcut = Conv(cin, cout, 1)
        self.diff = cin != cout

    def forward(self, x, t=None):
        h = self.conv1(F.silu(self.norm1(x)))
        if t is not None:
            h = h + self.time_emb_proj(t)[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return (self.conv_shortcut(x) if self.diff else x) + h


class Down(nn.Module):
    def __init__(self, c, asym=False):
        super().__init__()
        self.conv = Conv(c, c, 3, stride=2, padding=0 if asym else 1)
        self.asym = asym

    def forward(self, x):
        return self.conv(F.pad(x, (0, 1, 0, 1)) if self.asym else x)


class Up(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv = Conv(c, c, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Attn(nn.Module):
    def __init__(self, dim, ctx, heads, bias=False, groups=None, eps=1e-6):
        super().__init__()
        if groups:
            self.group_norm = nn.GroupNorm(groups, dim, eps=eps)
        self.to_q = nn.Linear(dim, dim, bias=bias)
        self.to_k = nn.Linear(ctx, dim, bias=bias)
        self.to_v = nn.Linear(ctx, dim, bias=bias)
        self.to_out = nn.ModuleList([nn.Linear(dim, dim)])
        self.heads = heads

    def forward(self, x, ctx=None):
        b, n, c = x.shape
        ctx = x if ctx is None else ctx
        sp = lambda z: z.view(b, -1, self.heads, c // self.heads).transpose(1, 2)
        q, k, v = sp(self.to_q(x)), sp(self.to_k(ctx)), sp(self.to_v(ctx))
        if x.device.type == "cpu" and torch.is_grad_enabled():      # its backward pass is half the time of the fused one's
            y = torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -.5, -1) @ v
        else:
            y = F.scaled_dot_product_attention(q, k, v)
        return self.to_out[0](y.transpose(1, 2).reshape(b, n, c))


class Geglu(nn.Module):
    def __init__(self, d, inner):
        super().__init__()
        self.proj = nn.Linear(d, inner * 2)

    def forward(self, x):
        a, g = self.proj(x).chunk(2, -1)
        return a * F.gelu(g)


class FeedForward(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.net = nn.ModuleList([Geglu(d, d * 4), nn.Identity(), nn.Linear(d * 4, d)])

    def forward(self, x):
        return self.net[2](self.net[0](x))


class Block(nn.Module):
    def __init__(self, d, ctx, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(d)
        self.attn1 = Attn(d, d, heads)
        self.norm2 = nn.LayerNorm(d)
        self.attn2 = Attn(d, ctx, heads)
        self.norm3 = nn.LayerNorm(d)
        self.ff = FeedForward(d)

    def forward(self, x, ctx):
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x), ctx)
        return x + self.ff(self.norm3(x))


class Spatial(nn.Module):
    def __init__(self, d, ctx, heads, groups):
        super().__init__()
        self.norm = nn.GroupNorm(groups, d, eps=1e-6)
        self.proj_in = Conv(d, d, 1)
        self.transformer_blocks = nn.ModuleList([Block(d, ctx, heads)])
        self.proj_out = Conv(d, d, 1)

    def forward(self, x, ctx):
        b, c, h, w = x.shape
        y = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)
        for t in self.transformer_blocks:
            y = t(y, ctx)
        return x + self.proj_out(y.transpose(1, 2).reshape(b, c, h, w))


class TimeEmbedding(nn.Module):
    def __init__(self, c, d):
        super().__init__()
        self.linear_1 = nn.Linear(c, d)
        self.linear_2 = nn.Linear(d, d)
        self.c = c

    def forward(self, t):
        half = self.c // 2
        f = torch.exp(-math.log(10000) * torch.arange(half, device=t.device, dtype=torch.float32) / half)
        a = t.float()[:, None] * f[None]
        return self.linear_2(F.silu(self.linear_1(torch.cat([a.cos(), a.sin()], 1))))


class UNetBlock(nn.Module):
    """A down or an up block; `sizes` lists (in, out) of each resnet."""

    def __init__(self, sizes, temb, groups, ctx, heads, attn, down=False, up=False):
        super().__init__()
        self.resnets = nn.ModuleList([Resnet(a, b, temb, groups, 1e-5) for a, b in sizes])
        c = sizes[-1][1]
        if attn:
            self.attentions = nn.ModuleList([Spatial(c, ctx, heads, groups) for _ in sizes])
        self.attn = attn
        if down:
            self.downsamplers = nn.ModuleList([Down(c)])
        if up:
            self.upsamplers = nn.ModuleList([Up(c)])
        self.down, self.up = down, up


class Mid(nn.Module):
    def __init__(self, c, temb, groups, ctx, heads):
        super().__init__()
        self.attentions = nn.ModuleList([Spatial(c, ctx, heads, groups)])
        self.resnets = nn.ModuleList([Resnet(c, c, temb, groups, 1e-5) for _ in range(2)])


class UNet(nn.Module):
    def __init__(self, block_out_channels, heads, layers_per_block, attn, ctx, latent, groups=8):
        super().__init__()
        ch, n = block_out_channels, len(block_out_channels)
        heads = [heads] * n if isinstance(heads, int) else heads
        self.args = dict(block_out_channels=ch, heads=heads, layers_per_block=layers_per_block, attn=attn,
                         ctx=ctx, latent=latent, groups=groups)
        temb = ch[0] * 4
        self.conv_in = Conv(latent, ch[0], 3, padding=1)
        self.time_embedding = TimeEmbedding(ch[0], temb)
        self.down_blocks = nn.ModuleList()
        c = ch[0]
        for i in range(n):
            sizes = [(c if j == 0 else ch[i], ch[i]) for j in range(layers_per_block)]
            self.down_blocks.append(UNetBlock(sizes, temb, groups, ctx, heads[i], attn[i], down=i < n - 1))
            c = ch[i]
        self.mid_block = Mid(c, temb, groups, ctx, heads[-1])
        self.up_blocks = nn.ModuleList()
        rc = ch[::-1]
        prev = rc[0]
        for i in range(n):
            out, skip_in = rc[i], rc[min(i + 1, n - 1)]
            sizes = []
            for j in range(layers_per_block + 1):
                skip = skip_in if j == layers_per_block else out
                sizes.append(((prev if j == 0 else out) + skip, out))
            self.up_blocks.append(UNetBlock(sizes, temb, groups, ctx, heads[::-1][i], attn[::-1][i], up=i < n - 1))
            prev = out
        self.conv_norm_out = nn.GroupNorm(groups, ch[0], eps=1e-5)
        self.conv_out = Conv(ch[0], latent, 3, padding=1)

    def forward(self, x, t, ctx):
        t = F.silu(self.time_embedding(t))
        x = self.conv_in(x)
        skips = [x]
        for b in self.down_blocks:
            for j, r in enumerate(b.resnets):
                x = r(x, t)
                if b.attn:
                    x = b.attentions[j](x, ctx)
                skips.append(x)
            if b.down:
                x = b.downsamplers[0](x)
                skips.append(x)
        m = self.mid_block
        x = m.resnets[1](m.attentions[0](m.resnets[0](x, t), ctx), t)
        for b in self.up_blocks:
            for j, r in enumerate(b.resnets):
                x = r(torch.cat([x, skips.pop()], 1), t)
                if b.attn:
                    x = b.attentions[j](x, ctx)
            if b.up:
                x = b.upsamplers[0](x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))

    def config(self, sample_size):
        a = self.args
        return {
            "_class_name": "UNet2DConditionModel", "_diffusers_version": "0.30.0", "sample_size": sample_size,
            "in_channels": a["latent"], "out_channels": a["latent"], "center_input_sample": False,
            "flip_sin_to_cos": True, "freq_shift": 0,
            "down_block_types": ["CrossAttnDownBlock2D" if x else "DownBlock2D" for x in a["attn"]],
            "mid_block_type": "UNetMidBlock2DCrossAttn",
            "up_block_types": ["CrossAttnUpBlock2D" if x else "UpBlock2D" for x in a["attn"][::-1]],
            "only_cross_attention": False, "block_out_channels": a["block_out_channels"],
            "layers_per_block": a["layers_per_block"], "downsample_padding": 1, "mid_block_scale_factor": 1,
            "act_fn": "silu", "norm_num_groups": a["groups"], "norm_eps": 1e-5, "cross_attention_dim": a["ctx"],
            "transformer_layers_per_block": 1, "attention_head_dim": a["heads"], "dual_cross_attention": False,
            "use_linear_projection": False, "class_embed_type": None, "num_class_embeds": None,
            "upcast_attention": False, "resnet_time_scale_shift": "default",
        }


class VaeBlock(nn.Module):
    def __init__(self, cin, cout, layers, groups, down=False, up=False):
        super().__init__()
        self.resnets = nn.ModuleList([Resnet(cin if j == 0 else cout, cout, 0, groups, 1e-6) for j in range(layers)])
        if down:
            self.downsamplers = nn.ModuleList([Down(cout, asym=True)])
        if up:
            self.upsamplers = nn.ModuleList([Up(cout)])
        self.down, self.up = down, up

    def forward(self, x):
        for r in self.resnets:
            x = r(x)
        if self.down:
            x = self.downsamplers[0](x)
        if self.up:
            x = self.upsamplers[0](x)
        return x


class VaeMid(nn.Module):
    def __init__(self, c, groups):
        super().__init__()
        self.attentions = nn.ModuleList([Attn(c, c, 1, bias=True, groups=groups)])
        self.resnets = nn.ModuleList([Resnet(c, c, 0, groups, 1e-6) for _ in range(2)])

    def forward(self, x):
        x = self.resnets[0](x)
        b, c, h, w = x.shape
        a = self.attentions[0]
        y = a(a.group_norm(x).flatten(2).transpose(1, 2))
        return self.resnets[1](x + y.transpose(1, 2).reshape(b, c, h, w))


class Encoder(nn.Module):
    def __init__(self, ch, layers, groups, latent):
        super().__init__()
        self.conv_in = Conv(3, ch[0], 3, padding=1)
        self.down_blocks = nn.ModuleList([VaeBlock(ch[max(0, i - 1)], ch[i], layers, groups, down=i < len(ch) - 1)
                                          for i in range(len(ch))])
        self.mid_block = VaeMid(ch[-1], groups)
        self.conv_norm_out = nn.GroupNorm(groups, ch[-1], eps=1e-6)
        self.conv_out = Conv(ch[-1], 2 * latent, 3, padding=1)

    def forward(self, x):
        x = self.conv_in(x)
        for b in self.down_blocks:
            x = b(x)
        return self.conv_out(F.silu(self.conv_norm_out(self.mid_block(x))))


class Decoder(nn.Module):
    def __init__(self, ch, layers, groups, latent):
        super().__init__()
        rc = ch[::-1]
        self.conv_in = Conv(latent, rc[0], 3, padding=1)
        self.mid_block = VaeMid(rc[0], groups)
        self.up_blocks = nn.ModuleList([VaeBlock(rc[max(0, i - 1)], rc[i], layers + 1, groups, up=i < len(ch) - 1)
                                        for i in range(len(ch))])
        self.conv_norm_out = nn.GroupNorm(groups, ch[0], eps=1e-6)
        self.conv_out = Conv(ch[0], 3, 3, padding=1)

    def forward(self, z):
        x = self.mid_block(self.conv_in(z))
        for b in self.up_blocks:
            x = b(x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


class Vae(nn.Module):
    def __init__(self, block_out_channels, layers_per_block, latent_channels, norm_num_groups):
        super().__init__()
        self.args = dict(block_out_channels=block_out_channels, layers_per_block=layers_per_block,
                         latent_channels=latent_channels, norm_num_groups=norm_num_groups)
        a = (block_out_channels, layers_per_block, norm_num_groups, latent_channels)
        self.encoder, self.decoder = Encoder(*a), Decoder(*a)
        self.quant_conv = Conv(2 * latent_channels, 2 * latent_channels, 1)
        self.post_quant_conv = Conv(latent_channels, latent_channels, 1)

    def encode(self, x):
        m, lv = self.quant_conv(self.encoder(x)).chunk(2, 1)
        return m, lv.clamp(-30, 20)

    def decode(self, z):
        return self.decoder(self.post_quant_conv(z))

    @property
    def factor(self):
        """Pixels per latent element in each direction."""
        return 1 << (len(self.args["block_out_channels"]) - 1)

    def config(self, scaling):
        a = self.args
        n = len(a["block_out_channels"])
        return {
            "_class_name": "AutoencoderKL", "_diffusers_version": "0.30.0", "in_channels": 3, "out_channels": 3,
            "down_block_types": ["DownEncoderBlock2D"] * n, "up_block_types": ["UpDecoderBlock2D"] * n,
            "block_out_channels": a["block_out_channels"], "layers_per_block": a["layers_per_block"], "act_fn": "silu",
            "latent_channels": a["latent_channels"], "norm_num_groups": a["norm_num_groups"], "sample_size": 256,
            "scaling_factor": scaling, "force_upcast": False, "use_quant_conv": True, "use_post_quant_conv": True,
            "mid_block_add_attention": True,
        }

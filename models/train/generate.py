"""Makes pictures with PyTorch from a run's checkpoints (averaged weights) or from an exported folder.

  python generate.py --run RUN --captions FILE.jsonl --out FOLDER [--count 200]
  python generate.py --model ../tintype-mini --prompt "a red sun over snowy mountains, watercolor" --out FOLDER
"""
import argparse
import glob
import json
import os
import time
import numpy as np
import torch
from PIL import Image
import textenc
from common import DEVICE, amp, load, sheet, to_u8
from diffusion import ddim
from nets import UNet, Vae


def from_run(run):
    from train_unet import load_text
    tok, enc = load_text(run)
    s = load(os.path.join(run, "unet.pt"))
    unet = UNet(**s["args"])
    unet.load_state_dict(s["ema"])
    v = load(os.path.join(run, "vae.pt"))
    vae = Vae(**v["args"])
    vae.load_state_dict(v["ema"])
    return tok, enc, unet.to(DEVICE).eval(), vae.to(DEVICE).eval(), v.get("scaling", 1.0)


def from_folder(d):
    from safetensors.torch import load_file
    from transformers import CLIPTextModel, CLIPTokenizer
    tok = CLIPTokenizer.from_pretrained(os.path.join(d, "tokenizer"))
    enc = CLIPTextModel.from_pretrained(os.path.join(d, "text_encoder"), dtype=torch.float32)
    j = lambda n: json.load(open(os.path.join(d, n, "config.json")))

    def weights(n):
        w = {}
        for f in glob.glob(os.path.join(d, n, "*.safetensors")):
            w.update(load_file(f))
        return {k: v.float() for k, v in w.items()}
    c = j("unet")
    unet = UNet(c["block_out_channels"], c["attention_head_dim"], c["layers_per_block"],
                [t.startswith("Cross") for t in c["down_block_types"]], c["cross_attention_dim"], c["in_channels"], c["norm_num_groups"])
    unet.load_state_dict(weights("unet"))
    c = j("vae")
    vae = Vae(c["block_out_channels"], c["layers_per_block"], c["latent_channels"], c["norm_num_groups"])
    vae.load_state_dict(weights("vae"))
    return tok, enc.to(DEVICE).eval(), unet.to(DEVICE).eval(), vae.to(DEVICE).eval(), c["scaling_factor"]


@torch.no_grad()
def make(parts, texts, seeds, steps, guidance, bs=8, size=256):
    tok, enc, unet, vae, scaling = parts
    L = unet.args["latent"]
    out = []
    for k in range(0, len(texts), bs):
        h = enc(input_ids=textenc.ids(tok, list(texts[k:k + bs]) + [""]).to(DEVICE)).last_hidden_state.float()
        z = ddim(unet, h[:-1], h[-1:], steps, guidance, seeds=seeds[k:k + bs],
                 shape=(L, size // vae.factor, size // vae.factor), device=DEVICE, amp=amp)
        with amp():
            x = vae.decode(z / scaling)
        out.extend(to_u8(x))
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--run")
    ap.add_argument("--model")
    ap.add_argument("--captions")
    ap.add_argument("--prompt", action="append")
    ap.add_argument("--out", required=True)
    ap.add_argument("--first", type=int, default=0)
    ap.add_argument("--count", type=int)
    ap.add_argument("--steps", type=int, default=20)
    ap.add_argument("--guidance", type=float, default=4.0)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--sheet", type=int, help="also write sheet.png with this many columns")
    ap.add_argument("--threads", type=int, default=None)
    a = ap.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    parts = from_run(a.run) if a.run else from_folder(a.model)
    if a.captions:
        rows = [json.loads(l) for l in open(a.captions)][a.first:][:a.count]
        texts, seeds = [r["caption"] for r in rows], [r["seed"] for r in rows]
    else:
        texts, seeds = a.prompt, [a.seed + i for i in range(len(a.prompt))]
    os.makedirs(a.out, exist_ok=True)
    t0 = time.time()
    imgs = make(parts, texts, seeds, a.steps, a.guidance)
    print(f"{len(imgs)} pictures, {time.time() - t0:.1f} s")
    for i, im in enumerate(imgs):
        Image.fromarray(im).save(os.path.join(a.out, f"{a.first + i:04d}.png"))
    if a.sheet:
        sheet(imgs, a.sheet, os.path.join(a.out, "sheet.png"))


if __name__ == "__main__":
    main()

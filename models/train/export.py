"""Writes a run as a diffusers-layout folder: fp16 safetensors in shards of at most 16 MiB.

  python export.py --run RUN --out ../tintype-mini
"""
import argparse
import json
import os
import shutil
import sys
import torch
from safetensors.torch import save_file
import textenc
from common import load
from config import CONFIGS, SCHEDULER
from nets import UNet, Vae

LIMIT = 16 * 2 ** 20 - 2 ** 16


def shards(sd, folder, stem):
    os.makedirs(folder, exist_ok=True)
    for f in os.listdir(folder):
        if ".safetensors" in f:
            os.remove(os.path.join(folder, f))
    sd = {k: v.detach().cpu().half().contiguous() for k, v in sd.items()}
    parts, size = [{}], 0
    for k, v in sd.items():
        n = v.numel() * 2
        if size + n > LIMIT and parts[-1]:
            parts.append({})
            size = 0
        parts[-1][k] = v
        size += n
    if len(parts) == 1:
        save_file(parts[0], os.path.join(folder, stem + ".safetensors"), metadata={"format": "pt"})
        return
    index = {}
    for i, p in enumerate(parts):
        name = f"{stem}-{i + 1:05d}-of-{len(parts):05d}.safetensors"
        save_file(p, os.path.join(folder, name), metadata={"format": "pt"})
        index.update({k: name for k in p})
    total = sum(v.numel() * 2 for v in sd.values())
    json.dump({"metadata": {"total_size": total}, "weight_map": index},
              open(os.path.join(folder, stem + ".safetensors.index.json"), "w"), indent=1)


def dump(path, obj):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        json.dump(obj, f, indent=2)
        f.write("\n")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--run", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--config", default="cpu")
    a = ap.parse_args()
    c = CONFIGS[a.config]
    o = lambda *p: os.path.join(a.out, *p)
    r = lambda *p: os.path.join(a.run, *p)
    tok = textenc.get_tokenizer(a.run)
    t = load(r("text.pt"))
    enc = textenc.build(tok, **t["args"])
    enc.load_state_dict(t["model"])
    enc.half().save_pretrained(o("text_encoder"))
    sd = {(k if k.startswith("text_model.") else "text_model." + k): v for k, v in enc.state_dict().items()
          if not k.endswith("position_ids")}
    shards(sd, o("text_encoder"), "model")
    os.makedirs(o("tokenizer"), exist_ok=True)
    tok.save_pretrained(o("tokenizer"))          # tokenizer.json, for fast loaders
    for f in ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copy(r("tokenizer", f), o("tokenizer", f))
    v = load(r("vae.pt"))
    vae = Vae(**v["args"])
    vae.load_state_dict(v["ema"])
    shards(vae.state_dict(), o("vae"), "diffusion_pytorch_model")
    if "scaling" not in v and os.path.exists(r("unet.pt")):
        sys.exit("The encoder has been trained on since the latents were made: run encode.py and what follows it.")
    dump(o("vae", "config.json"), vae.config(round(v.get("scaling", 1.0), 6)))
    if os.path.exists(r("unet.pt")):
        s = load(r("unet.pt"))
        unet = UNet(**s["args"])
        unet.load_state_dict(s["ema"])
    else:
        from train_unet import build
        print("no denoiser yet: writing an untrained one")
        torch.manual_seed(0)
        unet = build(c, enc.config.hidden_size)
    shards(unet.state_dict(), o("unet"), "diffusion_pytorch_model")
    dump(o("unet", "config.json"), unet.config(256 // vae.factor))
    dump(o("scheduler", "scheduler_config.json"), {
        "_class_name": "DDIMScheduler", "_diffusers_version": "0.30.0", **SCHEDULER, "clip_sample": False,
        "set_alpha_to_one": False, "steps_offset": 1, "timestep_spacing": "trailing", "rescale_betas_zero_snr": False,
        "thresholding": False, "trained_betas": None})
    dump(o("model_index.json"), {
        "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.30.0", "feature_extractor": [None, None],
        "image_encoder": [None, None], "requires_safety_checker": False, "safety_checker": [None, None],
        "scheduler": ["diffusers", "DDIMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"]})
    size = sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(a.out) for f in fs if f.endswith(".safetensors"))
    print("weights %.1f MB" % (size / 1e6), "unet", sum(p.numel() for p in unet.parameters()))


if __name__ == "__main__":
    main()

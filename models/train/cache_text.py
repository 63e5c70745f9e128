"""Caches text states: OUT/text_states.npy, float16 [pictures, wordings, 77, D], and OUT/text_empty.npy [77, D].
The text encoder is frozen by then; asking it in every step would cost a tenth of the denoiser's training."""
import argparse
import json
import os
import time
import numpy as np
import torch
import textenc
from captions import caption
from common import DEVICE, amp
from train_unet import load_text


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--wordings", type=int, default=3)
    ap.add_argument("--seed", type=int, default=17)
    a = ap.parse_args()
    tok, enc = load_text(a.out)
    scenes = [json.loads(line) for line in open(os.path.join(a.data, "scenes.jsonl"))]
    rng = np.random.default_rng(a.seed)
    path = os.path.join(a.out, "text_states.npy")
    states = np.lib.format.open_memmap(path + ".tmp", mode="w+", dtype=np.float16,
                                       shape=(len(scenes), a.wordings, 77, enc.config.hidden_size))
    t0 = time.time()

    def ask(texts):
        with torch.no_grad(), amp():
            return enc(input_ids=textenc.ids(tok, texts).to(DEVICE)).last_hidden_state.half().cpu().numpy()
    np.save(os.path.join(a.out, "text_empty.npy"), ask([""])[0])
    for i in range(0, len(scenes), 64):
        part = scenes[i:i + 64]
        h = ask([caption(s, rng)[0] for s in part for _ in range(a.wordings)])
        states[i:i + len(part)] = h.reshape(len(part), a.wordings, *h.shape[1:])
        if i % 2048 == 0:
            print(f"{i}/{len(scenes)}, {time.time() - t0:.0f} s", flush=True)
    states.flush()
    os.replace(path + ".tmp", path)


if __name__ == "__main__":
    main()

"""Takes the text encoder of an exported folder over into a run: RUN/text.pt and RUN/tokenizer."""
import argparse
import os
import shutil
from transformers import CLIPTextModel
import torch
from common import save


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--model", required=True)
    ap.add_argument("--out", required=True)
    a = ap.parse_args()
    shutil.copytree(os.path.join(a.model, "tokenizer"), os.path.join(a.out, "tokenizer"), dirs_exist_ok=True)
    enc = CLIPTextModel.from_pretrained(os.path.join(a.model, "text_encoder"), dtype=torch.float32)
    c = enc.config
    save(os.path.join(a.out, "text.pt"), dict(model=enc.state_dict(), step=0, args=dict(
        hidden_size=c.hidden_size, layers=c.num_hidden_layers, heads=c.num_attention_heads)))


if __name__ == "__main__":
    main()

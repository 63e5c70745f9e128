"""The text encoder: CLIP's text model at a small size, and its tokenizer."""
import os
import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer
import tokenizer as tk


def get_tokenizer(out):
    d = os.path.join(out, "tokenizer")
    if not os.path.exists(os.path.join(d, "vocab.json")):
        tk.build(d)
    return CLIPTokenizer.from_pretrained(d)


def build(tok, hidden_size, layers, heads):
    cfg = CLIPTextConfig(
        vocab_size=len(tok), hidden_size=hidden_size, intermediate_size=hidden_size * 4, projection_dim=hidden_size,
        num_hidden_layers=layers, num_attention_heads=heads, max_position_embeddings=77, hidden_act="quick_gelu",
        bos_token_id=tok.bos_token_id, eos_token_id=tok.eos_token_id, pad_token_id=tok.pad_token_id,
        attn_implementation="sdpa")
    return CLIPTextModel(cfg)


def ids(tok, texts, n=77):
    return tok(list(texts), padding="max_length", max_length=n, truncation=True, return_tensors="pt").input_ids

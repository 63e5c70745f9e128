"""Builds a CLIP-format byte-pair vocabulary in which every known word is one token; other words fall to their pieces."""
import json
import os
import sys
from collections import Counter
from captions import all_words


def bytes_to_unicode():
    bs = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    cs = bs[:]
    n = 0
    for b in range(256):
        if b not in bs:
            bs.append(b)
            cs.append(256 + n)
            n += 1
    return [chr(c) for c in cs]


def train(words):
    seqs = [list(w[:-1]) + [w[-1] + "</w>"] for w in words]
    merges = []
    while True:
        cnt = Counter(p for s in seqs for p in zip(s, s[1:]))
        if not cnt:
            return merges
        a, b = min(cnt, key=lambda p: (-cnt[p], p))
        merges.append((a, b))
        for s in seqs:
            i = 0
            while i < len(s) - 1:
                if s[i] == a and s[i + 1] == b:
                    s[i:i + 2] = [a + b]
                i += 1


def build(out):
    os.makedirs(out, exist_ok=True)
    merges = train(all_words())
    base = bytes_to_unicode()
    toks = base + [b + "</w>" for b in base] + [a + b for a, b in merges]
    toks += ["<|startoftext|>", "<|endoftext|>"]
    assert len(set(toks)) == len(toks)
    vocab = {t: i for i, t in enumerate(toks)}
    json.dump(vocab, open(os.path.join(out, "vocab.json"), "w"), ensure_ascii=False)
    with open(os.path.join(out, "merges.txt"), "w") as f:
        f.write("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    sp = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    json.dump({**sp, "add_prefix_space": False, "do_lower_case": True, "errors": "replace", "model_max_length": 77,
               "tokenizer_class": "CLIPTokenizer"}, open(os.path.join(out, "tokenizer_config.json"), "w"), indent=2)
    json.dump(sp, open(os.path.join(out, "special_tokens_map.json"), "w"), indent=2)
    return len(vocab)


if __name__ == "__main__":
    print("vocabulary", build(sys.argv[1]))

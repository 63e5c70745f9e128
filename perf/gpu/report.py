"""Puts what the stages of perf/gpu/run wrote into gpu.json and prints a table."""
import csv
import json
import os
import sys


def read(folder, name):
    try:
        with open(os.path.join(folder, name)) as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def main():
    folder = sys.argv[1]
    peers = read(folder, "peers.json")
    vae = read(folder, "vae.json")
    try:
        with open(os.path.join(folder, "card.csv")) as file:
            card = [value.strip() for value in list(csv.reader(file))[1]]
    except (OSError, IndexError):
        card = [None] * 5
    golden = {}
    for precision in ("fp32", "fp16", "bf16"):
        found = read(folder, f"golden-{precision}.json")
        golden[precision] = {"passed": found.get("passed"), "failed": found.get("failed")}
    result = {
        "gpu": card[0],
        "driver": card[1],
        "clocks": {"sm": card[2], "memory": card[3]},
        "cudnn": peers.get("cudnn"),
        "torch": peers.get("torch"),
        "matmul_bf16_tflops": peers.get("matmul_bf16_tflops"),
        "golden": golden,
        "sanitizer_errors": read(folder, "sanitizer.json").get("errors"),
    }
    cold = java = None
    for model in ("sd15", "sdxl"):
        mine = read(folder, f"{model}.json")
        table = {}
        for batch in sorted({*mine.get("batches", {}), *peers.get(model, {})}, key=int):
            ours, theirs = mine.get("batches", {}).get(batch, {}), peers.get(model, {}).get(batch, {})
            step = min((v for v in (ours.get("eager_ms"), ours.get("graph_ms")) if v), default=None)
            decode = vae.get("sizes", {}).get("512" if model == "sd15" else "1024")
            images = int(batch) * 1000 / (20 * step + int(batch) * decode) if step and decode else None
            table[batch] = {
                "tintype_ms_step": step,
                "tintype_launched_ms_step": ours.get("eager_ms"),
                "tintype_graph_ms_step": ours.get("graph_ms"),
                "eager_ms_step": theirs.get("eager_ms_step"),
                "compile_ms_step": theirs.get("compile_ms_step"),
                "tintype_images_s": images,
            }
        result[model] = table
        result[f"{model}_parity"] = mine.get("parity")
        result[f"{model}_fused"] = read(folder, f"{model}-fused.json").get("batches")
        if model == "sd15":
            cold = mine.get("cold_start_s")
            first = table.get("1", {})
            if first.get("tintype_launched_ms_step") and first.get("tintype_graph_ms_step"):
                java = 1 - first["tintype_graph_ms_step"] / first["tintype_launched_ms_step"]
    step = result["sdxl"].get("1", {}).get("tintype_ms_step")
    decode = vae.get("sizes", {}).get("1024")
    result["sdxl_30_steps_s"] = (30 * step + decode) / 1000 if step and decode else None
    result["sdxl_30_steps_method"] = "30 x the measured step + the measured decode; text encoders not included"
    result["vae512_ms"] = vae.get("sizes", {}).get("512")
    result["vae1024_ms"] = decode
    result["vae_eager_ms"] = {size: peers.get(f"vae{size}_eager_ms") for size in ("512", "1024")}
    result["vae_parity"] = vae.get("parity")
    result["java_share"] = java
    result["java_share_method"] = "1 - replayed graph / launched from Java, SD1.5 batch 1"
    result["cold_start_s"] = cold
    with open(os.path.join(folder, "gpu.json"), "w") as file:
        json.dump(result, file, indent=2)
        file.write("\n")

    show = lambda value: "      -" if value is None else f"{value:7.2f}"
    print(f"\n{result['gpu']}, driver {result['driver']}, matmul {show(result['matmul_bf16_tflops'])} TFLOP/s")
    print("golden", {key: f"{value['passed']} passed, {value['failed']} failed" for key, value in golden.items()}, "sanitizer errors", result["sanitizer_errors"])
    print("model batch  launched    graph    eager  compile   ms per step with guidance")
    for model in ("sd15", "sdxl"):
        for batch, row in result[model].items():
            print(model, f"{batch:>6}", *(f" {show(row[key])}" for key in ("tintype_launched_ms_step", "tintype_graph_ms_step", "eager_ms_step", "compile_ms_step")))
        print("  parity", result[f"{model}_parity"], "cuDNN fused", result[f"{model}_fused"])
    print("vae 512", show(result["vae512_ms"]), "1024", show(result["vae1024_ms"]), "ms; eager", result["vae_eager_ms"], "parity", result["vae_parity"])


if __name__ == "__main__":
    main()

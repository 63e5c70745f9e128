"""What Tintype is compared with, in the same run on the same card: the matrix product's ceiling, and diffusers eager and compiled.

Makes random fp16 checkpoints as diffusers saves them, times one UNet step with guidance, and writes inputs and outputs beside the weights
(parity.safetensors), in fp16 and in fp32, so that Tintype's error can stand beside diffusers' own.
"""
import argparse
import json
import os
import statistics
import time

import torch

WARMUP = 3
REPEATS = 20


def milliseconds(run):
    """Median of many, by events, after a warm-up."""
    for _ in range(WARMUP):
        run()
    times = []
    for _ in range(REPEATS):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        run()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end))
    return statistics.median(times)


def ceiling():
    a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    return 2 * 8192**3 / milliseconds(lambda: a @ b) / 1e9


def unet_inputs(config, rows, dtype):
    size = config["sample_size"]
    generator = torch.Generator("cuda").manual_seed(7)
    random = lambda *shape: torch.randn(*shape, generator=generator, device="cuda", dtype=dtype)
    added = None
    if config.get("addition_embed_type"):
        pooled = config["projection_class_embeddings_input_dim"] - 6 * config["addition_time_embed_dim"]
        ids = torch.tensor([[8.0 * size, 8.0 * size, 0, 0, 8.0 * size, 8.0 * size]] * rows, device="cuda", dtype=dtype)
        added = {"text_embeds": random(rows, pooled), "time_ids": ids}
    return {
        "sample": random(rows, config["in_channels"], size, size),
        "timestep": torch.full((rows,), 481.0, device="cuda"),
        "encoder_hidden_states": random(rows, 77, config["cross_attention_dim"]),
        "added_cond_kwargs": added,
    }


def save_parity(folder, inputs, output16, output32):
    from safetensors.torch import save_file

    tensors = {key: value.float() for key, value in inputs.items() if torch.is_tensor(value)}
    for key, value in (inputs.get("added_cond_kwargs") or {}).items():
        tensors[key] = value.float()
    tensors["output16"], tensors["output32"] = output16.float(), output32.float()
    save_file({key: value.contiguous().cpu() for key, value in tensors.items()}, os.path.join(folder, "parity.safetensors"))


@torch.no_grad()
def unet(name, arguments, results, deadline):
    from diffusers import UNet2DConditionModel

    with open(os.path.join(arguments.configs, f"{name}-unet", "config.json")) as file:
        config = json.load(file)
    torch.manual_seed(0)
    folder = os.path.join(arguments.work, "models", f"{name}-unet")
    model = UNet2DConditionModel.from_config(config).half().eval()
    model.save_pretrained(folder, safe_serialization=True)
    model = model.cuda().to(memory_format=torch.channels_last)
    inputs = unet_inputs(config, 2, torch.float16)
    output16 = model(**inputs).sample
    wide = {k: v.float() if torch.is_tensor(v) else v for k, v in inputs.items()}
    if wide["added_cond_kwargs"]:
        wide["added_cond_kwargs"] = {k: v.float() for k, v in wide["added_cond_kwargs"].items()}
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    output32 = model.float()(**wide).sample
    save_parity(folder, inputs, output16, output32)
    model = model.half()
    mine = results.setdefault(name, {})
    for batch in arguments.batches:
        rows = unet_inputs(config, 2 * batch, torch.float16)
        mine.setdefault(str(batch), {})["eager_ms_step"] = milliseconds(lambda: model(**rows))
        print(name, batch, mine[str(batch)], flush=True)
    compiled = torch.compile(model, mode=arguments.compile, fullgraph=True)
    for batch in arguments.batches:
        if time.time() > deadline:
            print(name, batch, "not compiled: out of time", flush=True)
            continue
        rows = unet_inputs(config, 2 * batch, torch.float16)
        mine[str(batch)]["compile_ms_step"] = milliseconds(lambda: compiled(**rows))
        print(name, batch, mine[str(batch)], flush=True)


@torch.no_grad()
def vae(arguments, results):
    from diffusers import AutoencoderKL

    with open(os.path.join(arguments.configs, "vae", "config.json")) as file:
        config = json.load(file)
    torch.manual_seed(0)
    folder = os.path.join(arguments.work, "models", "vae")
    model = AutoencoderKL.from_config(config).half().eval()
    model.save_pretrained(folder, safe_serialization=True)
    model = model.cuda().to(memory_format=torch.channels_last)
    latent = torch.randn(1, 4, 64, 64, device="cuda", dtype=torch.float16)
    output16 = model.decode(latent).sample
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    output32 = model.float().decode(latent.float()).sample
    save_parity(folder, {"sample": latent}, output16, output32)
    model = model.half()
    for size in (512, 1024):
        latent = torch.randn(1, 4, size // 8, size // 8, device="cuda", dtype=torch.float16)
        results[f"vae{size}_eager_ms"] = milliseconds(lambda: model.decode(latent))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--configs")
    parser.add_argument("--batches", default="1 4", type=lambda text: [int(word) for word in text.split()])
    parser.add_argument("--models", default="sd15 sdxl", type=str.split)
    parser.add_argument("--compile", default="max-autotune")
    parser.add_argument("--seconds", default=380, type=int)
    arguments = parser.parse_args()
    deadline = time.time() + arguments.seconds / 2
    results = {"matmul_bf16_tflops": ceiling(), "torch": torch.__version__, "cudnn": torch.backends.cudnn.version(), "gpu": torch.cuda.get_device_name()}

    def write():
        with open(os.path.join(arguments.out, "peers.json"), "w") as file:
            json.dump(results, file, indent=2)

    write()
    if arguments.configs:
        # After each part, so that a part that runs out of time costs only itself.
        vae(arguments, results)
        write()
        for name in arguments.models:
            unet(name, arguments, results, deadline)
            write()
            torch._dynamo.reset()
            torch.cuda.empty_cache()


if __name__ == "__main__":
    main()

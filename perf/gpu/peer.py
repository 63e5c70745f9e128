"""What Tintype is compared with, in the same run on the same card: the matrix product's ceiling, and diffusers eager and compiled.

    peer.py weights   random fp16 checkpoints as diffusers saves them, and what PyTorch makes of them: inputs and outputs in fp16 and in fp32, beside
                      the weights (parity.safetensors), so that Tintype's error can stand beside diffusers' own. With sd15, VAE, text encoder and the
                      ceiling too.
    peer.py eager     milliseconds of one UNet step with guidance, and of one decode
    peer.py compile   the same through torch.compile

Each writes its own JSON after every number. Without diffusers, weights measures the ceiling only and the others fail.
"""
import argparse
import json
import os
import statistics
import time

import torch

WARMUP = 3
REPEATS = 20
CUDA = torch.cuda.is_available()
DEVICE = "cuda" if CUDA else "cpu"
# The dry runs without a GPU: their times mean nothing. Plain Java is compared in fp32, our kernels on the emulated GPU in fp16.
HALF = torch.float16 if CUDA or os.environ.get("smi") == "emulated" else torch.float32


def synchronize():
    if CUDA:
        torch.cuda.synchronize()


def milliseconds(run, warmup=WARMUP):
    """Median of many, by the clock around work and wait, as Tintype is timed."""
    for _ in range(warmup):
        run()
    times = []
    for _ in range(REPEATS if CUDA else 2):
        synchronize()
        begun = time.perf_counter()
        run()
        synchronize()
        times.append(1000 * (time.perf_counter() - begun))
    return statistics.median(times)


def ceiling():
    size = 8192 if CUDA else 256
    a, b = (torch.randn(size, size, device=DEVICE, dtype=torch.bfloat16) for _ in range(2))
    return 2 * size**3 / milliseconds(lambda: a @ b) / 1e9


def config(arguments, name):
    with open(os.path.join(arguments.configs, name, "config.json")) as file:
        return json.load(file)


def unet_inputs(config, rows, dtype):
    size = config["sample_size"]
    generator = torch.Generator(DEVICE).manual_seed(7)
    random = lambda *shape: torch.randn(*shape, generator=generator, device=DEVICE, dtype=dtype)
    added = None
    if config.get("addition_embed_type"):
        pooled = config["projection_class_embeddings_input_dim"] - 6 * config["addition_time_embed_dim"]
        ids = torch.tensor([[8.0 * size, 8.0 * size, 0, 0, 8.0 * size, 8.0 * size]] * rows, device=DEVICE, dtype=dtype)
        added = {"text_embeds": random(rows, pooled), "time_ids": ids}
    return {
        "sample": random(rows, config["in_channels"], size, size),
        "timestep": torch.full((rows,), 481.0, device=DEVICE),
        "encoder_hidden_states": random(rows, 77, config["cross_attention_dim"]),
        "added_cond_kwargs": added,
    }


def save_parity(folder, inputs, output16, output32, **more):
    """More: further outputs, such as pooled16 beside pooled32."""
    from safetensors.torch import save_file

    tensors = {key: value.float() for key, value in inputs.items() if torch.is_tensor(value)}
    for key, value in (inputs.get("added_cond_kwargs") or {}).items():
        tensors[key] = value.float()
    for key, value in {"output16": output16, "output32": output32, **more}.items():
        tensors[key] = value.float()
    save_file({key: value.contiguous().cpu() for key, value in tensors.items()}, os.path.join(folder, "parity.safetensors"))


def random_model(kind, config, seed=0):
    torch.manual_seed(seed)
    # Drawn on the card: seconds instead of minutes.
    with torch.device(DEVICE):
        model = kind.from_config(config) if hasattr(kind, "from_config") else kind(config)
    return model.to(HALF).eval()


def unet_weights(name, arguments):
    from diffusers import UNet2DConditionModel

    settings = config(arguments, f"{name}-unet")
    folder = os.path.join(arguments.models, f"{name}-unet")
    model = random_model(UNet2DConditionModel, settings)
    model.save_pretrained(folder, safe_serialization=True)
    inputs = unet_inputs(settings, 2, HALF)
    output16 = model(**inputs).sample
    wide = {k: v.float() if torch.is_tensor(v) else v for k, v in inputs.items()}
    if wide["added_cond_kwargs"]:
        wide["added_cond_kwargs"] = {k: v.float() for k, v in wide["added_cond_kwargs"].items()}
    output32 = model.float()(**wide).sample
    save_parity(folder, inputs, output16, output32)


def vae_weights(arguments):
    from diffusers import AutoencoderKL

    settings = config(arguments, "vae")
    folder = os.path.join(arguments.models, "vae")
    model = random_model(AutoencoderKL, settings)
    model.save_pretrained(folder, safe_serialization=True)
    size = settings["sample_size"] // 8
    latent = torch.randn(1, 4, size, size, device=DEVICE, dtype=HALF)
    output16 = model.decode(latent).sample
    output32 = model.float().decode(latent.float()).sample
    save_parity(folder, {"sample": latent}, output16, output32)


def text_weights(arguments, name, folder):
    """A text encoder: its last states; of one with a projection, as SDXL's second, what SDXL takes: the states before the last layer, and the pooled text."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    settings = CLIPTextConfig(**config(arguments, name))
    projected = "CLIPTextModelWithProjection" in (settings.architectures or [])
    model = random_model(CLIPTextModelWithProjection if projected else CLIPTextModel, settings)
    model.save_pretrained(folder, safe_serialization=True)
    ids = torch.randint(1, settings.vocab_size - 2, (2, settings.max_position_embeddings), device=DEVICE)
    ids[:, 20:] = settings.eos_token_id
    if not projected:
        output16 = model(input_ids=ids).last_hidden_state
        save_parity(folder, {"input_ids": ids}, output16, model.float()(input_ids=ids).last_hidden_state)
        return
    half = model(input_ids=ids, output_hidden_states=True)
    wide = model.float()(input_ids=ids, output_hidden_states=True)
    pooled = {"pooled16": half.text_embeds, "pooled32": wide.text_embeds}
    save_parity(folder, {"input_ids": ids}, half.hidden_states[-2], wide.hidden_states[-2], **pooled)


def pipeline(arguments, name, golden, encoders):
    """A whole model folder around the UNet and VAE made above, with text encoders of the published sizes, laid out as that golden model is."""
    golden = os.path.join(arguments.golden, "models", golden)
    folder = os.path.join(arguments.models, name)
    os.makedirs(folder, exist_ok=True)
    for part, settings in encoders.items():
        text_weights(arguments, settings, os.path.join(folder, part))
        link(os.path.join(arguments.golden, "models", "clip-tokenizer"), os.path.join(folder, part.replace("text_encoder", "tokenizer")))
    for part, target in (("unet", f"{name}-unet"), ("vae", "vae")):
        link(os.path.join(arguments.models, target), os.path.join(folder, part))
    for part in ("scheduler", "model_index.json"):
        link(os.path.join(golden, part), os.path.join(folder, part))


def link(target, name):
    """May be there already, from a run that was cut short."""
    if os.path.lexists(name):
        os.remove(name)
    os.symlink(target, name)


@torch.no_grad()
def weights(arguments, results, write):
    for name in arguments.names:
        if name == "sd15":
            results["matmul_bf16_tflops"] = ceiling()
            write()
            vae_weights(arguments)
        unet_weights(name, arguments)
        if name == "sd15":
            pipeline(arguments, name, "sd-tiny", {"text_encoder": "clip-l"})
        if name == "sdxl":
            if not os.path.isdir(os.path.join(arguments.models, "vae")):
                vae_weights(arguments)
            pipeline(arguments, name, "sdxl-tiny", {"text_encoder": "clip-l", "text_encoder_2": "clip-bigg"})
        print(name, "weights made", flush=True)
        if CUDA:
            torch.cuda.empty_cache()


def load(kind, arguments, name):
    """The weights made before or, where there are none, others."""
    folder = os.path.join(arguments.models, name)
    made = os.path.exists(os.path.join(folder, "config.json"))
    model = kind.from_pretrained(folder, torch_dtype=HALF).to(DEVICE).eval() if made else random_model(kind, config(arguments, name))
    return model.to(memory_format=torch.channels_last)


@torch.no_grad()
def eager(arguments, results, write):
    from diffusers import AutoencoderKL, UNet2DConditionModel

    for name in arguments.names:
        settings = config(arguments, f"{name}-unet")
        model = load(UNet2DConditionModel, arguments, f"{name}-unet")
        for batch in arguments.batches:
            rows = unet_inputs(settings, 2 * batch, HALF)
            results.setdefault(name, {}).setdefault(str(batch), {})["eager_ms_step"] = milliseconds(lambda: model(**rows))
            print(name, batch, results[name][str(batch)], flush=True)
            write()
        del model
    if "sd15" not in arguments.names:
        return
    model = load(AutoencoderKL, arguments, "vae")
    for size in (512, 1024) if CUDA else (64,):
        latent = torch.randn(1, 4, size // 8, size // 8, device=DEVICE, dtype=HALF)
        results[f"vae{size}_eager_ms"] = milliseconds(lambda: model.decode(latent))
        write()


@torch.no_grad()
def compiled(arguments, results, write):
    from diffusers import UNet2DConditionModel

    for name in arguments.names:
        settings = config(arguments, f"{name}-unet")
        model = load(UNet2DConditionModel, arguments, f"{name}-unet")
        fast = torch.compile(model, mode=arguments.mode, fullgraph=True)
        for batch in arguments.batches:
            rows = unet_inputs(settings, 2 * batch, HALF)
            begun = time.time()
            fast(**rows)
            synchronize()
            print(name, batch, arguments.mode, "compiled in", round(time.time() - begun), "s", flush=True)
            results.setdefault(name, {}).setdefault(str(batch), {})[arguments.mode] = milliseconds(lambda: fast(**rows))
            print(name, batch, results[name][str(batch)], flush=True)
            write()


def main():
    words = lambda text: text.split()
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["weights", "eager", "compile"])
    parser.add_argument("--out", required=True)
    parser.add_argument("--models", required=True, help="folder for the checkpoints")
    parser.add_argument("--configs", required=True)
    parser.add_argument("--golden", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
    parser.add_argument("--batches", default="1 4", type=lambda text: [int(word) for word in text.split()])
    parser.add_argument("--names", default="sd15 sdxl", type=words)
    parser.add_argument("--mode", default="max-autotune")
    arguments = parser.parse_args()
    arguments.golden = os.path.realpath(arguments.golden)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    results = {"torch": torch.__version__, "cudnn": torch.backends.cudnn.version()}
    if CUDA:
        results["gpu"] = torch.cuda.get_device_name()
    name = f"peer-{arguments.what}-{arguments.mode}.json" if arguments.what == "compile" else f"peer-{arguments.what}.json"

    def write():
        path = os.path.join(arguments.out, name)
        with open(path + ".part", "w") as file:
            json.dump(results, file, indent=2)
        os.replace(path + ".part", path)

    # A run before may have had other models or batches.
    try:
        with open(os.path.join(arguments.out, name)) as file:
            results = {**json.load(file), **results}
    except (OSError, ValueError):
        pass
    write()
    {"weights": weights, "eager": eager, "compile": compiled}[arguments.what](arguments, results, write)


if __name__ == "__main__":
    main()

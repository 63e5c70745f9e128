"""The engine against PyTorch on the CPU: one model folder, one machine, one run, taking turns. See README.md."""
import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
# The PyTorch networks with diffusers' key names are the ones the model that ships is trained with.
sys.path.insert(0, os.path.join(ROOT, "models", "train"))

try:
    import numpy as np
    import safetensors.torch
    import torch
except ImportError as e:
    sys.exit(f"{e}: set PYTHON to a Python with torch, numpy and safetensors")
import nets

TIMESTEP = 499
SD15_UNET = dict(block_out_channels=[320, 640, 1280, 1280], heads=[8, 8, 8, 8], layers_per_block=2,
                 attn=[True, True, True, False], ctx=768, latent=4, groups=32)
SD15_VAE = dict(block_out_channels=[128, 256, 512, 512], layers_per_block=2, latent_channels=4, norm_num_groups=32)


def build(folder):
    """The networks of a diffusers-layout folder, in float32."""
    with open(os.path.join(folder, "unet", "config.json")) as f:
        c = json.load(f)
    n = len(c["block_out_channels"])
    heads = c["attention_head_dim"]
    unet = nets.UNet(c["block_out_channels"], heads if isinstance(heads, list) else [heads] * n, c["layers_per_block"],
                     [t.startswith("CrossAttn") for t in c["down_block_types"]], c["cross_attention_dim"],
                     c["in_channels"], c["norm_num_groups"])
    with open(os.path.join(folder, "vae", "config.json")) as f:
        v = json.load(f)
    vae = nets.Vae(v["block_out_channels"], v["layers_per_block"], v["latent_channels"], v["norm_num_groups"])
    for part, net in (("unet", unet), ("vae", vae)):
        state = {}
        for name in sorted(os.listdir(os.path.join(folder, part))):
            if name.endswith(".safetensors"):
                state.update(safetensors.torch.load_file(os.path.join(folder, part, name)))
        net.load_state_dict({k: t.float() for k, t in state.items()})
        net.eval()
    return unet, vae, c


def random_sd15(folder):
    """A folder of Stable Diffusion 1.5's size with random weights; speed does not depend on their values."""
    torch.manual_seed(0)
    for part, make in (("unet", lambda: nets.UNet(**SD15_UNET)), ("vae", lambda: nets.Vae(**SD15_VAE))):
        os.makedirs(os.path.join(folder, part))
        net = make().half()
        config = net.config(64) if part == "unet" else net.config(0.18215)
        with open(os.path.join(folder, part, "config.json"), "w") as f:
            json.dump(config, f)
        safetensors.torch.save_file({k: t.contiguous() for k, t in net.state_dict().items()},
                                    os.path.join(folder, part, "diffusion_pytorch_model.safetensors"))


class Engine:
    """The Java process, one line in, one line out."""

    def __init__(self, model, work, side, tokens, threads, precision, clock):
        command = [os.environ["TINTYPE_JAVA"], "-Xmx4g", "--enable-native-access=ALL-UNNAMED",
                   "--add-modules", "jdk.incubator.vector",
                   f"-Dtintype.bench.cpu={str(clock == 'cpu').lower()}", *os.environ.get("TINTYPE_JAVA_OPTIONS", "").split(),
                   "-cp", os.environ["TINTYPE_CLASSPATH"], "dev.tintype.perf.cpu.CpuBench",
                   model, work, str(side), str(tokens), str(threads), precision]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("ready "):
            sys.exit(f"the engine did not start: {line}")
        self.description = line[6:].strip()

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def seconds(self, work):
        return int(self.ask(work)) / 1e9

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


def timed(f, clock):
    now = time.thread_time if clock == "cpu" else time.perf_counter
    start = now()
    result = f()
    return now() - start, result


def compare(name, folder, side, rounds, warm, threads, precision, clock):
    unet, vae, config = build(folder)
    side = side or config["sample_size"]
    tokens = 77
    generator = torch.Generator().manual_seed(1)
    sample = torch.randn(1, config["in_channels"], side, side, generator=generator)
    text = torch.randn(2, tokens, config["cross_attention_dim"], generator=generator)
    rows = []
    with tempfile.TemporaryDirectory() as work, torch.no_grad():
        sample.permute(0, 2, 3, 1).contiguous().numpy().astype("<f4").tofile(os.path.join(work, "sample.f32"))
        text.numpy().astype("<f4").tofile(os.path.join(work, "text.f32"))
        engine = Engine(folder, work, side, tokens, threads, precision, clock)
        for task in ("step", "forward", "vae"):
            def torch_task(layout):
                x = sample.contiguous(memory_format=layout)
                if task == "vae":
                    return lambda: vae.decode(x)
                n = 2 if task == "step" else 1
                x = x.repeat(n, 1, 1, 1).contiguous(memory_format=layout)
                t = torch.full((n,), TIMESTEP)
                return lambda: unet(x, t, text[:n])

            layouts = {"default": torch.contiguous_format, "channels_last": torch.channels_last}
            times = {"tintype": [], "default": [], "channels_last": []}
            expected = None
            for i in range(warm + rounds):
                for key, layout in layouts.items():
                    (vae if task == "vae" else unet).to(memory_format=layout)
                    seconds, expected = timed(torch_task(layout), clock)
                    times[key].append(seconds)
                times["tintype"].append(engine.seconds(task))
            engine.ask("write")
            found = np.fromfile(os.path.join(work, "result.f32"), "<f4")
            wanted = expected.permute(0, 2, 3, 1).contiguous().numpy().ravel()
            error = float(np.abs(found - wanted).max() / max(1e-9, np.abs(wanted).max()))
            medians = {k: statistics.median(v[warm:]) * 1e3 for k, v in times.items()}
            best = min(("default", "channels_last"), key=medians.get)
            # Turn by turn, so that what else the machine does at a time hits both.
            ratio = statistics.median(a / b for a, b in zip(times[best][warm:], times["tintype"][warm:]))
            row = {"model": name, "task": task, "side": side * vae.factor, "rounds": rounds, "clock": clock,
                   "pytorch_ms": medians[best], "pytorch_layout": best, "tintype_ms": medians["tintype"],
                   "ratio": ratio, "relative_error": error,
                   "fastest_ms": {k: min(v[warm:]) * 1e3 for k, v in times.items()}, "load": os.getloadavg()[0]}
            rows.append(row)
            print(f"{name:14} {task:8} PyTorch {row['pytorch_ms']:9.1f} ms ({best}), Tintype {row['tintype_ms']:9.1f} ms, "
                  f"{ratio:5.2f}x, error {error:.1e}", flush=True)
        engine.ask("profile")
        description = engine.description
        engine.close()
    return rows, description


def table(rows):
    words = {"step": "UNet step with guidance", "forward": "UNet, one row, text included", "vae": "VAE decode"}
    lines = ["| model | work | PyTorch, ms | Tintype, ms | ratio | largest relative difference |", "|---|---|---|---|---|---|"]
    for r in rows:
        lines.append(f"| {r['model']} {r['side']}x{r['side']} | {words[r['task']]} | {r['pytorch_ms']:.1f} ({r['pytorch_layout']}) | "
                     f"{r['tintype_ms']:.1f} | {r['ratio']:.2f}x | {r['relative_error']:.0e} |")
    return "\n".join(lines)


def cpu_name():
    with open("/proc/cpuinfo") as f:
        return next((line.split(":")[1].strip() for line in f if line.startswith("model name")), platform.machine())


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--model", action="append", help="folder as diffusers writes it, or sd15 (random weights); default: both")
    p.add_argument("--rounds", type=int, default=0, help="turns per piece of work; default 31 for a small model, 5 for sd15")
    p.add_argument("--side", type=int, default=0, help="of the latent; default: what the model is made for")
    p.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("--precision", default="FP32", choices=["FP32", "BF16"], help="of the engine; PyTorch computes in float32")
    p.add_argument("--update", action="store_true", help="write the table to README.md and the JSON to perf/results")
    p.add_argument("--clock", default="wall", choices=["wall", "cpu"],
                   help="cpu: processor time, with one thread; steady on a machine that does other work too")
    a = p.parse_args()
    if a.clock == "cpu":
        a.threads = 1
    torch.set_num_threads(a.threads)
    rows, description = [], ""
    for model in a.model or [os.path.join(ROOT, "models", "tintype-mini"), "sd15"]:
        if model == "sd15":
            with tempfile.TemporaryDirectory() as folder:
                random_sd15(folder)
                more, description = compare("SD1.5 size", folder, a.side, a.rounds or 5, 1, a.threads, a.precision, a.clock)
        else:
            name = os.path.basename(os.path.normpath(model))
            more, description = compare(name, model, a.side, a.rounds or 31, 8, a.threads, a.precision, a.clock)
        rows += more
    result = {"date": datetime.date.today().isoformat(), "cpu": cpu_name(), "threads": a.threads, "engine": description,
              "torch": torch.__version__, "precision": a.precision, "clock": a.clock, "rows": rows}
    print(table(rows))
    if a.update:
        path = os.path.join(ROOT, "perf", "results", f"cpu-{result['date']}.json")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            json.dump(result, f, indent=1)
            f.write("\n")
        readme = os.path.join(HERE, "README.md")
        with open(readme) as f:
            before, _, after = f.read().split("<!-- table -->\n")
        with open(readme, "w") as f:
            f.write(f"{before}<!-- table -->\n{result['date']}, {result['cpu']}, {a.threads} threads, {'processor time' if a.clock == 'cpu' else 'wall clock'}; {description}; "
                    f"PyTorch {torch.__version__}.\n\n{table(rows)}\n<!-- table -->\n{after}")


if __name__ == "__main__":
    main()

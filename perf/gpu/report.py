"""Puts what the stages of perf/gpu/run wrote so far into gpu.json and prints a table. Null: not measured.

    report.py LOGS          all of it
    report.py LOGS beside fp16 bf16   the golden cases in those types only; exit 1 when one is wrong there: over its tolerance and more than twice as
                                      far off as diffusers is in the same type
"""
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


def clocks(folder):
    """Highest clocks, power and temperature seen while the run went on."""
    rows = []
    try:
        with open(os.path.join(folder, "clocks.csv")) as file:
            for line in csv.reader(file):
                try:
                    rows.append([float(value) for value in line])
                except ValueError:
                    continue
    except OSError:
        pass
    rows = [row for row in rows if len(row) == 5]
    if not rows:
        return None
    return dict(zip(("sm_mhz", "memory_mhz", "watts", "celsius", "memory_mib"), (max(column) for column in zip(*rows))))


def merged(folder, model):
    """Batches of the first run and of those with more of them."""
    batches = {}
    for suffix in ("-many", "-more", ""):
        batches.update(read(folder, f"{model}{suffix}.json").get("batches", {}))
    return batches


# Per sample, attention included, counted from the configs; a step with guidance has two samples a picture.
FLOPS = {"sd15": 0.803e12, "sdxl": 6.761e12}


def over8(case):
    return not case["passed"] and not (case["max_abs_error"] <= 8 * case["tolerance"])


# Golden runs that diffusers' own 16 bits are a measure for.
SHORT = ("fp16", "bf16", "fp16-measured")
# The same computation in another order rounds differently; twice as far off is no rounding.
TIMES = 2


def worse(row):
    """Than diffusers is in the same type, or nothing is known of one of them: one tolerance for both types and every case is a rough one."""
    ours, theirs = row["tintype"], row["diffusers"]
    return not (isinstance(ours, (int, float)) and isinstance(theirs, (int, float)) and ours <= TIMES * theirs)


def show_beside(golden_errors, precisions):
    print("largest absolute error of the golden cases, in the tensor that is furthest off, and diffusers' own:", *precisions)
    for name, row in golden_errors.items():
        sides = [f"{(row[p]['tensor'] or '')[:16]:16} {tiny(row[p]['tintype'])} {tiny(row[p]['diffusers'])}" for p in precisions if p in row]
        print(f"  {name:28}", "  ".join(sides))


def least(*values):
    return min((value for value in values if value), default=None)


def tiny(value):
    return f"{value:8.1e}" if isinstance(value, (int, float)) else "       -"


def main():
    folder = sys.argv[1]
    made, eager = read(folder, "peer-weights.json"), read(folder, "peer-eager.json")
    modes = {mode: read(folder, f"peer-compile-{mode}.json") for mode in ("reduce-overhead", "max-autotune")}
    vae, image = read(folder, "vae.json"), read(folder, "image.json")
    deterministic, soak = read(folder, "deterministic.json"), read(folder, "soak.json")
    sizes = vae.get("sizes", {})
    try:
        with open(os.path.join(folder, "card.csv")) as file:
            card = [value.strip() for value in list(csv.reader(file))[1]]
    except (OSError, IndexError):
        card = [None] * 5
    golden, golden_peer, golden_errors = {}, read(folder, "peer-golden.json"), {}
    # The last three are there only where the libraries' runs ended in an error.
    for precision in ("fp32", "fp16", "bf16", "fp16-measured", "fp32-own", "fp16-own", "bf16-own"):
        found = read(folder, f"golden-{precision}.json")
        if not found and precision.endswith("-own"):
            continue
        golden[precision] = {
            "passed": found.get("passed"),
            "failed": found.get("failed"),
            # The tolerance of 16-bit types fits fp16; bf16 keeps three bits less.
            "failed_by_more_than_8_times": sum(over8(case) for case in found["cases"].values()) if "cases" in found else None,
            "failures": [name for name, case in found.get("cases", {}).items() if not case["passed"]],
            "failed_and_worse_than_diffusers": None,
        }
        if precision not in SHORT:
            continue
        for name, case in found.get("cases", {}).items():
            tensor = case.get("tensor")
            golden_errors.setdefault(name, {})[precision] = {
                "tensor": tensor,
                "tintype": case["max_abs_error"],
                "diffusers": golden_peer.get(precision[:4], {}).get(name, {}).get(tensor),
            }
        if golden_peer.get(precision[:4]) and found:
            rows = {name: row[precision] for name, row in golden_errors.items() if precision in row}
            golden[precision]["failed_and_worse_than_diffusers"] = [name for name in golden[precision]["failures"] if worse(rows[name])]
    if sys.argv[2:3] == ["beside"]:
        show_beside(golden_errors, sys.argv[3:])
        wrong = {p: golden[p]["failed_and_worse_than_diffusers"] for p in sys.argv[3:]}
        print("more than", TIMES, "times as far off as diffusers:", {p: "not compared" if names is None else names for p, names in wrong.items()})
        sys.exit(0 if all(names == [] for names in wrong.values()) else 1)
    sanitizer = {tool: read(folder, f"sanitizer-{tool}.json").get("errors") for tool in ("memcheck", "racecheck", "initcheck")}
    counted = [errors for errors in sanitizer.values() if errors is not None]
    result = {
        "gpu": card[0],
        "driver": card[1],
        "clocks_seen": clocks(folder),
        "device": read(folder, "sd15.json").get("device"),
        "cudnn": made.get("cudnn"),
        "torch": made.get("torch"),
        "matmul_bf16_tflops": made.get("matmul_bf16_tflops"),
        "golden": golden,
        "golden_errors": golden_errors,
        "sanitizer_errors": sum(counted) if counted else None,
        "sanitizer": sanitizer,
    }
    for model in ("sd15", "sdxl"):
        ours = merged(folder, model)
        decode = sizes.get("512" if model == "sd15" else "1024")
        table = {}
        for batch in sorted({*ours, *eager.get(model, {})}, key=int):
            mine = ours.get(batch, {})
            compiled = {mode: found.get(model, {}).get(batch, {}).get(mode) for mode, found in modes.items()}
            # What the worker does; launched only where nothing was recorded, and then it says so.
            step = mine.get("graph_ms") or mine.get("eager_ms")
            table[batch] = {
                "tintype_ms_step": step,
                "tintype_step_is": "graph" if mine.get("graph_ms") else "launched",
                "tintype_graph_failure": mine.get("graph_failure"),
                "tintype_launched_ms_step": mine.get("eager_ms"),
                "tintype_graph_ms_step": mine.get("graph_ms"),
                "share_of_matmul_ceiling": 2 * int(batch) * FLOPS[model] / (step * 1e9) / made["matmul_bf16_tflops"]
                if step and made.get("matmul_bf16_tflops")
                else None,
                "eager_ms_step": eager.get(model, {}).get(batch, {}).get("eager_ms_step"),
                "compile_ms_step": least(*compiled.values()),
                "compile_modes": compiled,
                "tintype_images_s": int(batch) * 1000 / (20 * step + int(batch) * decode) if step and decode else None,
            }
        result[model] = table
        result[f"{model}_device"] = read(folder, f"{model}.json").get("device")
        result[f"{model}_parity"] = read(folder, f"{model}.json").get("parity")
        result[f"{model}_bytes_held"] = read(folder, f"{model}.json").get("bytes_held")
    result["sd21_parity"] = read(folder, "sd21.json").get("parity")
    result["sd15_untuned"] = read(folder, "sd15-untuned.json").get("batches")
    step = result["sdxl"].get("1", {}).get("tintype_ms_step")
    result["sdxl_30_steps_s"] = (30 * step + sizes["1024"]) / 1000 if step and sizes.get("1024") else None
    result["sdxl_30_steps_method"] = "30 x the measured step + the measured decode; text encoders not included"
    result["vae512_ms"], result["vae1024_ms"] = sizes.get("512"), sizes.get("1024")
    result["vae_eager_ms"] = {size: eager.get(f"vae{size}_eager_ms") for size in ("512", "1024")}
    result["vae_parity"] = vae.get("parity")
    result["text_parity"] = read(folder, "text.json").get("parity")
    result["text_xl_parity"] = read(folder, "text-xl.json").get("parity")
    result["images"] = image.get("batches")
    result["images_xl"] = read(folder, "image-xl.json").get("batches")
    result["images_deterministic"] = deterministic.get("batches")
    result["deterministic_batch_is_bit_equal"] = deterministic.get("batches_are_bit_equal")
    result["batch_is_bit_equal"] = image.get("batches_are_bit_equal")
    result["soak"] = soak or None
    result["repeats_are_bit_equal"] = image.get("repeats_are_bit_equal")
    whole, alone = (image.get("batches") or {}).get("1", {}), result["sd15"].get("1", {})
    java = None
    if whole.get("step_ms") and alone.get("tintype_graph_ms_step"):
        java = 1 - alone["tintype_graph_ms_step"] / whole["step_ms"]
    result["java_share"] = java
    result["java_share_method"] = "1 - replayed UNet / step of the pipeline, SD1.5 batch 1: guidance and scheduler count as Java's"
    result["cold_start_s"] = image.get("cold_start_s") or read(folder, "sd15.json").get("cold_start_s")
    part = os.path.join(folder, f"gpu.json.{os.getpid()}.part")
    with open(part, "w") as file:
        json.dump(result, file, indent=2)
        file.write("\n")
    os.replace(part, os.path.join(folder, "gpu.json"))

    def show(value):
        return "      -" if value is None else f"{value:7.2f}"

    print(f"\n{result['gpu']}, driver {result['driver']}, matmul {show(result['matmul_bf16_tflops'])} TFLOP/s, {result['clocks_seen']}")
    for precision, found in golden.items():
        print(f"golden {precision}: {found['passed']} passed, {found['failed']} failed, {found['failed_by_more_than_8_times']} by more than 8 times", *found["failures"])
        if found.get("failed_and_worse_than_diffusers") is not None:
            print(f"  of these more than {TIMES} times as far off as diffusers in the same type:", *found["failed_and_worse_than_diffusers"] or ["none"])
    print("sanitizer errors", sanitizer)
    print("model batch launched    graph    eager  compile   ms per step with guidance; images/s in 20 steps; share of the matmul ceiling")
    columns = (
        "tintype_launched_ms_step",
        "tintype_graph_ms_step",
        "eager_ms_step",
        "compile_ms_step",
        "tintype_images_s",
        "share_of_matmul_ceiling",
    )
    for model in ("sd15", "sdxl"):
        for batch, row in result[model].items():
            print(model, f"{batch:>5}", *(f" {show(row[key])}" for key in columns))
            if row["tintype_graph_failure"]:
                print("  NOT RECORDED:", row["tintype_graph_failure"])
        print("  parity", result[f"{model}_parity"], "by", result[f"{model}_device"])
    print("sd21 parity", result["sd21_parity"], "vae parity", result["vae_parity"], "text parity", result["text_parity"], result["text_xl_parity"])
    print("sd15 as the libraries advise, nothing measured:", result["sd15_untuned"])
    print("vae 512", show(result["vae512_ms"]), "1024", show(result["vae1024_ms"]), "ms; eager", result["vae_eager_ms"])
    print("SDXL in 30 steps", show(result["sdxl_30_steps_s"]), "s; java share", show(java), "cold start", show(result["cold_start_s"]), "s")
    for batch, row in (result["images"] or {}).items():
        print("pictures", batch, {key: round(value, 2) for key, value in row.items()})
    for batch, row in (result["images_xl"] or {}).items():
        print("pictures of SDXL", batch, {key: round(value, 2) for key, value in row.items()})
    for batch, row in (result["images_deterministic"] or {}).items():
        print("deterministic", batch, {key: round(value, 2) for key, value in row.items()})
    print("same bits alone and in a batch: deterministic", result["deterministic_batch_is_bit_equal"], "else", result["batch_is_bit_equal"])
    print("soak", result["soak"])
    show_beside(golden_errors, ("fp16", "bf16"))


if __name__ == "__main__":
    main()

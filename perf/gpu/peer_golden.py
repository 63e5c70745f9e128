"""How far diffusers itself is from the golden cases in 16 bits: what Tintype's own error stands beside.

    peer_golden.py GOLDEN OUT.json [fp16 bf16]

Every case is run as it was made, by diffusers and transformers, but with weights and activations of that type, on the GPU where there is one; the
expected values are diffusers' in fp32. OUT.json: {precision: {case: {tensor: largest absolute error}}}. What cannot be compared in that way is left
out: the tokenizer has no numbers, and the upscaler's network is not part of diffusers. A case that fails is reported, and the others go on.
"""
import json
import os
import sys
from contextlib import contextmanager

import torch
from safetensors.torch import load_file

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
TYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


class Case:
    def __init__(self, root, name, dtype):
        folder = os.path.join(root, "cases", name)
        with open(os.path.join(folder, "case.json"), encoding="utf-8") as file:
            self.json = json.load(file)
        self.dtype = dtype
        self.model = os.path.join(root, "models", self.json.get("model", ""))
        self.expected = tensors(os.path.join(folder, "expected.safetensors"))
        self.inputs = {key: self.placed(value) for key, value in tensors(os.path.join(folder, "inputs.safetensors")).items()}

    def placed(self, tensor):
        return tensor.to(DEVICE, self.dtype) if tensor.is_floating_point() else tensor.to(DEVICE)

    def load(self, kind):
        return kind.from_pretrained(self.model, torch_dtype=self.dtype).to(DEVICE).eval()

    def drawn(self):
        """The random tensors of the case, in the order in which the pipeline draws them."""
        keys = sorted((key for key in self.inputs if key.startswith("noise.")), key=lambda key: int(key.split(".")[1]))
        return [self.inputs[key] for key in keys]


def tensors(path):
    return load_file(path) if os.path.exists(path) else {}


@contextmanager
def given(noise):
    """Lets diffusers draw these tensors instead of random ones."""
    noise = iter(noise)

    def draw(shape, *_, **__):
        tensor = next(noise)
        if tuple(tensor.shape) != tuple(shape):
            raise ValueError(f"drawn is {tuple(shape)}, the case has {tuple(tensor.shape)}")
        return tensor

    modules = [module for name, module in list(sys.modules.items()) if name.startswith("diffusers.") and "randn_tensor" in vars(module)]
    real = [module.randn_tensor for module in modules]
    for module in modules:
        module.randn_tensor = draw
    try:
        yield
    finally:
        for module, function in zip(modules, real):
            module.randn_tensor = function


# ---- one function a kind of case; each gives the tensors that the case expects, by their names there


def scheduler(case):
    import diffusers

    settings = case.json
    made = getattr(diffusers, settings["scheduler"])(**settings["config"])
    made.set_timesteps(settings["num_inference_steps"], device=DEVICE)
    sample, result = case.inputs["sample"], {}
    for i, timestep in enumerate(made.timesteps):
        result[f"model_input.{i}"] = made.scale_model_input(sample, timestep)
        with given([case.inputs[f"noise.{i}"]] if f"noise.{i}" in case.inputs else []):
            step = made.step(case.inputs[f"model_output.{i}"], timestep, sample, **settings["step_args"])
        sample = result[f"prev_sample.{i}"] = step.prev_sample
        if getattr(step, "pred_original_sample", None) is not None:
            result[f"pred_original_sample.{i}"] = step.pred_original_sample
    return result


def guidance(case):
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg

    uncond, text = case.inputs["noise_pred_uncond"], case.inputs["noise_pred_text"]
    guided = uncond + case.json["guidance_scale"] * (text - uncond)
    return {"noise_pred": guided, "noise_pred_rescaled": rescale_noise_cfg(guided, text, case.json["guidance_rescale"])}


def text_encoder(case):
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    projected = "text_embeds" in case.expected
    out = case.load(CLIPTextModelWithProjection if projected else CLIPTextModel)(case.inputs["input_ids"], output_hidden_states=True)
    pooled = {"text_embeds": out.text_embeds} if projected else {"pooler_output": out.pooler_output}
    return {"last_hidden_state": out.last_hidden_state, "penultimate_hidden_state": out.hidden_states[-2], **pooled}


def unet(case):
    from diffusers import UNet2DConditionModel

    added = {key: case.inputs[key] for key in ("text_embeds", "time_ids") if key in case.inputs} or None
    model = case.load(UNet2DConditionModel)
    return {"sample": model(case.inputs["sample"], case.inputs["timestep"], case.inputs["encoder_hidden_states"], added_cond_kwargs=added).sample}


def vae(case):
    from diffusers import AutoencoderKL

    model = case.load(AutoencoderKL)
    posterior = model.encode(case.inputs["image"]).latent_dist
    return {"decoded": model.decode(case.inputs["latent"]).sample, "mean": posterior.mean, "logvar": posterior.logvar}


def safety_checker(case):
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker, cosine_distance

    model = case.load(StableDiffusionSafetyChecker)
    embeds = model.visual_projection(model.vision_model(case.inputs["pixel_values"])[1])
    return {
        "image_embeds": embeds,
        "concept_cosine": cosine_distance(embeds, model.concept_embeds),
        "special_care_cosine": cosine_distance(embeds, model.special_care_embeds),
    }


def pipeline(case):
    import diffusers
    from diffusers import DiffusionPipeline

    whole = DiffusionPipeline.from_pretrained(case.model, torch_dtype=case.dtype).to(DEVICE)
    # Still asked for where layers are skipped, and gone from newer text encoders.
    if not hasattr(whole.text_encoder, "text_model"):
        whole.text_encoder.__dict__["text_model"] = whole.text_encoder
    settings, kind, arguments = case.json, case.json["kind"], dict(case.json.get("args", {}))
    arguments.pop("scheduler", None)
    if kind == "txt2img":
        arguments.update(latents=case.inputs["latents"], height=settings["height"], width=settings["width"])
    else:
        wanted = diffusers.StableDiffusionImg2ImgPipeline if kind == "img2img" else diffusers.StableDiffusionInpaintPipeline
        whole = wanted(**whole.components, requires_safety_checker=False)
        arguments.update(image=case.inputs["image"], strength=settings["strength"])
        if kind == "inpaint":
            height, width = case.inputs["image"].shape[2:]
            arguments.update(mask_image=case.inputs["mask"], height=height, width=width)
    whole.set_progress_bar_config(disable=True)
    result = {}

    def keep(_, step, __, values):
        result[f"latents.{step}"] = values["latents"].clone()
        return values

    if kind == "txt2img":
        arguments["callback_on_step_end"] = keep
    if "negative_prompts" in settings:
        arguments["negative_prompt"] = settings["negative_prompts"]
    with given(case.drawn()):
        result["image"] = whole(
            settings["prompts"],
            num_inference_steps=settings["num_inference_steps"],
            guidance_scale=settings["guidance_scale"],
            output_type="pt",
            **arguments,
        ).images
    return result


KINDS = {
    "scheduler": scheduler,
    "guidance": guidance,
    "text_encoder": text_encoder,
    "unet": unet,
    "vae": vae,
    "safety_checker": safety_checker,
    "txt2img": pipeline,
    "img2img": pipeline,
    "inpaint": pipeline,
}


@torch.no_grad()
def errors(case):
    """Largest absolute error of each tensor; of no number, such as a NaN, null."""
    found = {}
    for name, actual in KINDS[case.json["kind"]](case).items():
        if name in case.expected:
            difference = (actual.double().cpu() - case.expected[name].double()).abs()
            # Equal infinities are equal.
            difference[actual.double().cpu() == case.expected[name].double()] = 0
            largest = difference.max().item()
            found[name] = largest if largest == largest else None
    return found


def quiet():
    """Neither progress bars nor advice for each of a hundred loads."""
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()


def main():
    quiet()
    root, out, precisions = sys.argv[1], sys.argv[2], sys.argv[3:] or ["fp16", "bf16"]
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    results, failed = {}, 0
    for precision in precisions:
        results[precision] = {}
        for name in sorted(os.listdir(os.path.join(root, "cases"))):
            case = Case(root, name, TYPES[precision])
            if case.json["kind"] not in KINDS:
                continue
            try:
                results[precision][name] = errors(case)
            except Exception as error:  # one case of diffusers must not end the others
                failed += 1
                print(f"{precision} {name}: {type(error).__name__}: {str(error)[:160]}", flush=True)
        with open(out + ".part", "w") as file:
            json.dump(results, file, indent=2)
        os.replace(out + ".part", out)
        print(f"{precision}: {len(results[precision])} cases", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

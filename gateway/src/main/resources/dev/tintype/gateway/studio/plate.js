// One job on the page: its frames, its progress, its tools.

import { api, events, localUrls, Problem } from "./api.js";

const LIVE = new Set(["queued", "leased", "running"]);
const template = document.getElementById("plate-template");

const seconds = (ms) => (ms < 9_950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`);

/** A <picture> that offers AVIF, then WebP, then JPEG, and falls back to the original when the edge cannot make one. */
export function pictureOf(image, alt, picture = document.createElement("picture")) {
  const source = (type, url) => Object.assign(document.createElement("source"), { type, srcset: url });
  const img = Object.assign(document.createElement("img"), {
    alt,
    width: image.width,
    height: image.height,
    decoding: "async",
    loading: "lazy",
  });
  img.addEventListener(
    "error",
    () => {
      picture.querySelectorAll("source").forEach((one) => one.remove());
      img.src = image.urls.original;
    },
    { once: true },
  );
  picture.replaceChildren(source("image/avif", image.urls.avif), source("image/webp", image.urls.webp), img);
  img.src = image.urls.jpeg;
  return picture;
}

/** The recipe as a body that can be posted again. */
export function recipeBody(recipe, seed = recipe.seed) {
  const body = { ...recipe, seed };
  if (!body.negative_prompt) delete body.negative_prompt;
  for (const name of ["scheduler", "init_image", "strength", "mask"]) if (!body[name]) delete body[name];
  return body;
}

/**
 * A card for a job. `hooks` has open(image, job), reuse(job), vary(image, job), say(text) and trouble(error).
 */
export class Plate {
  constructor(job, hooks) {
    this.hooks = hooks;
    this.element = template.content.firstElementChild.cloneNode(true);
    this.part = (name) => this.element.querySelector(`.${name}`);
    this.stop = new AbortController();
    this.part("reuse").addEventListener("click", () => hooks.reuse(this.job));
    this.part("vary").addEventListener("click", () => hooks.vary(this.job.images[0], this.job));
    this.part("copy").addEventListener("click", () => this.copy());
    this.part("cancel").addEventListener("click", () => this.cancel());
    this.show(job);
    if (LIVE.has(job.state)) this.follow();
  }

  show(job) {
    this.job = job;
    for (const image of job.images) image.urls = localUrls(image.urls);
    const { recipe } = job;
    this.element.classList.toggle("ended", !LIVE.has(job.state));
    this.element.style.setProperty("--shape", `${recipe.width} / ${recipe.height}`);
    this.part("plate-prompt").textContent = recipe.prompt;
    this.part("plate-prompt").title = recipe.prompt;
    this.part("facts").textContent = this.facts();
    this.part("facts").title = Object.entries(job.timings.stages_ms ?? {})
      .map(([stage, ms]) => `${stage} ${seconds(ms)}`)
      .join(", ");
    this.showFrames();
    const live = LIVE.has(job.state);
    this.part("developing").hidden = !live;
    this.part("cancel").hidden = !live;
    this.part("vary").hidden = !job.images.length;
    if (live) this.showProgress();
    this.showError();
  }

  facts() {
    const { recipe, timings } = this.job;
    return [
      recipe.model,
      `${recipe.width} × ${recipe.height}`,
      `seed ${recipe.seed}`,
      `${recipe.steps} steps`,
      `cfg ${recipe.guidance_scale}`,
      recipe.scheduler,
      recipe.init_image ? `${Math.round(recipe.strength * 100)} % anew` : null,
      timings.running_ms === null ? null : seconds(timings.running_ms),
    ]
      .filter(Boolean)
      .join(" · ");
  }

  showFrames() {
    const frames = this.part("frames");
    const { job } = this;
    if (job.images.length) {
      frames.replaceChildren(
        ...job.images.map((image) => {
          const frame = Object.assign(document.createElement("button"), { type: "button", className: "frame" });
          frame.setAttribute("aria-label", `Open picture ${image.index + 1} of ${job.images.length}: ${job.recipe.prompt}`);
          frame.append(pictureOf(image, job.recipe.prompt));
          frame.addEventListener("click", () => this.hooks.open(image, job));
          return frame;
        }),
      );
    } else if (LIVE.has(job.state)) {
      if (frames.childElementCount) return;
      frames.replaceChildren(
        ...Array.from({ length: job.recipe.images }, () =>
          Object.assign(document.createElement("div"), { className: "frame blank" }),
        ),
      );
    } else {
      frames.replaceChildren();
    }
  }

  showProgress() {
    const { state, progress, queue, cancel_requested: canceling } = this.job;
    const bar = this.element.querySelector("progress");
    let text = "Starting";
    if (canceling) text = "Canceling";
    else if (state === "queued") text = queue?.ahead ? `Waiting, ${queue.ahead} ahead` : "Waiting for a worker";
    else if (progress?.step >= progress?.steps) text = "Fixing the picture";
    else if (progress) text = `Step ${progress.step} of ${progress.steps}`;
    this.part("developing-text").textContent = this.lost ? "Connection lost, trying again" : text;
    this.part("developing-time").textContent = seconds(Math.max(0, Date.now() - Date.parse(this.job.created_at)));
    if (progress) bar.value = progress.step / progress.steps;
    else bar.removeAttribute("value");
    bar.setAttribute("aria-label", text);
  }

  showError() {
    const box = this.part("plate-error");
    const { state, error } = this.job;
    const text = {
      failed: error && `${error.message} (${error.code})`,
      dead: error ? `Given up: ${error.message} (${error.code})` : "Given up after several tries.",
      expired: "Its time ran out before it could be painted.",
      canceled: "Canceled.",
    }[state];
    box.hidden = !text;
    box.textContent = text || "";
  }

  async follow() {
    const clock = setInterval(() => this.showProgress(), 500);
    try {
      const trouble = (lost) => {
        this.lost = lost;
        this.showProgress();
      };
      for await (const event of events(this.job.id, this.stop.signal, trouble)) this.take(event);
      if (!this.stop.signal.aborted) this.finish(await api.job(this.job.id));
    } catch (error) {
      if (!this.stop.signal.aborted) this.hooks.trouble(error);
    } finally {
      clearInterval(clock);
    }
  }

  take(event) {
    const { job } = this;
    if (event.type === "queued") Object.assign(job, { state: "queued", progress: null });
    else if (event.type === "leased") Object.assign(job, { state: "leased", progress: null });
    else if (event.type === "started") Object.assign(job, { state: "running", progress: { step: 0, steps: job.recipe.steps } });
    else if (event.type === "progress") job.progress = { step: event.step, steps: event.steps };
    else if (event.type === "cancel_requested") job.cancel_requested = true;
    else if (event.type === "preview") this.preview(event);
    this.showProgress();
  }

  preview(event) {
    const frame = this.part("frames").querySelector(`.blank:nth-child(${(event.index ?? 0) + 1})`);
    if (!frame || !/^image\/(jpeg|png|webp)$/.test(event.media_type)) return;
    const img = frame.firstElementChild ?? frame.appendChild(document.createElement("img"));
    img.alt = "";
    img.src = `data:${event.media_type};base64,${event.base64}`;
  }

  finish(job) {
    this.part("frames").replaceChildren();
    this.show(job);
    this.element.classList.add("fresh");
    const words = { succeeded: "Picture ready", failed: "The job failed", canceled: "Canceled", expired: "The job expired", dead: "The job was given up" };
    this.hooks.say(`${words[job.state] ?? job.state}: ${job.recipe.prompt.slice(0, 80)}`);
  }

  async cancel() {
    const button = this.part("cancel");
    button.disabled = true;
    try {
      this.show(await api.cancel(this.job.id));
    } catch (error) {
      // Too late is not an error to anybody: the picture is there.
      if (!(error instanceof Problem && error.code === "job.ended")) this.hooks.trouble(error);
    } finally {
      button.disabled = false;
    }
  }

  async copy() {
    const text = JSON.stringify(recipeBody(this.job.recipe), null, 2);
    try {
      await navigator.clipboard.writeText(text);
      this.hooks.say("Recipe copied");
      const button = this.part("copy");
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy recipe"), 1_500);
    } catch {
      this.hooks.trouble(new Error("The browser does not allow copying here. Open the page by https or on localhost."));
    }
  }
}

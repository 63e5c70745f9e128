// The page: composer, key, theme, history.

import { api, key, Problem, takeKeyFromLink } from "./api.js";
import { attachHints } from "./hints.js";
import { Plate } from "./plate.js";
import { attachStart, clearStart, startFields, startFrom } from "./start.js";
import { view } from "./viewer.js";

const $ = (id) => document.getElementById(id);
const RATIOS = ["1:1", "3:2", "2:3", "16:9", "9:16"];
const COUNTS = [1, 2, 4];
const THEME_NAME = "tintype.theme";

let models = [];
let older = null;
const plates = new Map();

// ---- words for the user

function say(text) {
  $("status").textContent = text;
}

function trouble(error) {
  const box = $("composer-error");
  box.hidden = !error;
  if (!error) return;
  if (error instanceof Problem && error.status === 401) return askForKey(error.message);
  const wait = error.retryAfter ? ` Try again in ${error.retryAfter} s.` : "";
  const lost = error instanceof TypeError ? "The server cannot be reached. Is it running?" : null;
  box.textContent = lost ?? `${error.message}${wait}${error.code ? ` (${error.code})` : ""}`;
}

const hooks = { open: view, reuse, vary, say, trouble };

// ---- key

function askForKey(reason) {
  $("key-error").hidden = !reason;
  $("key-error").textContent = reason || "";
  $("key-forget").hidden = !key.get();
  $("key").value = "";
  if (!$("key-dialog").open) $("key-dialog").showModal();
}

$("key-open").addEventListener("click", () => askForKey());
$("key-forget").addEventListener("click", () => {
  key.forget();
  plates.forEach((plate) => plate.stop.abort());
  location.reload();
});
$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  key.set($("key").value.trim());
  $("key").value = "";
  $("key-dialog").close();
  start();
});

// ---- composer

function chip(group, name, value, content, checked) {
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), { type: "radio", name, value, checked });
  const span = document.createElement("span");
  span.append(...content);
  label.append(input, span);
  $(group).append(label);
}

function shapeIcon(ratio) {
  const [w, h] = ratio.split(":").map(Number);
  const scale = 13 / Math.max(w, h);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("width", "16");
  svg.setAttribute("height", "16");
  svg.setAttribute("aria-hidden", "true");
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({
    x: 8 - (w * scale) / 2, y: 8 - (h * scale) / 2, width: w * scale, height: h * scale, rx: 1.5,
  })) rect.setAttribute(name, value);
  svg.append(rect);
  return svg;
}

RATIOS.forEach((ratio, i) => chip("ratios", "ratio", ratio, [shapeIcon(ratio), ratio], i === 0));
COUNTS.forEach((count, i) => chip("counts", "count", count, [`×${count}`], i === 0));
attachHints($("prompt"), $("hints"));
attachStart(trouble, (width, height) => choose("ratio", nearestRatio(width, height)));

const chosen = (name) => document.querySelector(`input[name="${name}"]:checked`);
const choose = (name, value) => {
  const input = document.querySelector(`input[name="${name}"][value="${value}"]`);
  if (input) input.checked = true;
};

function bodyOfForm() {
  const body = { prompt: $("prompt").value, aspect_ratio: chosen("ratio").value, images: Number(chosen("count").value) };
  const number = (id, field) => {
    if ($(id).value !== "") body[field] = $(id).valueAsNumber;
  };
  number("steps", "steps");
  number("guidance", "guidance_scale");
  number("seed", "seed");
  if ($("negative").value.trim()) body.negative_prompt = $("negative").value;
  if ($("model").value) body.model = $("model").value;
  // A model named in the prompt brings its own schedulers.
  if ($("scheduler").value && !/(^|\s)(--|—)model\b/.test(body.prompt)) body.scheduler = $("scheduler").value;
  return body;
}

async function submit() {
  if ($("submit").disabled) return;
  trouble(null);
  $("submit").disabled = true;
  const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
  try {
    const body = { ...bodyOfForm(), ...(await startFields()) };
    const job = await api.submit(body, id).catch((error) => {
      if (error instanceof TypeError) return api.submit(body, id);
      throw error;
    });
    add(job, true);
    say("In the queue");
  } catch (error) {
    trouble(error);
  } finally {
    $("submit").disabled = false;
    if (!$("key-dialog").open) $("prompt").focus();
  }
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !document.querySelector("dialog[open]")) {
    event.preventDefault();
    submit();
  }
});

const offBy = (ratio, width, height) => {
  const [w, h] = ratio.split(":").map(Number);
  return Math.abs(Math.log((width / height) * (h / w)));
};
const nearestRatio = (width, height) =>
  RATIOS.reduce((best, ratio) => (offBy(ratio, width, height) < offBy(best, width, height) ? ratio : best));

function reuse(job) {
  const { recipe } = job;
  const divisor = (a, b) => (b ? divisor(b, a % b) : a);
  const d = divisor(recipe.width, recipe.height);
  const exact = `${recipe.width / d}:${recipe.height / d}`;
  // The nearest chip; a shape without a chip goes into the prompt.
  const near = RATIOS.find((ratio) => offBy(ratio, recipe.width, recipe.height) < 0.09);
  $("prompt").value = near ? recipe.prompt : `${recipe.prompt} --ar ${exact}`;
  choose("ratio", near ?? RATIOS[0]);
  choose("count", recipe.images);
  $("model").value = recipe.model;
  modelChanged();
  $("negative").value = recipe.negative_prompt;
  $("steps").value = recipe.steps;
  $("guidance").value = recipe.guidance_scale;
  $("seed").value = recipe.seed;
  if (recipe.scheduler) $("scheduler").value = recipe.scheduler;
  if (recipe.init_image) startFrom({ sha256: recipe.init_image, urls: urlsOf(recipe.init_image) }, recipe);
  else clearStart();
  document.querySelector(".more").open = true;
  toTheComposer();
}

function vary(image, job) {
  reuse(job);
  $("seed").value = "";
  choose("count", 1);
  startFrom(image);
  say("Change the prompt, and how much is made anew");
}

/** Of a picture that one of the plates shows. */
function urlsOf(sha256) {
  for (const { job } of plates.values()) {
    const image = job.images.find((one) => one.sha256 === sha256);
    if (image) return image.urls;
  }
  return null;
}

function toTheComposer() {
  $("prompt").focus();
  scrollTo({ top: 0, behavior: "smooth" });
}

// ---- models

function options(select, names) {
  select.replaceChildren(...names.map((name) => new Option(name, name)));
}

function modelChanged() {
  const model = models.find((one) => one.name === $("model").value) ?? models[0];
  if (!model) return;
  options($("scheduler"), model.schedulers);
  $("scheduler").value = model.defaults.scheduler;
  $("steps").placeholder = model.defaults.steps;
  $("guidance").placeholder = model.defaults.guidance_scale;
  $("model-note").textContent = `${model.description} Paints ${model.size.width} × ${model.size.height} by default, sides from ${model.size.side_min} to ${model.size.side_max}.`;
}

$("model").addEventListener("change", modelChanged);

// ---- history

// Cards have different heights. Each spans as many rows of one pixel as it is high, so that none leaves a hole below it,
// while the order of the list stays that of time.
const GAP_PX = 21;
const heights = new ResizeObserver((entries) => {
  for (const { target, borderBoxSize } of entries) {
    target.style.gridRowEnd = `span ${Math.ceil(borderBoxSize[0].blockSize) + GAP_PX}`;
  }
});

function add(job, first) {
  if (plates.has(job.id)) return;
  const plate = new Plate(job, hooks);
  plates.set(job.id, plate);
  $("plates")[first ? "prepend" : "append"](plate.element);
  heights.observe(plate.element);
  $("empty").hidden = true;
}

async function loadPage() {
  const page = await api.jobs(older);
  page.jobs.forEach((job) => add(job, false));
  older = page.next;
  $("older").hidden = !older;
  $("empty").hidden = plates.size > 0;
}

$("older").addEventListener("click", () => loadPage().catch(trouble));

// ---- theme

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  const light = theme ? theme === "light" : matchMedia("(prefers-color-scheme: light)").matches;
  $("theme").textContent = light ? "Dark" : "Light";
  $("theme").setAttribute("aria-label", light ? "Use dark colours" : "Use light colours");
  $("theme").setAttribute("aria-pressed", String(light));
  return light;
}

setTheme(localStorage.getItem(THEME_NAME));
$("theme").addEventListener("click", () => {
  const next = $("theme").getAttribute("aria-pressed") === "true" ? "dark" : "light";
  localStorage.setItem(THEME_NAME, next);
  setTheme(next);
});

// ---- start

async function start() {
  trouble(null);
  if (!key.get()) return askForKey();
  try {
    models = await api.models();
    options($("model"), models.map((model) => model.name));
    modelChanged();
    await loadPage();
  } catch (error) {
    trouble(error);
  }
}

addEventListener("hashchange", () => takeKeyFromLink() && start());
takeKeyFromLink();
start();

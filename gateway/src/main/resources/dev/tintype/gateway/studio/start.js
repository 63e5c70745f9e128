// The picture to start from: a file, a drop, a paste, or one of the plates; and how much of it is made anew.

import { api } from "./api.js";
import { paintMask } from "./mask.js";

const $ = (id) => document.getElementById(id);
const SIDE_PX_MAX = 2048; // what is larger is scaled down before it is sent

let chosen = null; // { sha256: promise, source: image that can be drawn or null, mask: promise or null }
let complain = () => {};
let shaped = () => {};
let turns = 0; // counts what was taken and let go

const blobOf = (canvas, type, quality) =>
  new Promise((done, fail) => canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("The picture cannot be drawn."))), type, quality));

/** Whatever this browser can read, as PNG or JPEG that the server takes. */
async function fileToSend(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error(`${file.name || "What was pasted"} is not a picture that this browser can read.`);
  }
  const scale = Math.min(1, SIDE_PX_MAX / Math.max(bitmap.width, bitmap.height));
  const canvas = Object.assign(document.createElement("canvas"), {
    width: Math.max(1, Math.round(bitmap.width * scale)),
    height: Math.max(1, Math.round(bitmap.height * scale)),
  });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const type = file.type === "image/png" ? "image/png" : "image/jpeg";
  return { canvas, blob: await blobOf(canvas, type, 0.95) };
}

function show(url, strength) {
  $("start").hidden = !chosen;
  $("start-open").hidden = Boolean(chosen);
  $("start-mask").hidden = !chosen?.source;
  $("start-mask").textContent = chosen?.mask ? "Change the part" : "Only a part";
  if (url !== undefined) $("start-picture").src = url;
  if (strength !== undefined) $("strength").value = strength;
  $("strength-value").textContent = `${Math.round($("strength").value * 100)} %`;
}

async function take(file) {
  const turn = ++turns;
  complain(null);
  try {
    const { canvas, blob } = await fileToSend(file);
    if (turn !== turns) return; // Another one was taken meanwhile.
    const sha256 = api.upload(blob).then((picture) => picture.sha256);
    sha256.catch(() => {}); // told when it is asked for
    chosen = { sha256, source: canvas, mask: null };
    shaped(canvas.width, canvas.height);
    show(canvas.toDataURL("image/jpeg", 0.8), 0.6);
    await sha256;
  } catch (error) {
    if (turn !== turns) return;
    clearStart();
    complain(error);
  }
}

/** Starts from a picture of a job; null where only its name is known. */
export function startFrom(image, { strength = 0.6, mask = null } = {}) {
  turns++;
  const source = image.urls ? Object.assign(new Image(), { src: image.urls.original }) : null;
  chosen = { sha256: Promise.resolve(image.sha256), source, mask: mask ? Promise.resolve(mask) : null };
  show(image.urls?.thumb ?? "/studio/icon.svg", strength);
}

export function clearStart() {
  turns++;
  chosen = null;
  show("/studio/icon.svg");
}

/** The fields of a job's body; waits for what is still on its way to the server. */
export async function startFields() {
  if (!chosen) return {};
  const fields = { init_image: await chosen.sha256, strength: $("strength").valueAsNumber };
  if (chosen.mask) fields.mask = await chosen.mask;
  return fields;
}

async function choosePart() {
  const mine = chosen;
  const { source } = mine;
  try {
    if (source instanceof Image) await source.decode();
    const canvas = await paintMask(source);
    if (!canvas || chosen !== mine) return;
    mine.mask = blobOf(canvas, "image/png").then(api.upload).then((picture) => picture.sha256);
    show(undefined, 1);
    await mine.mask;
  } catch (error) {
    mine.mask = null;
    show();
    complain(error);
  }
}

/**
 * Connects the composer. `trouble` is told what goes wrong, and null when nothing does any more; `shape` the width and
 * height of a picture that was taken.
 */
export function attachStart(trouble, shape) {
  complain = trouble;
  shaped = shape;
  const box = document.querySelector(".prompt-box");
  const pictureOf = (items) => [...(items ?? [])].find((file) => file.type.startsWith("image/"));
  $("start-open").addEventListener("click", () => $("start-file").click());
  $("start-file").addEventListener("change", () => {
    const [file] = $("start-file").files;
    $("start-file").value = "";
    if (file) take(file);
  });
  $("start-clear").addEventListener("click", clearStart);
  $("start-mask").addEventListener("click", choosePart);
  $("strength").addEventListener("input", () => show());
  $("prompt").addEventListener("paste", (event) => {
    const file = pictureOf(event.clipboardData?.files);
    if (!file) return;
    event.preventDefault();
    take(file);
  });
  box.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.items].some((item) => item.kind === "file")) return;
    event.preventDefault();
    box.classList.add("dropping");
  });
  box.addEventListener("dragleave", () => box.classList.remove("dropping"));
  box.addEventListener("drop", (event) => {
    box.classList.remove("dropping");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    const file = pictureOf(event.dataTransfer.files);
    if (file) take(file);
    else trouble(new Error("Only a picture can be dropped here."));
  });
}

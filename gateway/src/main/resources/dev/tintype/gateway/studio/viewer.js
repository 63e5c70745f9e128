// A picture in full size, with the others of its job one key away.

import { pictureOf } from "./plate.js";

const $ = (id) => document.getElementById(id);
const dialog = $("viewer");
let job;
let index = 0;

function show(next) {
  const { images, recipe } = job;
  index = (next + images.length) % images.length;
  const image = images[index];
  pictureOf(image, recipe.prompt, $("viewer-picture"));
  $("viewer-prompt").textContent = recipe.prompt;
  $("viewer-facts").textContent =
    `${image.width} × ${image.height} · seed ${image.seed} · ${recipe.model}` +
    (images.length > 1 ? ` · ${index + 1} of ${images.length}` : "");
  for (const format of ["original", "webp", "avif", "jpeg"]) $(`viewer-${format}`).href = image.urls[format];
  $("viewer-back").hidden = $("viewer-forth").hidden = images.length < 2;
}

/** Opens the viewer at a picture of a job. */
export function view(image, ofJob) {
  job = ofJob;
  show(job.images.indexOf(image));
  dialog.showModal();
}

$("viewer-close").addEventListener("click", () => dialog.close());
$("viewer-back").addEventListener("click", () => show(index - 1));
$("viewer-forth").addEventListener("click", () => show(index + 1));
dialog.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") show(index - 1);
  if (event.key === "ArrowRight") show(index + 1);
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});

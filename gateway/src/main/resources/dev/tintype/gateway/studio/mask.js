// Painting with a brush over the part of a picture that is made anew.

const $ = (id) => document.getElementById(id);
const SIDE_PX_MIN = 512; // of the mask's longer side, so that a small picture can be painted on
const SIDE_PX_MAX = 1024; // the server scales it to the picture's size
const BRUSH_SHARE = { thin: 0.03, middle: 0.08, thick: 0.18 }; // of the longer side

/** The mask as a canvas, white where the brush was, black elsewhere; null where nothing was painted or the dialog was left. */
export function paintMask(source) {
  const width = source.naturalWidth ?? source.width;
  const height = source.naturalHeight ?? source.height;
  const longer = Math.max(width, height);
  const scale = Math.min(SIDE_PX_MAX, Math.max(SIDE_PX_MIN, longer)) / longer;
  const canvas = $("mask-canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const below = $("mask-below");
  below.width = canvas.width;
  below.height = canvas.height;
  below.getContext("2d").drawImage(source, 0, 0, below.width, below.height);
  const brush = canvas.getContext("2d");
  let painted = false;
  let last = null;

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
  };
  const draw = (event) => {
    if (!last) return;
    const next = at(event);
    const size = document.querySelector('input[name="brush"]:checked').value;
    Object.assign(brush, { lineWidth: BRUSH_SHARE[size] * Math.max(canvas.width, canvas.height), lineCap: "round", lineJoin: "round", strokeStyle: "#fff" });
    brush.beginPath();
    brush.moveTo(...last);
    brush.lineTo(...next);
    brush.stroke();
    last = next;
    painted = true;
  };
  const ends = new AbortController();
  const on = (target, name, action) => target.addEventListener(name, action, { signal: ends.signal });
  on(canvas, "pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = at(event);
    draw(event);
  });
  on(canvas, "pointermove", draw);
  for (const name of ["pointerup", "pointercancel"]) on(canvas, name, () => (last = null));
  on($("mask-clear"), "click", () => {
    brush.clearRect(0, 0, canvas.width, canvas.height);
    painted = false;
  });
  $("mask-dialog").returnValue = "";
  $("mask-dialog").showModal();
  return new Promise((done) => {
    on($("mask-dialog"), "close", () => {
      ends.abort();
      if ($("mask-dialog").returnValue !== "done" || !painted) return done(null);
      const mask = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
      const ground = mask.getContext("2d");
      ground.fillStyle = "#000";
      ground.fillRect(0, 0, mask.width, mask.height);
      ground.drawImage(canvas, 0, 0);
      done(mask);
    });
  });
}

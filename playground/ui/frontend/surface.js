// The decision surface: a small picture scaled up, the examples on it, axes around it. One canvas that stays.
// The picture slides into the next one, unless the person asked for less motion.

const SLIDE_MS = 350;
const MARGIN = { left: 34, right: 8, top: 8, bottom: 24 };

export default function ({ data, parentElement }) {
  const state = (parentElement.__surface ??= mount(parentElement));
  // Streamlit may call the cleanup of an older call after a newer one took over: only the newest owner may stop.
  const owner = (state.owner = {});
  show(state, parse(data));
  state.observer.observe(state.canvas);
  return () => {
    if (state.owner !== owner) return;
    cancelAnimationFrame(state.frame);
    state.observer.disconnect();
  };
}

function mount(parent) {
  const canvas = parent.querySelector("canvas");
  const state = { canvas, picture: null, from: null, to: null, frame: 0 };
  state.observer = new ResizeObserver(() => draw(state, 1));
  state.still = window.matchMedia("(prefers-reduced-motion: reduce)");
  return state;
}

function parse(bytes) {
  // The bytes arrive at an odd offset of a larger buffer: DataView reads there, typed arrays would not.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let at = 4 + length;
  const size = header.rows * header.columns * 4;
  const pixels = Uint8ClampedArray.from(bytes.subarray(at, at + size));
  at += size;
  const dots = [];
  for (let k = 0; k < header.dots; k++, at += 6) {
    dots.push({
      x: view.getUint16(at, true) / 65535,
      y: view.getUint16(at + 2, true) / 65535,
      kind: view.getUint8(at + 4),
      heldOut: view.getUint8(at + 5),
    });
  }
  return { header, pixels, dots };
}

function show(state, frame) {
  const shown = state.mixed ?? state.to?.pixels;
  state.from = shown && shown.length === frame.pixels.length ? shown.slice() : null;
  state.to = frame;
  state.canvas.setAttribute("aria-label", frame.header.label);
  cancelAnimationFrame(state.frame);
  if (!state.from || state.still.matches) return draw(state, 1);
  const begun = performance.now();
  const step = (now) => {
    const share = Math.min((now - begun) / SLIDE_MS, 1);
    draw(state, share);
    if (share < 1) state.frame = requestAnimationFrame(step);
  };
  state.frame = requestAnimationFrame(step);
}

function draw(state, share) {
  if (!state.to) return;
  const { canvas } = state;
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width || !height) return;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const box = {
    x: MARGIN.left, y: MARGIN.top,
    width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom,
  };
  const style = getComputedStyle(canvas);
  drawPicture(state, context, box, share);
  drawAxes(state, context, box, style.color);
  drawDots(state, context, box, style.getPropertyValue("--dot-edge").trim() || "#fff");
}

function drawPicture(state, context, box, share) {
  const { header, pixels } = state.to;
  if (!header.rows) return;
  const mixed = (state.mixed = pixels.slice());
  if (state.from && share < 1) {
    for (let k = 0; k < mixed.length; k++) mixed[k] = state.from[k] + (pixels[k] - state.from[k]) * share;
  }
  state.picture ??= document.createElement("canvas");
  state.picture.width = header.columns;
  state.picture.height = header.rows;
  state.picture.getContext("2d").putImageData(new ImageData(mixed, header.columns, header.rows), 0, 0);
  context.save();
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.translate(box.x, box.y + box.height); // row 0 is the lowest
  context.scale(1, -1);
  context.drawImage(state.picture, 0, 0, box.width, box.height);
  context.restore();
}

function drawAxes(state, context, box, color) {
  const [left, right, bottom, top] = state.to.header.extent;
  context.strokeStyle = context.fillStyle = color;
  context.globalAlpha = 0.35;
  context.lineWidth = 1;
  context.strokeRect(box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1);
  context.globalAlpha = 0.85;
  context.font = "11px " + getComputedStyle(state.canvas).fontFamily;
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const value of ticks(left, right)) {
    const x = box.x + ((value - left) / (right - left)) * box.width;
    context.fillText(format(value), x, box.y + box.height + 6);
  }
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const value of ticks(bottom, top)) {
    const y = box.y + box.height - ((value - bottom) / (top - bottom)) * box.height;
    context.fillText(format(value), box.x - 6, y);
  }
  context.font = "italic " + context.font;
  context.fillText("x", box.x + box.width - 4, box.y + box.height - 10);
  context.textAlign = "left";
  context.fillText("y", box.x + 6, box.y + 10);
  context.globalAlpha = 1;
}

function ticks(low, high) {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= rough);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) found.push(k * step);
  return found;
}

function format(value) {
  return String(Math.abs(value) < 1e-9 ? 0 : +value.toPrecision(3)).replace("-", "−");
}

function drawDots(state, context, box, edge) {
  const { header, dots } = state.to;
  const radius = dots.length > 350 ? 2.6 : 3.2;
  context.lineWidth = 1;
  for (const dot of dots) {
    const x = box.x + dot.x * box.width, y = box.y + (1 - dot.y) * box.height;
    context.beginPath();
    // Every second class is square, so that colour is never the only difference.
    if (dot.kind % 2) context.rect(x - radius * 0.9, y - radius * 0.9, radius * 1.8, radius * 1.8);
    else context.arc(x, y, radius, 0, 2 * Math.PI);
    const color = header.colors[dot.kind % header.colors.length];
    context.fillStyle = dot.heldOut ? edge : color;
    context.strokeStyle = dot.heldOut ? color : edge;
    context.fill();
    context.stroke();
  }
}

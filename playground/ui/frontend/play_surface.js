// The large picture: what the network says all over the plane, or one neuron of it; and the examples on it, which have
// a canvas of their own, for they stay while the network learns.

import { classScale, scaleOf } from "./play_colors.js";

const TEST = 2;

// view: { colors, background, discrete, tile: offset of a neuron to show instead, or null }. Gives whether all that is
// shown are numbers; of several classes one tells, for softmax knows no number beside one that is none.
export function drawSurface(canvas, motion, view) {
  const { picture, cells } = motion;
  const side = view.tile === null ? picture.header.surface : picture.header.tile;
  const image = new ImageData(side, side);
  const pixels = new Uint32Array(image.data.buffer);
  const at = view.tile ?? picture.surface[0];
  if (view.tile !== null || picture.surface.length === 1) {
    paint(pixels, cells, at, scaleOf(view.colors, view.background), view.discrete);
  } else {
    paintClasses(pixels, cells, picture.surface, classScale(view.colors, view.background), view.discrete);
  }
  const context = fitted(canvas);
  const width = canvas.clientWidth, height = canvas.clientHeight;
  context.imageSmoothingEnabled = !view.discrete;
  context.imageSmoothingQuality = "high";
  context.save();
  context.translate(0, height); // row 0 is the lowest
  context.scale(1, -1);
  context.drawImage(offscreen(image), 0, 0, width, height);
  context.restore();
  return cells.subarray(at, at + side * side).every((code) => code > 0);
}

export function drawTile(canvas, cells, at, scale, side) {
  const image = new ImageData(side, side);
  paint(new Uint32Array(image.data.buffer), cells, at, scale, false, side);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// side: rows are turned over, for a canvas without a transform begins at the top.
function paint(pixels, cells, at, scale, discrete, side = 0) {
  for (let k = 0; k < pixels.length; k++) {
    const target = side ? (side - 1 - ((k / side) | 0)) * side + (k % side) : k;
    const code = cells[at + k];
    pixels[target] = scale[discrete && code ? (code < 128 ? 1 : 255) : Math.round(code)];
  }
}

function paintClasses(pixels, cells, channels, scales, discrete) {
  for (let k = 0; k < pixels.length; k++) {
    let best = 0;
    for (let c = 1; c < channels.length; c++) if (cells[channels[c] + k] > cells[channels[best] + k]) best = c;
    const code = Math.round(cells[channels[best] + k]);
    pixels[k] = scales[best % scales.length][discrete && code ? 255 : code];
  }
}

export function drawPoints(canvas, [left, right, bottom, top], { points, colors, withTest, edge }) {
  const context = fitted(canvas), width = canvas.clientWidth, height = canvas.clientHeight;
  context.clearRect(0, 0, width, height);
  const radius = points.count > 600 ? 2.2 : 2.8;
  for (let k = 0; k < points.count; k++) {
    const isTest = points.part[k] === TEST;
    if (isTest && !withTest) continue;
    const x = ((points.x[k] - left) / (right - left)) * width, y = ((top - points.y[k]) / (top - bottom)) * height;
    const color = colors.classes[points.kind[k] % colors.classes.length];
    context.beginPath();
    // Every second class is square, so that colour is never the only difference.
    if (points.kind[k] % 2) context.rect(x - 0.9 * radius, y - 0.9 * radius, 1.8 * radius, 1.8 * radius);
    else context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = isTest ? edge : color;
    context.strokeStyle = isTest ? color : edge;
    context.lineWidth = isTest ? 1.4 : 0.8;
    context.fill();
    context.stroke();
  }
}

// The points of a data set, as the picture on its button: coordinates 0–255.
export function drawSet(canvas, set, colors) {
  const context = fitted(canvas), size = canvas.clientWidth;
  context.clearRect(0, 0, size, size);
  for (let k = 0; k < set.count; k++) {
    context.fillStyle = colors.classes[set.classes[k] % colors.classes.length];
    context.fillRect(3 + (set.x[k] / 255) * (size - 8), 3 + (1 - set.y[k] / 255) * (size - 8), 2, 2);
  }
}

// A context whose unit is a CSS pixel, on a canvas as sharp as the screen.
export function fitted(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

const drawn = new Map();

function offscreen(image) {
  if (!drawn.has(image.width)) drawn.set(image.width, new OffscreenCanvas(image.width, image.height));
  const canvas = drawn.get(image.width);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

// One scale for data, neurons and weights: orange is negative, blue is positive, grey is zero.

const scales = new Map();

// Colours of the 255 codes of a cell, as pixels of an ImageData; code 0, not a number, is plain grey.
export function scaleOf(colors, background) {
  if (!scales.has(background)) scales.set(background, newScale(colors, background));
  return scales.get(background);
}

function newScale(colors, background) {
  const [low, high, none] = [colors.negative, colors.positive, colors.zero].map(rgb);
  const middle = rgb(background);
  const pixels = new Uint32Array(256);
  for (let code = 1; code < 256; code++) {
    const share = (code - 128) / 127;
    pixels[code] = pixel(mixed(middle, share < 0 ? low : high, Math.abs(share)));
  }
  pixels[0] = pixel(none);
  return pixels;
}

// The colours of regions of several classes: the likeliest one, the clearer the surer.
export function classScale(colors, background) {
  const middle = rgb(background), none = rgb(colors.zero);
  return colors.classes.map((color) => {
    const full = rgb(color), sure = (code) => Math.max(code - 128, 0) / 127;
    return Uint32Array.from({ length: 256 }, (_, code) => pixel(code ? mixed(middle, full, sure(code)) : none));
  });
}

// The colour of a weight or a bias; from magnitude 1 on it is the full one.
export function weightColor(colors, weight) {
  if (!Number.isFinite(weight)) return colors.zero;
  const full = weight < 0 ? colors.negative : colors.positive;
  const [r, g, b] = mixed(rgb(colors.zero), rgb(full), Math.min(Math.abs(weight), 1));
  return `rgb(${r | 0} ${g | 0} ${b | 0})`;
}

const known = new Map();

// #rrggbb, or whatever else CSS calls a colour, as three numbers.
function rgb(color) {
  if (!known.has(color)) {
    const context = new OffscreenCanvas(1, 1).getContext("2d");
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    known.set(color, [...context.getImageData(0, 0, 1, 1).data.subarray(0, 3)]);
  }
  return known.get(color);
}

function mixed(from, to, share) {
  return from.map((value, k) => value + (to[k] - value) * share);
}

function pixel([r, g, b]) {
  return ((255 << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r)) >>> 0;
}

// What the network says of a few test examples, as it learns (written by playground/engine/training/samples.py).

import { significant } from "./live_format.js";

// payload: uint32 length | JSON { size: [height, width, channels] | null, names, examples: [{ true, top }] } | pixels.
// A class is an index into names; without names, true and top[0] are numbers.
export function unpackSamples(payload) {
  const length = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(payload.subarray(4, 4 + length)));
  return { ...header, pixels: payload.subarray(4 + length) };
}

// Fills a list with an entry an example; entries that are there stay and only change their words.
export function showSamples(list, samples) {
  while (list.children.length < samples.examples.length) list.append(entry(Boolean(samples.size)));
  while (list.children.length > samples.examples.length) list.lastChild.remove();
  samples.examples.forEach((example, k) => {
    const item = list.children[k];
    if (samples.size) drawPicture(item.querySelector("canvas"), samples, k);
    const said = samples.names ? classInWords(example, samples.names) : numberInWords(example);
    item.className = said.isRight === null ? "" : said.isRight ? "right" : "wrong";
    item.querySelector("b").textContent = said.answer;
    item.querySelector("i").style.width = `${Math.round(100 * said.share)}%`;
    item.querySelector("small").textContent = said.remark;
  });
}

function entry(hasPicture) {
  const item = document.createElement("li");
  item.innerHTML = `${hasPicture ? "<canvas aria-hidden='true'></canvas>" : ""}<b></b><span><i></i></span><small></small>`;
  return item;
}

function classInWords({ true: truth, top }, names) {
  const [guess, share] = top;
  const percent = share === null ? "–" : `${Math.round(100 * share)}%`;
  const isRight = guess === truth;
  return {
    answer: `${names[guess] ?? "no answer"} · ${percent}`, share: share ?? 0, isRight,
    remark: isRight ? "✓ right" : `✗ it is ${names[truth]}`,
  };
}

function numberInWords({ true: truth, top }) {
  const [guess] = top;
  const isKnown = guess !== null;
  return {
    answer: isKnown ? significant(guess, 3) : "–", share: 0, isRight: null, remark: `it is ${significant(truth, 3)}`,
  };
}

function drawPicture(canvas, { size: [height, width, channels], pixels }, k) {
  const image = new ImageData(width, height);
  const from = k * height * width * channels;
  for (let at = 0; at < height * width; at++) {
    for (let c = 0; c < 3; c++) image.data[4 * at + c] = pixels[from + at * channels + (channels === 1 ? 0 : c)];
    image.data[4 * at + 3] = 255;
  }
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// The network: a tile for every feature and neuron, lines as wide and coloured as the weights, marks for biases.

import { scaleOf, weightColor } from "./play_colors.js";
import { drawTile, fitted } from "./play_surface.js";

const TILE = 34, ROW = 46, TOP = 34, LEAST_GAP = 52, NEAR = 7;

export class Network {
  // box: where it is drawn. acts: { hover(target), open(target, x, y), units(place, by) }; a target is
  // { layer, unit }, { layer, unit, bias: true } or { layer, from, unit }: a line. Layer −1 are the features.
  constructor(box, acts) {
    this.box = box;
    this.acts = acts;
    this.shape = "";
    this.hovered = null;
    box.addEventListener("pointermove", (event) => this.pointed(event));
    box.addEventListener("pointerleave", () => this.leave());
    box.addEventListener("click", (event) => {
      const line = event.target === this.lines && this.lineAt(event);
      if (line) acts.open(line, event);
    });
  }

  // Builds what does not change while the network learns.
  build(picture, limits) {
    if (this.shape === picture.shape) return;
    this.shape = picture.shape;
    this.picture = picture;
    this.columns = [{ units: picture.features.length, tiles: picture.features.map((one) => one.tile) }];
    for (const [place, layer] of picture.layers.entries()) {
      const isOutput = place === picture.layers.length - 1;
      // A single output is what the large picture shows.
      const tiles = isOutput && layer.units === 1 ? [] : layer.tiles ?? [];
      this.columns.push({ layer, place, isOutput, units: tiles.length || (isOutput ? 1 : 0), tiles });
    }
    this.isDrawn = this.columns.slice(1).every((column) => column.units);
    if (!this.isDrawn) return this.refuse(limits);
    const rows = Math.max(1, ...this.columns.map((column) => column.units));
    this.height = TOP + rows * ROW;
    this.box.replaceChildren();
    this.lines = this.box.appendChild(document.createElement("canvas"));
    this.lines.className = "lines";
    this.columns.forEach((column, index) => this.addColumn(column, index, limits));
    this.box.style.height = `${this.height}px`;
    this.layout();
  }

  refuse({ layers, units }) {
    const words = document.createElement("p");
    words.textContent = `Larger than ${layers} hidden layers of ${units} neurons: what the network says is drawn, not its neurons.`;
    this.box.replaceChildren(words);
    Object.assign(this.box.style, { width: "", height: "" });
  }

  addColumn(column, index, limits) {
    column.head = this.box.appendChild(document.createElement("div"));
    column.head.className = "head";
    this.fillHead(column, index, limits);
    column.buttons = Array.from({ length: column.units }, (_, unit) => {
      const button = this.box.appendChild(document.createElement("button"));
      const target = { layer: index - 1, unit };
      button.className = "neuron";
      button.type = "button";
      button.setAttribute("aria-label", this.name(target));
      const canvas = button.appendChild(document.createElement("canvas"));
      canvas.width = canvas.height = this.picture.header.tile;
      if (column.layer?.bias) button.appendChild(document.createElement("i")).title = "Bias";
      for (const event of ["pointerenter", "focus"]) button.addEventListener(event, () => this.enter(target));
      for (const event of ["pointerleave", "blur"]) button.addEventListener(event, () => this.leave());
      button.addEventListener("click", (event) => {
        event.stopPropagation();
        this.acts.open({ ...target, bias: event.target.tagName === "I" }, event);
      });
      return { button, canvas, tile: column.tiles[unit] ?? null };
    });
  }

  fillHead(column, index, limits) {
    const { layer, isOutput } = column;
    if (index === 0) column.head.textContent = "features";
    else if (isOutput) column.head.textContent = "output";
    else if (layer.kind !== "Dense") column.head.textContent = layer.kind;
    else {
      const button = (text, by, label, disabled) => {
        const made = Object.assign(document.createElement("button"), { type: "button", textContent: text, disabled });
        made.setAttribute("aria-label", `${label} layer ${index}`);
        made.title = `${label} layer ${index}`;
        made.addEventListener("click", () => this.acts.units(column.place, by));
        return made;
      };
      const count = document.createElement("span");
      count.textContent = layer.units;
      count.title = `${layer.units} neurons`;
      const less = button("−", -1, "Remove a neuron from", layer.units <= 1);
      const more = button("+", 1, "Add a neuron to", layer.units >= limits.units);
      column.head.append(less, count, more);
    }
  }

  layout() {
    if (!this.isDrawn) return;
    const count = this.columns.length, room = this.box.parentElement.clientWidth - 24;
    const gap = Math.max(LEAST_GAP, Math.min(120, (room - count * TILE) / Math.max(count - 1, 1)));
    this.width = count * TILE + (count - 1) * gap + 24;
    this.box.style.width = `${this.width}px`;
    this.columns.forEach((column, index) => {
      column.x = 12 + index * (TILE + gap);
      column.head.style.left = `${column.x + TILE / 2}px`;
      const top = TOP + ((this.height - TOP) - column.units * ROW) / 2;
      column.buttons.forEach((one, unit) => {
        one.y = top + unit * ROW;
        Object.assign(one.button.style, { left: `${column.x}px`, top: `${one.y}px` });
      });
    });
  }

  draw(motion, { colors, background }) {
    const { header } = (this.picture = motion.picture);
    if (!this.isDrawn) return;
    const scale = scaleOf(colors, background);
    for (const column of this.columns) {
      column.buttons.forEach(({ button, canvas, tile }, unit) => {
        if (tile !== null) drawTile(canvas, motion.cells, tile, scale, header.tile);
        else if (column.isOutput) this.shrink(canvas, motion, scale);
        const mark = button.querySelector("i");
        if (mark) {
          const layer = this.picture.layers[column.place];
          mark.style.background = weightColor(colors, motion.weights[layer.biasAt + unit]);
        }
      });
    }
    this.drawLines(motion, colors);
  }

  // The single output: the large picture, made small.
  shrink(canvas, { picture, cells }, scale) {
    const { tile, surface } = picture.header;
    const small = new Float32Array(tile * tile);
    for (let k = 0; k < small.length; k++) {
      const row = Math.floor((((k / tile) | 0) + 0.5) * surface / tile);
      const column = Math.floor(((k % tile) + 0.5) * surface / tile);
      small[k] = cells[picture.surface[0] + row * surface + column];
    }
    drawTile(canvas, small, 0, scale, tile);
  }

  drawLines(motion, colors) {
    Object.assign(this.lines.style, { width: `${this.width}px`, height: `${this.height}px` });
    const context = fitted(this.lines);
    context.clearRect(0, 0, this.width, this.height);
    this.links = [];
    for (let index = 1; index < this.columns.length; index++) {
      const column = this.columns[index], before = this.columns[index - 1];
      const { kernel, weightsAt } = this.picture.layers[column.place];
      for (const [from, source] of before.buttons.entries()) {
        for (const [unit, target] of column.buttons.entries()) {
          if (!kernel && from !== unit) continue;
          const at = kernel ? weightsAt + from * kernel[1] + unit : null;
          const link = {
            target: { layer: index - 1, from, unit }, at,
            x0: before.x + TILE, x1: column.x, y0: source.y + TILE / 2, y1: target.y + TILE / 2,
          };
          if (kernel) this.links.push(link);
          stroke(context, link, at === null ? 0 : motion.weights[at], colors, same(this.hovered, link.target));
        }
      }
    }
  }

  // The line under the pointer. All lines between two columns have the same course from left to right.
  lineAt(event) {
    const box = this.box.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    let best = null, least = NEAR;
    for (const link of this.links ?? []) {
      if (x < link.x0 || x > link.x1) continue;
      const off = Math.abs(link.y0 + (link.y1 - link.y0) * risen((x - link.x0) / (link.x1 - link.x0)) - y);
      if (off < least) [best, least] = [link.target, off];
    }
    return best;
  }

  pointed(event) {
    if (event.target !== this.lines) return;
    const line = this.lineAt(event);
    this.lines.style.cursor = line ? "pointer" : "";
    if (!same(line, this.hovered)) line ? this.enter(line, event) : this.leave();
  }

  enter(target, event) {
    this.hovered = target;
    this.acts.hover(target, event);
  }

  leave() {
    if (!this.hovered) return;
    this.hovered = null;
    this.acts.hover(null);
  }

  // What a target is called.
  name({ layer, unit, from, bias }) {
    const features = this.picture.features;
    const neuron = (place, k) => {
      if (place < 0) return features[k]?.name ?? "feature";
      return place === this.picture.layers.length - 1 ? `output ${k + 1}` : `neuron ${k + 1} of layer ${place + 1}`;
    };
    if (from !== undefined) return `Weight from ${neuron(layer - 1, from)} to ${neuron(layer, unit)}`;
    const own = neuron(layer, unit);
    return bias ? `Bias of ${own}` : layer < 0 ? `Feature ${own}` : own[0].toUpperCase() + own.slice(1);
  }
}

function stroke(context, { x0, y0, x1, y1 }, weight, colors, isHovered) {
  const size = Number.isFinite(weight) ? Math.min(Math.abs(weight), 5) : 0;
  context.beginPath();
  context.moveTo(x0, y0);
  context.bezierCurveTo((x0 + x1) / 2, y0, (x0 + x1) / 2, y1, x1, y1);
  context.lineWidth = 0.6 + 1.7 * size + (isHovered ? 2 : 0);
  context.globalAlpha = isHovered ? 1 : 0.35 + 0.13 * size;
  context.strokeStyle = weightColor(colors, weight);
  context.stroke();
  context.globalAlpha = 1;
}

// How far a line has risen at a share of its way to the right: the cubic of `stroke`, whose handles lie in the middle.
function risen(share) {
  let low = 0, high = 1;
  for (let k = 0; k < 20; k++) {
    const t = (low + high) / 2;
    1.5 * t * (1 - t) + t ** 3 < share ? (low = t) : (high = t);
  }
  return 3 * low ** 2 - 2 * low ** 3;
}

function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

// The playground: a network on points in the plane, drawn while it learns and changed by hand. It keeps its DOM: the
// page hands over what was chosen, the feed what happens, and `command` takes up to the page what a person does.

import { subscribe, unpack } from "./feed.js";
import { Card } from "./play_card.js";
import { showChoices } from "./play_choices.js";
import { Curve } from "./play_curve.js";
import { unpackPage, unpackPicture } from "./play_frame.js";
import { onKeys } from "./play_keys.js";
import { Motion } from "./play_motion.js";
import { Network } from "./play_network.js";
import { drawPoints, drawSurface } from "./play_surface.js";
import { Telling } from "./play_telling.js";

const SOCKET_PATIENCE = 4000; // milliseconds without a socket after which the page is asked to bring the frames

export default function ({ data, parentElement, setTriggerValue }) {
  const play = (parentElement.__play ??= new Playground(parentElement.querySelector(".play")));
  // Streamlit may call the cleanup of an older call after a newer one took over: only the newest owner may stop.
  const owner = (play.owner = {});
  play.command = (command) => setTriggerValue("command", command);
  play.changed = (status) => setTriggerValue("changed", status);
  play.begin();
  play.show(unpackPage(data));
  return () => play.owner === owner && play.end();
}

class Playground {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.run = null;
    this.hovered = null;
    this.view = { withTest: false, discrete: false };
    this.motion = new Motion(() => this.draw());
    this.curve = new Curve(this.find(".curve"));
    this.telling = new Telling(root);
    this.card = new Card(this.find(".card"), (weight) => this.command({ do: "weight", ...weight }));
    this.network = new Network(this.find(".network"), {
      hover: (target, event) => this.hover(target, event),
      open: (target, event) => this.open(target, event),
      units: (place, by) => this.changeUnits(place, by),
    });
    this.resized = new ResizeObserver(() => {
      this.network.layout();
      this.motion.redraw();
      if (this.colors) this.curve.draw(this.colors);
    });
    root.querySelectorAll("[data-do]").forEach((button) => {
      button.addEventListener("click", () => this.act(button.dataset.do));
    });
    root.querySelectorAll("[data-view]").forEach((box) => {
      box.addEventListener("change", () => {
        this.view[box.dataset.view] = box.checked;
        this.motion.redraw();
      });
    });
  }

  begin() {
    if (this.ended) return;
    this.resized.observe(this.root);
    this.ended = onKeys(this.root, (name) => this.act(name));
    if (this.page) this.follow();
  }

  end() {
    this.ended?.();
    this.ended = null;
    this.motion.stop();
    this.resized.disconnect();
    this.unfollow();
  }

  // From the page: what was chosen, and where to follow the run.
  show(page) {
    const before = this.page?.header.run;
    this.page = page;
    const { header } = page;
    this.told = header.status;
    this.colors = header.colors;
    for (const name of ["negative", "positive", "training", "validation"]) {
      this.root.style.setProperty(`--${name}`, header.colors[name]);
    }
    this.root.style.setProperty("--none", header.colors.zero);
    if (header.run !== before) {
      this.run = null;
      this.curve.clear();
      this.curve.draw(this.colors);
    }
    showChoices(this, page);
    if (page.opening.length && (!header.run || this.live !== header.run)) this.picture(page.opening, 0);
    if (page.frame.length) this.frame(unpack(page.frame));
    if (!header.run) this.telling.rest(this.motion.picture, header);
    // Every drawing of the page brings another token; a socket that is open needs none.
    if (!this.isOpen || header.run !== before) this.follow();
  }

  follow() {
    this.unfollow();
    const { url } = this.page.header;
    if (!url) return;
    this.hurry();
    this.feed = subscribe(url, {
      onFrame: (header, payloads) => this.frame({ header, payloads }),
      onState: (state) => {
        this.isOpen = state === "open";
        this.isOpen ? clearTimeout(this.waits) : this.hurry();
      },
    });
  }

  // After a while without a socket the page is asked for the frames, unless nobody looks.
  hurry() {
    clearTimeout(this.waits);
    this.waits = setTimeout(() => document.hidden || this.command({ do: "fallback" }), SOCKET_PATIENCE);
  }

  unfollow() {
    clearTimeout(this.waits);
    this.feed?.close();
    this.feed = null;
    this.isOpen = false;
  }

  // From the feed: what happened.
  frame({ header, payloads }) {
    if (header.run.id !== this.page.header.run) return;
    // What else on the page tells the state of the run is not drawn from the feed.
    if (this.told !== header.run.status) this.changed((this.told = header.run.status));
    this.run = header.run;
    if (header.whole) this.curve.clear();
    this.curve.add(header.points);
    header.pictures.forEach(({ name, step }, k) => {
      if (name !== "network") return;
      this.live = header.run.id;
      this.picture(payloads[k], step);
      const { test } = this.motion.picture.header.loss;
      if (step === header.run.step) this.curve.add([[step, header.run.epoch, "epoch", { val_loss: test }]]);
    });
    this.curve.draw(this.colors);
    this.telling.frame(header.run, this.motion.picture);
  }

  picture(bytes, step) {
    const picture = unpackPicture(bytes);
    this.network.build(picture, this.page.header.limits);
    this.motion.show(picture);
    this.root.dataset.pictured = step;
    this.telling.losses(picture.header.loss);
  }

  draw() {
    const surface = this.find(".surface"), style = getComputedStyle(surface);
    // A property that names two colours, one a theme, is only resolved where it is used.
    const look = { colors: this.colors, background: style.backgroundColor };
    this.network.draw(this.motion, look);
    const view = { ...look, discrete: this.view.discrete, tile: this.shownTile() };
    this.find(".no-number").hidden = drawSurface(surface, this.motion, view);
    this.drawPoints(style.getPropertyValue("--st-background-color").trim());
    this.card.refresh(this.motion.weights);
    this.root.dataset.drawn = Number(this.root.dataset.drawn ?? 0) + 1;
  }

  drawPoints(edge) {
    const { header } = this.motion.picture, { points } = this.page, { withTest } = this.view;
    const canvas = this.find(".examples");
    const now = [points, withTest, edge, canvas.clientWidth, ...header.extent];
    if (this.drawn?.every((value, k) => value === now[k])) return;
    this.drawn = now;
    drawPoints(canvas, header.extent, { points, withTest, edge, colors: this.colors });
  }

  // Where the cells of the neuron under the pointer lie; null: the network's own answer.
  shownTile() {
    const target = this.hovered;
    if (!target || target.from !== undefined) return null;
    const column = this.network.columns[target.layer + 1];
    return column.tiles[target.unit] ?? null;
  }

  hover(target, event) {
    this.hovered = target;
    const isLine = target?.from !== undefined;
    this.card.hint(isLine ? target : null, isLine ? this.weights(target) : [], isLine ? this.network.name(target) : "", event);
    this.find(".shown").textContent = target && !isLine ? this.network.name(target) : "Output";
    this.root.dataset.shown = target && !isLine ? `${target.layer}:${target.unit}` : "output";
    this.motion.redraw();
  }

  open(target, event) {
    if (target.layer < 0) return;
    this.card.open(target, this.weights(target), this.network.name({ ...target, bias: false }), event);
    this.card.refresh(this.motion.weights);
  }

  // The weights that a target means: those of a line, of a bias, or all that come into a neuron.
  weights({ layer, unit, from, bias }) {
    const { id, kernel, weightsAt, biasAt } = this.motion.picture.layers[layer];
    const line = (source) => ({
      name: layer ? `neuron ${source + 1}` : this.network.name({ layer: -1, unit: source }).replace("Feature ", ""),
      says: this.network.name({ layer, unit, from: source }),
      at: weightsAt + source * kernel[1] + unit,
      address: { layer: id, variable: "kernel", index: [source, unit] },
    });
    const own = biasAt === null ? [] : [{
      name: "bias", says: this.network.name({ layer, unit, bias: true }), at: biasAt + unit,
      address: { layer: id, variable: "bias", index: [unit] },
    }];
    if (from !== undefined) return [line(from)];
    return bias || !kernel ? own : [...own, ...Array.from({ length: kernel[0] }, (_, source) => line(source))];
  }

  act(name) {
    const isPlaying = this.run && ["queued", "running"].includes(this.run.status) && !this.run.pause;
    if (name === "play") this.command({ do: isPlaying ? "pause" : "play" });
    else if (name === "layer-more" || name === "layer-less") this.changeLayers(name === "layer-more" ? 1 : -1);
    else this.command({ do: name });
  }

  changeUnits(place, by) {
    const layers = this.page.header.layers.map(([id, units], k) => [id, k === place ? units + by : units]);
    this.giveLayers(layers);
  }

  changeLayers(by) {
    const { layers } = this.page.header;
    this.giveLayers(by > 0 ? [...layers, ["", layers.at(-1)?.[1] ?? 4]] : layers.slice(0, -1));
  }

  // All layers at once, so that two quick presses never count as one.
  giveLayers(layers) {
    this.page.header.layers = layers;
    this.card.close();
    this.command({ do: "layers", layers });
  }
}

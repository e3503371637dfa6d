// One metric's curves on a canvas that stays: training solid, validation dashed, thin between two epochs.

import { count, score, significant } from "./live_format.js";
import { listen } from "./live_pointer.js";
import { NOTHING } from "./live_run.js";
import { linearTicks, logTicks, smoothed } from "./live_scale.js";

const EDGE = 7; // pixels by which a mark may stand over the edge
const MARGIN = { left: 48, right: 10, top: 10, bottom: 34 };

export class Chart {
  // view: { smoothing, isLog, isPerEpoch }, shared by all charts of a page; tip: an element for what is pointed at.
  constructor(canvas, tip, { name, title, label, isShare }, view, colors) {
    Object.assign(this, { canvas, tip, name, title, label, isShare, view, colors });
    this.zoom = null; // { x: [low, high], y: [low, high] } in units of the axes
    this.pointed = null; // { name, index }: a point of a curve
    this.drag = null;
    this.series = NOTHING;
    this.marks = [];
    this.observer = new ResizeObserver(() => this.request());
    this.observer.observe(canvas);
    listen(this);
  }

  show(series, marks, summary) {
    this.series = series ?? NOTHING;
    this.marks = marks;
    this.canvas.setAttribute("aria-label", `${this.title}. ${summary}`);
    this.request();
  }

  zoomTo({ left, right, top, bottom }) {
    this.zoom = { x: [this.fromX(left), this.fromX(right)], y: [this.fromY(bottom), this.fromY(top)] };
    this.request();
  }

  reset() {
    this.zoom = this.pointed = null;
    this.request();
  }

  // Draws once, however many reasons there are, when the browser is ready to.
  request() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  close() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.observer.disconnect();
  }

  draw() {
    const ratio = window.devicePixelRatio || 1;
    const width = this.canvas.clientWidth, height = this.canvas.clientHeight;
    if (!width || !height) return;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
    }
    const context = (this.context = this.canvas.getContext("2d"));
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(this.canvas);
    this.ink = style.color;
    this.font = style.fontFamily;
    this.box = {
      left: MARGIN.left, top: MARGIN.top, right: width - MARGIN.right, bottom: height - MARGIN.bottom,
    };
    this.curves = this.visible();
    this.canvas.dataset.points = this.curves.reduce((sum, curve) => sum + curve.x.length, 0);
    this.domain = this.extent();
    this.canvas.dataset.domain = [...this.domain.x, ...this.domain.y].map((end) => significant(end, 4)).join(" ");
    this.drawAxes();
    context.save();
    context.beginPath();
    const { left, right, top, bottom } = this.box;
    context.rect(left - EDGE, top - EDGE, right - left + 2 * EDGE, bottom - top + 2 * EDGE);
    context.clip();
    this.drawMarks();
    for (const curve of this.curves) this.drawCurve(curve);
    this.drawBest();
    this.drawDrag();
    context.restore();
    this.drawPointed();
  }

  // The curves as they are drawn: without what is no number, smoothed where that is wished.
  visible() {
    const { live, training, validation } = this.series;
    const { training: blue, validation: orange } = this.colors;
    const all = [
      { name: "between epochs", of: live, color: blue, width: 1, alpha: 0.5, dash: [] },
      { name: "training", of: training, color: blue, width: 2.2, alpha: 1, dash: [] },
      { name: "validation", of: validation, color: orange, width: 2.2, alpha: 1, dash: [6, 4] },
    ];
    const shown = this.view.isPerEpoch ? all.slice(1) : all;
    return shown.map((curve) => {
      const kept = curve.of.y.map((y, k) => k).filter((k) => {
        const y = curve.of.y[k];
        return y !== null && (!this.view.isLog || y > 0);
      });
      const raw = kept.map((k) => curve.of.y[k]);
      return {
        ...curve, x: kept.map((k) => curve.of.x[k]), step: kept.map((k) => curve.of.step[k]), raw,
        y: smoothed(raw, this.view.smoothing),
      };
    });
  }

  // Low and high end of both axes.
  extent() {
    if (this.zoom) return this.zoom;
    const most = (values, pick, none) => values.reduce((one, other) => pick(one, other), none);
    const end = most(this.curves.map((curve) => curve.x.at(-1) ?? 0), Math.max, 0) || 1;
    const values = this.curves.flatMap((curve) => curve.raw); // smoothed ones lie between them
    const shown = values.length ? values : this.view.isLog ? [0.1, 1] : [0, 1];
    const low = this.scaled(most(shown, Math.min, Infinity)), high = this.scaled(most(shown, Math.max, -Infinity));
    const room = 0.04 * (high - low || Math.abs(high) || 1);
    return { x: [0, end], y: [this.unscaled(low - room), this.unscaled(high + room)] };
  }

  scaled(y) { return this.view.isLog ? Math.log10(Math.max(y, 1e-30)) : y; }
  unscaled(y) { return this.view.isLog ? 10 ** y : y; }

  toX(x) {
    const [low, high] = this.domain.x;
    return this.box.left + ((x - low) / (high - low)) * (this.box.right - this.box.left);
  }

  toY(y) {
    const [low, high] = this.domain.y.map((end) => this.scaled(end));
    return this.box.bottom - ((this.scaled(y) - low) / (high - low)) * (this.box.bottom - this.box.top);
  }

  fromX(x) {
    const [low, high] = this.domain.x;
    return low + ((x - this.box.left) / (this.box.right - this.box.left)) * (high - low);
  }

  fromY(y) {
    const [low, high] = this.domain.y.map((end) => this.scaled(end));
    return this.unscaled(low + ((this.box.bottom - y) / (this.box.bottom - this.box.top)) * (high - low));
  }

  // Painting

  drawAxes() {
    const { context, box } = this;
    const lines = Math.max(2, Math.floor((box.bottom - box.top) / 45));
    const columns = Math.max(2, Math.floor((box.right - box.left) / 70));
    const ys = this.view.isLog ? logTicks(...this.domain.y, lines) : linearTicks(...this.domain.y, lines);
    const xs = linearTicks(...this.domain.x, columns);
    context.font = `11px ${this.font}`;
    context.fillStyle = context.strokeStyle = this.ink;
    context.lineWidth = 1;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const value of ys) {
      const y = Math.round(this.toY(value)) + 0.5;
      this.rule(box.left, y, box.right, y, 0.12);
      context.fillText(this.isShare ? `${+(100 * value).toPrecision(4)}%` : significant(value, 4), box.left - 6, y);
    }
    context.textAlign = "center";
    context.textBaseline = "top";
    for (const value of xs) {
      const x = Math.round(this.toX(value)) + 0.5;
      this.rule(x, box.top, x, box.bottom, 0.12);
      context.fillText(significant(value, 4), x, box.bottom + 5);
    }
    this.rule(box.left, box.bottom + 0.5, box.right, box.bottom + 0.5, 0.4);
    context.font = `600 11px ${this.font}`;
    context.fillText("Epoch", (box.left + box.right) / 2, box.bottom + 20);
    context.save();
    context.translate(11, (box.top + box.bottom) / 2);
    context.rotate(-Math.PI / 2);
    context.textBaseline = "middle";
    context.fillText(this.label, 0, 0);
    context.restore();
  }

  rule(x, y, toX, toY, alpha) {
    const { context } = this;
    context.globalAlpha = alpha;
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(toX, toY);
    context.stroke();
    context.globalAlpha = 1;
  }

  drawCurve({ x, y, raw, color, width, alpha, dash }) {
    const { context } = this;
    context.strokeStyle = context.fillStyle = color;
    if (y !== raw) this.line(x, raw, 1, 0.25, []);
    this.line(x, y, width, alpha, dash);
    if (x.length > 60) return; // many would hide the line
    context.globalAlpha = alpha;
    for (let k = 0; k < x.length; k++) this.dot(this.toX(x[k]), this.toY(y[k]), width < 2 ? 1.5 : 2.4);
    context.globalAlpha = 1;
  }

  line(x, y, width, alpha, dash) {
    const { context } = this;
    context.lineWidth = width;
    context.globalAlpha = alpha;
    context.lineJoin = "round";
    context.setLineDash(dash);
    context.beginPath();
    for (let k = 0; k < x.length; k++) context.lineTo(this.toX(x[k]), this.toY(y[k]));
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  dot(x, y, radius) {
    this.context.beginPath();
    this.context.arc(x, y, radius, 0, 2 * Math.PI);
    this.context.fill();
  }

  drawMarks() {
    const { context, box } = this;
    context.strokeStyle = context.fillStyle = this.ink;
    context.font = `11px ${this.font}`;
    context.textAlign = "left";
    context.textBaseline = "top";
    context.setLineDash([2, 3]);
    const ends = [-Infinity, -Infinity]; // where the last label of each row ends
    for (const [epoch, label] of this.marks) {
      const x = Math.round(this.toX(epoch)) + 0.5;
      if (x < box.left - 1 || x > box.right) continue;
      this.rule(x, box.top, x, box.bottom, 0.6);
      const row = ends.findIndex((end) => end < x);
      if (row < 0) continue;
      context.globalAlpha = 0.8;
      context.fillText(label, x + 4, box.top + 2 + 13 * row);
      ends[row] = x + 8 + context.measureText(label).width;
    }
    context.globalAlpha = 1;
    context.setLineDash([]);
  }

  // A diamond where the validation loss was lowest.
  drawBest() {
    const { x, raw } = this.curves.at(-1);
    if (this.name !== "loss" || !raw.length) return;
    const best = raw.reduce((lowest, y, k) => (y < raw[lowest] ? k : lowest), 0);
    const left = this.toX(x[best]), top = this.toY(raw[best]), { context } = this;
    context.strokeStyle = this.colors.validation;
    context.lineWidth = 2;
    context.beginPath();
    for (const [dx, dy] of [[0, -6], [6, 0], [0, 6], [-6, 0]]) context.lineTo(left + dx, top + dy);
    context.closePath();
    context.stroke();
  }

  drawDrag() {
    if (!this.drag?.area) return;
    const { left, right, top, bottom } = this.drag.area, { context } = this;
    context.fillStyle = this.ink;
    context.globalAlpha = 0.12;
    context.fillRect(left, top, right - left, bottom - top);
    context.globalAlpha = 1;
  }

  drawPointed() {
    const curve = this.pointed && this.curves.find(({ name }) => name === this.pointed.name);
    const index = curve ? Math.min(this.pointed.index, curve.x.length - 1) : -1;
    this.tip.hidden = index < 0;
    if (index < 0) return;
    const x = this.toX(curve.x[index]), y = this.toY(curve.y[index]), { context, box } = this;
    context.fillStyle = context.strokeStyle = curve.color;
    context.lineWidth = 1;
    this.rule(x, box.top, x, box.bottom, 0.5);
    this.dot(x, y, 4);
    const value = score(curve.raw[index], this.isShare);
    this.tip.textContent =
      `${curve.name}: ${value} · epoch ${significant(curve.x[index], 4)} · step ${count(curve.step[index])}`;
    const left = Math.min(Math.max(x - this.tip.offsetWidth / 2, 0), this.canvas.clientWidth - this.tip.offsetWidth);
    this.tip.style.transform = `translate(${left}px, ${Math.max(0, y - this.tip.offsetHeight - 10)}px)`;
  }
}

// The loss of training and test examples over the epochs, small.

import { fitted } from "./play_surface.js";

const MOST = 400;

export class Curve {
  constructor(canvas) {
    this.canvas = canvas;
    this.clear();
  }

  clear() {
    this.train = [];
    this.test = [];
  }

  // points: [step, epoch, kind, values] of the feed, in order; a rewind begins anew from an earlier epoch.
  add(points) {
    for (const [, epoch, kind, values] of points) {
      for (const name of ["train", "test"]) {
        if (this[name].at(-1)?.[0] > epoch) this[name] = this[name].filter(([known]) => known < epoch);
      }
      if (Number.isFinite(values.loss)) this.train.push([epoch, values.loss]);
      if (kind === "epoch" && Number.isFinite(values.val_loss)) this.test.push([epoch, values.val_loss]);
    }
    this.train = thinned(this.train);
    this.test = thinned(this.test);
  }

  draw(colors) {
    const context = fitted(this.canvas), width = this.canvas.clientWidth, height = this.canvas.clientHeight;
    context.clearRect(0, 0, width, height);
    const every = [...this.train, ...this.test];
    if (every.length < 2) return;
    const last = Math.max(...every.map(([epoch]) => epoch)), most = Math.max(...every.map(([, loss]) => loss));
    for (const [line, color, dash] of [[this.test, colors.validation, [4, 3]], [this.train, colors.training, []]]) {
      context.beginPath();
      line.forEach(([epoch, loss], k) => {
        const x = 1 + (epoch / (last || 1)) * (width - 2), y = height - 2 - (loss / (most || 1)) * (height - 4);
        k ? context.lineTo(x, y) : context.moveTo(x, y);
      });
      context.setLineDash(dash);
      context.strokeStyle = color;
      context.lineWidth = 1.5;
      context.stroke();
    }
  }
}

function thinned(line) {
  return line.length > 2 * MOST ? line.filter((_, k) => k % 2 === 0 || k === line.length - 1) : line;
}

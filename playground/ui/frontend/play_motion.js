// From picture to picture: cells and weights slide to their new values, unless the person asked for less motion.

const LEAST_MS = 120, MOST_MS = 450;

export class Motion {
  // draw(motion): called for every frame, at the pace of the screen. `cells` (0 is "not a number") and `weights` are
  // what is to be drawn; `picture` says what lies where.
  constructor(draw) {
    this.draw = draw;
    this.picture = null;
    this.still = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.arrived = 0;
    this.raf = 0;
  }

  show(picture) {
    const now = performance.now();
    // As long as the next picture will take to come, as far as the last one tells: then nothing ever stands still.
    this.length = Math.min(Math.max(now - this.arrived, LEAST_MS), MOST_MS);
    this.arrived = now;
    const isSame = this.picture?.shape === picture.shape;
    this.picture = picture;
    if (!isSame || this.still.matches) {
      this.cells = Float32Array.from(picture.cells);
      this.weights = picture.weights.slice();
      this.redraw();
      return;
    }
    this.from = { cells: this.cells.slice(), weights: this.weights.slice() };
    cancelAnimationFrame(this.raf);
    this.raf = requestAnimationFrame((time) => this.step(time));
  }

  step(time) {
    const share = Math.min(Math.max((time - this.arrived) / this.length, 0), 1);
    const { cells, weights } = this.picture;
    for (let k = 0; k < cells.length; k++) {
      const from = this.from.cells[k], to = cells[k];
      this.cells[k] = from && to ? from + (to - from) * share : to;
    }
    for (let k = 0; k < weights.length; k++) {
      const from = this.from.weights[k];
      this.weights[k] = Number.isFinite(from) ? from + (weights[k] - from) * share : weights[k];
    }
    this.draw(this);
    if (share < 1) this.raf = requestAnimationFrame((next) => this.step(next));
  }

  redraw() {
    cancelAnimationFrame(this.raf);
    if (!this.picture) return;
    // What was on its way arrives at once.
    this.cells.set(this.picture.cells);
    this.weights.set(this.picture.weights);
    this.draw(this);
  }

  stop() {
    cancelAnimationFrame(this.raf);
  }
}

// What is known of a run on this page: one socket for all that show it, and the curves that grow by its news.

import { subscribe, unpack } from "./feed.js";

const PATIENCE_MS = 3_000; // without a socket for so long, the page has to bring the frames itself
const RUNS = new Map(); // by id

// Follows a run: listener.onChange(run) at every frame, listener.onSocket(isOpen) when the way changes.
// url: of its feed; frame: a whole frame that the page brought, or null.
export function follow(id, url, frame, listener) {
  let run = RUNS.get(id);
  if (!run) RUNS.set(id, (run = new LiveRun(id)));
  run.join(listener, url, frame);
  return run;
}

class LiveRun {
  constructor(id) {
    this.id = id;
    this.now = null; // header.run of the newest frame
    this.series = new Map(); // by metric: { live, training, validation }, each { step, x, y } with x in epochs
    this.marks = [];
    this.summaries = {};
    this.pictures = new Map(); // by name: { step, bytes }
    this.listeners = new Set();
    this.isOpen = false;
    this.hasSocket = true; // as far as is known
  }

  join(listener, url, frame) {
    this.listeners.add(listener);
    this.url = url; // a newer token for the next socket
    if (frame && (!this.isOpen || !this.now)) {
      const { header, payloads } = unpack(frame);
      this.apply(header, payloads);
    }
    this.feed ??= subscribe(() => this.url, {
      onFrame: (header, payloads) => this.apply(header, payloads),
      onState: (state) => this.changed(state === "open"),
    });
    this.watchSocket();
  }

  leave(listener) {
    this.listeners.delete(listener);
    if (this.listeners.size) return;
    clearTimeout(this.timer);
    this.feed.close();
    RUNS.delete(this.id);
  }

  changed(isOpen) {
    this.isOpen = isOpen;
    if (isOpen) this.tellSocket(true);
    this.watchSocket();
  }

  watchSocket() {
    clearTimeout(this.timer);
    if (!this.isOpen) this.timer = setTimeout(() => document.hidden || this.tellSocket(false), PATIENCE_MS);
  }

  tellSocket(hasSocket) {
    if (this.hasSocket === hasSocket) return;
    this.hasSocket = hasSocket;
    for (const listener of this.listeners) listener.onSocket?.(hasSocket);
  }

  apply(header, payloads) {
    if (header.whole) this.series.clear();
    this.now = header.run;
    this.marks = header.marks;
    this.summaries = header.summaries;
    for (const point of header.points) this.add(point);
    header.pictures.forEach(({ name, step }, k) => this.pictures.set(name, { step, bytes: payloads[k] }));
    for (const listener of this.listeners) listener.onChange(this);
  }

  add([step, epoch, kind, values]) {
    for (const [name, value] of Object.entries(values)) {
      const isValidation = name.startsWith("val_");
      const metric = isValidation ? name.slice(4) : name;
      if (!this.series.has(metric)) {
        this.series.set(metric, { live: curve(), training: curve(), validation: curve() });
      }
      const line = this.series.get(metric)[kind === "chunk" ? "live" : isValidation ? "validation" : "training"];
      line.step.push(step);
      line.x.push(epoch);
      line.y.push(value);
    }
  }

  // The newest value of training and of validation; null where there is none or it is no number.
  last(metric) {
    const { live, training, validation } = this.series.get(metric) ?? NOTHING;
    const newest = (live.x.at(-1) ?? -1) > (training.x.at(-1) ?? -1) ? live : training;
    return [newest.y.at(-1) ?? null, validation.y.at(-1) ?? null];
  }
}

const curve = () => ({ step: [], x: [], y: [] });

export const NOTHING = { live: curve(), training: curve(), validation: curve() };

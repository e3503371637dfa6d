// Epoch, losses and state of the run, in numbers and, for those who listen, in words.

const BETWEEN_WORDS = 2000; // milliseconds

const STATES = {
  queued: "waiting for a worker", running: "learning", paused: "paused", done: "done", failed: "failed",
  interrupted: "interrupted", stopped: "stopped",
};

export class Telling {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.spoken = 0;
    this.loss = {};
  }

  // Before there is a run.
  rest(picture, header) {
    this.epoch(0);
    this.state("", header.waiting || "Press Play: the network learns while you watch.", false);
    Object.assign(this.root.dataset, { run: "", status: "", step: 0, epoch: 0 });
  }

  frame(run) {
    this.epoch(run.epoch ?? 0);
    const isPlaying = ["queued", "running"].includes(run.status) && !run.pause;
    const refusal = run.orders.at(-1)?.refusal ?? "";
    const said = run.status === "failed" ? run.message : refusal;
    this.state(run.status === "queued" && run.pause ? "paused" : run.status, said, isPlaying);
    Object.assign(this.root.dataset, {
      run: run.id, status: run.status, step: run.step, epoch: run.epoch ?? 0, orders: run.orders.at(-1)?.number ?? 0,
    });
    this.speak(run, isPlaying);
  }

  losses(loss) {
    this.loss = loss;
    for (const part of ["train", "test"]) {
      this.find(`.loss-${part}`).textContent = written(loss[part]);
      this.root.dataset[part] = loss[part] ?? "NaN";
    }
  }

  epoch(epoch) {
    const digits = String(Math.floor(epoch)).padStart(6, "0");
    this.find(".epoch").textContent = `${digits.slice(0, -3)},${digits.slice(-3)}`;
  }

  state(status, said, isPlaying) {
    this.find(".status").textContent = [STATES[status], said].filter(Boolean).join(". ");
    const button = this.find("[data-do=play]");
    button.dataset.playing = String(isPlaying);
    button.querySelector("span").textContent = isPlaying ? "Pause" : "Play";
  }

  speak(run, isPlaying) {
    const now = performance.now();
    if (isPlaying && now - this.spoken < BETWEEN_WORDS) return;
    this.spoken = now;
    const words = `Epoch ${Math.floor(run.epoch ?? 0)}, training loss ${written(this.loss.train)}, `
      + `test loss ${written(this.loss.test)}, ${STATES[run.status]}.`;
    if (this.find(".spoken").textContent !== words) this.find(".spoken").textContent = words;
  }
}

function written(loss) {
  if (loss === undefined) return "unknown";
  return loss === null ? "not a number" : loss < 1e-4 ? loss.toExponential(1) : loss.toFixed(loss < 0.1 ? 4 : 3);
}

// Four numbers, how far the run is, and what it does; a screen reader hears epoch and loss.

import { count, score, shortCount, significant, size } from "./live_format.js";

const SPOKEN_EVERY_MS = 2_000;

export function mountHead(root) {
  root.innerHTML = `
    <dl class="numbers">
      <div><dt>Epoch</dt><dd></dd></div>
      <div><dt>Training loss</dt><dd></dd></div>
      <div><dt></dt><dd></dd></div>
      <div title="Training examples per second, over the last few seconds."><dt>Examples/s</dt><dd></dd></div>
    </dl>
    <div class="bar" role="progressbar" aria-label="Progress" aria-valuemin="0" aria-valuemax="100"><i></i></div>
    <p class="says"><span></span><span class="facts"></span></p>
    <p class="spoken" role="status"></p>`;
  return {
    numbers: [...root.querySelectorAll("dd")], names: [...root.querySelectorAll("dt")],
    bar: root.querySelector(".bar"), says: root.querySelector(".says span"), facts: root.querySelector(".facts"),
    spoken: root.querySelector(".spoken"), spokenAt: -Infinity,
  };
}

export function showHead(state, run) {
  const now = run?.now, { page } = state;
  const chosen = page.metrics[1];
  const [loss] = run ? run.last("loss") : [null];
  const [training, validation] = run && chosen ? run.last(chosen.name) : [null, null];
  write(state.names[2], chosen?.label ?? "Score");
  state.names[2].parentElement.title = "On the validation examples as soon as there is a value, else in training.";
  const values = [
    now ? `${count(Math.floor(now.epoch ?? 0))} / ${count(now.epochs)}` : "–",
    score(loss),
    score(validation ?? training, chosen?.isShare),
    now?.examples_per_second ? shortCount(now.examples_per_second) : "–",
  ];
  values.forEach((value, k) => write(state.numbers[k], value));
  const share = now?.total_steps ? Math.min(now.step / now.total_steps, 1) : 0;
  state.bar.firstElementChild.style.transform = `scaleX(${share})`;
  state.bar.setAttribute("aria-valuenow", Math.round(100 * share));
  write(state.says, now?.says ?? page.hint);
  write(state.facts, now ? facts(now, page) : "");
  speak(state, now, loss);
}

function facts(now, page) {
  const known = [];
  if (now.rate !== null) known.push(`learning rate ${significant(now.rate, 3)}`);
  if (now.memory) known.push(`memory ${size(now.memory)}`);
  if (now.gpu !== null) known.push(`GPU ${Math.round(100 * now.gpu)}% busy`);
  if (now.gpu_memory) known.push(`${size(now.gpu_memory)} of GPU memory taken`);
  if (page.device) known.push(page.device);
  return known.join(" · ");
}

function speak(state, now, loss) {
  if (!now || now.status !== "running" || loss === null || Date.now() - state.spokenAt < SPOKEN_EVERY_MS) return;
  state.spokenAt = Date.now();
  write(state.spoken, `Epoch ${count(Math.floor(now.epoch ?? 0))}, loss ${score(loss)}`);
}

// What stays the same is not written again: screen readers and selections would notice.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// The curve of the loss and of a chosen metric, what the network says of some examples, and the log folded away.

import { count } from "./live_format.js";
import { showSamples, unpackSamples } from "./live_samples.js";

const KEYS = "Drag to zoom, double-click to see all. Arrow keys read the points, plus and minus zoom, Escape shows all.";

const LEGEND = `
  <span class="legend" aria-hidden="true">
    <span><svg viewBox="0 0 22 8"><path d="M0 4H22"/></svg>training</span>
    <span class="validation"><svg viewBox="0 0 22 8"><path d="M0 4H22" stroke-dasharray="6 4"/></svg>validation</span>
    <span class="validation best"><svg viewBox="0 0 12 12"><path d="M6 1 11 6 6 11 1 6Z"/></svg>best epoch</span>
  </span>`;

const FIGURE = `
  <figure>
    <figcaption><b></b>${LEGEND}</figcaption>
    <div class="plot"><canvas role="img" tabindex="0" aria-description="${KEYS}"></canvas><output hidden></output></div>
    <p></p>
  </figure>`;

export function mountCurves(root, page, Chart) {
  root.innerHTML = `
    <div class="tools" role="toolbar" aria-label="Curves">
      <label class="metric" title="Which score is drawn beside the loss.">Metric <select></select></label>
      <label title="Exponential moving average; the values themselves stay visible behind it.">
        Smoothing <input type="range" min="0" max="0.98" step="0.02" value="0"></label>
      <label title="A logarithmic axis for both curves."><input type="checkbox" name="log"> Log axis</label>
      <label title="Values between two epochs, or whole epochs only.">
        <select name="detail"><option value="batch">Per batch</option><option value="epoch">Per epoch</option></select>
      </label>
      <button type="button" title="Show all of both curves again.">Reset zoom</button>
    </div>
    <div class="figures">${FIGURE}${FIGURE}</div>
    <section class="samples"><h5>Test examples</h5><p></p><ul></ul></section>
    <details class="log"><summary>Log</summary><ol></ol></details>`;
  const view = { smoothing: 0, isLog: false, isPerEpoch: false };
  root.style.setProperty("--training", page.colors.training);
  root.style.setProperty("--validation", page.colors.validation);
  const state = { root, view, Chart, charts: [], phases: [], shownSamples: null };
  state.figures = [...root.querySelectorAll("figure")];
  state.metric = root.querySelector(".metric select");
  chooseMetrics(state, page);
  const redraw = () => state.charts.forEach((chart) => chart.request());
  root.querySelector("[type=range]").oninput = ({ target }) => redraw((view.smoothing = +target.value));
  root.querySelector("[name=log]").onchange = ({ target }) => {
    view.isLog = target.checked;
    state.charts.forEach((chart) => chart.reset()); // what was zoomed into may lie below zero
  };
  root.querySelector("[name=detail]").onchange = ({ target }) => redraw((view.isPerEpoch = target.value === "epoch"));
  root.querySelector(".tools button").onclick = () => state.charts.forEach((chart) => chart.reset());
  state.metric.onchange = () => {
    state.chosen = state.metric.value;
    drawWhich(state);
    showCurves(state, state.run);
  };
  return state;
}

// The experiment may come to have other metrics; the charts stay, and with the same metrics all of their state.
function chooseMetrics(state, page) {
  const key = JSON.stringify(page.metrics);
  if (state.metricsKey === key) return;
  state.metricsKey = key;
  state.metrics = page.metrics;
  state.metric.replaceChildren(...page.metrics.slice(1).map(({ name, label }) => new Option(label, name)));
  state.metric.parentElement.hidden = page.metrics.length < 3;
  if (!page.metrics.some(({ name }) => name === state.chosen)) state.chosen = page.metrics[1]?.name;
  state.metric.value = state.chosen ?? "";
  drawWhich(state, page);
}

function drawWhich(state, page = state.page) {
  const shown = [state.metrics[0], state.metrics.find(({ name }) => name === state.chosen)];
  shown.forEach((metric, k) => {
    const figure = state.figures[k];
    figure.classList.toggle("empty", !metric);
    figure.querySelector("b").textContent = metric ? `${metric.label} over the epochs` : "A score over the epochs";
    figure.querySelector(".best").hidden = k > 0;
    if (!metric) {
      figure.querySelector("p").textContent = "Choose a metric under Training to see its curve here.";
      return;
    }
    const about = { ...metric, title: `${metric.label} over the epochs` };
    if (state.charts[k]) {
      Object.assign(state.charts[k], about).reset();
    } else {
      const canvas = figure.querySelector("canvas"), tip = figure.querySelector("output");
      state.charts[k] = new state.Chart(canvas, tip, about, state.view, page.colors);
    }
  });
}

export function showCurves(state, run) {
  chooseMetrics(state, state.page);
  if (state.shownRun !== (run?.id ?? "")) {
    state.shownRun = run?.id ?? "";
    state.phases = [];
    state.shownSamples = null;
    state.charts.forEach((chart) => chart.reset());
    state.root.querySelector(".samples ul").replaceChildren();
  }
  state.charts.forEach((chart, k) => {
    const summary = run?.summaries[chart.name] ?? "The curve grows here while the network trains.";
    chart.show(run?.series.get(chart.name), run?.marks ?? [], summary);
    const caption = state.figures[k].querySelector("p");
    if (caption.textContent !== summary) caption.textContent = summary;
  });
  drawSamples(state, run?.pictures.get("samples"));
  drawLog(state, run?.now);
}

function drawSamples(state, picture) {
  const section = state.root.querySelector(".samples");
  const says = section.querySelector("p");
  if (!picture) {
    says.textContent = "What the network says of a few test examples appears here while it trains.";
    return;
  }
  if (picture === state.shownSamples) return;
  state.shownSamples = picture;
  const samples = unpackSamples(picture.bytes);
  const right = samples.examples.filter(({ true: truth, top: [guess] }) => guess === truth).length;
  says.textContent = samples.names
    ? `${right} of ${samples.examples.length} right after step ${count(picture.step)}.`
    : `What it predicts after step ${count(picture.step)}, and what it is.`;
  showSamples(section.querySelector("ul"), samples);
}

function drawLog(state, now) {
  const log = state.root.querySelector(".log");
  log.hidden = !now;
  if (!now) return;
  const doing = now.phase || now.status;
  if (state.phases.at(-1)?.doing !== doing) state.phases.push({ doing, at: new Date() });
  const lines = [
    ...state.phases.map(({ doing, at }) => `${at.toLocaleTimeString()} ${doing}`),
    ...now.orders.map(orderInWords),
    ...(now.message ? [now.message] : []),
  ];
  const list = log.querySelector("ol");
  if (list.childElementCount === lines.length && list.lastChild?.textContent === lines.at(-1)) return;
  list.replaceChildren(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
}

function orderInWords({ says, step, refusal }) {
  if (refusal) return `${says}: ${refusal}`;
  return step === null ? `${says}: waits to take effect` : `${says}: from step ${count(step)} on`;
}

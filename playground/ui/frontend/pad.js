// The drawing pad: strokes of a pen as points on a square of 1000 × 1000 units, drawn here, prepared by the server.
// It keeps its strokes itself; those that come with its data are only where it begins, after a visit to another page.

const UNITS = 1000;
const SEND_MS = 250; // a learner cannot read four predictions a second, and the network has to keep up
const STEP = 40; // of the pen that the arrow keys move

export default function ({ data, parentElement, setStateValue }) {
  const state = (parentElement.__pad ??= mount(parentElement, data));
  state.send = (strokes) => setStateValue("strokes", strokes);
  state.pen = data.pen;
  // Streamlit may call the cleanup of an older call after a newer one took over: only the newest owner may stop.
  const owner = (state.owner = {});
  state.observer.observe(state.canvas);
  draw(state); // the theme may have changed
  return () => {
    if (state.owner !== owner) return;
    clearTimeout(state.timer);
    state.observer.disconnect();
  };
}

function mount(parent, data) {
  const canvas = parent.querySelector("canvas");
  const [undo, clear] = parent.querySelectorAll("button");
  const state = { canvas, undo, clear, strokes: data.strokes, pen: data.pen, pointer: null, cursor: null, down: false };
  state.sent = JSON.stringify(state.strokes);
  state.observer = new ResizeObserver(() => draw(state));
  canvas.addEventListener("pointerdown", (event) => begin(state, event));
  canvas.addEventListener("pointermove", (event) => follow(state, event));
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => finish(state, event));
  canvas.addEventListener("keydown", (event) => press(state, event));
  canvas.addEventListener("blur", () => {
    state.cursor = null;
    lift(state);
  });
  undo.addEventListener("click", () => change(state, state.strokes.slice(0, -1)));
  clear.addEventListener("click", () => change(state, []));
  return state;
}

function begin(state, event) {
  if (state.pointer !== null || event.button !== 0) return; // a second finger, or the palm beside the pen
  event.preventDefault(); // no text selected, no page scrolled
  state.canvas.focus({ preventScroll: true });
  state.cursor = null;
  state.down = false;
  state.pointer = event.pointerId;
  state.canvas.setPointerCapture(event.pointerId);
  state.strokes = [...state.strokes, [place(state, event)]];
  changed(state);
}

function follow(state, event) {
  if (event.pointerId !== state.pointer) return;
  const stroke = state.strokes.at(-1);
  for (const passed of event.getCoalescedEvents?.() ?? [event]) {
    const point = place(state, passed), last = stroke.at(-1);
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) >= 6) stroke.push(point);
  }
  changed(state);
}

function finish(state, event) {
  if (event.pointerId !== state.pointer) return;
  state.pointer = null;
  changed(state, true);
}

function place(state, event) {
  const box = state.canvas.getBoundingClientRect();
  const inside = (value) => Math.round(Math.min(Math.max(value, 0), 1) * UNITS);
  return [inside((event.clientX - box.left) / box.width), inside((event.clientY - box.top) / box.height)];
}

// Without a pointer: arrows move the pen, space puts it down and lifts it.
function press(state, event) {
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (way) move(state, way);
  else if (event.key === " ") state.down ? lift(state) : lower(state);
  else if (event.key === "Backspace" && state.strokes.length) change(state, state.strokes.slice(0, -1));
  else if (event.key === "Delete") change(state, []);
  else return;
  event.preventDefault();
}

function move(state, [right, down]) {
  const inside = (value) => Math.min(Math.max(value, 0), UNITS);
  state.cursor ??= [UNITS / 2, UNITS / 2];
  state.cursor = [inside(state.cursor[0] + right * STEP), inside(state.cursor[1] + down * STEP)];
  if (state.down) state.strokes.at(-1).push(state.cursor);
  changed(state);
}

function lower(state) {
  state.cursor ??= [UNITS / 2, UNITS / 2];
  state.down = true;
  state.strokes = [...state.strokes, [state.cursor]];
  changed(state);
}

function lift(state) {
  state.down = false;
  changed(state, true);
}

function change(state, strokes) {
  state.down = false;
  state.strokes = strokes;
  changed(state, true);
}

function changed(state, atOnce = false) {
  draw(state);
  if (atOnce) return send(state);
  state.timer ??= setTimeout(() => send(state), SEND_MS);
}

function send(state) {
  clearTimeout(state.timer);
  state.timer = null;
  const now = JSON.stringify(state.strokes);
  if (now === state.sent) return;
  state.sent = now;
  state.send(JSON.parse(now));
}

function draw(state) {
  const { canvas, strokes } = state;
  const ratio = window.devicePixelRatio || 1;
  const side = Math.round(canvas.clientWidth * ratio);
  if (!side) return;
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  context.setTransform(side / UNITS, 0, 0, side / UNITS, 0, 0);
  context.clearRect(0, 0, UNITS, UNITS);
  const style = getComputedStyle(canvas);
  context.strokeStyle = context.fillStyle = style.color;
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = state.pen;
  for (const [first, ...rest] of strokes) {
    context.beginPath();
    context.moveTo(...first);
    if (!rest.length) context.lineTo(...first);
    for (const point of rest) context.lineTo(...point);
    context.stroke();
  }
  if (!strokes.length) write(context, style, canvas.dataset.empty);
  if (state.cursor) mark(context, state);
  state.undo.disabled = state.clear.disabled = !strokes.length;
}

function write(context, style, words) {
  context.globalAlpha = 0.65;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = "56px " + style.fontFamily;
  context.fillText(words, UNITS / 2, UNITS / 2);
  context.globalAlpha = 1;
}

function mark(context, state) {
  context.beginPath();
  context.arc(...state.cursor, state.pen / 2 + 12, 0, 2 * Math.PI);
  context.lineWidth = state.down ? 14 : 5;
  context.stroke();
}

// What a person does to a chart: drag to zoom, double-click to see all, point to read a value. Keys do the same: arrows
// walk along the points, + and − zoom, Escape shows all.

const LEAST_DRAG = 6; // pixels; less is a click
const NEAR = 40; // pixels from the pointer to the point it reads

export function listen(chart) {
  const { canvas } = chart;
  const place = (event) => {
    const { left, top } = canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const forget = () => {
    chart.pointed = null;
    chart.request();
  };
  canvas.onpointerdown = (event) => {
    if (event.button || !chart.box) return;
    canvas.setPointerCapture(event.pointerId);
    chart.drag = { begun: inside(chart, place(event)), area: null };
  };
  canvas.onpointermove = (event) => {
    const at = place(event);
    if (chart.drag) chart.drag.area = area(chart, chart.drag.begun, inside(chart, at), event.pointerType === "touch");
    else chart.pointed = nearest(chart, at);
    chart.request();
  };
  canvas.onpointerup = (event) => {
    const dragged = chart.drag?.area;
    chart.drag = null;
    if (dragged) chart.zoomTo(dragged);
    else if (event.pointerType === "touch") chart.pointed = nearest(chart, place(event));
    chart.request();
  };
  canvas.onpointercancel = () => {
    chart.drag = null;
    chart.request();
  };
  canvas.onpointerleave = canvas.onblur = forget;
  canvas.ondblclick = () => chart.reset();
  canvas.onkeydown = (event) => {
    if (press(chart, event.key)) event.preventDefault();
  };
}

function inside({ box }, { x, y }) {
  return { x: Math.min(Math.max(x, box.left), box.right), y: Math.min(Math.max(y, box.top), box.bottom) };
}

// The rectangle of a drag, null for a click. One that hardly leaves its row or column is about one axis only; a finger
// that moves up or down moves the page.
function area({ box }, from, to, isTouch) {
  const wide = Math.abs(to.x - from.x) > LEAST_DRAG, high = !isTouch && Math.abs(to.y - from.y) > 3 * LEAST_DRAG;
  if (!wide && !high) return null;
  const [left, right] = wide ? [Math.min(from.x, to.x), Math.max(from.x, to.x)] : [box.left, box.right];
  const [top, bottom] = high ? [Math.min(from.y, to.y), Math.max(from.y, to.y)] : [box.top, box.bottom];
  return { left, right, top, bottom };
}

function nearest(chart, { x, y }) {
  let found = null, least = NEAR;
  for (const curve of chart.curves ?? []) {
    for (let index = 0; index < curve.x.length; index++) {
      // People follow a curve from left to right: what is above or below counts less.
      const distance = Math.hypot(chart.toX(curve.x[index]) - x, (chart.toY(curve.y[index]) - y) / 3);
      if (distance < least) [least, found] = [distance, { name: curve.name, index }];
    }
  }
  return found;
}

function press(chart, key) {
  const move = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[key];
  const factor = { "+": 0.5, "=": 0.5, "-": 2 }[key];
  if (move !== undefined) walk(chart, move);
  else if (factor) scale(chart, factor);
  else if (key === "Escape" || key === "0") chart.reset();
  else return false;
  chart.request();
  return true;
}

// To the next point of the same curve, at first of the one with most points.
function walk(chart, by) {
  const longest = chart.curves?.reduce((one, other) => (other.x.length > one.x.length ? other : one));
  if (!longest?.x.length) return;
  const curve = chart.curves.find(({ name }) => name === chart.pointed?.name) ?? longest;
  const index = (chart.pointed?.index ?? (by < 0 ? curve.x.length : -1)) + by;
  chart.pointed = { name: curve.name, index: Math.min(Math.max(index, 0), curve.x.length - 1) };
}

// In or out, around the point that is read, else around the middle.
function scale(chart, factor) {
  if (!chart.domain) return;
  const [low, high] = chart.domain.x;
  const curve = chart.curves.find(({ name }) => name === chart.pointed?.name);
  const middle = curve ? curve.x[chart.pointed.index] : (low + high) / 2;
  const half = ((high - low) * factor) / 2;
  chart.zoom = { x: [middle - half, middle + half], y: chart.domain.y };
}

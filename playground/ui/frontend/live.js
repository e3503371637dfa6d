// A run as it happens, in two parts of the page: "head" (numbers, progress) and "curves" (charts, examples, log). They
// are mounted once and change only what they show; data arrives through the feed, or by the page where there is none.

import { Chart } from "./live_chart.js";
import { mountHead, showHead } from "./live_head.js";
import { mountCurves, showCurves } from "./live_curves.js";
import { follow } from "./live_run.js";

const PARTS = {
  head: { mount: mountHead, show: showHead },
  curves: { mount: mountCurves, show: showCurves },
};

// data: uint32 length | JSON page | whole frame, empty before there is a run. The page says which part this is, whose
// run is shown, the address of its feed, and names and colours: see playground/ui/live.py.
export default function ({ data, parentElement, setStateValue }) {
  const { page, frame } = unpackPage(data);
  const root = parentElement.querySelector(".live");
  const part = PARTS[page.part];
  const state = (root.__live ??= { charts: [], run: null, ...part.mount(root, page, Chart) });
  state.setSocket = (isOpen) => setStateValue("socket", isOpen);
  // Streamlit may call the cleanup of an older call after a newer one took over: only the newest owner may stop.
  const owner = (state.owner = {});
  state.page = page;
  if (state.run && state.run.id !== page.run) {
    state.run.leave(state.listener);
    state.run = null;
  }
  state.listener ??= {
    onChange: (run) => part.show(state, run),
    onSocket: (isOpen) => page.part === "curves" && state.setSocket(isOpen),
  };
  if (page.run) state.run = follow(page.run, page.url, frame, state.listener);
  part.show(state, state.run);
  return () => {
    if (state.owner !== owner) return;
    state.run?.leave(state.listener);
    for (const chart of state.charts) chart.close();
    delete root.__live;
    root.replaceChildren();
  };
}

function unpackPage(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const page = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const frame = bytes.subarray(4 + length);
  return { page, frame: frame.length ? frame : null };
}

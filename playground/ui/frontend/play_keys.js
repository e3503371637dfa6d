// Space plays and pauses, → steps a batch, Shift + → an epoch, R rewinds.

const TAKEN = "input, select, textarea, [contenteditable], [role=slider], [role=radio], [role=tab], [role=combobox]";

// Listens until the function that is returned is called.
export function onKeys(root, act) {
  const pressed = (event) => {
    const [at] = event.composedPath();
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || at.closest?.(TAKEN)) return;
    // Space belongs to a button that has the focus; elsewhere on the page only what has no use for keys lets them go.
    if (event.key === " " && at.closest?.("button, a, summary")) return;
    const name = { " ": "play", ArrowRight: event.shiftKey ? "step-epoch" : "step-batch", r: "rewind", R: "rewind" };
    if (!name[event.key]) return;
    event.preventDefault();
    act(name[event.key]);
  };
  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}

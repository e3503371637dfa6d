// The card beside the pointer: what a weight or a bias is, and boxes to put another number in its place.

export class Card {
  // send({layer, variable, index, value}): a person wants another number.
  constructor(element, send) {
    this.element = element;
    this.send = send;
    this.target = null;
    this.isOpen = false;
    element.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.close();
    });
  }

  // Says what is under the pointer; goes when the pointer goes.
  hint(target, rows, title, at) {
    if (this.isOpen) return;
    this.target = target;
    this.element.hidden = !target;
    if (!target) return;
    this.rows = rows;
    this.element.replaceChildren();
    const line = this.element.appendChild(document.createElement("p"));
    line.textContent = title;
    this.values = [this.element.appendChild(document.createElement("b"))];
    const how = this.element.appendChild(document.createElement("small"));
    how.textContent = "Click to change it.";
    this.place(at);
  }

  // Boxes for some weights; stays until it is closed.
  open(target, rows, title, at) {
    this.close();
    if (!rows.length) return;
    [this.isOpen, this.target, this.rows, this.returnTo] = [true, target, rows, at.target?.closest?.("button")];
    this.element.hidden = false;
    this.element.replaceChildren();
    const head = this.element.appendChild(document.createElement("header"));
    head.appendChild(document.createElement("b")).textContent = title;
    const shut = head.appendChild(document.createElement("button"));
    Object.assign(shut, { type: "button", textContent: "×", title: "Close" });
    shut.setAttribute("aria-label", "Close");
    shut.addEventListener("click", () => this.close());
    this.values = rows.map((row) => this.box(row));
    this.place(at);
    this.values[0].focus();
    this.values[0].select();
  }

  box(row) {
    const label = this.element.appendChild(document.createElement("label"));
    label.appendChild(document.createElement("span")).textContent = row.name;
    const box = label.appendChild(document.createElement("input"));
    Object.assign(box, { type: "number", step: "any" });
    box.setAttribute("aria-label", row.says);
    const give = () => {
      const value = box.valueAsNumber;
      if (!Number.isFinite(value) || Math.abs(value) > 1e6 || box.value === box.dataset.shown) return;
      box.dataset.asked = box.dataset.shown = box.value;
      this.send({ ...row.address, value });
    };
    box.addEventListener("change", give);
    box.addEventListener("keydown", (event) => event.key === "Enter" && give());
    return box;
  }

  // The present numbers; a box that somebody writes into is left alone.
  refresh(weights) {
    if (!this.target) return;
    this.rows.forEach((row, k) => {
      const value = weights[row.at], place = this.values[k];
      const text = Number.isFinite(value) ? String(+value.toPrecision(5)) : "not a number";
      if (place.tagName === "B") place.textContent = text;
      else if (!place.matches(":focus")) place.value = place.dataset.shown = text;
      else if (place.dataset.shown === undefined) {
        place.value = place.dataset.shown = text;
        place.select();
      }
      place.dataset.value = text;
    });
  }

  place(at) {
    const around = this.element.offsetParent?.getBoundingClientRect() ?? { left: 0, top: 0, width: 400 };
    const source = at.clientX ? { x: at.clientX, y: at.clientY } : center(at.target ?? this.element.offsetParent);
    const left = Math.min(source.x - around.left + 14, around.width - this.element.offsetWidth - 4);
    this.element.style.left = `${Math.max(left, 4)}px`;
    this.element.style.top = `${source.y - around.top + 14}px`;
  }

  close() {
    if (this.isOpen) this.returnTo?.focus();
    [this.isOpen, this.target, this.element.hidden] = [false, null, true];
  }
}

function center(element) {
  const box = element.getBoundingClientRect();
  return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
}

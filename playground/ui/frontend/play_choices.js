// What can be chosen in the component itself: data sets, features, how many layers.

import { drawSet } from "./play_surface.js";

export function showChoices(play, { header, sets }) {
  const { root } = play;
  const problem = root.querySelector(".problem");
  problem.textContent = header.problem;
  problem.hidden = !header.problem;
  showSets(play, header, sets);
  showFeatures(play, header);
  const count = header.layers.length;
  root.querySelector(".layer-count").textContent = `${count} hidden ${count === 1 ? "layer" : "layers"}`;
  root.querySelector("[data-do=layer-more]").disabled = count >= header.limits.layers;
  root.querySelector("[data-do=layer-less]").disabled = count <= 1;
  root.querySelector(".classes").replaceChildren(
    ...header.class_names.map((name, k) => {
      const item = document.createElement("span");
      item.className = k % 2 ? "square" : "round";
      item.style.setProperty("--class", header.colors.classes[k % header.colors.classes.length]);
      item.textContent = name;
      return item;
    }),
  );
}

function showSets(play, header, sets) {
  const box = play.root.querySelector(".sets");
  sets.forEach((set, k) => {
    const button = box.children[k] ?? box.appendChild(tile());
    button.title = `${set.label}: ${set.help}`;
    button.setAttribute("aria-label", set.label);
    button.setAttribute("aria-checked", String(set.kind === header.data));
    button.dataset.kind = set.kind;
    button.onclick = () => play.command({ do: "data", kind: set.kind });
    drawSet(button.querySelector("canvas"), set, header.colors);
  });
}

function tile() {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("role", "radio");
  button.appendChild(document.createElement("canvas"));
  return button;
}

function showFeatures(play, header) {
  const box = play.root.querySelector(".features");
  header.features.forEach((feature, k) => {
    const button = box.children[k] ?? box.appendChild(document.createElement("button"));
    Object.assign(button, { type: "button", textContent: feature.label, title: feature.help });
    button.setAttribute("aria-pressed", String(feature.on));
    button.onclick = () => {
      feature.on = !feature.on;
      const features = header.features.filter((one) => one.on).map((one) => one.name);
      if (!features.length) return (feature.on = true); // a network has to receive something
      button.setAttribute("aria-pressed", String(feature.on));
      play.command({ do: "features", features });
    };
  });
}

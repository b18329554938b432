// Keyboard shortcuts, and the dialog that explains them.

const PAN = 60; // pixels
const ZOOM = 1.4;

const next = (names, current) => names[(names.indexOf(current) + 1) % names.length];

// What keys do, and the keys.
const SHORTCUTS = [
  ["previous, next scan", {
    ArrowLeft: () => showScan(state.index - 1), ArrowRight: () => showScan(state.index + 1),
  }],
  ["ten scans back, forward", {
    PageUp: () => showScan(state.index - 10), PageDown: () => showScan(state.index + 10),
  }],
  ["first, last scan", { Home: () => showScan(0), End: () => showScan(last) }],
  ["play, pause", { " ": play }],
  ["next scan worth a look", { n: showNextOutlier }],
  ["zoom in, out", {
    "+": () => zoomAt(main, ZOOM), "-": () => zoomAt(main, 1 / ZOOM),
  }],
  ["show the whole image", { 0: fit }],
  ["move the view; values are read at the cross", {
    w: () => pan(0, PAN), a: () => pan(-PAN, 0), s: () => pan(0, -PAN), d: () => pan(PAN, 0),
  }],
  ["next encoding, next one to compare with", {
    e: () => chooseEncoding(next([...encodings.keys()], state.encoding)),
    c: () => chooseComparison(next(["", ...encodings.keys()], state.compareWith)),
  }],
  ["all planes in colour, or one by its values", {
    m: () => chooseMode(next(["all", "one"], state.mode)),
  }],
  ["toggle a plane, or select it", Object.fromEntries(
    Array.from({ length: 9 }, (_, plane) => [plane + 1, () => choosePlane(plane)]))],
  ["labels, predictions on or off", {
    l: () => toggleLayer("labels"), p: () => toggleLayer("predictions"),
  }],
  ["orientation", { o: () => chooseOrientation(next(["forward", "file"], state.orientation)) }],
  ["go to a scan by its name", { "/": () => $("name").focus() }],
  ["show these keys", { "?": () => $("keys").showModal() }],
];
const KEY_NAMES = {
  ArrowLeft: "←", ArrowRight: "→", PageUp: "Page ↑", PageDown: "Page ↓", " ": "space",
};
const KEYS = Object.assign({}, ...SHORTCUTS.map(([, keys]) => keys));
KEYS["="] = KEYS["+"]; // the same key, without Shift

$("keys").querySelector("dl").append(...SHORTCUTS.flatMap(([what, keys]) => {
  const names = Object.keys(keys).map((key) =>
    make("kbd", { textContent: KEY_NAMES[key] ?? key }));
  const listed = names.length > 4 ? [names[0], " … ", names.at(-1)]
    : names.flatMap((name) => [name, " "]);
  return [make("dt", {}, ...listed), make("dd", { textContent: what })];
}));

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  const isTyping = target.matches('input[type="search"], select');
  if (isTyping || $("keys").open || event.ctrlKey || event.altKey || event.metaKey) return;
  // Keys that the focused control uses itself.
  if (key === " " && target.matches("button, input, summary")) return;
  const moves = /^(Arrow|Page|Home|End)/.test(key);
  if (moves && target.matches('input[type="radio"], #gamma, ul')) return;
  if (!Object.hasOwn(KEYS, key)) return;
  event.preventDefault();
  KEYS[key]();
});

// Keyboard shortcuts; the dialog in index.html explains them.

const PAN = 60; // pixels
const ZOOM = 1.4;

const next = (names, current) => names[(names.indexOf(current) + 1) % names.length];

const KEYS = {
  ArrowLeft: () => showScan(state.index - 1),
  ArrowRight: () => showScan(state.index + 1),
  PageUp: () => showScan(state.index - 10),
  PageDown: () => showScan(state.index + 10),
  Home: () => showScan(0),
  End: () => showScan(last),
  " ": play,
  n: showNextOutlier,
  "+": () => zoomAt(main, ZOOM),
  "=": () => zoomAt(main, ZOOM),
  "-": () => zoomAt(main, 1 / ZOOM),
  0: fit,
  w: () => pan(0, PAN),
  a: () => pan(-PAN, 0),
  s: () => pan(0, -PAN),
  d: () => pan(PAN, 0),
  e: () => chooseEncoding(next([...encodings.keys()], state.encoding)),
  c: () => chooseComparison(next(["", ...encodings.keys()], state.compareWith)),
  m: () => chooseMode(next(["all", "one"], state.mode)),
  l: () => toggleLayer("labels"),
  p: () => toggleLayer("predictions"),
  o: () => chooseOrientation(next(["forward", "file"], state.orientation)),
  "/": () => $("name").focus(),
  "?": () => $("keys").showModal(),
};
for (let number = 1; number <= 9; number++) KEYS[number] = () => choosePlane(number - 1);

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  const isTyping = target.matches('input[type="search"], select');
  if (isTyping || $("keys").open || event.ctrlKey || event.altKey || event.metaKey) return;
  // Keys that the focused control uses itself.
  if (key === " " && target.matches("button, input")) return;
  const moves = /^(Arrow|Page|Home|End)/.test(key);
  if (moves && target.matches('input[type="radio"], #gamma')) return;
  if (!Object.hasOwn(KEYS, key)) return;
  event.preventDefault();
  KEYS[key]();
});

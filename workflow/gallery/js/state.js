// What the page shows, and helpers that everything uses.
//
// DATA comes from the workflow: the names of the scans, the encodings and so on. Whatever
// changes `state` calls update(); or updateLook() if scan and encodings stay the same, or
// updateView() if only the view moves.

const $ = (id) => document.getElementById(id);
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

const ANNOUNCE_DELAY = 500; // ms without another one: scans may play
let announcement = 0;

// Have screen readers say what a function returns.
function announce(compose) {
  clearTimeout(announcement);
  announcement = setTimeout(() => { $("status").textContent = compose(); }, ANNOUNCE_DELAY);
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
// Multiply a matrix of two rows, such as an encoding's `to_metres`, by (u, v, 1).
const transform = (matrix, u, v) => matrix.map(([a, b, c]) => a * u + b * v + c);

const encodings = new Map(DATA.encodings.map((encoding) => [encoding.encoding, encoding]));
const last = DATA.scans.length - 1;

const state = {
  index: 0,
  direction: 1, // of the last step: 1 forwards, -1 backwards
  playing: false,
  encoding: DATA.encodings[0].encoding,
  compareWith: "", // another encoding, or none
  mode: "all", // all planes in colour, or "one" by its values
  orientation: "forward", // forward is up, or "file": as in the file
  gamma: DATA.gamma,
  view: null, // {x, y} in metres at the centre, and zoom in pixels per metre
  fitted: true, // the view is the whole image: a resized pane is fitted again
  cursor: null, // {x, y} in metres, and its pane; if null, the centre of the view is read
  hiddenPlanes: new Map(), // for each encoding, those that mode "all" leaves out
  singlePlane: new Map(), // for each encoding, the one that mode "one" shows
  hiddenLayers: new Set(), // of boxes: "labels", "predictions"
  hiddenClasses: new Set(), // of boxes
};

// The palette of each encoding: what the values of its class maps mean, as [name, colour].
const palettes = new Map(DATA.encodings.map(({ encoding, classes, none }) => {
  const palette = (classes ?? []).map(({ name, colour }) => [name, colour]);
  delete palette[none];
  return [encoding, palette];
}));
const hasClassMap = ({ channels }) => channels.some((channel) => channel.is_class_map);

// Channels of whole cells have no colour next to slices, unless there are class maps.
const hiddenByDefault = (encoding) => new Set(encoding.colours.flatMap((colour, plane) =>
  (colour || hasClassMap(encoding) ? [] : [plane])));

for (const [name, encoding] of encodings) {
  state.hiddenPlanes.set(name, hiddenByDefault(encoding));
  state.singlePlane.set(name, 0);
}

const isShown = (name, plane) => (state.mode === "one"
  ? state.singlePlane.get(name) === plane
  : !state.hiddenPlanes.get(name).has(plane));

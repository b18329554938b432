// Keep the state in the page's address, so that a link restores it. The keys in links never
// change, so that old links work.

const LINK_DELAY = 250; // ms; browsers limit how often an address may change

let linkTimer = 0;

function rememberLink() {
  clearTimeout(linkTimer);
  linkTimer = setTimeout(writeLink, LINK_DELAY);
}

// Keys of links, all names, and those that are switched off.
const boxSwitches = () => [
  ["layers", DATA.layers, state.hiddenLayers],
  ["classes", DATA.classes.map(([name]) => name), state.hiddenClasses],
];

function writeLink() {
  const { encoding: name, compareWith, mode, orientation, gamma, view } = state;
  const encoding = encodings.get(name), { channels } = encoding;
  const hidden = state.hiddenPlanes.get(name), usual = hiddenByDefault(encoding);
  const link = new URLSearchParams({ scan: DATA.scans[state.index], encoding: name });
  if (compareWith) link.set("beside", compareWith);
  if (channels.some((_, plane) => hidden.has(plane) !== usual.has(plane))) {
    const shown = channels.filter((_, plane) => !hidden.has(plane));
    link.set("planes", shown.map((channel) => channel.name).join(" "));
  }
  if (mode === "one") link.set("plane", channels[state.singlePlane.get(name)].name);
  for (const [key, names, hiddenNames] of boxSwitches()) {
    if (hiddenNames.size) link.set(key, names.filter((one) => !hiddenNames.has(one)).join(" "));
  }
  if (orientation !== "forward") link.set("turn", orientation);
  if (gamma !== DATA.gamma) link.set("gamma", gamma.toFixed(3));
  if (!state.fitted) { // else it fits wherever the link is opened
    link.set("x", view.x.toFixed(2));
    link.set("y", view.y.toFixed(2));
    link.set("zoom", view.zoom.toFixed(3));
  }
  history.replaceState(null, "", `#${link}`);
}

function readLink() {
  const link = new URLSearchParams(location.hash.slice(1));
  const encodingOf = (key) => (encodings.has(link.get(key)) ? link.get(key) : null);
  const index = DATA.scans.indexOf(link.get("scan"));
  state.index = index < 0 ? state.index : index;
  const name = encodingOf("encoding") ?? state.encoding;
  const planes = encodings.get(name).channels.map((channel) => channel.name);
  const shown = link.get("planes")?.split(" ");
  state.hiddenPlanes.set(name, shown
    ? new Set(planes.flatMap((plane, k) => (shown.includes(plane) ? [] : [k])))
    : hiddenByDefault(encodings.get(name)));
  if (link.has("plane")) {
    state.singlePlane.set(name, Math.max(0, planes.indexOf(link.get("plane"))));
  }
  for (const [key, names, hiddenNames] of boxSwitches()) {
    const on = link.get(key)?.split(" ") ?? names;
    hiddenNames.clear();
    names.filter((one) => !on.includes(one)).forEach((one) => hiddenNames.add(one));
  }
  state.mode = link.has("plane") ? "one" : "all";
  state.orientation = link.get("turn") === "file" ? "file" : "forward";
  state.gamma = link.get("gamma") > 0 ? +link.get("gamma") : DATA.gamma;
  const [x, y, zoom] = ["x", "y", "zoom"].map((key) => parseFloat(link.get(key)));
  state.view = [x, y, zoom].every(Number.isFinite) && zoom > 0
    ? { x, y, zoom: clamp(zoom, MIN_ZOOM, MAX_ZOOM) } : null;
  chooseEncoding(name, encodingOf("beside") ?? "");
  if (!state.view) fit();
}

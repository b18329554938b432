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

function readLink(address) {
  const link = new URLSearchParams(new URL(address).hash.slice(1)), problems = [];
  // Return the name that a key has, or null if there is none or it is not one of `known`.
  const find = (key, known, problem) => {
    const name = link.get(key);
    if (name === null || known.includes(name)) return name;
    problems.push(problem(name));
    return null;
  };
  const findAll = (key, known, problem) => {
    const names = link.get(key)?.split(" ").filter(Boolean);
    problems.push(...(names ?? []).filter((name) => !known.includes(name)).map(problem));
    return names;
  };

  const scan = find("scan", DATA.scans, (wanted) =>
    `Scan “${wanted}” is not in this gallery: the first one is shown.`);
  if (link.has("scan")) state.index = Math.max(0, DATA.scans.indexOf(scan));
  const known = [...encodings.keys()];
  const name = find("encoding", known, (wanted) =>
    `Encoding “${wanted}” is not in this gallery: ${state.encoding} is shown.`)
    ?? state.encoding;
  const compareWith = find("beside", known, (wanted) =>
    `Encoding “${wanted}” is not in this gallery: nothing is compared.`) ?? "";
  // The planes of another encoding say nothing about those of the one that is shown.
  if (link.has("encoding") && link.get("encoding") !== name) {
    link.delete("planes");
    link.delete("plane");
  }
  const planes = encodings.get(name).channels.map((channel) => channel.name);
  const noPlane = (wanted) => `Encoding ${name} has no plane “${wanted}”.`;
  const shown = findAll("planes", planes, noPlane);
  state.hiddenPlanes.set(name, shown
    ? new Set(planes.flatMap((plane, k) => (shown.includes(plane) ? [] : [k])))
    : hiddenByDefault(encodings.get(name)));
  const single = find("plane", planes, noPlane);
  if (link.has("plane")) state.singlePlane.set(name, Math.max(0, planes.indexOf(single)));
  for (const [key, names, hiddenNames] of boxSwitches()) {
    const on = findAll(key, names, (wanted) => `Boxes “${wanted}” are not in this gallery.`)
      ?? names;
    hiddenNames.clear();
    names.filter((one) => !on.includes(one)).forEach((one) => hiddenNames.add(one));
  }
  state.mode = link.has("plane") ? "one" : "all";
  state.orientation = link.get("turn") === "file" ? "file" : "forward";
  state.gamma = link.get("gamma") > 0 ? +link.get("gamma") : DATA.gamma;
  const [x, y, zoom] = ["x", "y", "zoom"].map((key) => parseFloat(link.get(key)));
  state.fitted = !([x, y, zoom].every(Number.isFinite) && zoom > 0);
  state.view = state.fitted ? null : { x, y, zoom: clamp(zoom, MIN_ZOOM, MAX_ZOOM) };
  showNotice(problems);
  chooseEncoding(name, compareWith);
}

// Say above the image what a link names that is not here.
function showNotice(problems) {
  $("notice").hidden = !problems.length;
  $("notice").firstElementChild.replaceChildren(
    ...problems.map((textContent) => make("p", { textContent })));
}

$("notice").querySelector("button").onclick = () => showNotice([]);

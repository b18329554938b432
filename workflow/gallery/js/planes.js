// The list of planes, and the colour bar of a single one.

let listedPlanes = ""; // what the list is of

function updatePlanes() {
  const name = state.encoding, wanted = `${name}/${state.mode}`;
  // Only if it has to: to keep the focus, and clicks while scans play.
  if (listedPlanes !== wanted) {
    listPlanes();
    listPalette();
  }
  listedPlanes = wanted;
  $("planes").querySelectorAll("input").forEach((input, plane) => {
    input.checked = isShown(name, plane);
  });
  updateColourBar(encodings.get(name).channels[state.singlePlane.get(name)]);
}

function makeSwatch(colour) {
  const swatch = make("i");
  swatch.style.background = `rgb(${colour})`;
  return swatch;
}

// Return the classes that class maps show, as items of a list.
function makePalette(name) {
  return hasClassMap(encodings.get(name))
    ? palettes.get(name).flatMap(([text, colour]) => make("li", {}, makeSwatch(colour), text))
    : [];
}

function listPalette() {
  const items = makePalette(state.encoding);
  $("palette").hidden = !items.length;
  $("palette").querySelector("ul").replaceChildren(...items);
}

// Return the colour of a plane among the others: class maps have those of their classes.
const colourOfPlane = (encoding, plane) =>
  (hasClassMap(encoding) ? null : encoding.colours[plane]) ?? [255, 255, 255];

function listPlanes() {
  const focused = document.activeElement?.id;
  const encoding = encodings.get(state.encoding), { channels } = encoding;
  const isSingle = state.mode === "one";
  $("planes").replaceChildren(...channels.map((channel, plane) => {
    const input = make("input",
      { type: isSingle ? "radio" : "checkbox", name: "plane", id: `plane-${plane}` });
    input.onchange = () => choosePlane(plane);
    const swatch = makeSwatch(colourOfPlane(encoding, plane));
    swatch.hidden = isSingle || channel.is_class_map;
    return make("label", { title: describeChannel(channel) }, input, swatch,
      make("span", { textContent: channel.name }),
      make("small", { textContent: formatMeaning(channel) }));
  }));
  $("plane-buttons").hidden = isSingle || channels.length < 2;
  if (focused?.startsWith("plane-")) $(focused)?.focus();
}

function updateColourBar(channel) {
  $("bar").hidden = state.mode !== "one" || channel.is_class_map;
  $("bar").replaceChildren(...makeColourBar(channel));
}

// Return the colours of a single plane, and what their ends stand for.
function makeColourBar({ zero, full, unit }) {
  const canvas = make("canvas", { width: 256, height: 1 }), suffix = suffixOf(unit);
  canvas.getContext("2d")
    .putImageData(asImageData(Uint32Array.from(colourMap), 256, 1), 0, 0);
  const ends = zero === null ? ["minimum of the scan", "maximum"]
    : [`${round(zero)}${suffix}`, `${round(full)}${suffix}`];
  return [canvas, ...ends.map((textContent) => make("span", { textContent }))];
}

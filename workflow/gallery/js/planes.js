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

// List the classes that class maps show.
function listPalette() {
  const palette = hasClassMap(encodings.get(state.encoding)) ? palettes.get(state.encoding) : [];
  $("palette").hidden = !palette.length;
  $("palette").querySelector("ul").replaceChildren(...palette.flatMap(([name, colour]) => {
    const swatch = make("i");
    swatch.style.background = `rgb(${colour})`;
    return make("li", {}, swatch, name);
  }));
}

function listPlanes() {
  const focused = document.activeElement?.id;
  const encoding = encodings.get(state.encoding), { channels, colours } = encoding;
  const isSingle = state.mode === "one";
  $("planes").replaceChildren(...channels.map((channel, plane) => {
    const input = make("input",
      { type: isSingle ? "radio" : "checkbox", name: "plane", id: `plane-${plane}` });
    input.onchange = () => choosePlane(plane);
    const swatch = make("i", { hidden: isSingle || channel.is_class_map });
    const colour = hasClassMap(encoding) ? null : colours[plane];
    swatch.style.background = `rgb(${colour ?? [255, 255, 255]})`;
    return make("label", { title: describeChannel(channel) },
      input, swatch, channel.name, make("small", { textContent: formatRange(channel) }));
  }));
  $("plane-buttons").hidden = isSingle || channels.length < 2;
  if (focused?.startsWith("plane-")) $(focused)?.focus();
}

function updateColourBar({ zero, full, unit, is_class_map: isMap }) {
  $("bar").hidden = state.mode !== "one" || isMap;
  const [low, high] = $("bar").querySelectorAll("span"), suffix = suffixOf(unit);
  low.textContent = zero === null ? "minimum of the scan" : `${round(zero)}${suffix}`;
  high.textContent = full === null ? "maximum" : `${round(full)}${suffix}`;
}

$("bar").querySelector("canvas").getContext("2d")
  .putImageData(asImageData(Uint32Array.from(colourMap), 256, 1), 0, 0);

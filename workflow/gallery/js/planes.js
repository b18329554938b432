// The list of planes, and the colour bar of a single one.

let listedPlanes = ""; // what the list is of

function updatePlanes() {
  const name = state.encoding, wanted = `${name}/${state.mode}`;
  // Only if it has to: to keep the focus, and clicks while scans play.
  if (listedPlanes !== wanted) listPlanes();
  listedPlanes = wanted;
  $("planes").querySelectorAll("input").forEach((input, plane) => {
    input.checked = isShown(name, plane);
  });
  updateColourBar(encodings.get(name).channels[state.singlePlane.get(name)]);
}

function listPlanes() {
  const focused = document.activeElement?.id;
  const { channels, colours } = encodings.get(state.encoding);
  const isSingle = state.mode === "one";
  $("planes").replaceChildren(...channels.map((channel, plane) => {
    const input = make("input",
      { type: isSingle ? "radio" : "checkbox", name: "plane", id: `plane-${plane}` });
    input.onchange = () => choosePlane(plane);
    const swatch = make("i", { hidden: isSingle });
    swatch.style.background = `rgb(${colours[plane] ?? [255, 255, 255]})`;
    return make("label", { title: describeChannel(channel) },
      input, swatch, channel.name, make("small", { textContent: formatRange(channel) }));
  }));
  if (focused?.startsWith("plane-")) $(focused)?.focus();
}

function updateColourBar({ zero, full, unit }) {
  $("bar").hidden = state.mode !== "one";
  const [low, high] = $("bar").querySelectorAll("span"), suffix = suffixOf(unit);
  low.textContent = zero === null ? "minimum of the scan" : `${round(zero)}${suffix}`;
  high.textContent = full === null ? "maximum" : `${round(full)}${suffix}`;
}

$("bar").querySelector("canvas").getContext("2d")
  .putImageData(asImageData(Uint32Array.from(colourMap), 256, 1), 0, 0);

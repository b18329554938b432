// What the colours of the right pane mean. The panel says it of the left one, to choose from.

const colourKey = make("details",
  { className: "colour-key", open: matchMedia("(min-width: 64rem)").matches },
  make("summary", { textContent: "Colours" }), make("ul", { className: "list", tabIndex: 0 }));
second.head.append(colourKey);

let describedColours = ""; // what the key is of

function updateColourKey() {
  const { compareWith: name, mode } = state;
  if (!name) return;
  const { channels } = encodings.get(name);
  const shown = [...channels.keys()].filter((plane) => isShown(name, plane));
  const wanted = `${name}/${mode}/${shown}`;
  if (describedColours === wanted) return;
  describedColours = wanted;
  const planes = shown.filter((plane) => !channels[plane].is_class_map);
  const isMap = planes.length < shown.length;
  const list = colourKey.querySelector("ul");
  list.setAttribute("aria-label", `Colours of ${name}`);
  list.replaceChildren(
    ...planes.map((plane) => makeKey(name, plane)), ...(isMap ? makePalette(name) : []));
}

function makeKey(name, plane) {
  const encoding = encodings.get(name), channel = encoding.channels[plane];
  const meaning = make("small", { textContent: formatMeaning(channel) });
  if (state.mode === "all") {
    return make("li", {}, makeSwatch(colourOfPlane(encoding, plane)), channel.name, meaning);
  }
  const bar = make("div", { className: "bar" }, ...makeColourBar(channel));
  return make("li", { className: "single" }, channel.name, channel.z ? meaning : "", bar);
}

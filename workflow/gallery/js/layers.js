// The legend of the boxes: their layers and classes, to switch on and off.

function toggleLayer(name) {
  if (DATA.layers.includes(name)) toggle(state.hiddenLayers, name);
}

function toggle(hidden, name) {
  if (!hidden.delete(name)) hidden.add(name);
  updateLook();
}

function updateLegend() {
  DATA.layers.forEach((name) => { $(`layer-${name}`).checked = !state.hiddenLayers.has(name); });
  DATA.classes.forEach(([name], number) => {
    $(`class-${number}`).checked = !state.hiddenClasses.has(name);
  });
}

// Say how many boxes of each layer the scan has.
function countBoxes() {
  const { image } = main;
  for (const name of DATA.layers) {
    const count = image ? image.boxes[name]?.length ?? "none known" : "";
    $(`layer-${name}`).parentElement.querySelector("small").textContent = count;
  }
}

function makeSwitch(id, name, swatch, hidden) {
  const input = make("input", { type: "checkbox", id });
  input.onchange = () => toggle(hidden, name);
  return make("label", {}, input, swatch, name, make("small"));
}

$("boxes").hidden = !DATA.layers.length;
$("layers").append(...DATA.layers.map((name) =>
  makeSwitch(`layer-${name}`, name, make("i", { className: name }), state.hiddenLayers)));
$("classes").append(...DATA.classes.map(([name], number) => {
  const swatch = make("i");
  swatch.style.background = classColours.get(name);
  return makeSwitch(`class-${number}`, name, swatch, state.hiddenClasses);
}));

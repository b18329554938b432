// The controls around the image, and what they change in the state.

function updateControls() {
  for (const [id, name] of [["encoding", state.encoding], ["compare", state.compareWith]]) {
    if ($(id).value !== name) $(id).value = name; // else leave a list alone: it may be open
  }
  for (const name of ["mode", "orientation"]) {
    document.querySelector(`[name="${name}"][value="${state[name]}"]`).checked = true;
  }
  $("gamma").value = fromGamma(state.gamma);
  $("gamma").disabled = state.mode === "one";
  $("play").classList.toggle("playing", state.playing);
  $("play").setAttribute("aria-label", state.playing ? "Pause" : "Play");
  updatePlanes();
  updateLegend();
  updateColourKey();
}

async function chooseEncoding(name, compareWith = state.compareWith) {
  state.encoding = name;
  state.compareWith = compareWith;
  state.cursor = null;
  if (state.fitted) fitView();
  const shown = showScan(state.index);
  const results = await loadCounts(name);
  if (state.encoding !== name) return;
  findOutliers(results, warnings.get(state.encoding));
  listOutliers();
  drawStrip();
  drawPlot();
  await shown;
}

const chooseComparison = (name) => chooseEncoding(state.encoding, name);

// Toggle a plane, or show it alone.
function choosePlane(plane) {
  const name = state.encoding, hidden = state.hiddenPlanes.get(name);
  if (plane >= encodings.get(name).planes) return;
  if (state.mode === "one") state.singlePlane.set(name, plane);
  else if (!hidden.delete(plane)) hidden.add(plane);
  updateLook();
}

// Show all planes in colour, or none.
function chooseAllPlanes(isShowing) {
  const all = encodings.get(state.encoding).channels.keys();
  state.hiddenPlanes.set(state.encoding, new Set(isShowing ? [] : all));
  updateLook();
}

function chooseMode(mode) {
  state.mode = mode;
  updateLook();
}

function chooseOrientation(orientation) {
  state.orientation = orientation;
  updateLook();
  fit();
}

function showPanel(isOpen) {
  $("panel").hidden = !isOpen;
  $("settings").setAttribute("aria-expanded", isOpen);
}

const toGamma = (brightness) => 2 ** (1 - brightness / 35); // 35 leaves pixels as they are
const fromGamma = (gamma) => 35 * (1 - Math.log2(gamma));

for (const name of encodings.keys()) {
  $("encoding").append(make("option", { value: name, textContent: name }));
  $("compare").append(make("option", { value: name, textContent: name }));
}
$("compare").prepend(make("option", { value: "", textContent: "none" }));
$("slider").max = last;

$("encoding").onchange = (event) => chooseEncoding(event.target.value);
$("compare").onchange = (event) => chooseComparison(event.target.value);
for (const [name, choose] of [["mode", chooseMode], ["orientation", chooseOrientation]]) {
  document.querySelectorAll(`[name="${name}"]`).forEach((input) => {
    input.onchange = () => choose(input.value);
  });
}
$("gamma").oninput = (event) => {
  state.gamma = toGamma(event.target.value);
  updateLook();
};
$("all-planes").onclick = () => chooseAllPlanes(true);
$("no-planes").onclick = () => chooseAllPlanes(false);
$("fit").onclick = fit;
$("first").onclick = () => showScan(0);
$("back").onclick = () => showScan(state.index - 1);
$("next").onclick = () => showScan(state.index + 1);
$("play").onclick = play;
$("slider").oninput = (event) => showScan(+event.target.value);
$("help").onclick = () => $("keys").showModal();
$("settings").onclick = () => showPanel($("panel").hidden);
$("link").onclick = async () => {
  writeLink();
  try {
    await navigator.clipboard.writeText(location.href);
    $("link").textContent = "Copied";
  } catch {
    $("link").textContent = "See address bar";
  }
  setTimeout(() => { $("link").textContent = "Copy link"; }, 1500);
};
